#include "rules/signals/history.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "rules/signals/window.hpp"

namespace rules {

namespace {

template <class Points>
double average(const Points& points, double weight) {
  double sum = 0;
  for (const auto& point : points) sum += point.value * point.weight;
  return sum / weight;
}

// The smallest value that holds for at least q of the time.
template <class Points>
double quantile(Points points, double q, double weight) {
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  double so_far = 0;
  for (const auto& point : points) {
    so_far += point.weight;
    if (so_far >= q * weight) return point.value;
  }
  return points.back().value;
}

// Least squares; 0 / 0, not a number, when all points are at one time.
template <class Points>
double slope(const Points& points, double weight) {
  double mean_at = 0;
  for (const auto& point : points) mean_at += point.at * point.weight / weight;
  const double mean_value = average(points, weight);
  double along = 0;
  double across = 0;
  for (const auto& point : points) {
    along += point.weight * (point.at - mean_at) * (point.at - mean_at);
    across += point.weight * (point.at - mean_at) * (point.value - mean_value);
  }
  return across / along;
}

template <class Points>
double compute(const OverTimeRef& ref, const Points& points, double weight) {
  const auto by_value = [](const auto& a, const auto& b) { return a.value < b.value; };
  switch (ref.function) {
    case OverTimeFunction::avg:
      return average(points, weight);
    case OverTimeFunction::max:
      return std::max_element(points.begin(), points.end(), by_value)->value;
    case OverTimeFunction::min:
      return std::min_element(points.begin(), points.end(), by_value)->value;
    case OverTimeFunction::quantile:
      return quantile(points, ref.quantile, weight);
    case OverTimeFunction::slope:
      return slope(points, weight);
  }
  return 0;
}

}  // namespace

void History::record(Instant at, const Measured& measured) {
  entries_.push_back({at, at - measured.window, measured.value.value_or(0), measured.value.has_value()});
  while (entries_.size() > 2 && entries_[1].at <= at - kept_) entries_.pop_front();
}

Measured History::over_time(const OverTimeRef& ref, Instant not_before, Cause not_before_cause,
                            Duration max_gap) const {
  Measured out;
  if (entries_.empty()) return out;
  out.newest = entries_.back().at;
  out.window = ref.window;
  const Instant begin = out.newest - ref.window;
  std::vector<Point> points;
  double weight = 0;
  bool cut = false;
  for (std::size_t i = entries_.size() - 1; i > 0 && entries_[i].at > begin; --i) {
    const Entry& entry = entries_[i];
    cut = cut || entry.evidence_since < not_before;
    if (!entry.known || entry.evidence_since < not_before) continue;
    const Instant since = entries_[i - 1].at;
    const double held = entry.at - since > max_gap ? 0 : seconds(entry.at - std::max({since, begin, not_before}));
    points.push_back({seconds(entry.at - out.newest), entry.value, held});
    weight += held;
  }
  out.count = static_cast<double>(points.size());
  if (weight < window_share_min * seconds(ref.window)) {
    out.cause = cut ? not_before_cause : Cause::warming_up;
    out.detail = to_string(from_seconds(weight)) + " of " + to_string(ref.window) + " observed, 60 % are needed";
    return out;
  }
  out.value = compute(ref, points, weight);
  return out;
}

}  // namespace rules
