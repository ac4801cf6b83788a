#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "watcher/config/references.hpp"
#include "watcher/drivers/grounds.hpp"

// The link and the releases of a service that lie in what another one checks out. Whether git knows them only git could
// tell, and it may be another answer in the revision that is gone back to.

namespace watcher {

namespace {

namespace fs = std::filesystem;

// What a service checks out, without links on the way: whole trees or parts of one.
std::vector<fs::path> checked_out_by(const DriverKind& driver) {
  const auto* const git = std::get_if<GitDriver>(&driver);
  const auto* const pm2 = std::get_if<Pm2Driver>(&driver);
  std::vector<fs::path> out;
  if (git == nullptr && pm2 == nullptr) return out;
  const fs::path dir = real_place(git != nullptr ? git->dir : pm2->dir);
  if (git != nullptr) {
    for (const std::string& path : git->paths) {
      const fs::path whole = (dir / path.substr(0, path.find_first_of("*?["))).lexically_normal();
      out.push_back(whole.has_filename() ? whole : whole.parent_path());
    }
  }
  if (!out.empty()) return out;
  out.push_back(dir);
  // Its `dir` may be a folder of the tree.
  for (fs::path at = dir; at.has_relative_path(); at = at.parent_path()) {
    std::error_code failure;
    if (!fs::exists(at / ".git", failure)) continue;
    out.back() = at;
    break;
  }
  return out;
}

std::vector<fs::path> checked_out(const DriverKind& driver) {
  std::vector<fs::path> out;
  for (const DriverKind* const one : each_of(driver)) {
    for (fs::path& tree : checked_out_by(*one)) out.push_back(std::move(tree));
  }
  return out;
}

const SystemdDriver* releases_of(const DriverKind& driver) {
  for (const DriverKind* const one : each_of(driver)) {
    if (const auto* const systemd = std::get_if<SystemdDriver>(one)) return systemd;
  }
  return nullptr;
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

std::string what_lies_in(const SystemdDriver& systemd, const fs::path& tree) {
  const fs::path link = real_place(fs::path(systemd.link).parent_path()) / fs::path(systemd.link).filename();
  const fs::path releases = real_place(systemd.releases.empty() ? fs::path(systemd.link).parent_path() / "releases"
                                                                : fs::path(systemd.releases));
  if (is_below(link, tree) && !is_of_another(link, tree)) return systemd.link;
  if (is_below(releases, tree) && !is_of_another(releases, tree)) return releases.string();
  return {};
}

}  // namespace

void check_no_link_in_trees(Loading& loading) {
  for (const DriverSection& one : loading.config.drivers) {
    const auto* const systemd = releases_of(one.driver);
    if (systemd == nullptr || systemd->link.empty()) continue;
    for (const DriverSection& other : loading.config.drivers) {
      for (const fs::path& tree : checked_out(other.driver)) {
        const std::string what = what_lies_in(*systemd, tree);
        if (what.empty()) continue;
        loading.findings.warning(
            loading.service_places[one.service.text],
            "service." + one.service.text + ": " + what + " lies in " + tree.string() + ", which service " +
                other.service.text + " checks out: where a revision has a file of that name it is changed or taken " +
                "away with a rollback of " + other.service.text + "; keep link and releases outside of it");
        break;
      }
    }
  }
}

}  // namespace watcher
