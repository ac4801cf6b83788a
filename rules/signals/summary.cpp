#include "rules/signals/summary.hpp"

#include <algorithm>

namespace rules {

namespace {

constexpr double same_quantile = 1e-9;  // written as 0.95 and 0.950

// The share of the summary's observations that is surely at or below the value.
double surely_below(const Summary& summary, double value) {
  double out = 0;
  for (const auto& [quantile, at] : summary.values) {
    if (at <= value) out = std::max(out, quantile);
  }
  return out;
}

// The most of its observations that may be below the value.
double perhaps_below(const Summary& summary, double value) {
  double out = 1;
  for (const auto& [quantile, at] : summary.values) {
    if (at >= value) out = std::min(out, quantile);
  }
  return out;
}

template <class Share>
double share_of(const std::vector<Summary>& summaries, double value, const Share& share) {
  double below = 0;
  double all = 0;
  for (const Summary& summary : summaries) {
    below += summary.weight * share(summary, value);
    all += summary.weight;
  }
  return all > 0 ? below / all : 0;
}

}  // namespace

Between quantile_of(const std::vector<Summary>& summaries, double quantile) {
  std::vector<double> values;
  for (const Summary& summary : summaries) {
    if (summary.weight <= 0) continue;
    for (const auto& [at, value] : summary.values) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  const auto most = std::partition_point(values.begin(), values.end(), [&](double value) {
    return share_of(summaries, value, surely_below) < quantile - same_quantile;
  });
  const auto above_least = std::partition_point(values.begin(), values.end(), [&](double value) {
    return share_of(summaries, value, perhaps_below) <= quantile + same_quantile;
  });
  Between out;
  if (most != values.end()) out.at_most = *most;
  if (above_least != values.begin()) out.at_least = *std::prev(above_least);
  return out;
}

}  // namespace rules
