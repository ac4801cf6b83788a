#pragma once

#include <cstdint>
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
  // As much of a record as tells whether a later one says more. Texts by their hashes, of 64 bits: of a thousand rules
  // the whole records would be half a megabyte.
  struct Saved {
    explicit Saved(const SpanRecord& record);
    bool still_holds(const Saved& now) const;

    std::uint64_t rule;
    std::uint64_t meaning;
    Instant firing_since;
    std::optional<Instant> since;  // it was good then; none: nothing was known
    bool is_steady;
  };

  std::vector<Saved> saved_;
  Instant since_;
  std::optional<Instant> held_;
};

// Makes the record one of `until` if it was saved since then and said that it would hold.
void hold(SpanRecord& record, Instant since, Instant until);

}  // namespace rules
