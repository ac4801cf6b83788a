#include <doctest/doctest.h>

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
    {"new", "echo new > 'backend/new file'"},
    {"new and staged", "echo new > backend/new; git add backend/new"},
    {"deleted", "rm backend/api"},
    {"deleted and staged", "git rm -q backend/api"},
    {"renamed", "git mv backend/api backend/moved"},
    {"executable", "chmod +x backend/api"},
    {"a symbolic link to nowhere", "ln -s /nowhere backend/link"},
    {"a symbolic link instead of a file", "rm backend/api; ln -s only-in-three backend/api"},
    {"a file that git was told to assume unchanged",
     "git update-index --assume-unchanged backend/api; echo patched > backend/api"},
    {"names that a shell would have to quote", "echo new > 'backend/a \"b\" $c *'"},
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

void in_tree(const Shop& shop, const std::string& commands) {
  const std::string all = "cd " + shop.repository + " && { " + commands + "; } 2>> " + shop.folder.path + "/log";
  INFO(all);
  REQUIRE(std::system(all.c_str()) == 0);
}

void survives(const Change& change, bool partial) {
  INFO(std::string(change.name), std::string(partial ? ", partial" : ""));
  Shop shop;
  if (partial) shop.config.paths = {"backend"};
  in_tree(shop, change.commands);
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

// A shop whose next release ignores what an earlier one, which is returned, has.
std::string with_ignored(Shop& shop, const std::string& earlier, const std::string& now) {
  in_tree(shop, earlier);
  const std::string target = shop.release("leaky");
  in_tree(shop, now);
  shop.release("clean");
  return target;
}

constexpr const char* protocol = "-c protocol.file.allow=always ";

// A shop with a library in a submodule, of which the second release has another version than the first.
struct ShopWithLibrary : Shop {
  std::string old_release, new_release;
  std::string library = folder.path + "/library";

  ShopWithLibrary() {
    const std::string made = "{ git init -q -b main " + library + " && cd " + library +
                             " && git config user.name Dev && git config user.email dev@example.com && " +
                             "echo old > code && git add code && git commit -q -m old; } 2>> " + folder.path + "/log";
    REQUIRE(std::system(made.c_str()) == 0);
    git(std::string(protocol) + "submodule --quiet add " + library + " lib");
    old_release = release("old");
    in_tree(*this, "echo new > lib/code && git -C lib -c user.name=D -c user.email=d@e commit -q -a -m new");
    new_release = release("new");
  }
};

}  // namespace

TEST_CASE("whatever was changed in a working tree is stashed by a git switch and comes back with the named commands") {
  for (const Change& change : changes) survives(change, false);
}

TEST_CASE("whatever was changed is stashed by a partial git rollback and comes back with the named commands") {
  for (const Change& change : changes) survives(change, true);
}

TEST_CASE("a folder that took a file's place is in the stash, though git cannot apply that") {
  Shop shop;
  in_tree(shop, "rm backend/api; mkdir backend/api; echo new > backend/api/new");
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/backend/api") == "api of one\n");
  CHECK(shop.asked("show stash@{0}^3:backend/api/new") == "new");
}

TEST_CASE("what git ignores is not overwritten by a partial git rollback") {
  Shop shop;
  shop.config.paths = {"backend"};
  const std::string target = with_ignored(
      shop, "echo tracked > backend/config; mkdir backend/lib; echo x > backend/lib/x; echo y > backend/cache",
      "git rm -rq --cached backend/config backend/lib backend/cache; rm -r backend/lib backend/cache; "
      "printf 'config\\nlib\\ncache\\n' > .gitignore");
  in_tree(shop, "echo secret > backend/config; echo mine > backend/lib; mkdir backend/cache; echo c > backend/cache/c");
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
  in_tree(shop, "echo object > kept.o");
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
    in_tree(shop,
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
  CHECK(watcher::files_in_the_way({"a", "b/c"}, {"x", "ab", "b.c", "b/cc"}) == Names());
  CHECK(watcher::files_in_the_way({"b/c", "a"}, {"a", "x"}) == Names{"a"});
  CHECK(watcher::files_in_the_way({"b/c"}, {"b"}) == Names{"b"});
  CHECK(watcher::files_in_the_way({"b"}, {"b/c", "b/d/e"}) == Names{"b/c", "b/d/e"});
  CHECK(watcher::files_in_the_way({"b/c"}, {"b/"}) == Names{"b/"});
  CHECK(watcher::names_in(std::string_view("a\0b c\0", 6)) == Names{"a", "b c"});
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
  in_tree(shop,
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
  watcher::SwitchRequest request;
  request.from = rules::Revision(shop.third);
  request.to = rules::Revision(shop.first);
  request.limit = 200ms;
  const auto driver = shop.driver();
  const rules::StepResult result = run_here(driver->switch_to(request));
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
  shop.config.build = {script(shop.folder.path + "/build", "echo locked > version; exit 1\n")};
  const rules::StepResult result = shop.roll_back_to(shop.first);
  CHECK(result.status == StepStatus::failed);
  CHECK(contains(result.detail, "is checked out again"));
  CHECK_FALSE(result.nothing_begun);
  CHECK(content(shop.repository + "/version") == "three\n");
  CHECK(shop.asked("branch --show-current") == "main");
  CHECK(shop.asked("status --porcelain").empty());
}

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

TEST_CASE("a submodule that cannot be brought is a failed git switch, and the tree goes back") {
  ShopWithLibrary shop;
  // The commit is nowhere, and where it came from is gone.
  in_tree(shop, "git update-index --cacheinfo 160000," + std::string(40, 'a') + ",lib; git commit -q -m broken");
  const std::string broken = shop.asked("rev-parse HEAD");
  shop.git("checkout -q " + shop.new_release);
  std::filesystem::remove_all(shop.library);
  const rules::StepResult result = shop.roll_back_to(broken);
  CHECK(result.status == StepStatus::failed);
  CHECK(contains(result.detail, "git submodule"));
  CHECK(contains(result.detail, "is checked out again"));
  CHECK(content(shop.repository + "/lib/code") == "new\n");
  CHECK(shop.asked("rev-parse HEAD") == shop.new_release);
  CHECK_FALSE(std::filesystem::exists(shop.folder.path + "/built"));
}

TEST_CASE("a change inside a submodule is not lost by a git switch") {
  ShopWithLibrary shop;
  write(shop.repository + "/lib/code", "patched on the host\n");
  const rules::StepResult result = shop.roll_back_to(shop.old_release);
  CHECK(result.status == StepStatus::failed);
  CHECK(contains(result.detail, "code"));
  CHECK(content(shop.repository + "/lib/code") == "patched on the host\n");
  CHECK(shop.identified() == shop.new_release);
}
