#include <doctest/doctest.h>
#include <sys/stat.h>

#include "drivers_git_shop.hpp"
#include "watcher/drivers/git_in_the_way.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;

// What an operator may have done to the tree, as a shell in it does it.
struct Change {
  const char* name;
  const char* commands;
};

constexpr Change changes[] = {
    {"modified", "echo patched > backend/api"},
    {"staged", "echo patched > backend/api; git add backend/api"},
    {"staged, then modified", "echo 1 > backend/api; git add backend/api; echo 2 > backend/api"},
    {"new and staged", "echo new > backend/new; git add backend/new"},
    {"deleted", "rm backend/api"},
    {"deleted and staged", "git rm -q backend/api"},
    {"renamed", "git mv backend/api backend/moved"},
    {"executable", "chmod +x backend/api"},
    {"deleted from the index, and changed", "git rm -q --cached backend/api; echo patched > backend/api"},
    {"a symbolic link to nowhere", "ln -s /nowhere backend/link; git add backend/link"},
    {"a folder instead of a file", "rm backend/api; mkdir backend/api; echo new > backend/api/new"},
    {"a symbolic link instead of a file", "rm backend/api; ln -s only-in-three backend/api"},
    {"a file that git was told to assume unchanged",
     "git update-index --assume-unchanged backend/api; echo patched > backend/api"},
    {"names that a shell would have to quote", "echo new > 'backend/a \"b\" $c *'; git add backend"},
};

// Every file outside .git with its kind, mode, target and content.
std::string tree_of(const Shop& shop) {
  const std::string answer = shop.folder.path + "/tree";
  const std::string command =
      "cd " + shop.repository +
      " && find . -name .git -prune -o ! -type d -printf '%p %y %m %l\\n' -type f -exec cat {} + | sort > " + answer;
  REQUIRE(std::system(command.c_str()) == 0);
  return content(answer);
}

void survives(const Change& change, bool partial) {
  INFO(std::string(change.name), std::string(partial ? ", partial" : ""));
  Shop shop;
  if (partial) shop.config.paths = {"backend"};
  shop.in_tree(change.commands);
  const std::string before = tree_of(shop);
  const rules::StepResult result = shop.roll_back_to(shop.first);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/backend/api") == "api of one\n");
  CHECK(shop.identified() == shop.first);
  shop.obey(partial ? "to return to HEAD's: " : "to return to the branch: ");
  shop.obey("to have them back: ");
  CHECK(tree_of(shop) == before);
}

ino_t inode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_ino;
}

// A shop whose next release ignores what an earlier one, which is returned, has.
std::string with_ignored(Shop& shop, const std::string& earlier, const std::string& now) {
  shop.in_tree(earlier);
  const std::string target = shop.release("leaky");
  shop.in_tree(now);
  shop.release("clean");
  return target;
}

}  // namespace

TEST_CASE("whatever was changed in a working tree is stashed by a git switch and comes back with the named commands") {
  for (const Change& change : changes) survives(change, false);
}

TEST_CASE("whatever was changed is stashed by a partial git rollback and comes back with the named commands") {
  for (const Change& change : changes) survives(change, true);
}

TEST_CASE("what git does not track stays where it is in a git switch, whatever else is put away") {
  for (const bool partial : {false, true}) {
    for (const std::string changed : {"true", "echo patched > backend/api", "echo new > backend/new; git add ."}) {
      INFO(partial, changed);
      Shop shop;
      if (partial) shop.config.paths = {"backend"};
      shop.in_tree(changed);
      shop.in_tree(
          "mkdir backend/uploads; echo mine > 'backend/uploads/a \"b\" $c *'; ln -s /nowhere backend/link; echo x > "
          "data.db; git init -q theirs; echo y > theirs/y");
      // A process that has it open goes on writing to it.
      const ino_t before = inode_of(shop.repository + "/data.db");
      const rules::StepResult result = shop.roll_back_to(shop.first);
      INFO(result.detail);
      REQUIRE(result.status == StepStatus::succeeded);
      CHECK(content(shop.repository + "/backend/uploads/a \"b\" $c *") == "mine\n");
      CHECK(std::filesystem::is_symlink(shop.repository + "/backend/link"));
      CHECK(inode_of(shop.repository + "/data.db") == before);
      CHECK(content(shop.repository + "/theirs/y") == "y\n");
      CHECK_FALSE(contains(result.detail, "in the way"));
    }
  }
}

