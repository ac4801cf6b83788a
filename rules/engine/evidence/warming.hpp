#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "rules/base/poll.hpp"

namespace rules {

// Probes that may not be up yet since a revision, an instance or we appeared, and until when that excuses them
// (SPEC 2.15).
class Warming {
 public:
  void begin(const std::set<ProbeName>& probes, Instant since, Instant until);
  // What is not up yet gets no further time: an instance that crashes again and again is down.
  void begin_where_up(const std::set<ProbeName>& probes, Instant since, Instant until);
  // An answer to what was asked before it began may be the old instance's.
  // True: it ended the probe's excuse.
  bool polled(const Poll& poll);
  bool covers(const std::set<ProbeName>& probes, Instant now) const;
  // When the next excuse ends after `now`; Instant::max(): none does.
  Instant next_end(Instant now) const;

 private:
  struct Excuse {
    Instant since;
    Instant until;
  };
  std::map<ProbeName, Excuse> excused_;
};

}  // namespace rules
