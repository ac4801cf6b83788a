#include <doctest/doctest.h>

#include <sys/stat.h>

#include <fstream>
#include <variant>

#include "cli_support.hpp"
#include "config_files.hpp"
#include "watcher/steps/redact.hpp"

// Several commands of one key: build = [["npm", "ci"], ["npm", "run", "build"]].

namespace {

const std::string git_service =
    "[service.web]\nhealth = 'http://127.0.0.1:3001/health'\nrules = ['down for 30s']\n"
    "driver = 'git'\ndir = '/srv/app'\nrestart = ['true']\n";

using Commands = std::vector<std::vector<std::string>>;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Commands builds_of(const std::string& text) {
  return std::get<watcher::GitDriver>(loaded(git_service + text).drivers.front().driver).build;
}

std::string found(const std::string& text) { return findings_text(load_text(git_service + text)); }

}  // namespace

TEST_CASE("a build is one command, or several in their order") {
  CHECK(builds_of("").empty());
  CHECK(builds_of("build = ['npm', 'ci']\n") == Commands{std::vector<std::string>{"npm", "ci"}});
  CHECK(builds_of("build = [['npm', 'ci']]\n") == Commands{std::vector<std::string>{"npm", "ci"}});
  const Commands two = builds_of("build = [['npm', 'ci'], ['./bin/build', '{to}']]\n");
  REQUIRE(two.size() == 2);
  CHECK(two[0] == std::vector<std::string>{"npm", "ci"});
  CHECK(two[1] == std::vector<std::string>{"/srv/app/bin/build", "{to}"});
  const watcher::Config pm2 = loaded(
      "[service.web]\nhealth = 'http://127.0.0.1:3001/health'\nrules = ['down for 30s']\n"
      "driver = 'pm2'\ndir = '/srv/app'\nbuild = [['npm', 'ci'], ['npm', 'run', 'build']]\n");
  CHECK(std::get<watcher::Pm2Driver>(pm2.drivers.front().driver).build.size() == 2);
}

TEST_CASE("several commands are written out so that they are read as the same") {
  for (const std::string build : {"['npm', 'ci']", "[['npm', 'ci'], ['./build']]"}) {
    const watcher::Config config = loaded(git_service + "build = " + build + "\n");
    const std::string text = watcher::expand(config);
    CHECK(contains(text, build.front() == build[1] ? "build = [[\"npm\", \"ci\"], [\"/srv/app/build\"]]\n"
                                                   : "build = [\"npm\", \"ci\"]\n"));
    CHECK(watcher::expand(loaded(text)) == text);
  }
}

TEST_CASE("whatever else one may write for several commands is refused where it stands, with what to write") {
  const std::string what = "error: service.web.build: ";
  CHECK(contains(found("build = []\n"), "7:9: " + what + "expected a command and its arguments, found none"));
  CHECK(contains(found("build = 'npm ci'\n"), "7:9: " + what + "expected an array, one element an argument"));
  CHECK(contains(found("build = [['npm', 'ci'], 'true']\n"), "7:9: " + what + "has arguments beside commands; write "));
  CHECK(contains(found("build = [['npm', 'ci'], []]\n"),
                 "7:25: error: service.web.build[1]: expected a command and its arguments, found none"));
  CHECK(contains(found("build = [['npm', 'ci'], ['true', 5]]\n"),
                 "error: service.web.build[1]: expected a string, found an integer"));
  CHECK(contains(found("build = [['npm', 'ci'], ['make-{to}']]\n"), "7:25: error: service.web.build[1]: the first "));
  std::string many = "['true']";
  for (int i = 0; i < 20; ++i) many += ", ['true']";
  CHECK(contains(found("build = [" + many + "]\n"), what + "has more than 20 commands; put them into a script"));
}

TEST_CASE("each of several commands is looked at for who could change it, and told by its number") {
  const CliFolder folder(
      "[service.web]\ndriver = 'git'\ndir = '.'\nrestart = ['true']\nbuild = [['true'], ['./open']]\n");
  std::ofstream(folder.path() + "/open") << "#!/bin/sh\n";
  FakeWatcher nobody;
  REQUIRE(::chmod((folder.path() + "/open").c_str(), 0755) == 0);
  CHECK(nobody(folder.line({"check"})).exit_code == 0);
  REQUIRE(::chmod((folder.path() + "/open").c_str(), 0777) == 0);
  const CliRun refused = nobody(folder.line({"check"}));
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "service.web.build[1]: other users could change this command: " + folder.path()));
}

TEST_CASE("a secret in one of several commands is taken out of whatever repeats it, and not shown by check --expand") {
  const std::string text = git_service + "build = [['true'], ['npm', 'ci', '--token', 'hunter-a']]\n";
  const watcher::Config config = loaded(text);
  std::string repeated = "it said hunter-a";
  watcher::redact(repeated, config.secrets);
  CHECK_FALSE(contains(repeated, "hunter-a"));
  const CliFolder folder(text);
  FakeWatcher nobody;
  CHECK_FALSE(contains(nobody(folder.line({"check", "--expand"})).out, "hunter-a"));
  CHECK(contains(nobody(folder.line({"check", "--expand", "--secrets"})).out, "hunter-a"));
}
