#include "drivers_git_shop.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;

struct PartialShop : Shop {
  PartialShop() { config.paths = {"backend"}; }
};

}  // namespace

TEST_CASE("a partial git rollback changes its paths alone and then is the target") {
  PartialShop shop;
  CHECK(shop.identified() == shop.third);
  const rules::StepResult result = shop.roll_back_to(shop.first);
  INFO(result.detail);
  REQUIRE(result.status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/backend/api") == "api of one\n");
  CHECK_FALSE(std::filesystem::exists(shop.repository + "/backend/only-in-three"));
  CHECK(content(shop.repository + "/frontend/page") == "page of three\n");
  CHECK(shop.asked("rev-parse HEAD") == shop.third);
  CHECK(shop.asked("branch --show-current") == "main");
  CHECK(shop.identified() == shop.first);
}

TEST_CASE("the report of a partial git rollback names the command that brings the paths back") {
  PartialShop shop;
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  shop.obey("to return to HEAD's: ");
  CHECK(shop.asked("status --porcelain").empty());
  CHECK(shop.identified() == shop.third);
}

TEST_CASE("a part of a tree is the commit that its content came from, also when people return to one by hand") {
  PartialShop shop;
  shop.git("restore --source=" + shop.first + " --staged --worktree -- backend");
  CHECK(shop.identified() == shop.first);
  shop.git("restore --source=" + shop.second + " --staged --worktree -- backend");
  CHECK(shop.identified() == shop.second);
  // As runbooks have it, which leaves what the earlier release had not.
  shop.git("reset -q --hard");
  shop.git("checkout -q " + shop.first + " -- backend");
  const std::string mixed = shop.identified();
  CHECK(mixed.starts_with(shop.third + "-paths-"));
  CHECK(rules::is_safe_in_argv(rules::Revision(mixed)));
  // What is not among the paths is not the service's.
  shop.git("reset -q --hard");
  shop.git("restore --source=" + shop.first + " --staged --worktree -- frontend");
  CHECK(shop.identified() == shop.third);
}

TEST_CASE("commits that leave the paths alone are no deploys of them") {
  PartialShop shop;
  const auto elsewhere = [&shop] { shop.in_tree("echo more >> frontend/page; git commit -q -m page frontend"); };
  elsewhere();
  CHECK(shop.identified() == shop.third);
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  elsewhere();
  CHECK(shop.identified() == shop.first);
  // Even when nobody knows our notes.
  std::filesystem::remove_all(shop.folder.path + "/state");
  CHECK(shop.identified() == shop.first);
  elsewhere();
  CHECK(shop.identified() == shop.first);
}

TEST_CASE("a restart of a part of a tree that failed is not forgotten while HEAD stays") {
  PartialShop shop;
  write(shop.folder.path + "/break-restart", "");
  CHECK(shop.roll_back_to(shop.first).status == StepStatus::failed);
  CHECK(shop.identified() == "?");
  shop.in_tree("echo more >> frontend/page; git commit -q -m page frontend");
  CHECK(shop.identified() == shop.third);
}

TEST_CASE("a deploy after a partial git rollback is what runs") {
  PartialShop shop;
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  shop.git("reset -q --hard");
  CHECK(shop.identified() == shop.third);
  const std::string fourth = shop.release("four");
  CHECK(shop.identified() == fourth);
}

TEST_CASE("local changes in the paths of a partial git rollback are stashed, others stay where they are") {
  PartialShop shop;
  write(shop.repository + "/backend/api", "patched\n");
  write(shop.repository + "/backend/new", "new\n");
  write(shop.repository + "/frontend/page", "patched page\n");
  REQUIRE(shop.roll_back_to(shop.first).status == StepStatus::succeeded);
  CHECK(content(shop.repository + "/backend/api") == "api of one\n");
  CHECK(content(shop.repository + "/frontend/page") == "patched page\n");
  const std::string stashed = shop.asked("stash show --include-untracked --name-only stash@{0}");
  CHECK(contains(stashed, "backend/api"));
  CHECK_FALSE(contains(stashed, "backend/new"));
  CHECK(content(shop.repository + "/backend/new") == "new\n");
}

TEST_CASE("a partial git rollback whose build fails brings the paths back") {
  PartialShop shop;
  write(shop.folder.path + "/break-build", "");
  CHECK(shop.roll_back_to(shop.first).status == StepStatus::failed);
  CHECK(shop.asked("status --porcelain").empty());
  CHECK(shop.identified() == shop.third);
  CHECK_FALSE(contains(shop.aftermath(), "to return"));
}

TEST_CASE("commits with the same content of the paths are alike, whatever else is in them") {
  PartialShop shop;
  const auto commit = [&shop](const std::string& commands) {
    shop.in_tree(commands + "; git add -A; git commit -q -m more");
    return rules::Revision(shop.asked("rev-parse HEAD"));
  };
  const rules::Revision first(shop.first);
  const rules::Revision third(shop.third);
  const rules::Revision elsewhere = commit("echo more >> frontend/page");
  const rules::Revision again = commit("git restore --source=" + shop.first + " -- backend; rm -f backend/only-in-t*");
  const auto driver = shop.driver();
  const auto alike = [&driver](std::vector<rules::Revision> known, std::vector<rules::Revision> named) {
    return run_here(driver->alike([known] { return known; }, std::move(named)));
  };
  using Groups = std::vector<std::vector<rules::Revision>>;
  CHECK(alike({first, third}, {elsewhere}) == Groups{{third, elsewhere}});
  CHECK(alike({first, third}, {again, first}) == Groups{{first, again}});
  CHECK(alike({first, rules::Revision("gone"), rules::Revision(std::string(40, 'a'))}, {third}).empty());
  shop.config.paths.clear();
  CHECK(run_here(shop.driver()->alike([&] { return std::vector{third}; }, {elsewhere})).empty());
}
