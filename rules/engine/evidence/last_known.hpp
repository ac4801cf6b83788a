#pragma once

#include <map>
#include <string>
#include <vector>

#include "rules/base/seldom.hpp"
#include "rules/conditions/condition.hpp"
#include "rules/signals/measurements.hpp"

namespace rules {

// What before(x) is: the value of x when an incident opens, or its newest one of the hour before that. When a service
// goes down its own counts cannot be read any more, and they are what has to be compared with when it is up again.
class LastKnown {
 public:
  // What is asked for; values of what is not any more are forgotten.
  void watch(std::vector<Condition::Reference> references);
  const std::vector<Condition::Reference>& references() const { return references_; }
  bool is_needed() const { return !references_.empty(); }
  void note(const Condition::Reference& reference, const Measured& measured, Instant now);
  // By frozen_key(); what is older than an hour is left out.
  FrozenValues values(Instant now) const;

 private:
  struct Value {
    double value = 0;
    Instant at;
  };
  std::vector<Condition::Reference> references_;  // each once
  Seldom<std::map<std::string, Value>> values_;
};

}  // namespace rules
