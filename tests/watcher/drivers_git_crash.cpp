#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "drivers_git_shop.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;

// Where the watcher is killed: around a git command, or in a command of the operator's.
struct Boundary {
  const char* name;
  const char* before;   // git subcommand
  const char* after;    // git subcommand
  const char* command;  // "build" or "restart"
  bool known;           // afterwards it can be told what runs
};

constexpr Boundary boundaries[] = {{"before the stash", "stash push", "", "", true},
                                   {"after the stash", "", "stash push", "", true},
                                   {"before the checkout", "checkout", "", "", true},
                                   {"after the checkout", "", "checkout", "", true},
                                   {"before the paths are restored", "restore", "", "", true},
                                   {"after the paths are restored", "", "restore", "", true},
                                   {"in the build", "", "", "build", true},
                                   {"in the restart", "", "", "restart", false}};

bool applies(const Boundary& boundary, bool partial) {
  const std::string commands = std::string(boundary.before) + boundary.after;
  if (commands == "checkout") return !partial;
  if (commands == "restore") return partial;
  return true;
}

// A git that kills whoever called it.
void make_deadly_git(const Shop& shop) {
  std::filesystem::create_directories(shop.folder.path + "/bin");
  script(shop.folder.path + "/bin/git",
         "real=$(PATH=/usr/local/bin:/usr/bin:/bin command -v git)\n"
         "case \" $* \" in *\" $CRASH_BEFORE \"*) kill -9 $PPID; exit 1;; esac\n"
         "\"$real\" \"$@\"; code=$?\n"
         "case \" $* \" in *\" $CRASH_AFTER \"*) kill -9 $PPID;; esac\n"
         "exit $code\n");
}

// Runs a switch in a process of its own, which is to die in it.
void crash(Shop& shop, const Boundary& boundary, const std::string& to) {
  make_deadly_git(shop);
  const std::string path = shop.folder.path + "/bin:" + std::getenv("PATH");
  const std::string before = *boundary.before == '\0' ? "nowhere" : boundary.before;
  const std::string after = *boundary.after == '\0' ? "nowhere" : boundary.after;
  const watcher::GitDriver config = shop.config;
  const std::vector<std::string> deadly{"/bin/sh", "-c", "kill -9 $PPID"};
  if (boundary.command == std::string("build")) shop.config.build = {deadly};
  if (boundary.command == std::string("restart")) shop.config.restart = deadly;
  const pid_t child = ::fork();
  REQUIRE(child != -1);
  if (child == 0) {
    ::setenv("PATH", path.c_str(), 1);
    ::setenv("CRASH_BEFORE", before.c_str(), 1);
    ::setenv("CRASH_AFTER", after.c_str(), 1);
    shop.roll_back_to(to);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  shop.config = config;
}

void survives(const Boundary& boundary, bool partial) {
  INFO(boundary.name, partial ? ", partial" : "");
  Shop shop;
  if (partial) shop.config.paths = {"backend"};
  const std::string patched = shop.repository + "/backend/api";
  write(patched, "patched on the host\n");
  crash(shop, boundary, shop.first);
  // Nothing was restarted.
  CHECK(shop.identified() == (boundary.known ? shop.third : "?"));
  // By hand, the same switch goes through from there.
  const rules::StepResult again = shop.roll_back_to(shop.first);
  INFO(again.detail);
  CHECK(again.status == StepStatus::succeeded);
  CHECK(shop.identified() == shop.first);
  CHECK(content(patched) == "api of one\n");
  // What the operator had changed is in a stash, whichever of the two attempts made it.
  const std::string found = "for s in $(git -C " + shop.repository + " stash list --format=%H); do git -C " +
                            shop.repository + " show $s:backend/api; done | grep -q 'patched on the host'";
  CHECK(std::system(found.c_str()) == 0);
}

}  // namespace

TEST_CASE("a git switch that is killed at any boundary leaves the truth about what runs, and can be done again") {
  for (const Boundary& boundary : boundaries) {
    for (const bool partial : {false, true}) {
      if (applies(boundary, partial)) survives(boundary, partial);
    }
  }
}

TEST_CASE("a second git switch that is killed after the checkout leaves the first one's target running") {
  Shop shop;
  REQUIRE(shop.roll_back_to(shop.second).status == StepStatus::succeeded);
  crash(shop, boundaries[2], shop.first);
  CHECK(shop.identified() == shop.second);
  crash(shop, boundaries[3], shop.first);
  CHECK(shop.identified() == shop.second);
  CHECK(shop.truly_running() == "two\n");
  // From there another one dies before it moves anything.
  crash(shop, boundaries[2], shop.third);
  CHECK(shop.identified() == shop.second);
}

