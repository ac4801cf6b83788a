#pragma once

#include <set>
#include <vector>

#include "rules/engine/evidence/watched_rule.hpp"

namespace rules {

// Telling people that a service's rules cannot be observed: once for the service, naming its rules and the cause, and
// once more when all of them can be observed again (SPEC 2.1).
class Blindness {
 public:
  Blindness(const ServiceName& service, Effects& effects) : service_(service), effects_(effects) {}

  // The rule became blind or can be observed again: noted in the log.
  void changed(const WatchedRule& rule);
  bool has_changed() const { return is_changed_; }
  // Tells what follows from the changes, if anything does. `rules` are all of the service's.
  void tell(const std::vector<const WatchedRule*>& rules);

 private:
  void tell_blind(const std::vector<const WatchedRule*>& unseen);
  void tell_seeing(const WatchedRule& rule);

  ServiceName service_;
  Effects& effects_;
  bool is_changed_ = false;
  std::set<RuleName> told_;  // that they are blind
};

}  // namespace rules
