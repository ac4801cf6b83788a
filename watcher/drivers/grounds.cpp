#include "watcher/drivers/grounds.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

namespace watcher {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view in_checkout = "checkout ";

// The top of the repository that the folder is in; the folder itself where none is there yet.
fs::path top_of(const fs::path& dir) {
  for (fs::path at = dir; at.has_relative_path(); at = at.parent_path()) {
    std::error_code failure;
    if (fs::exists(at / ".git", failure)) return at;
  }
  return dir;
}

bool may_hold(const Ground& outer, const Ground& inner) {
  if (outer.where != inner.where || !inner.place.starts_with(outer.place)) return false;
  const bool is_same = inner.place.size() == outer.place.size();
  switch (outer.extent) {
    case Ground::Extent::alone:
      return is_same;
    case Ground::Extent::tree:
      return is_same || inner.place[outer.place.size()] == '/';
    case Ground::Extent::prefix:
      return true;
  }
  return false;
}

struct Grounds {
  const rules::ServiceName& service;

  std::vector<Ground> operator()(std::monostate) const { return {}; }
  std::vector<Ground> operator()(const auto& driver) const { return driver.grounds(service); }
};

}  // namespace

fs::path real_place(const fs::path& path) {
  std::error_code failure;
  fs::path found = fs::weakly_canonical(path, failure);
  return failure ? path.lexically_normal() : found;
}

std::vector<Ground> checkout_grounds(const std::string& dir, const std::vector<std::string>& paths,
                                     const std::string& advice) {
  std::vector<Ground> out;
  if (dir.empty()) return out;
  const fs::path real = real_place(dir);
  const std::string top = top_of(real).string();
  const auto add = [&](std::string place, Ground::Extent extent) {
    std::string shown = place;
    out.push_back(
        {std::string(in_checkout) + top, std::move(place), extent, std::move(shown), advice, shared_checkout_advice});
  };
  for (const std::string& path : paths) {
    std::string whole = (real / path).lexically_normal().string();
    const std::size_t wildcard = whole.find_first_of("*?[", std::min(real.native().size(), whole.size()));
    const bool is_glob = wildcard != std::string::npos;
    if (is_glob) whole.resize(wildcard);
    // "src/" is "src".
    if (!is_glob && whole.ends_with('/')) whole.pop_back();
    add(std::move(whole), is_glob ? Ground::Extent::prefix : Ground::Extent::tree);
  }
  if (out.empty()) add(top, Ground::Extent::tree);
  return out;
}

std::vector<Ground> checked_out(const DriverSection& section) {
  std::vector<Ground> out;
  for (const DriverKind* const one : each_of(section.driver)) {
    for (Ground& ground : std::visit(Grounds{section.service}, *one)) {
      if (ground.where.starts_with(in_checkout)) out.push_back(std::move(ground));
    }
  }
  return out;
}

static std::string what_is_shared(const std::vector<Ground>& ours, const std::vector<Ground>& theirs,
                                  bool is_same_driver) {
  for (const Ground& mine : ours) {
    for (const Ground& their : theirs) {
      const bool is_within = may_hold(their, mine);
      if (!is_within && !may_hold(mine, their)) continue;
      return (is_within ? mine : their).shown + "; " + (is_same_driver ? mine.advice : mine.advice_otherwise);
    }
  }
  return {};
}

std::string what_both_switch(const DriverSection& one, const DriverSection& other) {
  for (const DriverKind* const ours : each_of(one.driver)) {
    for (const DriverKind* const theirs : each_of(other.driver)) {
      std::string what = what_is_shared(std::visit(Grounds{one.service}, *ours),
                                        std::visit(Grounds{other.service}, *theirs), ours->index() == theirs->index());
      if (!what.empty()) return what;
    }
  }
  return {};
}

}  // namespace watcher
