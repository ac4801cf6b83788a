#include <doctest/doctest.h>
#include <unistd.h>

#include "drivers_git_shop.hpp"
#include "somebody_else.hpp"
#include "watcher/drivers/runs_as.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;

constexpr const char* owner = "nobody";

// A shop that belongs to somebody else altogether, and notes who builds and restarts it.
struct TheirShop : Shop {
  TheirShop() {
    const std::string who = "id -un; echo $USER $LOGNAME; ";
    config.build = {std::vector<std::string>{script(folder.path + "/build", who + "id -un > ../who-built\n")}};
    config.restart = {script(folder.path + "/restart", who + "cp version ../running; id -un > ../who-restarted\n")};
    REQUIRE(std::system(("chown -R " + std::string(owner) + " " + folder.path).c_str()) == 0);
    REQUIRE(std::system(("chmod 755 " + folder.path).c_str()) == 0);
  }
};

}  // namespace

TEST_CASE("git, build and restart of a checkout that belongs to another user run as its owner") {
  if (!can_be_somebody_else()) return;
  TheirShop shop;
  CHECK(ready(*shop.driver()).ready);
  const rules::StepResult result = shop.roll_back_to(shop.first);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(content(shop.folder.path + "/who-built") == "nobody\n");
  CHECK(content(shop.folder.path + "/who-restarted") == "nobody\n");
  CHECK(contains(result.output, "nobody nobody"));
  CHECK(shop.identified() == shop.first);
}

TEST_CASE("in the submodules of another user's checkout git runs as its owner too, also where one is not the owner's") {
  if (!can_be_somebody_else()) return;
  for (const bool root_was_there : {false, true}) {
    ShopWithLibrary shop;
    write(shop.repository + "/lib/code", "patched\n");
    write(shop.repository + "/lib/data", "mine\n");
    REQUIRE(std::system(("chown -R " + std::string(owner) + " " + shop.folder.path).c_str()) == 0);
    REQUIRE(std::system(("chmod 755 " + shop.folder.path).c_str()) == 0);
    if (root_was_there) REQUIRE(std::system(("chown root " + shop.repository + "/lib").c_str()) == 0);
    const rules::StepResult result = shop.roll_back_to(shop.old_release);
    INFO(result.detail);
    CHECK(std::system(("test -z \"$(find " + shop.repository + " ! -path '*/lib' -user root)\"").c_str()) == 0);
    // Root would have been let in; who owns the tree is not.
    CHECK((result.status == StepStatus::succeeded) == !root_was_there);
    CHECK(content(shop.repository + "/lib/data") == "mine\n");
    if (root_was_there) continue;
    CHECK(content(shop.repository + "/lib/code") == "old\n");
    CHECK(contains(result.detail, "Local changes in " + shop.repository + "/lib are stashed"));
  }
}

TEST_CASE("restart_user restarts, and the owner still builds") {
  if (!can_be_somebody_else()) return;
  TheirShop shop;
  shop.config.restart_user = "root";
  // The owner's script would not be run as root.
  const Folder of_root;
  CHECK(contains(shop.roll_back_to(shop.first).detail, "other users could change what it runs: " + shop.folder.path));
  shop.config.restart = {script(of_root.path + "/restart", "cp version ../running; id -un > ../who-restarted\n")};
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  CHECK(content(shop.folder.path + "/who-built") == "nobody\n");
  CHECK(content(shop.folder.path + "/who-restarted") == "root\n");
}

TEST_CASE("root does not read a checkout of somebody else as root, also when it is told to") {
  if (!can_be_somebody_else()) return;
  TheirShop shop;
  shop.config.user = "root";
  const std::string error = identify(*shop.driver()).error;
  INFO(error);
  CHECK(contains(error, "dubious ownership"));
  CHECK(contains(error, "; do chown "));
  CHECK_FALSE(contains(error, "\n"));
}

TEST_CASE("a checkout whose owner has no account is an error that says what to do") {
  if (!can_be_somebody_else()) return;
  Shop shop;
  REQUIRE(std::system(("chown -R 54321 " + shop.repository).c_str()) == 0);
  for (const std::string& why :
       {identify(*shop.driver()).error, ready(*shop.driver()).reason, shop.roll_back_to(shop.first).detail}) {
    INFO(why);
    CHECK(contains(why, "belongs to uid 54321, which has no account; do chown"));
  }
}

TEST_CASE("a user of the configuration who does not exist makes a git service not ready") {
  if (!can_be_somebody_else()) return;
  Shop shop;
  shop.config.restart_user = "nobody-of-that-name";
  CHECK(contains(ready(*shop.driver()).reason, "no such user"));
}

TEST_CASE("systemctl may be refused to whoever is not root, unless it is the user's own manager") {
  const watcher::RunsAs deploy{"deploy", {}};
  const watcher::RunsAs root{"root", {}};
  CHECK(watcher::may_be_refused({"systemctl", "restart", "web"}, deploy));
  CHECK(watcher::may_be_refused({"/usr/bin/systemctl", "restart", "web"}, deploy));
  CHECK_FALSE(watcher::may_be_refused({"systemctl", "--user", "restart", "web"}, deploy));
  CHECK_FALSE(watcher::may_be_refused({"systemctl", "restart", "web"}, root));
  CHECK(watcher::may_be_refused({"systemctl", "-H", "host", "try-restart", "web"}, deploy));
  CHECK_FALSE(watcher::may_be_refused({"systemctl", "is-active", "web"}, deploy));
  CHECK_FALSE(watcher::may_be_refused({"systemctl", "show", "-p", "ActiveState", "web"}, deploy));
  CHECK_FALSE(watcher::may_be_refused({"./restart"}, deploy));
}

TEST_CASE("why git cannot say what runs has its cause and what to do") {
  struct Break {
    const char* commands;
    const char* cause;
    const char* advice;
  };
  constexpr Break breaks[] = {
      {"rm -rf .git", "not a git repository", "; do git clone the application to "},
      {"rm -rf \"$PWD\"", "does not exist", "; do git clone the application to "},
      {"git checkout -q --orphan fresh", "Needed a single revision", "; do git -C "},
  };
  for (const Break& broken : breaks) {
    Shop shop;
    INFO(std::string(broken.commands));
    REQUIRE(std::system(("cd " + shop.repository + " && " + broken.commands).c_str()) == 0);
    const std::string error = identify(*shop.driver()).error;
    INFO(error);
    CHECK(contains(error, broken.cause));
    CHECK(contains(error, broken.advice));
    CHECK_FALSE(ready(*shop.driver()).ready);
  }
}
