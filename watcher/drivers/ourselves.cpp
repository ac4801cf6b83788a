#include "watcher/drivers/ourselves.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace watcher {

namespace {

std::string own_cgroups() {
  std::ifstream file("/proc/self/cgroup");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

// The innermost unit counts: a service of a user's manager lies below that manager's own.
std::string unit_in(std::string_view cgroups) {
  constexpr std::string_view ending = ".service";
  std::string out;
  while (!cgroups.empty()) {
    std::string_view line = cgroups.substr(0, cgroups.find('\n'));
    cgroups.remove_prefix(std::min(line.size() + 1, cgroups.size()));
    const bool is_systemd_s = line.starts_with("0::") || line.find(":name=systemd:") != line.npos;
    if (!is_systemd_s) continue;
    while (!line.empty()) {
      const std::size_t slash = line.rfind('/');
      const std::string_view name = slash == line.npos ? std::string_view() : line.substr(slash + 1);
      if (name.ends_with(ending)) {
        out = std::string(name);
        break;
      }
      line = line.substr(0, slash == line.npos ? 0 : slash);
    }
    if (!out.empty()) break;
  }
  return out;
}

std::string why_own_units(const std::vector<std::string>& units) {
  const std::string own = unit_in(own_cgroups());
  if (own.empty() || std::find(units.begin(), units.end(), own) == units.end()) return {};
  return own + " is the unit that rollbackd runs in: its restart would end the rollback in the middle; do name the " +
         "application's unit";
}

}  // namespace watcher