TEST_CASE("a new file where the target has one is put aside by a git switch, named, and comes back") {
  for (const bool partial : {false, true}) {
    Shop shop;
    if (partial) shop.config.paths = {"backend"};
    shop.in_tree("git rm -q backend/only-in-one; git commit -q -m without");
    shop.in_tree("echo mine > backend/only-in-one; echo stays > backend/stays");
    const rules::StepResult result = shop.roll_back_to(shop.first);
    INFO(result.detail);
    REQUIRE(result.status == StepStatus::succeeded);
    CHECK(contains(result.detail, "Files that git does not track were in the way"));
    CHECK(content(shop.repository + "/backend/only-in-one").empty());
    CHECK(content(shop.repository + "/backend/stays") == "stays\n");
    shop.obey(partial ? "to return to HEAD's: " : "to return to the branch: ");
    shop.obey("to have those back: ");
    CHECK(content(shop.repository + "/backend/only-in-one") == "mine\n");
  }
}

TEST_CASE("what git ignores is not overwritten by a partial git rollback") {
  Shop shop;
  shop.config.paths = {"backend"};
  const std::string target = with_ignored(
      shop, "echo tracked > backend/config; mkdir backend/lib; echo x > backend/lib/x; echo y > backend/cache",
      "git rm -rq --cached backend/config backend/lib backend/cache; rm -r backend/lib backend/cache; "
      "printf 'config\\nlib\\ncache\\n' > .gitignore");
  shop.in_tree("echo secret > backend/config; echo mine > backend/lib; mkdir backend/cache; echo c > backend/cache/c");
  const std::string before = tree_of(shop);
  const rules::StepResult result = shop.roll_back_to(target);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/backend/config") == "tracked\n");
  CHECK(content(shop.repository + "/backend/lib/x") == "x\n");
  CHECK(content(shop.repository + "/backend/cache") == "y\n");
  CHECK(shop.identified() == target);
  shop.obey("to return to HEAD's: ");
  shop.obey("to have those back: ");
  CHECK(tree_of(shop) == before);
}

