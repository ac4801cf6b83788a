#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "cli_support.hpp"
#include "somebody_else.hpp"

// As whom commands run, as `check` tells it without asking anybody.

namespace {

// Beside the configuration, which is ours, a checkout of nobody's with a script in it.
struct Place {
  explicit Place(const std::string& configuration) : folder(configuration) {
    std::filesystem::create_directory(folder.path() + "/app");
    for (const char* name : {"/app/build", "/app/health"}) std::ofstream(folder.path() + name) << "#!/bin/sh\n";
    REQUIRE(std::system(("chmod 755 " + folder.path() + " " + folder.path() + "/app/*").c_str()) == 0);
    give_to_nobody(folder.path() + "/app");
  }
  CliRun check(std::vector<std::string> more = {}) const {
    FakeWatcher nobody;
    more.insert(more.begin(), "check");
    return nobody(folder.line(more));
  }

  CliFolder folder;
};

constexpr const char* git_service =
    "[service.web]\ndriver = 'git'\ndir = 'app'\nbuild = ['./build']\nrestart = ['true']\n";

bool says(const CliRun& run, const std::string& text) {
  INFO(run.out, run.err);
  return run.out.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("SPEC 3: check says as whom git, build and restart run: the owner of dir, unless user says otherwise") {
  if (!can_be_somebody_else()) return;
  const Place owner(git_service);
  CHECK(owner.check().exit_code == 0);
  CHECK(says(owner.check(), "fine: service web: git, build and restart run as nobody\n"));
  CHECK(says(owner.check({"--online"}), "fine: service web: git, build and restart run as nobody\n"));
  CHECK(says(owner.check({"--json"}), "\"runs_as\":[{\"kind\":\"fine\",\"subject\":\"service web\""));
  CHECK_FALSE(says(owner.check({"--expand"}), "run as nobody"));
  const Place restarter(std::string(git_service) + "restart_user = 'root'\n");
  CHECK(says(restarter.check(), "fine: service web: git and build run as nobody, restart as root\n"));
  const Place other("[service.web]\ndriver = 'git'\ndir = 'app'\nrestart = ['true']\nuser = 'daemon'\n");
  CHECK(says(other.check(), "service web: git and restart run as daemon\n"));
}

TEST_CASE("SPEC 3: what is not there yet is said to run as its owner") {
  const CliFolder folder("[service.web]\ndriver = 'git'\ndir = 'none'\nrestart = ['true']\n");
  FakeWatcher nobody;
  CHECK(says(nobody(folder.line({"check"})), "git and restart run as the owner of " + folder.path() + "/none\n"));
}

TEST_CASE("SPEC 3: commands and steps run as ourselves, unless user says otherwise, and check says so") {
  if (!can_be_somebody_else()) return;
  const Place ours("[service.web]\nidentify = ['true']\nrollback = ['true', '{to}']\n");
  CHECK(says(ours.check(), "fine: service web: identify and switch run as root\n"));
  const Place theirs(
      "[probe.e]\ntype = 'exec'\nrun = ['true']\nuser = 'daemon'\n"
      "[service.web]\nidentify = ['true']\nswitch = ['true', '{to}']\nschema = ['true']\nuser = 'nobody'\n"
      "[[action.rollback.step]]\nrun = ['true']\n[[action.rollback.step]]\nswitch = 'last-good'\n"
      "[[action.rollback.always]]\nrun = ['systemctl', 'restart', 'web']\nuser = 'nobody'\n");
  const CliRun run = theirs.check();
  CHECK(run.exit_code == 0);
  CHECK(says(run, "fine: service web: schema, identify and switch run as nobody\n"));
  CHECK(says(run, "fine: probe.e.run: runs as daemon\n"));
  CHECK(says(run,
             "advice: action.rollback.always[0].run: runs as nobody; systemd lets only root restart a system's "
             "unit, unless polkit has a rule: say user = \"root\"\n"));
  CHECK_FALSE(says(run, "action.rollback.step[0]"));
}

TEST_CASE("a command that somebody else can change is refused, unless it runs as that user") {
  if (!can_be_somebody_else()) return;
  const auto checked = [](const std::string& configuration) { return Place(configuration).check(); };
  const auto is_refused = [](const CliRun& run) {
    INFO(run.out, run.err);
    return run.exit_code == 1 && run.err.find("other users could change this command") != std::string::npos;
  };
  CHECK_FALSE(is_refused(checked(git_service)));
  CHECK(is_refused(checked(std::string(git_service) + "user = 'root'\n")));
  const std::string commands = "[service.web]\ndir = 'app'\nidentify = ['true']\nrollback = ['./build', '{to}']\n";
  CHECK(is_refused(checked(commands)));
  CHECK_FALSE(is_refused(checked(commands + "user = 'nobody'\n")));
  const std::string step =
      "[service.web]\nidentify = ['true']\nswitch = ['true', '{to}']\n"
      "[[action.rollback.step]]\nswitch = 'last-good'\n"
      "[[action.rollback.on_failure]]\nrun = ['app/build']\n";
  CHECK(is_refused(checked(step)));
  CHECK_FALSE(is_refused(checked(step + "user = 'nobody'\n")));
  const std::string probe = "[probe.e]\ntype = 'exec'\nrun = ['app/health']\n";
  CHECK(is_refused(checked(probe + "[service.web]\n")));
  CHECK_FALSE(is_refused(checked(probe + "user = 'nobody'\n[service.web]\n")));
}

TEST_CASE("check says of an identify that asks for HEAD that a switch of paths does not move it") {
  struct Case {
    const char* identify;
    const char* rollback;
    bool blind;
  };
  constexpr Case cases[] = {
      {"'git', 'log', '-1', '--format=%H', '--', 'apps/backend'", "'git', 'checkout', '{to}', '--', 'apps/backend'",
       true},
      {"'git', 'rev-parse', 'HEAD'", "'sh', '-c', 'git restore --source=\"$1\" -- apps', 'sh', '{to}'", true},
      {"'git', 'rev-parse', 'HEAD'", "'git', 'checkout', '{to}'", false},
      {"'cat', '/run/version'", "'git', 'checkout', '{to}', '--', 'apps/backend'", false},
      {"'sh', '-c', 'git log -1 | xargs git diff-index --cached'", "'git', 'restore', '--source={to}', '.'", false},
  };
  for (const Case& one : cases) {
    INFO(std::string(one.identify));
    const CliFolder folder("[service.web]\nidentify = [" + std::string(one.identify) + "]\nrollback = [" +
                           one.rollback + "]\n");
    FakeWatcher nobody;
    const CliRun run = nobody(folder.line({"check"}));
    INFO(run.out, run.err);
    CHECK((run.out.find("advice: service web: identify asks for HEAD") != std::string::npos) == one.blind);
  }
}

TEST_CASE("check says what run would refuse about the state directory") {
  const CliFolder folder("[service.web]\nrollback = ['true']\n");
  const std::string state = folder.path() + "/state";
  FakeWatcher nobody;
  CHECK(nobody(folder.line({"check"})).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(state));
  REQUIRE(std::filesystem::create_directory(state));
  REQUIRE(std::system(("chmod 777 " + state).c_str()) == 0);
  const std::string words = "state_dir " + state + " can be written by other users; chmod go-w " + state;
  for (const std::vector<std::string>& asked : std::vector<std::vector<std::string>>{
           {"check"}, {"check", "--json"}, {"check", "--online"}, {"check", "--online", "--json"}}) {
    const CliRun refused = nobody(folder.line(asked));
    CAPTURE(refused.out);
    CHECK(refused.exit_code == 1);
    CHECK(refused.out.find(words) != std::string::npos);
  }
  REQUIRE(std::system(("chmod 755 " + state).c_str()) == 0);
  CHECK(nobody(folder.line({"check"})).exit_code == 0);
}
