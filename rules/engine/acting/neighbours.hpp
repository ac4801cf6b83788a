#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "rules/engine/evidence/evidence.hpp"
#include "rules/incidents/service_spec.hpp"

namespace rules {

// When each service of the host last fired: two that fire within one `for` of each other have a common cause that no
// deployment of one of them explains, unless one depends on the other (SPEC 2.19).
class Neighbours {
 public:
  // `evidence` is the service's, and outlives this or forget(); nullptr: only what fired is known of it.
  void know(const ServiceSpec& spec, const Evidence* evidence);
  void forget(const ServiceName& service) { services_.erase(service); }
  // A rule of the service with this `for` fired.
  void fired(const ServiceName& service, Instant at, Duration sustain);
  // Found again at a start: counts unless a later one is known.
  void had_fired(const ServiceName& service, Instant at, Duration sustain);

  // What the service depends on, directly or not, in the order of their names; itself not, even in a circle.
  std::set<ServiceName> all_that_it_needs(const ServiceName& service) const;
  // Another service that is in trouble at the same time; empty: none.
  std::string in_trouble_with(const ServiceName& service) const;
  // Another service that is bad already, and would fire within one `for` of this one's firing if it stayed so. Which of
  // the two is polled first must not decide whether a person is asked.
  struct Soon {
    std::string service{};  // empty: none
    Instant at{};           // it would fire
  };
  Soon soon_in_trouble_with(const ServiceName& service) const;

 private:
  struct Neighbour {
    const Evidence* evidence = nullptr;
    std::vector<ServiceName> depends_on;
    bool has_fired = false;
    Instant at{};
    Duration sustain{};
  };
  bool need_each_other(const ServiceName& one, const ServiceName& other) const;

  std::map<ServiceName, Neighbour> services_;
};

}  // namespace rules
