#pragma once

#include <map>
#include <string>

#include "rules/base/seldom.hpp"
#include "rules/base/time.hpp"
#include "rules/conditions/condition.hpp"
#include "rules/signals/measurements.hpp"

namespace rules {

// Collects, while a revision is being verified and no rule is bad, the values whose median becomes the baseline of
// the revisions after it (SPEC 2.9).
class BaselineCollector {
 public:
  // A value that held from `at`. Time between observations counts as covered up to max_gap.
  void observe(const std::string& key, Instant at, double value, Duration max_gap);
  // A rule is bad, or the value is unknown: the time until the next observation is not covered.
  void interrupt(const std::string& key);
  void clear();

  // Medians, weighted by time, of the values that cover at least 10 minutes.
  FrozenValues freeze() const;
  // For the journal: what has been collected, and to go on from it.
  struct Bin {
    double value = 0;
    std::int64_t held_ns = 0;
  };
  const std::map<std::string, std::vector<Bin>>& bins() const { return bins_; }
  void restore(std::map<std::string, std::vector<Bin>> bins) { bins_ = std::move(bins); }

 private:
  struct Last {
    Instant at;
    double value = 0;
    Duration max_gap{};
  };
  Seldom<std::map<std::string, std::vector<Bin>>> bins_;
  Seldom<std::map<std::string, Last>> last_;
};

}  // namespace rules
