#pragma once

#include <map>
#include <optional>
#include <vector>

namespace rules {

// One summary: the quantiles that its library computed, and how many observations it had in the window.
struct Summary {
  std::map<double, double> values;  // quantile -> value
  double weight = 0;
};

struct SummaryQuantile {
  double value = 0;
  double of = 0;       // the quantile that a single summary was asked for: the wanted one, or the nearest above it
  bool exact = false;  // one summary has observations, and it has the quantile itself
};

// The least value of which the summaries together show that at least `quantile` of the observations are at or below it;
// with one summary that is its quantile, or the nearest above. None: they have no quantile that is high enough.
std::optional<SummaryQuantile> quantile_of(const std::vector<Summary>& summaries, double quantile);

}  // namespace rules
