#include <algorithm>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "watcher/config/references.hpp"
#include "watcher/drivers/grounds.hpp"

// What a service relies on, as the link to its release, that lies in what another one checks out. Whether git knows it
// only git could tell, and it may be another answer in the revision that is gone back to.

namespace watcher {

namespace {

namespace fs = std::filesystem;

struct ReliesOn {
  std::vector<std::string> operator()(std::monostate) const { return {}; }
  std::vector<std::string> operator()(const auto& driver) const { return driver.relies_on(); }
};

std::vector<std::string> relied_on(const DriverSection& section) {
  std::vector<std::string> out;
  for (const DriverKind* const one : each_of(section.driver)) {
    for (std::string& path : std::visit(ReliesOn(), *one)) out.push_back(std::move(path));
  }
  return out;
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const fs::path from = path.lexically_relative(folder);
  return !from.empty() && *from.begin() != "..";
}

// Whether a repository of its own, such as a submodule or another checkout, lies between.
bool is_of_another(const fs::path& path, const fs::path& tree) {
  for (fs::path at = path.parent_path(); at != tree && is_below(at, tree); at = at.parent_path()) {
    std::error_code failure;
    if (fs::exists(at / ".git", failure)) return true;
  }
  return false;
}

// A glob's folder stands for all that it may match.
fs::path folder_of(const Ground& ground) {
  const fs::path place(ground.place);
  return ground.extent == Ground::Extent::prefix ? place.parent_path() : place;
}

// The folder of another service's checkout that would bring it or take it away; empty: none.
fs::path tree_with(const fs::path& path, const DriverSection& other) {
  // A link is in place as well as what it points to.
  const std::vector<fs::path> places{real_place(path.parent_path()) / path.filename(), real_place(path)};
  for (const Ground& ground : checked_out(other)) {
    const fs::path tree = folder_of(ground);
    for (const fs::path& place : places) {
      if (is_below(place, tree) && !is_of_another(place, tree)) return tree;
    }
  }
  return {};
}

// Of the first that lies there: its neighbours do as well.
void warn_of(Loading& loading, const DriverSection& one, const DriverSection& other) {
  const std::vector<std::string> relied = relied_on(one);
  const auto path = std::find_if(relied.begin(), relied.end(),
                                 [&](const std::string& each) { return !tree_with(each, other).empty(); });
  if (path == relied.end()) return;
  const fs::path tree = tree_with(*path, other);
  loading.findings.warning(loading.service_places[one.service.text],
                           "service." + one.service.text + ": " + *path + " lies in " + tree.string() +
                               ", which service " + other.service.text +
                               " checks out: where a revision has a file of that name it is changed or taken " +
                               "away with a rollback of " + other.service.text + "; keep what " + one.service.text +
                               " runs from outside of it");
}

}  // namespace

void check_no_link_in_trees(Loading& loading) {
  for (const DriverSection& one : loading.config.drivers) {
    for (const DriverSection& other : loading.config.drivers) warn_of(loading, one, other);
  }
}

}  // namespace watcher
