#include "rules/engine/acting/neighbours.hpp"

#include <algorithm>

namespace rules {

void Neighbours::know(const ServiceSpec& spec, const Evidence* evidence) {
  Neighbour& one = services_[spec.name];
  one.evidence = evidence;
  one.depends_on = spec.depends_on;
}

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
  for (const auto& [name, other] : services_) {
    if (name == service || !other.has_fired) continue;
    if (std::chrono::abs(other.at - self.at) > std::max(other.sustain, self.sustain)) continue;
    if (!need_each_other(name, service)) return name.text;
  }
  return "";
}

bool Neighbours::need_each_other(const ServiceName& one, const ServiceName& other) const {
  return all_that_it_needs(one).contains(other) || all_that_it_needs(other).contains(one);
}

Neighbours::Soon Neighbours::soon_in_trouble_with(const ServiceName& service) const {
  const auto found = services_.find(service);
  if (found == services_.end() || !found->second.has_fired) return {};
  const Neighbour& self = found->second;
  for (const auto& [name, other] : services_) {
    if (name == service || other.evidence == nullptr) continue;
    const std::optional<Evidence::Firing> next = other.evidence->next_firing();
    if (!next || next->at - self.at > std::max(next->sustain, self.sustain)) continue;
    if (!need_each_other(name, service)) return {name.text, next->at};
  }
  return {};
}

}  // namespace rules
