#include "watcher/config/fields.hpp"

#include <algorithm>

namespace watcher {

namespace {

struct OwnFields {
  std::vector<std::string> operator()(const auto& what) const {
    if constexpr (requires { what.fields(); }) return what.fields();
    return {};
  }
};

struct AnyField {
  bool operator()(const auto& what) const {
    if constexpr (requires { what.any_field(); }) return what.any_field();
    return false;
  }
};

}  // namespace

std::vector<std::string> fields_of(const probes::ProbeConfig& probe) {
  std::vector<std::string> out = std::visit(OwnFields(), probe.what);
  out.emplace_back("up");
  out.emplace_back("duration");
  return out;
}

bool has_field(const probes::ProbeConfig& probe, std::string_view field) {
  if (std::visit(AnyField(), probe.what)) return true;
  const std::vector<std::string> known = fields_of(probe);
  return std::find(known.begin(), known.end(), field) != known.end();
}

}  // namespace watcher
