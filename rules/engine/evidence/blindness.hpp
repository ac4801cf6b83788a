#pragma once

#include <optional>
#include <set>
#include <vector>

#include "rules/base/seldom.hpp"
#include "rules/engine/evidence/probe_faults.hpp"
#include "rules/engine/evidence/watched_rule.hpp"

namespace rules {

// Telling people that a service's rules cannot be observed: once for the service, naming its rules and the cause, and
// once more when all of them can be observed again (SPEC 2.1).
class Blindness {
 public:
  Blindness(const ServiceName& service, const ProbeFaults& faults, Effects& effects)
      : service_(service), faults_(faults), effects_(effects) {}

  // The rule became blind or can be observed again: noted in the log.
  void changed(const WatchedRule& rule);
  bool has_changed() const { return is_changed_; }
  // Tells what follows from the changes, if anything does. `rules` are all of the service's. `flapping`: with which
  // severity people heard that it comes and goes, which explains it to them.
  void tell(const std::vector<const WatchedRule*>& rules, std::optional<Severity> flapping);
  // By what people have heard that the rule cannot be measured: a fault of its probe, or that it is blind.
  std::vector<SaidBy> said_by(const WatchedRule& rule) const;

 private:
  std::vector<SaidBy> fault_of_all(const std::vector<const WatchedRule*>& rules) const;
  void tell_blind(const std::vector<const WatchedRule*>& unseen, std::optional<Severity> flapping);
  void tell_seeing(const std::vector<const WatchedRule*>& rules);

  const ServiceName& service_;
  const ProbeFaults& faults_;
  Effects& effects_;
  bool is_changed_ = false;
  Seldom<std::set<RuleName>> told_;    // that they are blind
  Severity told_as_ = Severity::p1;    // last
  std::vector<SaidBy> told_before_{};  // all of it was the fault of a probe that people heard of
};

}  // namespace rules
