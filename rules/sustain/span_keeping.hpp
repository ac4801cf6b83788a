#pragma once

#include <map>
#include <optional>
#include <vector>

#include "rules/sustain/rule_tracker.hpp"

namespace rules {

// Says of span records that are not written again that they still hold: those saved from `since` on are until `at` as
// they were written. It follows upon the one that held until `after`, and counts only if that one was saved; the first
// (`after` is `since`) comes with the records of all rules.
struct SpansHeld {
  Instant since;
  Instant after;
  Instant at;
};

// What has to be saved so that the next start finds all rules' spans as they are now.
struct SpanChanges {
  std::vector<SpanRecord> changed;
  SpansHeld rest;
};

// Rules that are good and stay so, which is nearly all of them nearly always, are not written again every few seconds.
class SpanKeeping {
 public:
  // All rules' records as of `now`, in order.
  SpanChanges changes(std::vector<SpanRecord> all, Instant now);
  // What was last given may not have been saved: the next are the records of all.
  void forget() { saved_.clear(); }

 private:
  std::map<RuleName, SpanRecord> saved_;
  Instant since_;
  Instant held_;
};

// What is known to hold after `next` was saved upon `known`.
std::optional<SpansHeld> followed(const std::optional<SpansHeld>& known, const SpansHeld& next);

// Makes the record one of `held.at` if it is one of those that held.
void hold(SpanRecord& record, const SpansHeld& held);

}  // namespace rules
