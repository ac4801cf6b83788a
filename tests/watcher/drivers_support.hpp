#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "../probes/run_here.hpp"
#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"

namespace drivers_support {

using namespace std::chrono_literals;

// A folder of the test's own, gone afterwards.
struct Folder {
  std::string path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "rollbackd-driver-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

// Goes on by a millisecond whenever it is asked, so that limits are far away and no two answers are the same.
class CountingClock final : public probes::Clock {
 public:
  rules::Instant now() const override { return now_ += 1ms; }

 private:
  mutable rules::Instant now_ = rules::from_unix_seconds(1'800'000'000);
};

inline void write(const std::string& path, const std::string& content) { std::ofstream(path) << content; }

inline std::string content(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

inline std::string script(const std::string& path, const std::string& lines) {
  write(path, "#!/bin/sh\n" + lines);
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  return path;
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline rules::RevisionRead identify(watcher::Driver& driver) {
  boost::asio::io_context loop;
  return tests::run_on(loop, driver.identify());
}

inline rules::ReadinessRead ready(watcher::Driver& driver, const std::string& to = "") {
  boost::asio::io_context loop;
  std::optional<rules::Revision> target;
  if (!to.empty()) target = rules::Revision(to);
  return tests::run_on(loop, driver.ready(target));
}

// What identify says: the revision, or "?" when nobody knows.
inline std::string running(watcher::Driver& driver) {
  const rules::RevisionRead read = identify(driver);
  CHECK(read.revision.has_value() == read.error.empty());
  CHECK(read.started < read.ended);
  return read.revision ? read.revision->text : "?";
}

inline rules::StepResult switch_to(watcher::Driver& driver, const std::string& from, const std::string& to) {
  boost::asio::io_context loop;
  watcher::SwitchRequest request;
  request.from = rules::Revision(from);
  request.to = rules::Revision(to);
  request.incident = rules::IncidentId("20261121-020304-web-errors");
  request.env = {{"ROLLBACKD_TO", to}};
  request.limit = 60s;
  return tests::run_on(loop, driver.switch_to(std::move(request)));
}

}  // namespace drivers_support
