#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace watcher {

// How metrics are put together for prometheus-cpp, which writes them as text.

using MetricLabels = std::initializer_list<std::pair<const char*, std::string_view>>;

prometheus::MetricFamily metric_family(prometheus::MetricType type, const char* name, const char* help);

// Of a counter or a gauge.
void add_metric(prometheus::MetricFamily& to, MetricLabels labels, double value);

// How many of what was seen were at most so large, and their sum: all that a histogram is.
class Buckets {
 public:
  static constexpr std::size_t count = 8;
  using Bounds = std::array<double, count>;  // upper ones, ascending

  void observe(const Bounds& bounds, double value);
  void add_to(prometheus::MetricFamily& to, MetricLabels labels, const Bounds& bounds) const;

 private:
  std::array<std::uint64_t, count + 1> counts_{};  // each without those before it; the last is above all bounds
  double sum_ = 0;
};

}  // namespace watcher
