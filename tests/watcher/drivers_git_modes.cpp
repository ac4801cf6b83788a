#include <doctest/doctest.h>
#include <unistd.h>

#include "drivers_git_shop.hpp"
#include "somebody_else.hpp"
#include "watcher/drivers/git_modes.hpp"

// Who may use a file is nothing that git knows.

namespace {

using namespace drivers_support;
using rules::StepStatus;

// Every file and folder outside .git with its kind, mode, owner and content.
std::string all_modes_of(const Shop& shop) {
  const std::string answer = shop.folder.path + "/modes";
  const std::string command = "{ cd " + shop.repository +
                              " && find . -mindepth 1 -name .git -prune -o -printf '%p %y %m %u %g %l\\n' | sort; find "
                              ". -name .git -prune -o -type f -print | sort | xargs cat; } > " +
                              answer;
  REQUIRE(std::system(command.c_str()) == 0);
  return content(answer);
}

// A shop whose earlier releases have a .env of their own, where the one that runs has one that is nobody else's.
struct SecretShop : Shop {
  SecretShop() {
    in_tree(
        "git checkout -q --detach " + first +
        "; echo sample > .env; mkdir conf; echo 1 > conf/a; git add .; git commit -q -m sample; git checkout -q main");
    in_tree("git rev-parse HEAD@{1} > ../first");
    first = content(folder.path + "/first").substr(0, 40);
    in_tree("echo secret > .env; chmod 600 .env; echo .env >> .git/info/exclude");
    in_tree("echo patched > backend/api; chmod 640 backend/api; chmod 660 version; chmod 2775 backend");
  }
};

}  // namespace

TEST_CASE("after a git switch that failed every file and folder has the mode that it had") {
  for (const bool partial : {false, true}) {
    SecretShop shop;
    if (partial) shop.config.paths = {"backend", "version", ".env"};
    write(shop.folder.path + "/break-build", "");
    const std::string before = all_modes_of(shop);
    CHECK(contains(before, "./.env f 600 "));
    const rules::StepResult result = shop.roll_back_to(shop.first);
    INFO(result.detail);
    CHECK(result.status == StepStatus::failed);
    CHECK(contains(result.detail, "is checked out again"));
    CHECK_FALSE(contains(result.detail, "chmod"));
    CHECK(all_modes_of(shop) == before);
    shop.in_tree("git diff-files > ../dirty");
    CHECK(content(shop.folder.path + "/dirty").find(".env") == std::string::npos);
  }
}

TEST_CASE("what stays stashed after a git switch is told with the modes that a stash does not keep") {
  SecretShop shop;
  shop.in_tree("mkdir conf; echo mine > conf/a; chmod 600 conf/a; chmod 700 conf");
  const rules::StepResult result = shop.roll_back_to(shop.first);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(contains(result.detail, "A stash keeps neither modes nor owners"));
  CHECK(shop.aftermath().find("/version") == std::string::npos);
  shop.obey("to return to the branch: ");
  shop.obey("to have them back: ");
  shop.obey("to have those back: ");
  shop.obey("give them back: ");
  shop.in_tree("stat -c %a .env backend/api conf conf/a > ../given");
  CHECK(content(shop.folder.path + "/given") == "600\n640\n700\n600\n");
}

TEST_CASE("root gives the files of another user's checkout their modes and owners back") {
  if (!can_be_somebody_else()) return;
  SecretShop shop;
  REQUIRE(std::system(("chown -R nobody:nogroup " + shop.folder.path + " && chmod 755 " + shop.folder.path).c_str()) ==
          0);
  shop.in_tree("chown daemon:nogroup .env; chmod 640 .env; chgrp daemon backend/api");
  write(shop.folder.path + "/break-build", "");
  const std::string before = all_modes_of(shop);
  CHECK(contains(before, "./.env f 640 daemon nogroup"));
  const rules::StepResult result = shop.roll_back_to(shop.first);
  INFO(result.detail);
  CHECK(contains(result.detail, "is checked out again"));
  CHECK(all_modes_of(shop) == before);
}

TEST_CASE("modes are given to no file that is reached by a link, has a second name or belongs to somebody else") {
  const Folder folder;
  const std::string tree = folder.path + "/tree";
  std::filesystem::create_directories(tree + "/real");
  for (const char* const name : {"/tree/real/file", "/tree/plain", "/tree/twice", "/outside"})
    write(folder.path + name, "x");
  std::filesystem::create_directory_symlink("real", tree + "/linked");
  std::filesystem::create_symlink("../outside", tree + "/link");
  std::filesystem::create_hard_link(tree + "/twice", folder.path + "/again");
  const unsigned us = ::geteuid();
  std::vector<watcher::GitFileMode> wanted;
  for (const char* const name : {"plain", "linked/file", "link", "twice", "../outside", "gone"})
    wanted.push_back({name, 0601, us, ::getegid()});
  const std::vector<watcher::GitFileMode> left = watcher::give_modes_back(tree, wanted, "");
  std::string names;
  for (const watcher::GitFileMode& mode : left) names += mode.name + " ";
  CHECK(names == "linked/file link twice ../outside ");
  const auto mode_now = [](const std::string& path) {
    return static_cast<unsigned>(std::filesystem::status(path).permissions());
  };
  CHECK(mode_now(tree + "/plain") == 0601);
  CHECK(mode_now(folder.path + "/outside") != 0601);
  CHECK(mode_now(tree + "/real/file") != 0601);
  if (!can_be_somebody_else()) return;
  // What somebody else has put there must not become root's to run.
  REQUIRE(std::system(("chown nobody " + tree + "/plain").c_str()) == 0);
  CHECK(watcher::give_modes_back(tree, {{"plain", 04755, 0, 0}}, "nobody").size() == 1);
  CHECK(watcher::give_modes_back(tree, {{"plain", 0644, us, ::getegid()}}, "").size() == 1);
  CHECK(mode_now(tree + "/plain") == 0601);
}
