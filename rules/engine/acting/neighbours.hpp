#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "rules/incidents/service_spec.hpp"

namespace rules {

// When each service of the host last fired: two that fire within one `for` of each other have a common cause that no
// deployment of one of them explains, unless one depends on the other (SPEC 2.19).
class Neighbours {
 public:
  void know(const ServiceSpec& spec) { services_[spec.name].depends_on = spec.depends_on; }
  void forget(const ServiceName& service) { services_.erase(service); }
  // A rule of the service with this `for` fired.
  void fired(const ServiceName& service, Instant at, Duration sustain);
  // Found again at a start: counts unless a later one is known.
  void had_fired(const ServiceName& service, Instant at, Duration sustain);

  // What the service depends on, directly or not, in the order of their names; itself not, even in a circle.
  std::set<ServiceName> all_that_it_needs(const ServiceName& service) const;
  // Another service that is in trouble at the same time; empty: none.
  std::string in_trouble_with(const ServiceName& service) const;

 private:
  struct Neighbour {
    std::vector<ServiceName> depends_on;
    bool has_fired = false;
    Instant at{};
    Duration sustain{};
  };
  std::map<ServiceName, Neighbour> services_;
};

}  // namespace rules
