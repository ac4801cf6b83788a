#pragma once

#include <map>
#include <set>
#include <vector>

#include "rules/base/ordered_times.hpp"
#include "rules/base/poll.hpp"

namespace rules {

// Which of a service's probes are up, as far as was seen: one that nothing new comes of is unknown when what it said
// goes stale. What a poll costs does not grow with their number.
class Uptime {
 public:
  // Knows these, and of a new one nothing yet.
  void watch(const std::set<ProbeName>& probes);
  // From now on it is so, until then if nothing new comes.
  void saw(const ProbeName& probe, Up up, Instant until);
  // Those of which what was seen is stale at `now`: they are unknown until they are seen again.
  std::vector<ProbeName> take_stale(Instant now);

  // As of the last take_stale(): down where one is, else unknown where one is or there is none, else up.
  Up worst() const;
  // When the next one goes stale; Instant::max(): none does.
  Instant next_change() const { return stale_.next(); }

 private:
  std::map<ProbeName, Up> seen_;
  OrderedTimes<ProbeName> stale_;  // of those that are not unknown
  std::size_t down_ = 0;
  std::size_t unknown_ = 0;
};

}  // namespace rules
