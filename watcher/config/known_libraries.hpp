#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "rules/signals/signal_spec.hpp"

namespace watcher {

// `p50 p75 p90 p95 p99 p999` as a fraction.
std::optional<double> quantile_named(std::string_view word);

// The shares of failed requests under the usual metric names of common client libraries and proxies, most usual
// first. The first whose metric is in the page is taken.
std::vector<rules::RatioOf> usual_error_ratios();
// The same for histograms and summaries of how long requests took, in seconds.
std::vector<rules::QuantileOf> usual_durations(double quantile);

}  // namespace watcher
