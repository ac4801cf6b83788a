#include <doctest/doctest.h>

#include "drivers_git_shop.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;

void my_file_is_put_aside_and_had_back(ShopWithLibrary& shop, const std::string& file, const std::string& target,
                                       const std::string& theirs) {
  const rules::StepResult result = shop.roll_back_to(target);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(content(shop.repository + file) == theirs);
  CHECK(contains(result.detail, "Files in " + shop.repository + "/lib that git does not track were in the way"));
  shop.obey("to return to the branch: ");
  shop.obey("to have those back: ");
  CHECK(content(shop.repository + file) == "mine\n");
}

}  // namespace

TEST_CASE("a git switch takes the submodules along, and the way back that it names does too") {
  for (const bool partial : {false, true}) {
    ShopWithLibrary shop;
    if (partial) shop.config.paths = {"lib", "version"};
    script(shop.repository + "/.git/modules/lib/hooks/post-checkout", "touch " + shop.folder.path + "/hook-ran\n");
    const rules::StepResult result = shop.roll_back_to(shop.old_release);
    INFO(result.detail);
    REQUIRE(result.status == StepStatus::succeeded);
    CHECK(content(shop.repository + "/lib/code") == "old\n");
    CHECK_FALSE(std::filesystem::exists(shop.folder.path + "/hook-ran"));
    CHECK(shop.identified() == shop.old_release);
    shop.obey(partial ? "to return to HEAD's: " : "to return to the branch: ");
    CHECK(content(shop.repository + "/lib/code") == "new\n");
    CHECK(shop.asked("status --porcelain").empty());
  }
}

TEST_CASE("a submodule whose commit cannot be had is told before anything is changed") {
  ShopWithLibrary shop;
  // The commit is nowhere, and where it came from is gone.
  shop.in_tree("git update-index --cacheinfo 160000," + std::string(40, 'a') + ",lib; git commit -q -m broken");
  const std::string broken = shop.asked("rev-parse HEAD");
  shop.git("checkout -q " + shop.new_release);
  std::filesystem::remove_all(shop.upstream);
  write(shop.repository + "/version", "patched\n");
  const rules::StepResult result = shop.roll_back_to(broken);
  CHECK(result.status == StepStatus::failed);
  CHECK(result.nothing_begun);
  INFO(result.detail);
  CHECK(contains(result.detail, "git fetch in " + shop.repository + "/lib"));
  CHECK(content(shop.repository + "/lib/code") == "new\n");
  CHECK(content(shop.repository + "/version") == "patched\n");
  CHECK(shop.asked("stash list").empty());
  CHECK(shop.asked("rev-parse HEAD") == shop.new_release);
  CHECK_FALSE(std::filesystem::exists(shop.folder.path + "/built"));
}

TEST_CASE("what a shallow submodule ignores is not overwritten by a commit that it has yet to fetch") {
  ShopWithLibrary shop;
  shop.in_tree("git -C lib push -q origin HEAD:refs/heads/next");
  const std::string up = "git -C " + shop.upstream + " ";
  const std::string later = up + "checkout -q next && cd " + shop.upstream +
                            " && echo theirs > secret && git add secret && git commit -q -m leaky";
  REQUIRE(std::system(later.c_str()) == 0);
  // A release with that commit, made elsewhere.
  const std::string leaky = shop.asked("-C ../library rev-parse HEAD");
  shop.in_tree("git update-index --cacheinfo 160000," + leaky + ",lib; git commit -q -m leaky");
  const std::string target = shop.asked("rev-parse HEAD");
  shop.git("reset -q --hard HEAD^");
  shop.in_tree("git -C lib config protocol.file.allow always; echo secret >> .git/modules/lib/info/exclude");
  write(shop.repository + "/lib/secret", "mine\n");
  my_file_is_put_aside_and_had_back(shop, "/lib/secret", target, "theirs\n");
}

