#pragma once

#include <string>
#include <vector>

#include "rules/engine/effects.hpp"
#include "rules/engine/events.hpp"
#include "rules/sustain/rule_spec.hpp"

namespace rules {

// What is wrong with ourselves, and the most that may therefore happen by itself.
class OwnTrouble {
 public:
  OwnTrouble(Mode configured, Effects& effects) : configured_(configured), effects_(effects) {}

  void configure(Mode configured) { configured_ = configured; }
  void heard(const SelfDegraded& degraded);
  // A person accepts the state that was begun anew. False: there was nothing to accept.
  bool accept_state();

  // The most that any rule may do now.
  Mode cap() const;
  // And when our own trouble is over: what only a person ends stays.
  Mode cap_once_well() const;
  // Why we ask instead of acting; empty when we do not.
  std::string asks_because() const;
  // Why we observe and no more until a person says otherwise; empty when we do not.
  std::string observes_because() const;
  // Nothing that is measured can be vouched for.
  bool blinds() const;
  std::vector<std::string> reasons() const;

 private:
  Mode configured_;
  Effects& effects_;
  std::vector<SelfDegraded> now_;
};

// What the rule may do by itself under the cap.
Mode mode_of(const RuleSpec& rule, Mode cap);

}  // namespace rules
