#include <sys/stat.h>
#include <unistd.h>

#include "drivers_support.hpp"
#include "somebody_else.hpp"
#include "watcher/drivers/why_not.hpp"

namespace {

using namespace drivers_support;

// A folder with a script `ok.sh`, in which commands are started.
struct Place {
  Folder folder;
  std::string user{};

  Place() { script(folder.path + "/ok.sh", "exit 0\n"); }

  std::string with(const std::string& name, const std::string& content, mode_t mode = 0755) const {
    const std::string path = folder.path + "/" + name;
    write(path, content);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
  }
  std::string why_not(const std::vector<std::string>& argv) const {
    return watcher::why_not_started({argv, folder.path, user});
  }
};

void check_foretold(const std::string& why, const std::string& about) {
  INFO(why);
  CHECK(contains(why, about));
  CHECK(contains(why, "; do "));
}

}  // namespace

TEST_CASE("what a command has run that is not there is foretold") {
  const Place place;
  const std::vector<std::vector<std::string>> missing{
      {"sh", "./gone", "{to}"},
      {"sh", "-eu", "-o", "pipefail", "./gone"},
      {"bash", "--", "./gone"},
      {"python3", "gone"},
      {"python3.11", "-W", "ignore", "gone"},
      {"perl", "gone"},
      {"node", "gone.js"},
      {"env", "A=1", "./gone"},
      {"env", "-i", "-u", "B", "A=1", "./gone"},
      {"timeout", "60", "./gone"},
      {"timeout", "-k", "5", "--signal=INT", "60", "./gone"},
      {"nice", "-n", "5", "./gone"},
      {"nohup", "setsid", "-w", "./gone"},
      {"env", "A=1", "timeout", "5", "sh", "./gone"},
      {"env", "gone-from-path"},
      {"./gone", "{to}"},
      {"gone-from-path"},
  };
  for (const std::vector<std::string>& argv : missing) {
    check_foretold(place.why_not(argv), "");
  }
}

TEST_CASE("what may be there is not called missing") {
  const Place place;
  const std::vector<std::vector<std::string>> fine{
      {"./ok.sh", "{to}"},
      {"sh", "./ok.sh"},
      {"sh", "ok.sh"},
      {"sh", "-c", "./gone"},
      {"sh", "-ec", "./gone"},
      {"sh", "-s", "gone"},
      {"sh", "-"},
      {"sh", "true"},
      {"sh", "./{to}.sh"},
      {"env", "A=1", "./ok.sh"},
      {"env", "PATH=/nowhere", "gone"},
      {"env", "-C", "/elsewhere", "./gone"},
      {"env", "--unheard-of", "./gone"},
      {"env", "A=1"},
      {"timeout", "60", "./ok.sh"},
      {"flock", "lock", "-c", "gone"},
      {"{to}"},
  };
  for (const std::vector<std::string>& argv : fine) {
    INFO(argv[0] << " " << (argv.size() > 1 ? argv[1] : ""));
    CHECK(place.why_not(argv).empty());
  }
}

TEST_CASE("an interpreter that a script names and that is not there is foretold") {
  const Place place;
  check_foretold(place.why_not({place.with("a", "#!/usr/bin/nosuch -e\n")}), "/usr/bin/nosuch: no such command");
  check_foretold(place.why_not({place.with("b", "#!/usr/bin/env nosuch\n")}), "nosuch: no such command in PATH");
  check_foretold(place.why_not({place.with("c", "#!/usr/bin/env -S nosuch -u\n")}), "nosuch: no such command");
  check_foretold(place.why_not({place.with("d", "#!/bin/sh\r\nexit 0\r\n")}), "Windows");
  check_foretold(place.why_not({"timeout", "5", place.with("e", "#!/usr/bin/env nosuch\n")}), "nosuch");
  check_foretold(place.why_not({place.with("f", "exit 0\n")}), "#!/bin/sh");
  check_foretold(place.why_not({place.with("g", "#!/bin/sh\n", 0644)}), "chmod +x");
  CHECK(place.why_not({place.with("h", "#! /usr/bin/env sh\nexit 0\n")}).empty());
  CHECK(place.why_not({"nice", place.with("i", "exit 0\n")}).empty());
  CHECK(place.why_not({"/bin/true"}).empty());
}

TEST_CASE("whether a command may be run is asked for whom it runs as") {
  if (!can_be_somebody_else()) return;
  Place place;
  const std::string roots_own = place.with("own.sh", "#!/bin/sh\n", 0700);
  const std::string unread = place.with("unread.sh", "#!/bin/sh\n", 0711);
  const std::string closed = place.folder.path + "/closed";
  REQUIRE(std::filesystem::create_directory(closed));
  REQUIRE(::chmod(place.folder.path.c_str(), 0755) == 0);
  place.with("closed/x.sh", "#!/bin/sh\n");
  std::filesystem::create_symlink("closed/x.sh", place.folder.path + "/link");
  REQUIRE(::chmod(closed.c_str(), 0700) == 0);
  for (const std::string& file : {roots_own, unread, closed + "/x.sh"}) CHECK(place.why_not({file}).empty());
  place.user = "nobody";
  check_foretold(place.why_not({roots_own}), "may not be run by nobody");
  check_foretold(place.why_not({"sh", roots_own}), "may not be read by nobody");
  // Who runs a script reads it.
  check_foretold(place.why_not({unread}), "may not be read by nobody");
  check_foretold(place.why_not({closed + "/x.sh"}), "may not enter " + closed);
  check_foretold(place.why_not({"./link"}), "may not enter ");
  CHECK(place.why_not({"./ok.sh"}).empty());
  // It begins where it is started, whoever may go there.
  const std::string inner = closed + "/inner";
  REQUIRE(std::filesystem::create_directory(inner));
  script(inner + "/y.sh", "exit 0\n");
  CHECK(watcher::why_not_started({{"./y.sh"}, inner, "nobody"}).empty());
  check_foretold(watcher::why_not_started({{inner + "/y.sh"}, inner, "nobody"}), "may not enter " + closed);
}
