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

std::set<ServiceName> Neighbours::all_that_it_needs(const ServiceName& service) const {
  std::set<ServiceName> all;
  std::vector<ServiceName> open{service};
  while (!open.empty()) {
    const auto found = services_.find(open.back());
    open.pop_back();
    if (found == services_.end()) continue;
    for (const ServiceName& name : found->second.depends_on) {
      if (name != service && all.insert(name).second) open.push_back(name);
    }
  }
  return all;
}

std::string Neighbours::in_trouble_with(const ServiceName& service) const {
  const auto found = services_.find(service);
  if (found == services_.end() || !found->second.has_fired) return "";
  const Neighbour& self = found->second;
  const std::set<ServiceName> needed = all_that_it_needs(service);
  for (const auto& [name, other] : services_) {
    if (name == service || !other.has_fired) continue;
    if (std::chrono::abs(other.at - self.at) > std::max(other.sustain, self.sustain)) continue;
    if (!needed.contains(name) && !all_that_it_needs(name).contains(service)) return name.text;
  }
  return "";
}

}  // namespace rules
