#pragma once

#include <map>
#include <optional>

#include "rules/conditions/condition.hpp"

namespace rules {

// How many observations fell into a histogram's buckets within a window, and which quantile of them is asked for.
struct Histogram {
  std::map<double, double> cumulative;  // upper bound -> observations at or below it; made monotonic
  double quantile = 0;
  bool strict = false;  // an approximate decision is unknown

  bool has_infinite_bucket() const;
  double total() const;                 // of the +Inf bucket
  double highest_finite_bound() const;  // 0 when there is none
};

// Racing scrapes can leave a higher bucket with less than a lower one; as Prometheus does, it gets the lower's count.
void make_monotonic(Histogram& histogram);

// The quantile, interpolated inside its bucket as Prometheus does; none when it lies in the +Inf bucket.
std::optional<double> interpolate(const Histogram& histogram);

// Whether the quantile is past a threshold, by counting where that can be told.
enum class QuantileDecision {
  yes,          // exact
  no,           // exact
  approximate,  // the threshold lies inside the quantile's bucket: only interpolation can tell
  undecidable,  // the quantile lies in the +Inf bucket, the threshold beyond the last bound
};
QuantileDecision decide(const Histogram& histogram, CompareOp op, double threshold);

}  // namespace rules
