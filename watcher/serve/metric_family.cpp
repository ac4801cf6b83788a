#include "watcher/serve/metric_family.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace watcher {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric labelled(MetricLabels labels) {
  ClientMetric metric;
  metric.label.reserve(labels.size());
  for (const auto& [name, label] : labels) metric.label.push_back({name, std::string(label)});
  return metric;
}

}  // namespace

MetricFamily metric_family(MetricType type, const char* name, const char* help) {
  MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

void add_metric(MetricFamily& to, MetricLabels labels, double value) {
  ClientMetric metric = labelled(labels);
  if (to.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  to.metric.push_back(std::move(metric));
}

void Buckets::observe(const Bounds& bounds, double value) {
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
  ++counts_[static_cast<std::size_t>(bucket)];
  sum_ += value;
}

void Buckets::add_to(MetricFamily& to, MetricLabels labels, const Bounds& bounds) const {
  ClientMetric metric = labelled(labels);
  metric.histogram.sample_sum = sum_;
  metric.histogram.bucket.reserve(counts_.size());
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    metric.histogram.sample_count += counts_[i];
    const double bound = i < count ? bounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({metric.histogram.sample_count, bound});
  }
  to.metric.push_back(std::move(metric));
}

}  // namespace watcher
