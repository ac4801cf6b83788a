#pragma once

#include <set>
#include <string>

#include "rules/base/names.hpp"
#include "rules/base/time.hpp"

namespace rules {

// The names of all incidents that are known: what is saved of one must not replace another's. A name says when it was
// opened, for which service and why; of several in the same second the later ones are numbered.
class IncidentIds {
 public:
  // One that the journal has.
  void know(const IncidentId& id);
  // A new one.
  IncidentId take(Instant opened, const ServiceName& service, const std::string& what);

 private:
  std::set<IncidentId> known_;
};

}  // namespace rules
