#include "watcher/config/fields.hpp"

#include <algorithm>

namespace watcher {

std::vector<std::string> fields_of(const probes::ProbeConfig& probe) {
  std::vector<std::string> out = std::visit([](const auto& what) { return what.fields(); }, probe.what);
  out.emplace_back("up");
  out.emplace_back("duration");
  return out;
}

bool has_field(const probes::ProbeConfig& probe, std::string_view field) {
  if (std::visit([](const auto& what) { return what.any_field(); }, probe.what)) return true;
  const std::vector<std::string> known = fields_of(probe);
  return std::find(known.begin(), known.end(), field) != known.end();
}

}  // namespace watcher
