#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
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

// What is switched in a repository.
struct Switched {
  std::string path;      // of a glob: up to its first wildcard
  bool is_glob = false;  // everything that begins so may be meant
};

bool may_hold(const Switched& outer, const Switched& inner) {
  if (!inner.path.starts_with(outer.path)) return false;
  return outer.is_glob || inner.path.size() == outer.path.size() || inner.path[outer.path.size()] == '/';
}

// A checkout that a service switches.
struct Checkout {
  std::string dir;
  std::vector<std::string> paths;  // empty: all of it
};

std::optional<Checkout> checkout_of(const DriverKind& driver) {
  if (const auto* const git = std::get_if<GitDriver>(&driver)) return Checkout{git->dir, git->paths};
  if (const auto* const pm2 = std::get_if<Pm2Driver>(&driver)) return Checkout{pm2->dir, {}};
  return std::nullopt;
}

std::vector<Switched> switched(const Checkout& checkout, const fs::path& dir, const fs::path& top) {
  std::vector<Switched> out;
  for (const std::string& path : checkout.paths) {
    std::string whole = (dir / path).lexically_normal().string();
    const std::size_t wildcard = whole.find_first_of("*?[", std::min(dir.native().size(), whole.size()));
    const bool is_glob = wildcard != std::string::npos;
    if (is_glob) whole.resize(wildcard);
    // "src/" is "src".
    if (!is_glob && whole.ends_with('/')) whole.pop_back();
    out.push_back({std::move(whole), is_glob});
  }
  if (out.empty()) out.push_back({top.string()});
  return out;
}

std::string shared(const Checkout& one, const Checkout& other) {
  const fs::path dir = real(one.dir);
  const fs::path other_dir = real(other.dir);
  const fs::path top = top_of(dir);
  if (top != top_of(other_dir)) return {};
  for (const Switched& mine : switched(one, dir, top)) {
    for (const Switched& theirs : switched(other, other_dir, top)) {
      if (may_hold(theirs, mine)) return mine.path;
      if (may_hold(mine, theirs)) return theirs.path;
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

// The link itself, wherever it leads.
fs::path place_of_link(const std::string& link) {
  const fs::path path = fs::path(link).lexically_normal();
  return real(path.parent_path()) / path.filename();
}

std::set<std::string> units_of(const SystemdDriver& driver, const rules::ServiceName& service) {
  if (driver.units.empty()) return {service.text + ".service"};
  return {driver.units.begin(), driver.units.end()};
}

std::string what_both_restart(const SystemdDriver& mine, const rules::ServiceName& service, const SystemdDriver& theirs,
                              const rules::ServiceName& other) {
  if (place_of_link(mine.link) == place_of_link(theirs.link))
    return mine.link + "; make one service of them, whose unit names what runs from it";
  const std::set<std::string> others = units_of(theirs, other);
  for (const std::string& unit : units_of(mine, service)) {
    if (others.contains(unit))
      return unit + "; name in unit what runs from the link of each, or make one service of them";
  }
  return {};
}

std::string what_both_switch(const DriverSection& one, const DriverSection& other) {
  const std::optional<Checkout> mine = checkout_of(one.driver);
  const std::optional<Checkout> theirs = checkout_of(other.driver);
  if (mine && theirs && !mine->dir.empty() && !theirs->dir.empty()) {
    const std::string where = shared(*mine, *theirs);
    if (where.empty()) return {};
    const bool is_git = one.driver.index() == other.driver.index() && std::holds_alternative<GitDriver>(one.driver);
    return where + (is_git ? "; give each paths of its own, or make one service of them whose restart starts both"
                           : "; make one service of them, whose processes (pm2) or restart (git) are both");
  }
  const auto* const systemd = std::get_if<SystemdDriver>(&one.driver);
  const auto* const other_systemd = std::get_if<SystemdDriver>(&other.driver);
  if (systemd != nullptr && other_systemd != nullptr)
    return what_both_restart(*systemd, one.service, *other_systemd, other.service);
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
