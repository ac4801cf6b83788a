#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rules/incidents/plan.hpp"
#include "rules/incidents/records.hpp"

namespace rules {

// How long the steps of a service usually take: the median of their newest runs that succeeded, by what they are; a
// switch wherever it goes.
class UsualLengths {
 public:
  void learn(const StepRecord& step);
  // nothing: it was not done before.
  std::optional<Duration> of(const StepSpec& step) const;
  // Of its steps until it is verified; nothing: one of them was not done before.
  std::optional<Duration> of(const ActionSpec& action) const;

  using Records = std::map<std::string, std::vector<std::int64_t>>;  // what it is -> nanoseconds, the newest last
  const Records& records() const { return lengths_; }
  void restore(Records records) { lengths_ = std::move(records); }

 private:
  Records lengths_;
};

}  // namespace rules
