#pragma once

#include <vector>

#include "rules/conditions/condition.hpp"

namespace watcher {

// The values of the signal at which comparisons of the condition change their answer: what stands beside it may be
// computed from numbers, on either side (`3 < p95`, `p95 * 1000 > 3000`, `max(p95, 10m) - 1 > 2`). Comparisons with
// what only measuring tells have none.
std::vector<double> thresholds_of(const rules::Condition& condition, const rules::SignalName& signal);

}  // namespace watcher
