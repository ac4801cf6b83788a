#pragma once

#include <limits>
#include <map>
#include <vector>

namespace rules {

// One summary: the quantiles that its library computed, and how many observations it had in the window.
struct Summary {
  std::map<double, double> values;  // quantile -> value
  double weight = 0;
};

// Between which values a quantile lies, as far as the summaries tell.
struct Between {
  double at_least = -std::numeric_limits<double>::infinity();
  double at_most = std::numeric_limits<double>::infinity();
  bool exact() const { return at_least == at_most; }
};

// What the summaries together show of a quantile: the greatest value of which surely no more than that share of the
// observations is below, and the least of which surely that share is at or below. One summary that has the quantile
// tells it exactly; one that has not, tells its nearest below and above.
Between quantile_of(const std::vector<Summary>& summaries, double quantile);

}  // namespace rules
