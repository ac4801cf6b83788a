#pragma once

#include <prometheus/metric_family.h>

#include <functional>

#include "rules/engine/view.hpp"

namespace watcher {

// What the engine's view shows, one family of metrics after the other: all of them at once would be megabytes. What is
// unknown has no series, and a family may have none.
void each_family(const rules::EngineView& view, const std::function<void(prometheus::MetricFamily)>& take);

}  // namespace watcher
