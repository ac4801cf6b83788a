#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "rules/base/ordered_times.hpp"
#include "rules/base/poll.hpp"

namespace rules {

// Which of a service's probes are up, as far as was seen: one that nothing new comes of is unknown when what it said
// goes stale. What a poll costs does not grow with their number. They are numbered in the order of their names.
class Uptime {
 public:
  // Knows so many as it is told what number each had before: of one that had none, nothing yet.
  void watch(const std::vector<std::optional<std::size_t>>& before);
  // From now on it is so, until then if nothing new comes.
  void saw(std::size_t probe, Up up, Instant until);
  // Those of which what was seen is stale at `now`: they are unknown until they are seen again.
  std::vector<std::size_t> take_stale(Instant now);

  // As of the last take_stale(), like worst().
  Up of(std::size_t probe) const { return seen_.at(probe); }
  // As of the last take_stale(): down where one is, else unknown where one is or there is none, else up.
  Up worst() const;
  // When the next one goes stale; Instant::max(): none does.
  Instant next_change() const { return stale_.next(); }

 private:
  std::vector<Up> seen_;
  OrderedTimes stale_;  // of those that are not unknown
  std::size_t down_ = 0;
  std::size_t unknown_ = 0;
};

}  // namespace rules
