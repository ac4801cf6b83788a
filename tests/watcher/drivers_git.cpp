#include <sys/stat.h>

#include "drivers_git_shop.hpp"
#include "somebody_else.hpp"

#include <filesystem>

#include "watcher/drivers/git_runner.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;

}  // namespace

TEST_CASE("a git service runs what HEAD is at, as long as we have not moved it") {
  Shop shop;
  CHECK(shop.identified() == shop.third);
  shop.git("checkout -q " + shop.first);
  CHECK(shop.identified() == shop.first);
  CHECK(shop.aftermath().empty());
}

TEST_CASE("a git switch checks out, builds and restarts, and only then the target runs") {
  Shop shop;
  const rules::StepResult result = shop.roll_back_to(shop.first);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(result.output == "$ " + shop.config.build[0][0] + "\nbuilding\n$ " + shop.config.restart[0] + "\nrestarting\n");
  CHECK(content(shop.folder.path + "/built") == "one\n");
  CHECK(shop.truly_running() == "one\n");
  CHECK(shop.identified() == shop.first);
  CHECK(shop.asked("branch --show-current").empty());
  CHECK(shop.asked("stash list").empty());
}

TEST_CASE("the report of a git switch names the command that returns to the branch") {
  Shop shop;
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  REQUIRE(shop.roll_back_to(shop.second).status == StepStatus::succeeded);
  CHECK(contains(shop.aftermath(), "main still is at what was left, and with it checked out the next restart starts"));
  shop.obey("to return to the branch: ");
  CHECK(shop.asked("branch --show-current") == "main");
  CHECK(shop.asked("rev-parse HEAD") == shop.third);
}

TEST_CASE("what somebody checks out while the target is built is left to him, and is what runs") {
  Shop shop;
  const std::string fix = "git checkout -q main; cp version ../running";
  shop.config.build = {std::vector<std::string>{script(shop.folder.path + "/build-and-fix", fix + "\n")}};
  const rules::StepResult result = shop.roll_back_to(shop.first);
  INFO(result.detail);
  CHECK(result.status == StepStatus::failed);
  CHECK(contains(result.detail, "somebody checked out " + shop.third + ", and deploys that"));
  CHECK_FALSE(contains(result.detail, "It was stopped"));
  CHECK_FALSE(contains(result.output, "restarting"));
  CHECK(shop.asked("branch --show-current") == "main");
  CHECK(shop.identified() == shop.third);
}

TEST_CASE("whoever deploys by hand after a git switch is believed, also at a commit that we have been at") {
  Shop shop;
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  shop.git("checkout -q main");
  const std::string fourth = shop.release("four");
  shop.restart_by_hand();
  CHECK(shop.identified() == fourth);
  // A switch whose restart failed, and then the same commit checked out and restarted by hand.
  write(shop.folder.path + "/break-restart", "");
  CHECK(shop.roll_back_to(shop.first).status == StepStatus::failed);
  CHECK(shop.identified() == "?");
  shop.git("checkout -q main");
  shop.git("checkout -q " + shop.first);
  CHECK(shop.identified() == shop.first);
}

TEST_CASE("local changes, staged or not, are stashed by a git switch and named, and what is not tracked stays") {
  Shop shop;
  write(shop.repository + "/version", "three, patched on the host\n");
  write(shop.repository + "/backend/api", "staged\n");
  shop.git("add backend/api");
  write(shop.repository + "/untracked file", "mine\n");
  const rules::StepResult result = shop.roll_back_to(shop.first);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(shop.truly_running() == "one\n");
  CHECK(content(shop.repository + "/untracked file") == "mine\n");
  CHECK(contains(result.detail, "20261121-020304-web-errors"));
  CHECK(contains(shop.asked("stash list"), "20261121-020304-web-errors"));
  shop.obey("to return to the branch: ");
  shop.obey("to have them back: ");
  CHECK(content(shop.repository + "/version") == "three, patched on the host\n");
  CHECK(content(shop.repository + "/backend/api") == "staged\n");
  CHECK(content(shop.repository + "/untracked file") == "mine\n");
}