TEST_CASE("a submodule that is not to be updated is left as it is beside one that is merged") {
  ShopWithLibrary shop;
  shop.git(std::string(protocol) + "submodule --quiet add " + shop.upstream + " pinned");
  shop.in_tree("echo pinned > pinned/code; git -C pinned -c user.name=D -c user.email=d@e commit -q -a -m pinned");
  const std::string before = shop.release("both");
  shop.in_tree(
      "git -C lib checkout -q HEAD^; echo other > pinned/code; git -C pinned -c user.name=D -c user.email=d@e commit "
      "-q "
      "-a -m other; git commit -q -a -m after");
  shop.git("config submodule.pinned.update none");
  shop.git("config submodule.lib.update merge");
  write(shop.repository + "/pinned/code", "local\n");
  const rules::StepResult result = shop.roll_back_to(shop.old_release);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  REQUIRE(shop.roll_back_to(before).status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/lib/code") == "new\n");
  CHECK(content(shop.repository + "/pinned/code") == "local\n");
}

TEST_CASE("what is local in a submodule is stashed there by a git switch, named, and comes back") {
  for (const bool partial : {false, true}) {
    ShopWithLibrary shop;
    if (partial) shop.config.paths = {"lib", "version"};
    shop.in_tree("echo patched > lib/code; echo mine > lib/data; echo app > version");
    CHECK(ready(*shop.driver(), shop.old_release).ready);
    const rules::StepResult result = shop.roll_back_to(shop.old_release);
    INFO(result.detail);
    REQUIRE(result.status == StepStatus::succeeded);
    CHECK(content(shop.repository + "/lib/code") == "old\n");
    CHECK(content(shop.repository + "/lib/data") == "mine\n");
    CHECK(content(shop.repository + "/version") == "old\n");
    CHECK(contains(result.detail, "Local changes in " + shop.repository + "/lib are stashed"));
    shop.obey(partial ? "to return to HEAD's: " : "to return to the branch: ");
    shop.obey("Local changes are stashed as", "to have them back: ");
    shop.obey("Local changes in ", "to have them back: ");
    CHECK(content(shop.repository + "/lib/code") == "patched\n");
    CHECK(content(shop.repository + "/version") == "app\n");
  }
}

TEST_CASE("a submodule that is local at another commit is named with the way back to it") {
  ShopWithLibrary shop;
  shop.in_tree(
      "git -C lib checkout -q -b hotfix; echo hot > lib/code; git -C lib -c user.name=D -c user.email=d@e "
      "commit -q -a -m hot; git add lib");
  const rules::StepResult result = shop.roll_back_to(shop.old_release);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/lib/code") == "old\n");
  CHECK(contains(result.detail, "was at hotfix, which is not what the release had"));
  shop.obey("to return to the branch: ");
  shop.obey("to have that back: ");
  CHECK(content(shop.repository + "/lib/code") == "hot\n");
}

TEST_CASE("what is local in a submodule of a submodule is stashed there, too") {
  ShopWithLibrary shop;
  shop.in_tree("cd lib && git " + std::string(protocol) + "submodule --quiet add " + shop.upstream +
               " deep && git -c user.name=D -c user.email=d@e commit -q -a -m deep");
  const std::string deep = shop.release("deep");
  shop.in_tree("echo patched > lib/deep/code; git -C lib/deep checkout -q -b own");
  shop.release("after");
  const rules::StepResult result = shop.roll_back_to(deep);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/lib/deep/code") == "old\n");
  CHECK(contains(result.detail, "Local changes in " + shop.repository + "/lib/deep are stashed"));
  shop.obey("to have them back: ");
  CHECK(content(shop.repository + "/lib/deep/code") == "patched\n");
}

TEST_CASE("a new file in a submodule where its target has one is put aside there") {
  ShopWithLibrary shop;
  shop.in_tree("cd lib && git rm -q code && git -c user.name=D -c user.email=d@e commit -q -m gone");
  shop.release("without");
  write(shop.repository + "/lib/code", "mine\n");
  my_file_is_put_aside_and_had_back(shop, "/lib/code", shop.old_release, "old\n");
}

TEST_CASE("a submodule that a later release dropped, and whose folder stayed, is not in the way") {
  ShopWithLibrary shop;
  // As `git pull` does it: the folder is left.
  shop.in_tree("mv lib kept; git rm -q --cached lib; git rm -q -f .gitmodules; mv kept lib; git commit -q -m dropped");
  write(shop.repository + "/lib/code", "patched\n");
  CHECK(shop.asked("status --porcelain") == "?? lib/");
  const rules::StepResult result = shop.roll_back_to(shop.old_release);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/lib/code") == "old\n");
  CHECK(contains(result.detail, "Local changes in " + shop.repository + "/lib are stashed"));
}

TEST_CASE("a merge that is under way in a submodule is named before and at a git switch") {
  ShopWithLibrary shop;
  shop.in_tree("git -C lib rev-parse HEAD > .git/modules/lib/MERGE_HEAD");
  CHECK(contains(ready(*shop.driver()).reason, "a merge is under way in " + shop.repository + "/lib"));
  const rules::StepResult result = shop.roll_back_to(shop.old_release);
  CHECK(result.nothing_begun);
  CHECK(contains(result.detail, "a merge is under way in " + shop.repository + "/lib"));
}

TEST_CASE("a build that changes a submodule and fails does not keep it from going back") {
  ShopWithLibrary shop;
  shop.config.build = {
      std::vector<std::string>{script(shop.folder.path + "/build", "echo built > lib/code; exit 1\n")}};
  const rules::StepResult result = shop.roll_back_to(shop.old_release);
  INFO(result.detail);
  CHECK(contains(result.detail, "is checked out again"));
  CHECK(content(shop.repository + "/lib/code") == "new\n");
  CHECK(shop.asked("status --porcelain").empty());
}

TEST_CASE("a submodule that people merge or rebase is checked out by a git switch all the same") {
  for (const std::string manner : {"merge", "rebase"}) {
    ShopWithLibrary shop;
    shop.git("config submodule.lib.update " + manner);
    const rules::StepResult result = shop.roll_back_to(shop.old_release);
    INFO(result.detail);
    REQUIRE(result.status == StepStatus::succeeded);
    CHECK(content(shop.repository + "/lib/code") == "old\n");
  }
}

TEST_CASE("a submodule that is not to be updated is left as it is by a git switch") {
  ShopWithLibrary shop;
  shop.git("config submodule.lib.update none");
  const rules::StepResult result = shop.roll_back_to(shop.old_release);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/lib/code") == "new\n");
}

TEST_CASE("what is local in a submodule that the target has not stays when a build fails") {
  ShopWithLibrary shop;
  shop.git(std::string(protocol) + "submodule --quiet add " + shop.upstream + " extra");
  shop.release("both");
  shop.in_tree("echo patched > extra/code");
  shop.config.build = {
      std::vector<std::string>{script(shop.folder.path + "/build", "echo built > lib/code; exit 1\n")}};
  const rules::StepResult result = shop.roll_back_to(shop.old_release);
  INFO(result.detail);
  CHECK(contains(result.detail, "is checked out again"));
  CHECK(content(shop.repository + "/extra/code") == "patched\n");
  CHECK(content(shop.repository + "/lib/code") == "new\n");
}

TEST_CASE("a file that a build made in a submodule is not in the way back") {
  ShopWithLibrary shop;
  shop.in_tree("cd lib && echo more > more && git add more && git -c user.name=D -c user.email=d@e commit -q -m more");
  shop.release("more");
  shop.config.build = {
      std::vector<std::string>{script(shop.folder.path + "/build", "echo built > lib/more; exit 1\n")}};
  const rules::StepResult result = shop.roll_back_to(shop.old_release);
  INFO(result.detail);
  CHECK(contains(result.detail, "is checked out again"));
  CHECK(content(shop.repository + "/lib/more") == "more\n");
}