TEST_CASE("what git ignores and no revision has stays where it is") {
  Shop shop;
  const std::string target = with_ignored(shop, "echo tracked > config", "git rm -q config; echo '*.o' > .gitignore");
  shop.in_tree("echo object > kept.o");
  REQUIRE(shop.roll_back_to(target).status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/kept.o") == "object\n");
  CHECK(shop.asked("stash list").empty());
}

TEST_CASE("a repository of its own that is in the way is left alone and named") {
  for (const bool partial : {false, true}) {
    Shop shop;
    if (partial) shop.config.paths = {"backend"};
    const std::string target =
        with_ignored(shop, "mkdir backend/lib; echo x > backend/lib/x", "git rm -rq backend/lib");
    shop.in_tree(
        "git init -q backend/lib; echo mine > backend/lib/x; cd backend/lib; git add x; git -c user.name=D -c "
        "user.email=d@e commit -q -m mine");
    const rules::StepResult result = shop.roll_back_to(target);
    CHECK(result.status == StepStatus::failed);
    INFO(result.detail);
    CHECK(contains(result.detail, "backend/lib/ is in the way"));
    CHECK(content(shop.repository + "/backend/lib/x") == "mine\n");
  }
}

TEST_CASE("files in the way: the same name, a file for a folder, a folder for a file") {
  using Names = std::vector<std::string>;
  const auto in_the_way = [](Names coming, Names others) {
    return watcher::files_in_the_way({std::move(coming), {"sub"}}, others);
  };
  CHECK(in_the_way({"a", "b/c"}, {"x", "ab", "b.c", "b/cc"}) == Names());
  CHECK(in_the_way({"b/c", "a"}, {"a", "x"}) == Names{"a"});
  CHECK(in_the_way({"b/c"}, {"b"}) == Names{"b"});
  CHECK(in_the_way({"b"}, {"b/c", "b/d/e"}) == Names{"b/c", "b/d/e"});
  CHECK(in_the_way({"b/c"}, {"b/"}) == Names{"b/"});
  CHECK(in_the_way({}, {"sub/"}) == Names());
  CHECK(in_the_way({}, {"sub", "sub/x", "subs/"}) == Names{"sub", "sub/x"});
  CHECK(watcher::names_in(std::string_view("a\0b c\0", 6)) == Names{"a", "b c"});
  const watcher::GitComing coming =
      watcher::coming_in(std::string_view(":100644 000000 1 0 D\0a b\0:160000 000000 1 0 D\0lib\0", 50));
  CHECK(coming.files == Names{"a b"});
  CHECK(coming.submodules == Names{"lib"});
  const std::string leaving(":000000 160000 0 1 A\0lib\0:100644 000000 1 0 D\0lib/x\0:000000 100644 0 1 A\0y\0", 75);
  CHECK(watcher::coming_in(leaving).leaving == Names{"lib"});
  CHECK(watcher::coming_in(leaving).files == Names{"lib/x"});
  CHECK(watcher::submodules_giving_way(watcher::coming_in(leaving)) == Names{"lib"});
}

TEST_CASE("a partial git rollback with a path that nothing is known of does the others") {
  Shop shop;
  shop.config.paths = {"backend", "version"};
  write(shop.repository + "/backend/api", "patched\n");
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  CHECK(shop.asked("show stash@{0}:backend/api") == "patched");
}

TEST_CASE("a git switch is refused in a bisect and with conflicts that are not resolved") {
  Shop shop;
  shop.git("bisect start");
  CHECK(contains(ready(*shop.driver()).reason, "a bisect is under way"));
  CHECK(shop.roll_back_to(shop.first).status == StepStatus::failed);
  shop.git("bisect reset");
  CHECK(ready(*shop.driver()).ready);
  shop.in_tree(
      "echo mine > version; git stash -q; echo yours > version; git commit -q -a -m yours; ! git stash pop -q "
      ">/dev/null");
  CHECK(contains(ready(*shop.driver()).reason, "a merge with conflicts is under way"));
  CHECK(contains(shop.roll_back_to(shop.first).detail, "a merge with conflicts is under way"));
  CHECK(contains(content(shop.repository + "/version"), "mine"));
}

TEST_CASE("a lock on the index that nobody removes is named before and at a git switch") {
  Shop shop;
  write(shop.repository + "/.git/index.lock", "");
  CHECK(contains(ready(*shop.driver()).reason, "index.lock"));
  const rules::StepResult result = shop.go_back_at_once();
  CHECK(result.status == StepStatus::failed);
  CHECK(contains(result.detail, "index.lock is there"));
  CHECK(result.nothing_begun);
  CHECK(shop.identified() == shop.third);
  std::filesystem::remove(shop.repository + "/.git/index.lock");
  CHECK(ready(*shop.driver()).ready);
}

TEST_CASE("a git switch from a detached HEAD names no branch to return to") {
  Shop shop;
  shop.git("checkout -q --detach");
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  CHECK_FALSE(contains(shop.aftermath(), "to return"));
}

TEST_CASE("a target that a shallow clone lacks is said to be beyond its history") {
  Shop shop;
  const std::string clone = shop.folder.path + "/shallow";
  shop.git("clone -q --depth 1 file://" + shop.repository + " " + clone);
  shop.config.dir = clone;
  CHECK(shop.identified() == shop.third);
  CHECK(contains(ready(*shop.driver(), shop.first).reason, "fetch --unshallow"));
  CHECK(contains(shop.roll_back_to(shop.first).detail, "fetch --unshallow"));
  CHECK(shop.identified() == shop.third);
}

TEST_CASE("a build that changes tracked files and fails does not keep the tree from going back") {
  Shop shop;
  shop.config.build = {
      std::vector<std::string>{script(shop.folder.path + "/build", "echo locked > version; exit 1\n")}};
  const rules::StepResult result = shop.roll_back_to(shop.first);
  CHECK(result.status == StepStatus::failed);
  CHECK(contains(result.detail, "is checked out again"));
  CHECK_FALSE(result.nothing_begun);
  CHECK(content(shop.repository + "/version") == "three\n");
  CHECK(shop.asked("branch --show-current") == "main");
  CHECK(shop.asked("status --porcelain").empty());
}
