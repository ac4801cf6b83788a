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
  // How long it took until it was seen that the action had helped, from its last step on. What nobody's rules had to
  // become good for is seen sooner.
  void learn_verifying(const ActionSpec& action, bool by_hand, Duration length);
  std::optional<Duration> of_verifying(const ActionSpec& action, bool by_hand) const;
  // nothing: it was not done before.
  std::optional<Duration> of(const StepSpec& step) const;
  // Of its steps until it is verified; nothing: one of them was not done before.
  std::optional<Duration> of(const ActionSpec& action) const;

  using Records = std::map<std::string, std::vector<std::int64_t>>;  // what it is -> nanoseconds, the newest last
  const Records& records() const { return lengths_; }
  void restore(Records records) { lengths_ = std::move(records); }

 private:
  void learn(const std::string& key, Duration length);
  std::optional<Duration> of(const std::string& key) const;

  Records lengths_;
};

}  // namespace rules
