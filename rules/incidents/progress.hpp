#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rules/base/time.hpp"
#include "rules/incidents/plan.hpp"
#include "rules/incidents/usual_lengths.hpp"

namespace rules {

// How far an action has come, for people. A share and a rest there are only where past runs say how long all of it
// takes, from its first step until it is seen whether it helped.
struct Progress {
  std::int64_t done = 0;   // steps that have ended
  std::int64_t steps = 0;  // that it has
  std::optional<std::int64_t> percent;
  std::optional<Duration> left;
  friend bool operator==(const Progress&, const Progress&) = default;
};

// Where an action is now.
struct Reached {
  std::size_t step = 0;  // the one at work, or the next; as many as it has: it is seen whether they helped
  Duration worked{};     // at that
  bool by_hand = false;
};

Progress progress_of(const ActionSpec& action, const UsualLengths& usual, const Reached& reached);

// "40 % done, step 3 of 7, usually 2m more"; where nothing is known of past runs "step 3 of 7".
std::string told(const Progress& progress);

}  // namespace rules
