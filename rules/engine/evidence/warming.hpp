#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "rules/base/poll.hpp"

namespace rules {

// Probes that may not be up yet since a revision, an instance or we appeared, and until when that excuses them
// (SPEC 2.15).
class Warming {
 public:
  // The probe that says of the whole service whether it is up: the others' excuses end with their first poll after it
  // was. Without one each probe speaks for itself.
  void heed(std::optional<ProbeName> health) { health_ = std::move(health); }
  void begin(const std::set<ProbeName>& probes, Instant since, Instant until);
  // What is still excused gets no further time: an instance that crashes again and again is down.
  void begin_where_up(const std::set<ProbeName>& probes, Instant since, Instant until);
  // An answer to what was asked before it began may be the old instance's.
  // True: it ended the probe's excuse.
  bool polled(const Poll& poll);
  bool covers(const std::set<ProbeName>& probes, Instant now) const;
  // When the next excuse ends after `now`; Instant::max(): none does.
  Instant next_end(Instant now) const;
  // When the last of these excuses ends; nullopt: none is excused.
  std::optional<Instant> end_of(const std::set<ProbeName>& probes, Instant now) const;

 private:
  struct Excuse {
    Instant since;
    Instant until;
  };
  std::map<ProbeName, Excuse> excused_;
  std::optional<ProbeName> health_;
  Instant since_ = Instant::min();  // it began, for the newest instance
  std::optional<Instant> healthy_;  // the service's health answered that it is up, since then
};

}  // namespace rules