TEST_CASE("a file that git ignores here and has there is stashed by a git switch and named, never overwritten") {
  Shop shop;
  write(shop.repository + "/.env", "committed by mistake\n");
  shop.git("add .env");
  const std::string leaky = shop.release("leaky");
  shop.git("rm -q .env");
  write(shop.repository + "/.gitignore", ".env\n");
  const std::string clean = shop.release("clean");
  write(shop.repository + "/.env", "secrets of the host\n");
  const rules::StepResult result = shop.roll_back_to(leaky);
  INFO(result.detail);
  CHECK(result.status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/.env") == "committed by mistake\n");
  CHECK(shop.identified() == leaky);
  shop.obey("to return to the branch: ");
  CHECK(shop.identified() == clean);
  shop.obey("to have those back: ");
  CHECK(content(shop.repository + "/.env") == "secrets of the host\n");
  CHECK(shop.asked("status --porcelain").empty());
}

TEST_CASE("a build that fails takes the tree back to what runs, with what was local") {
  Shop shop;
  write(shop.repository + "/version", "patched\n");
  write(shop.folder.path + "/break-build", "");
  const rules::StepResult result = shop.roll_back_to(shop.first);
  CHECK(result.status == StepStatus::failed);
  CHECK(result.exit_code == 1);
  CHECK(contains(result.detail, "is checked out again"));
  CHECK(contains(result.detail, "Local changes are back as they were; a copy is stashed as"));
  CHECK(shop.asked("branch --show-current") == "main");
  CHECK(shop.asked("rev-parse HEAD") == shop.third);
  CHECK(shop.identified() == shop.third);
  CHECK(shop.truly_running() == "three\n");
  CHECK(content(shop.repository + "/version") == "patched\n");
  std::filesystem::remove(shop.folder.path + "/break-build");
  shop.git("checkout -q -- .");
  CHECK(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  CHECK(shop.identified() == shop.first);
}

TEST_CASE("several builds are run in their order, and each from the tree of the target") {
  Shop shop;
  const std::string log = shop.folder.path + "/log-of-builds";
  shop.config.build = {std::vector<std::string>{"/bin/sh", "-c", "echo first of $(cat version) >> \"$0\"", log},
                       std::vector<std::string>{"/bin/sh", "-c", "echo second of \"$1\" >> \"$0\"", log, "{to}"}};
  const rules::StepResult result = shop.roll_back_to(shop.first);
  INFO(result.detail);
  CHECK(result.status == StepStatus::succeeded);
  CHECK(result.detail.starts_with(shop.first + " is checked out, built and restarted\n"));
  CHECK(content(log) == "first of one\nsecond of " + shop.first + "\n");
  CHECK(shop.identified() == shop.first);
}

TEST_CASE("of several builds the one that fails is named, nothing is run after it, and the tree is taken back") {
  Shop shop;
  const std::string log = shop.folder.path + "/log-of-builds";
  const auto logs = [&](const std::string& word, const std::string& more) {
    return std::vector<std::string>{script(shop.folder.path + "/" + word, "echo " + word + " >> " + log + more + "\n")};
  };
  shop.config.build = {logs("one", ""), logs("two", "; echo no such module; exit 3"), logs("three", "")};
  const rules::StepResult result = shop.roll_back_to(shop.first);
  CHECK(result.status == StepStatus::failed);
  CHECK(result.exit_code == 3);
  INFO(result.detail);
  CHECK(result.detail.starts_with("build 2 of 3 (" + shop.folder.path + "/two) failed: exited with 3: no such module"));
  CHECK(content(log) == "one\ntwo\n");
  CHECK(shop.asked("rev-parse HEAD") == shop.third);
  CHECK(shop.truly_running() == "three\n");
  CHECK(shop.identified() == shop.third);
}

TEST_CASE("several builds have one time together, and one for which none is left is not begun") {
  Shop shop;
  shop.config.build = {std::vector<std::string>{"tail", "-f", "/dev/null"}, std::vector<std::string>{"true"}};
  shop.config.build_timeout = 100ms;
  const rules::StepResult ended = shop.roll_back_to(shop.first);
  CHECK(ended.status == StepStatus::timed_out);
  CHECK(contains(ended.detail, "build 1 of 2 (tail -f /dev/null) failed: took longer than 100ms and was ended"));
  shop.config.build_timeout = 0ms;
  const rules::StepResult none = shop.roll_back_to(shop.first);
  CHECK(none.status == StepStatus::timed_out);
  CHECK(contains(none.detail, "build 1 of 2 (tail -f /dev/null) failed: no time was left for it"));
  CHECK(shop.identified() == shop.third);
}

TEST_CASE("each of several builds is foretold, but for what one before it may make") {
  Shop shop;
  const std::vector<std::string> fine{"true"};
  shop.config.build = {fine, std::vector<std::string>{"/nowhere/tool"}};
  CHECK(contains(ready(*shop.driver()).reason, "/nowhere/tool: no such command"));
  const std::vector<std::string> made{shop.repository + "/node_modules/.bin/pack"};
  shop.config.build = {made, fine};
  CHECK(contains(ready(*shop.driver()).reason, "/node_modules/.bin/pack: no such command"));
  shop.config.build = {fine, made};
  CHECK(ready(*shop.driver()).ready);
  shop.in_tree("mkdir -p node_modules/.bin; echo > node_modules/.bin/pack");
  CHECK(contains(ready(*shop.driver()).reason, "may not be run; do chmod +x"));
}

TEST_CASE("a build that takes too long is ended and the tree taken back") {
  Shop shop;
  shop.config.build = {std::vector<std::string>{"tail", "-f", "/dev/null"}};
  shop.config.build_timeout = 100ms;
  const rules::StepResult result = shop.roll_back_to(shop.first);
  CHECK(result.status == StepStatus::timed_out);
  CHECK(shop.asked("rev-parse HEAD") == shop.third);
  CHECK(shop.identified() == shop.third);
}

TEST_CASE("a question to git has as long as a scan in a switch, and while somebody waits for what runs") {
  watcher::GitRunner git("/", {}, "", {});
  CHECK(git.given(watcher::git_question_limit) == watcher::git_question_limit);
  git.be_patient(true);
  CHECK(git.given(watcher::git_question_limit) == watcher::git_scan_limit);
  CHECK(git.given(std::chrono::minutes(1)) == std::chrono::minutes(1));
  const watcher::GitRunner in_a_switch("/", {}, "", [](pid_t, rules::Duration) {});
  CHECK(in_a_switch.given(watcher::git_question_limit) == watcher::git_scan_limit);
}

TEST_CASE("after a restart that failed nobody knows what runs, until a restart completes") {
  Shop shop;
  write(shop.folder.path + "/break-restart", "");
  const rules::StepResult result = shop.roll_back_to(shop.first);
  CHECK(result.status == StepStatus::failed);
  CHECK(contains(result.detail, "nobody knows what runs"));
  CHECK(shop.identified() == "?");
  std::filesystem::remove(shop.folder.path + "/break-restart");
  CHECK(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  CHECK(shop.identified() == shop.first);
}

TEST_CASE("a git switch is refused while a merge or rebase is under way") {
  Shop shop;
  shop.git("checkout -q -b side " + shop.first);
  write(shop.repository + "/version", "side\n");
  shop.git("commit -q -a -m side");
  CHECK(std::system(("git -C " + shop.repository + " merge main >/dev/null 2>&1").c_str()) != 0);
  const rules::StepResult merging = shop.roll_back_to(shop.second);
  CHECK(merging.status == StepStatus::failed);
  CHECK(contains(merging.detail, "merge"));
  CHECK(contains(ready(*shop.driver()).reason, "a merge is under way"));
  shop.git("merge --abort");
  CHECK(ready(*shop.driver()).ready);
  CHECK(std::system(("git -C " + shop.repository + " rebase main >/dev/null 2>&1").c_str()) != 0);
  CHECK(contains(shop.roll_back_to(shop.second).detail, "a rebase is under way"));
}

TEST_CASE("a git target is a commit's full id that is in the repository") {
  Shop shop;
  shop.git("tag v1 " + shop.first);
  CHECK(ready(*shop.driver(), shop.first).ready);
  CHECK(contains(ready(*shop.driver(), "v1").reason, shop.first));
  CHECK(contains(shop.roll_back_to("v1").detail, shop.first));
  const std::string absent(40, 'a');
  CHECK_FALSE(ready(*shop.driver(), absent).ready);
  CHECK(shop.roll_back_to(absent).status == StepStatus::failed);
  CHECK(shop.roll_back_to("--orphan").status == StepStatus::failed);
  CHECK(shop.identified() == shop.third);
}

TEST_CASE("a git service is not ready without its repository or its commands") {
  Shop shop;
  shop.config.restart = {"./no-such-script"};
  CHECK(contains(ready(*shop.driver()).reason, "no-such-script"));
  shop.config.restart.clear();
  shop.config.dir = shop.folder.path;
  CHECK(contains(ready(*shop.driver()).reason, "not a git repository"));
  CHECK(shop.identified() == "?");
  shop.config.dir = shop.folder.path + "/none";
  CHECK_FALSE(ready(*shop.driver()).ready);
  CHECK(shop.identified() == "?");
}

TEST_CASE("looking at a checkout does not lock its index: a deployment at that moment goes on") {
  Shop shop;
  shop.config.paths = {"backend"};
  const auto driver = shop.driver();
  // The files are as the index says, but younger: git would write that down.
  shop.in_tree("touch -d 2001-01-01 backend/api version");
  struct stat before {
  }, after{};
  REQUIRE(::stat((shop.repository + "/.git/index").c_str(), &before) == 0);
  REQUIRE(run_here(driver->identify()).error.empty());
  REQUIRE(run_here(driver->ready(rules::Revision(shop.first))).ready);
  REQUIRE(::stat((shop.repository + "/.git/index").c_str(), &after) == 0);
  CHECK(after.st_ino == before.st_ino);
  CHECK(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
}

TEST_CASE("a git service is not ready while others can write in its checkout") {
  namespace fs = std::filesystem;
  Shop shop;
  const fs::path config = fs::path(shop.config.dir) / ".git/config";
  for (const fs::path& open : {fs::path(shop.config.dir), config}) {
    CAPTURE(open.string());
    const fs::perms before = fs::status(open).permissions();
    fs::permissions(open, fs::perms::others_write, fs::perm_options::add);
    CHECK(contains(ready(*shop.driver()).reason, open.string()));
    CHECK(contains(ready(*shop.driver()).reason, "what is in it is run as"));
    CHECK(shop.identified() == "?");
    fs::permissions(open, before);
    CHECK(ready(*shop.driver()).ready);
  }
}

TEST_CASE("a git switch is not begun when it cannot be noted first") {
  Shop shop;
  write(shop.folder.path + "/state", "a file where the folder should be");
  const rules::StepResult result = shop.roll_back_to(shop.first);
  CHECK(result.status == StepStatus::failed);
  CHECK(shop.asked("rev-parse HEAD") == shop.third);
  CHECK(shop.truly_running() == "three\n");
}

TEST_CASE("notes of the git driver that are damaged are an error, not a guess") {
  Shop shop;
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  write(shop.folder.path + "/state/git/web.json", "{\"places\":[");
  CHECK(contains(identify(*shop.driver()).error, "web.json"));
  CHECK(shop.roll_back_to(shop.second).status == StepStatus::failed);
  std::filesystem::remove(shop.folder.path + "/state/git/web.json");
  CHECK(shop.identified() == shop.first);
}

TEST_CASE("a git repository without anybody's name, with hooks, is switched all the same") {
  for (const bool of_another : {false, true}) {
    if (of_another && !can_be_somebody_else()) break;
    Shop shop;
    shop.git("config --unset user.name");
    shop.git("config --unset user.email");
    shop.git("config user.useConfigOnly true");
    script(shop.repository + "/.git/hooks/post-checkout", "touch ../hook-ran\n");
    write(shop.repository + "/version", "patched\n");
    if (of_another) give_to_nobody(shop.folder.path);
    const rules::StepResult result = shop.roll_back_to(shop.first);
    INFO(result.detail);
    CHECK(result.status == StepStatus::succeeded);
    CHECK(shop.identified() == shop.first);
    CHECK_FALSE(std::filesystem::exists(shop.folder.path + "/hook-ran"));
    if (!of_another) continue;
    // What git wrote still belongs to the owner, or the next deploy by hand would fail.
    CHECK(std::system(("test -z \"$(find " + shop.repository + " -user root)\"").c_str()) == 0);
  }
}
