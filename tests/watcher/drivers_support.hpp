#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <string>

#include "probes/clock.hpp"
#include "run_here.hpp"
#include "test_folder.hpp"
#include "watcher/drivers/driver.hpp"

namespace drivers_support {

using namespace std::chrono_literals;

using Folder = TestFolder;
using tests::run_here;

// Goes on by a millisecond whenever it is asked, so that limits are far away and no two answers are the same.
class CountingClock final : public probes::Clock {
 public:
  rules::Instant now() const override { return now_ += 1ms; }

 private:
  mutable rules::Instant now_ = rules::from_unix_seconds(1'800'000'000);
};

inline void write(const std::string& path, const std::string& content) { std::ofstream(path) << content; }

inline std::string script(const std::string& path, const std::string& lines) {
  write(path, "#!/bin/sh\n" + lines);
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  return path;
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline rules::RevisionRead identify(watcher::Driver& driver) { return run_here(driver.identify()); }

// Where looking around takes all of the time that the step has.
inline rules::StepResult switch_without_time(watcher::Driver& driver, const std::string& from, const std::string& to) {
  watcher::SwitchRequest request;
  request.from = rules::Revision(from);
  request.to = rules::Revision(to);
  request.limit = std::chrono::nanoseconds(1);
  return run_here(driver.switch_to(std::move(request)));
}

inline rules::ReadinessRead ready(watcher::Driver& driver, const std::string& to = "") {
  std::optional<rules::Revision> target;
  if (!to.empty()) target = rules::Revision(to);
  return run_here(driver.ready(target));
}

// What identify says: the revision, or "?" when nobody knows.
inline std::string running(watcher::Driver& driver) {
  const rules::RevisionRead read = identify(driver);
  CHECK(read.revision.has_value() == read.error.empty());
  CHECK(read.started < read.ended);
  return read.revision ? read.revision->text : "?";
}

inline rules::StepResult switch_to(watcher::Driver& driver, const std::string& from, const std::string& to) {
  watcher::SwitchRequest request;
  request.from = rules::Revision(from);
  request.to = rules::Revision(to);
  request.incident = rules::IncidentId("20261121-020304-web-errors");
  request.env = {{"ROLLBACKD_TO", to}};
  request.limit = 60s;
  return run_here(driver.switch_to(std::move(request)));
}

}  // namespace drivers_support
