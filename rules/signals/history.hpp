#pragma once

#include <algorithm>
#include <utility>

#include "rules/conditions/condition.hpp"
#include "rules/conditions/judgement.hpp"
#include "rules/signals/ring.hpp"

namespace rules {

// What a value has been at each poll, for functions over time. A value stands for the time since the poll before it,
// unless that is longer than max_gap: then for none of it.
class History {
 public:
  explicit History(Duration kept) : kept_(kept) {}

  void record(Instant at, const Measured& measured);
  void keep_at_least(Duration kept) { kept_ = std::max(kept_, kept); }
  // What another one recorded of the same value, kept for as long as this one keeps.
  void adopt(History&& old) { entries_ = std::move(old.entries_); }

  // The function over the window that ends at the newest record. Evidence from before `not_before` does not count.
  Measured over_time(const OverTimeRef& ref, Instant not_before, Cause not_before_cause, Duration max_gap) const;

 private:
  struct Entry {
    Instant at;
    Instant evidence_since;  // where the value's own window began
    double value = 0;
    bool known = false;
  };
  struct Point {
    double at = 0;  // seconds before the newest, negative
    double value = 0;
    double weight = 0;  // seconds
  };

  Duration kept_;
  Ring<Entry> entries_;
};

}  // namespace rules
