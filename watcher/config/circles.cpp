#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "watcher/config/references.hpp"

// Services that depend on each other in a circle.

namespace watcher {

namespace {

// The way from one service to the other along what they depend on; empty: there is none.
std::vector<std::string> way(const Loading& loading, const std::string& from, const std::string& to) {
  std::map<std::string, std::string> reached_from{{from, ""}};
  std::vector<std::string> open{from};
  for (std::size_t next = 0; next < open.size() && !reached_from.contains(to); ++next) {
    const auto names = loading.depends_on.find(open[next]);
    if (names == loading.depends_on.end()) continue;
    for (const PlacedName& name : names->second) {
      if (reached_from.emplace(name.name, open[next]).second) open.push_back(name.name);
    }
  }
  if (!reached_from.contains(to)) return {};
  std::vector<std::string> back;
  for (std::string at = to; !at.empty(); at = reached_from.at(at)) back.push_back(at);
  return {back.rbegin(), back.rend()};
}

}  // namespace

// Each would wait for the other. Said once, at the first of their names.
void check_no_circle(Loading& loading) {
  for (const auto& [service, names] : loading.depends_on) {
    for (const PlacedName& name : names) {
      if (name.name == service) continue;
      const std::vector<std::string> back = way(loading, name.name, service);
      if (back.empty() || *std::min_element(back.begin(), back.end()) != service) continue;
      std::string circle = service;
      for (const std::string& one : back) circle += " → " + one;
      loading.findings.error(name.place, "service." + service + ": depends on itself in a circle: " + circle);
    }
  }
}

}  // namespace watcher
