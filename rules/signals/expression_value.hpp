#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rules/signals/expression.hpp"

namespace rules {

// PromQL's instant vector: label sets without the metric's name, each once.
using PromqlVector = std::map<std::vector<Label>, double>;

// A counter over a range: its samples in time.
struct PromqlPoint {
  Instant at;
  double value = 0;
};

// rate() or increase() of one series with extrapolation as Prometheus does it: to the range's edges where the samples
// come close to them, by half a sample's distance otherwise, never to below zero. None for fewer than two samples.
// The range includes both its ends, and no counter falls within it.
std::optional<double> extrapolated(PromqlRange function, const std::vector<PromqlPoint>& points, Instant range_begin,
                                   Instant range_end);

using PromqlValue = std::variant<double, PromqlVector>;

// The value of an expression; `read` gives the vector of each numbered selector or range.
PromqlValue evaluate(const PromqlNode& node,
                     const std::function<PromqlVector(std::size_t selector, const PromqlRangeCall* call)>& read);

}  // namespace rules
