#include "rules/engine/acting/neighbours.hpp"

#include <algorithm>

namespace rules {

void Neighbours::fired(const ServiceName& service, Instant at, Duration sustain) {
  Neighbour& one = services_[service];
  one.has_fired = true;
  one.at = at;
  one.sustain = sustain;
}

void Neighbours::had_fired(const ServiceName& service, Instant at, Duration sustain) {
  const Neighbour& one = services_[service];
  if (!one.has_fired || one.at < at) fired(service, at, sustain);
}

std::string Neighbours::in_trouble_with(const ServiceName& service) const {
  const auto found = services_.find(service);
  if (found == services_.end() || !found->second.has_fired) return "";
  const Neighbour& self = found->second;
  const auto depends = [](const Neighbour& a, const ServiceName& b) {
    return std::find(a.depends_on.begin(), a.depends_on.end(), b) != a.depends_on.end();
  };
  for (const auto& [name, other] : services_) {
    if (name == service || !other.has_fired) continue;
    if (depends(self, name) || depends(other, service)) continue;
    if (std::chrono::abs(other.at - self.at) <= std::max(other.sustain, self.sustain)) return name.text;
  }
  return "";
}

}  // namespace rules
