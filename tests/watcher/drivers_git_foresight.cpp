#include <sys/stat.h>

#include <cstdlib>

#include "drivers_git_shop.hpp"
#include "somebody_else.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;

void shell(const std::string& command) { REQUIRE(std::system(command.c_str()) == 0); }

void check_foretold(Shop& shop, const std::string& about) {
  const rules::ReadinessRead read = ready(*shop.driver(), shop.first);
  INFO(read.reason);
  CHECK_FALSE(read.ready);
  CHECK(contains(read.reason, about));
  CHECK(contains(read.reason, "; do "));
}

// Whose owner is somebody else, as git's folders are, but for what a test takes.
struct OwnedShop : Shop {
  OwnedShop() {
    shell("chown -R nobody " + folder.path);
    shell("chmod 755 " + folder.path);
  }
  void to_root(const std::string& path) const { shell("chown -R root " + repository + "/" + path); }
};

}  // namespace

TEST_CASE("a lock that another git left on HEAD is foretold, and refused before anything is done") {
  Shop shop;
  write(shop.repository + "/.git/HEAD.lock", "");
  check_foretold(shop, "HEAD.lock");
  const rules::StepResult result = shop.go_back_at_once();
  CHECK(contains(result.detail, "HEAD.lock is there"));
  CHECK(result.nothing_begun);
  std::filesystem::remove(shop.repository + "/.git/HEAD.lock");
  CHECK(ready(*shop.driver(), shop.first).ready);
}

TEST_CASE("a lock that keeps changes from being stashed matters where there are some") {
  for (const char* const lock : {"refs/heads/main.lock", "refs/stash.lock"}) {
    Shop shop;
    write(shop.repository + "/.git/" + lock, "");
    CHECK(ready(*shop.driver(), shop.first).ready);
    write(shop.repository + "/version", "local\n");
    check_foretold(shop, lock);
    shop.git("checkout -q version");
    CHECK(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  }
}

TEST_CASE("a folder in which the owner of the checkout may not write is foretold where something in it changes") {
  if (!can_be_somebody_else()) return;
  for (const std::string folder : {"backend", ".git/logs/HEAD"}) {
    OwnedShop shop;
    CHECK(ready(*shop.driver(), shop.first).ready);
    shop.to_root(folder);
    check_foretold(shop, folder + " belongs to root");
  }
  OwnedShop shop;
  shop.in_tree("mkdir data");
  shop.to_root("data");
  CHECK(ready(*shop.driver(), shop.first).ready);
  CHECK(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
}

TEST_CASE("objects that are not the owner's are foretold where changes would have to be stashed") {
  if (!can_be_somebody_else()) return;
  OwnedShop shop;
  shop.to_root(".git/objects");
  CHECK(ready(*shop.driver(), shop.first).ready);
  write(shop.repository + "/version", "local\n");
  check_foretold(shop, ".git/objects belongs to root");
}

TEST_CASE("a filter of git that is required and cannot be run is foretold where a file needs it") {
  Shop shop;
  shop.git("config filter.big.required true");
  shop.git("config filter.big.clean cat");
  shop.git("config filter.big.smudge 'no-such-filter smudge -- %f'");
  CHECK(ready(*shop.driver(), shop.first).ready);
  write(shop.repository + "/.git/info/attributes", "version filter=big\n");
  check_foretold(shop, "needs git's filter big: no-such-filter");
  // What goes away needs none.
  write(shop.repository + "/.git/info/attributes", "only-in-three filter=big\n");
  CHECK(ready(*shop.driver(), shop.first).ready);
  write(shop.repository + "/.git/info/attributes", "version filter=big\n");
  shop.git("config filter.big.smudge 'cat -'");
  CHECK(ready(*shop.driver(), shop.first).ready);
  shop.git("config filter.big.smudge no-such-filter");
  shop.git("config filter.big.required false");
  CHECK(ready(*shop.driver(), shop.first).ready);
}

TEST_CASE("a path that git knows nothing of is foretold, and refused before anything is done") {
  Shop shop;
  shop.config.paths = {"backend", "nosuch"};
  CHECK_FALSE(ready(*shop.driver()).ready);
  check_foretold(shop, "nosuch");
  const rules::StepResult result = shop.roll_back_to(shop.first);
  CHECK(result.status == StepStatus::failed);
  CHECK(result.nothing_begun);
  // What one of the two has is known.
  shop.config.paths = {"backend/only-in-one", "backend/only-in-three"};
  CHECK(ready(*shop.driver(), shop.first).ready);
  CHECK(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
}

TEST_CASE("a file that would have to be put away, and that git's user cannot read, is foretold") {
  if (!can_be_somebody_else()) return;
  for (const std::string file : {"version", "frontend/page", "unrelated"}) {
    Shop shop;
    // What the first release has stands in its way where it is not git's any more.
    shop.in_tree("git rm -q frontend/page && git commit -q -m four && mkdir -p frontend");
    shop.third = shop.asked("rev-parse HEAD");
    shop.in_tree("echo local > " + file);
    shell("chown -R nobody " + shop.folder.path + " && chmod 755 " + shop.folder.path);
    CHECK(ready(*shop.driver(), shop.first).ready);
    const std::string whole = shop.repository + "/" + file;
    shell("chown root " + whole + " && chmod 600 " + whole);
    if (file == "unrelated") {
      CHECK(ready(*shop.driver(), shop.first).ready);
    } else {
      check_foretold(shop, "/" + file + " belongs to root, may not be read by nobody, whom git runs as");
      CHECK(shop.roll_back_to(shop.first).status == StepStatus::failed);
      shell("chown nobody " + whole + " && chmod 200 " + whole);
      check_foretold(shop, "; do chmod u+r ");
      shell("chmod 600 " + whole);
    }
    CHECK(ready(*shop.driver(), shop.first).ready);
    CHECK(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  }
}

TEST_CASE("a folder is foretold that git's user may not write in and a changed file lies in, whatever the target has") {
  if (!can_be_somebody_else()) return;
  Shop shop;
  shop.in_tree("mkdir kept && echo 1 > kept/file && git add kept && git commit -q -m kept");
  const std::string target = shop.asked("rev-parse HEAD");
  shop.in_tree("git commit -q --allow-empty -m more && echo local > kept/file");
  shell("chown -R nobody " + shop.folder.path + " && chmod 755 " + shop.folder.path);
  CHECK(ready(*shop.driver(), target).ready);
  shell("chown root " + shop.repository + "/kept");
  const rules::ReadinessRead read = ready(*shop.driver(), target);
  CHECK_FALSE(read.ready);
  CHECK(contains(read.reason, "/kept belongs to root and may not be written by nobody"));
}

TEST_CASE("what was made immutable is foretold where the checkout would replace it, or a file in it") {
  for (const std::string what : {"version", "backend", ".git"}) {
    Shop shop;
    const std::string path = shop.repository + "/" + what;
    // Not every file system has it, nor may everybody.
    if (std::system(("chattr +i " + path + " 2>/dev/null").c_str()) != 0) return;
    check_foretold(shop, path + " is immutable, so that nobody may change it; do chattr -i " + path);
    shell("chattr -i " + path);
    CHECK(ready(*shop.driver(), shop.first).ready);
  }
}
