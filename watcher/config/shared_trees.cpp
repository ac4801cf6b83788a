#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "watcher/config/references.hpp"

// Services that would switch each other: what one rolls back is what the other runs.

namespace watcher {

namespace {

namespace fs = std::filesystem;

fs::path real(const fs::path& path) {
  std::error_code failure;
  fs::path found = fs::weakly_canonical(path, failure);
  return failure ? path.lexically_normal() : found;
}

// The top of the repository that the folder is in; the folder itself where none is there yet.
fs::path top_of(const fs::path& dir) {
  for (fs::path at = dir; at.has_relative_path(); at = at.parent_path()) {
    std::error_code failure;
    if (fs::exists(at / ".git", failure)) return at;
  }
  return dir;
}

bool lies_in(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// What of the repository is switched.
std::vector<fs::path> switched(const GitDriver& driver, const fs::path& dir, const fs::path& top) {
  std::vector<fs::path> out;
  for (const std::string& path : driver.paths) {
    fs::path whole = (dir / path).lexically_normal();
    // "src/" is "src".
    out.push_back(whole.has_filename() ? std::move(whole) : whole.parent_path());
  }
  if (out.empty()) out.push_back(top);
  return out;
}

std::string shared(const GitDriver& one, const GitDriver& other) {
  const fs::path dir = real(one.dir);
  const fs::path other_dir = real(other.dir);
  const fs::path top = top_of(dir);
  if (top != top_of(other_dir)) return {};
  for (const fs::path& mine : switched(one, dir, top)) {
    for (const fs::path& theirs : switched(other, other_dir, top)) {
      if (lies_in(mine, theirs)) return mine.string();
      if (lies_in(theirs, mine)) return theirs.string();
    }
  }
  return {};
}

std::set<std::string> services_of(const ComposeDriver& driver, const rules::ServiceName& service) {
  if (driver.services.empty()) return {service.text};
  return {driver.services.begin(), driver.services.end()};
}

// Where no project is named it is that of the containers that were started from the folder.
bool is_one_project(const ComposeDriver& one, const ComposeDriver& other) {
  if (!one.project.empty() && !other.project.empty()) return one.project == other.project;
  return one.project == other.project && real(one.dir) == real(other.dir) && one.files == other.files;
}

std::string what_both_switch(const DriverSection& one, const DriverSection& other) {
  const auto* const git = std::get_if<GitDriver>(&one.driver);
  const auto* const other_git = std::get_if<GitDriver>(&other.driver);
  if (git != nullptr && other_git != nullptr && !git->dir.empty() && !other_git->dir.empty()) {
    const std::string where = shared(*git, *other_git);
    if (where.empty()) return {};
    return where + "; give each paths of its own, or make one service of them whose restart starts both";
  }
  const auto* const compose = std::get_if<ComposeDriver>(&one.driver);
  const auto* const other_compose = std::get_if<ComposeDriver>(&other.driver);
  if (compose == nullptr || other_compose == nullptr || !is_one_project(*compose, *other_compose)) return {};
  for (const std::string& service : services_of(*compose, one.service)) {
    if (services_of(*other_compose, other.service).contains(service))
      return service + " of one Compose project; name in compose_service what each of them is";
  }
  return {};
}

}  // namespace

void check_nothing_is_shared(Loading& loading) {
  const std::vector<DriverSection>& drivers = loading.config.drivers;
  for (std::size_t i = 1; i < drivers.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const std::string what = what_both_switch(drivers[i], drivers[j]);
      if (what.empty()) continue;
      loading.findings.error(loading.service_places[drivers[i].service.text],
                             "service." + drivers[i].service.text + ": would switch what service " +
                                 drivers[j].service.text + " runs, and the other way round: " + what);
      break;
    }
  }
}

}  // namespace watcher
