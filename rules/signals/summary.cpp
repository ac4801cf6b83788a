#include "rules/signals/summary.hpp"

#include <algorithm>
#include <cmath>

namespace rules {

namespace {

constexpr double same_quantile = 1e-9;  // written as 0.95 and 0.950

// The share of the summary's observations that is surely at or below the value.
double share_below(const Summary& summary, double value) {
  double out = 0;
  for (const auto& [quantile, at] : summary.values) {
    if (at <= value) out = std::max(out, quantile);
  }
  return out;
}

double share_below(const std::vector<Summary>& summaries, double value) {
  double below = 0;
  double all = 0;
  for (const Summary& summary : summaries) {
    below += summary.weight * share_below(summary, value);
    all += summary.weight;
  }
  return all > 0 ? below / all : 0;
}

// The first quantile of the summary at or above the wanted one, 0 when there is none.
double nearest_above(const Summary& summary, double quantile) {
  const auto found = summary.values.lower_bound(quantile - same_quantile);
  return found == summary.values.end() ? 0 : found->first;
}

}  // namespace

std::optional<SummaryQuantile> quantile_of(const std::vector<Summary>& summaries, double quantile) {
  std::vector<double> values;
  std::vector<const Summary*> busy;
  for (const Summary& summary : summaries) {
    if (summary.weight <= 0) continue;
    busy.push_back(&summary);
    for (const auto& [at, value] : summary.values) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  const auto enough = std::find_if(values.begin(), values.end(), [&](double value) {
    return share_below(summaries, value) >= quantile - same_quantile;
  });
  if (enough == values.end()) return std::nullopt;
  SummaryQuantile out;
  out.value = *enough;
  out.of = nearest_above(*busy.front(), quantile);
  out.exact = busy.size() == 1 && std::abs(out.of - quantile) <= same_quantile;
  return out;
}

}  // namespace rules
