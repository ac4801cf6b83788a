#include "rules/signals/histogram.hpp"

#include <cmath>

namespace rules {

namespace {

QuantileDecision yes_if(bool yes) { return yes ? QuantileDecision::yes : QuantileDecision::no; }

// Where `below` of all observations are at or below the threshold, which is a bound, the quantile's rank tells.
QuantileDecision by_counting(CompareOp op, double below, double rank) {
  switch (op) {
    case CompareOp::greater:
      return yes_if(below < rank);
    case CompareOp::greater_equal:
      return yes_if(below <= rank);
    case CompareOp::less:
      return yes_if(below > rank);
    case CompareOp::less_equal:
      return yes_if(below >= rank);
    case CompareOp::equal:
    case CompareOp::not_equal:
      return QuantileDecision::approximate;
  }
  return QuantileDecision::approximate;
}

// The quantile is surely above the threshold, or surely below it.
QuantileDecision surely(CompareOp op, bool above) {
  switch (op) {
    case CompareOp::greater:
    case CompareOp::greater_equal:
      return yes_if(above);
    case CompareOp::less:
    case CompareOp::less_equal:
      return yes_if(!above);
    case CompareOp::equal:
      return QuantileDecision::no;
    case CompareOp::not_equal:
      return QuantileDecision::yes;
  }
  return QuantileDecision::approximate;
}

}  // namespace

bool Histogram::has_infinite_bucket() const { return !cumulative.empty() && std::isinf(cumulative.rbegin()->first); }

double Histogram::total() const { return cumulative.empty() ? 0 : cumulative.rbegin()->second; }

double Histogram::highest_finite_bound() const {
  for (auto it = cumulative.rbegin(); it != cumulative.rend(); ++it) {
    if (std::isfinite(it->first)) return it->first;
  }
  return 0;
}

void make_monotonic(Histogram& histogram) {
  double most = 0;
  for (auto& [bound, count] : histogram.cumulative) {
    if (count < most) count = most;
    most = count;
  }
}

std::optional<double> interpolate(const Histogram& histogram) {
  const double rank = histogram.quantile * histogram.total();
  double lower_bound = 0;
  double lower_count = 0;
  bool first = true;
  for (const auto& [bound, count] : histogram.cumulative) {
    if (count >= rank) {
      if (std::isinf(bound)) return std::nullopt;
      if (first && bound <= 0) return bound;
      if (count == lower_count) return lower_bound;
      return lower_bound + (bound - lower_bound) * ((rank - lower_count) / (count - lower_count));
    }
    lower_bound = bound;
    lower_count = count;
    first = false;
  }
  return std::nullopt;
}

QuantileDecision decide(const Histogram& histogram, CompareOp op, double threshold) {
  const double rank = histogram.quantile * histogram.total();
  const auto at_or_above = histogram.cumulative.lower_bound(threshold);
  if (at_or_above != histogram.cumulative.end() && at_or_above->first == threshold) {
    return by_counting(op, at_or_above->second, rank);
  }
  if (at_or_above != histogram.cumulative.begin() && std::prev(at_or_above)->second >= rank) {
    return surely(op, false);
  }
  if (at_or_above == histogram.cumulative.end() || std::isinf(at_or_above->first)) {
    return QuantileDecision::undecidable;
  }
  if (at_or_above->second < rank) return surely(op, true);
  return QuantileDecision::approximate;
}

}  // namespace rules
