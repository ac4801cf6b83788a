#pragma once

#include <map>
#include <optional>
#include <vector>

#include "rules/sustain/rule_tracker.hpp"

namespace rules {

// Says of span records that are not written again that they still hold: those saved from `since` on are until `at` as
// they were written. It follows upon the one that held until `after`, and counts only if that one was saved. The first
// has none before it: it comes with the records of all rules, and no others are left.
struct SpansHeld {
  Instant since;
  std::optional<Instant> after;
  Instant at;
};

// What has to be saved so that the next start finds all rules' spans as they are now; `rest` before what changed.
struct SpanChanges {
  SpansHeld rest;
  std::vector<SpanRecord> changed;
};

// Rules that are good and stay so, which is nearly all of them nearly always, are not written again every few seconds.
class SpanKeeping {
 public:
  // All rules' records as of `now`, in order.
  SpanChanges changes(std::vector<SpanRecord> all, Instant now);
  // What was last given may not have been saved: the next are the records of all.
  void forget() { held_.reset(); }

 private:
  std::map<RuleName, SpanRecord> saved_;
  Instant since_;
  std::optional<Instant> held_;
};

// Makes the record one of `until` if it was saved since then and said that it would hold.
void hold(SpanRecord& record, Instant since, Instant until);

}  // namespace rules
