#include "drivers_git_shop.hpp"

using namespace drivers_support;

// What a switch would take away, which a plan may still want to run.

namespace {

using Files = std::vector<std::string>;

Files taken_away(Shop& shop, const std::string& to, Files files) {
  const auto driver = shop.driver();
  return run_here(driver->taken_away(rules::Revision(to), std::move(files)));
}

}  // namespace

TEST_CASE("a switch takes away what git has here and not there, and no file that is not git's") {
  Shop shop;
  const std::string only_here = shop.repository + "/backend/only-in-three";
  write(shop.repository + "/local", "");
  const Files files{only_here, shop.repository + "/version", shop.repository + "/local", shop.folder.path + "/build",
                    shop.repository + "/nothing"};
  CHECK(taken_away(shop, shop.first, files) == Files{only_here});
  CHECK(taken_away(shop, shop.second, files) == Files{only_here});
  CHECK(taken_away(shop, shop.third, files).empty());
  // Through a link, and on a way round, it is the same file.
  std::filesystem::create_directory_symlink(shop.repository, shop.folder.path + "/link");
  const std::string linked = shop.folder.path + "/link/frontend/../backend/only-in-three";
  CHECK(taken_away(shop, shop.first, {linked}) == Files{linked});
}

TEST_CASE("nothing is said to be taken away where nobody knows, or where the switch leaves it alone") {
  Shop shop;
  const Files files{shop.repository + "/backend/only-in-three"};
  CHECK(taken_away(shop, std::string(40, '0'), files).empty());
  CHECK(taken_away(shop, "--all", files).empty());
  shop.config.paths = {"frontend"};
  CHECK(taken_away(shop, shop.first, files).empty());
  shop.config.paths = {"backend"};
  CHECK(taken_away(shop, shop.first, files) == files);
}