TEST_CASE("a git switch that is killed in its build says that what is checked out does not run, and how to go on") {
  for (const bool partial : {false, true}) {
    CAPTURE(partial);
    Shop shop;
    if (partial) shop.config.paths = {"backend"};
    write(shop.repository + "/backend/api", "patched on the host\n");
    const auto unfinished = [&shop] { return run_here(shop.driver()->identify()).unfinished; };
    CHECK(unfinished().empty());
    crash(shop, boundaries[6], shop.first);
    const std::string said = unfinished();
    CHECK(said.starts_with(shop.first + " is checked out in " + shop.repository + ", but " + shop.third + " runs: "));
    CHECK(contains(said, "`rollbackd rollback web --to " + shop.first + "`"));
    CHECK(contains(said, partial ? " restore --source=HEAD" : " checkout main"));
    REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
    CHECK(unfinished().empty());
    // What the attempt that was broken off put away is still led to.
    shop.git("reset -q --hard");
    shop.git("checkout -q main");
    shop.obey("to have them back: ");
    CHECK(content(shop.repository + "/backend/api") == "patched on the host\n");
  }
}

TEST_CASE("a crash between the stash and its note still leads people to the stash") {
  Shop shop;
  write(shop.repository + "/version", "patched\n");
  crash(shop, boundaries[1], shop.first);
  CHECK(contains(shop.aftermath(), "stash list"));
  CHECK(contains(shop.asked("stash list"), "20261121-020304-web-errors"));
}

TEST_CASE("a crash between the stash in a submodule and its note still leads people to the stash") {
  ShopWithLibrary shop;
  write(shop.repository + "/lib/code", "patched\n");
  crash(shop, boundaries[1], shop.old_release);
  CHECK(contains(shop.aftermath(), "Local changes in " + shop.repository + "/lib may be stashed"));
  CHECK(shop.identified() == shop.new_release);
  REQUIRE(shop.roll_back_to(shop.old_release).status == StepStatus::succeeded);
  CHECK(shop.asked("-C lib show stash@{0}:code") == "patched");
}

TEST_CASE("a git switch that was killed in its build and then fails leaves all as it was before the first attempt") {
  for (const bool partial : {false, true}) {
    for (const bool restarts : {false, true}) {
      CAPTURE(partial);
      CAPTURE(restarts);
      Shop shop;
      if (partial) shop.config.paths = {"backend"};
      // What is staged in the paths is another revision of them.
      write(shop.repository + "/backend/api", (partial ? "api of three\n" : "patched on the host\n"));
      shop.git("add backend/api");
      write(shop.repository + "/backend/api", "patched once more\n");
      const std::string before = shop.asked("status --porcelain --branch");
      crash(shop, boundaries[6], shop.first);
      crash(shop, boundaries[6], shop.first);
      write(shop.folder.path + (restarts ? "/break-restart" : "/break-build"), "");
      const rules::StepResult again = shop.roll_back_to(shop.first);
      INFO(again.detail);
      CHECK(again.status == StepStatus::failed);
      CHECK(content(shop.repository + "/backend/api") == "patched once more\n");
      CHECK(shop.asked("show :backend/api") == (partial ? "api of three" : "patched on the host"));
      CHECK(shop.asked("status --porcelain --branch") == before);
      CHECK(shop.asked("rev-parse HEAD") == shop.third);
      CHECK(contains(again.detail, "Local changes are back as they were"));
      CHECK(contains(again.detail, (shop.third + " is checked out again")));
      CHECK(shop.identified() == (restarts ? "?" : shop.third));
    }
  }
}

TEST_CASE("a git switch that was killed before its checkout and then fails has its changes back") {
  Shop shop;
  write(shop.repository + "/backend/api", "patched on the host\n");
  crash(shop, boundaries[2], shop.first);
  CHECK(content(shop.repository + "/backend/api") == "api of three\n");
  write(shop.folder.path + "/break-build", "");
  CHECK(shop.roll_back_to(shop.first).status == StepStatus::failed);
  CHECK(content(shop.repository + "/backend/api") == "patched on the host\n");
  CHECK(shop.asked("rev-parse --abbrev-ref HEAD") == "main");
}
