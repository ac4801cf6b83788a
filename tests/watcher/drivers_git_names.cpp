#include "drivers_git_shop.hpp"

namespace {

using namespace drivers_support;

watcher::NameMeans meaning(Shop& shop, const std::string& name) {
  const auto driver = shop.driver();
  return run_here(driver->meaning_of(name));
}

std::string commit(Shop& shop, const std::string& name) {
  const watcher::NameMeans means = meaning(shop, name);
  CHECK(means.knows_names);
  return means.meant.size() == 1 ? means.meant.front().text : "?";
}

}  // namespace

TEST_CASE("SPEC 2.24: git knows tags, branches and the first digits of commits") {
  Shop shop;
  shop.git("tag v1.0.0 " + shop.first);
  shop.git("tag -a -m release v2.0.0 " + shop.second);
  shop.git("branch hotfix/prices " + shop.first);
  CHECK(commit(shop, "v1.0.0") == shop.first);
  CHECK(commit(shop, "v2.0.0") == shop.second);
  CHECK(commit(shop, "hotfix/prices") == shop.first);
  CHECK(commit(shop, "main") == shop.third);
  CHECK(commit(shop, shop.second.substr(0, 12)) == shop.second);
  CHECK(commit(shop, shop.second) == shop.second);
}

TEST_CASE("SPEC 2.24: what git does not know it says with what may bring it") {
  Shop shop;
  const watcher::NameMeans means = meaning(shop, "v9.9.9");
  CHECK(means.knows_names);
  CHECK(means.meant.empty());
  CHECK(contains(means.why_none, "v9.9.9 is no commit in " + shop.repository));
  CHECK(contains(means.why_none, "fetch"));
}

TEST_CASE("SPEC 2.24: a tag and a branch of one name at different commits are ambiguous") {
  Shop shop;
  shop.git("tag stable " + shop.first);
  shop.git("branch stable " + shop.second);
  CHECK(meaning(shop, "stable").meant.size() == 2);
  shop.git("branch -f stable " + shop.first);
  CHECK(commit(shop, "stable") == shop.first);
}

TEST_CASE("SPEC 2.24: digits that several commits begin with are ambiguous") {
  Shop shop;
  // Always the same thousand, of which some share their first four digits.
  shop.in_tree(
      "for i in $(seq 1000); do echo commit refs/heads/many; echo 'committer D <d@e> '$((1700000000 + i))' +0000'; "
      "echo 'data 0'; echo; done | git fast-import --quiet && "
      "git rev-list many | cut -c1-4 | sort | uniq -d | head -1 > ../shared");
  const std::string shared = content(shop.folder.path + "/shared").substr(0, 4);
  const watcher::NameMeans means = meaning(shop, shared);
  CHECK(means.meant.size() >= 2);
}

TEST_CASE("what a switch takes back is listed, the newest first, and counted when it is much") {
  Shop shop;
  const auto driver = shop.driver();
  const auto lines = [&](std::size_t most) {
    return run_here(driver->taken_back(rules::Revision(shop.third), rules::Revision(shop.first), most));
  };
  const std::vector<std::string> all = lines(20);
  REQUIRE(all.size() == 2);
  CHECK(all[0].ends_with(" three"));
  CHECK(all[1].ends_with(" two"));
  const std::vector<std::string> some = lines(1);
  REQUIRE(some.size() == 2);
  CHECK(some[1] == "... of 2 in all");
  CHECK(run_here(driver->taken_back(rules::Revision(shop.first), rules::Revision(shop.third), 20)).empty());
}
