#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "rules/engine/view.hpp"

namespace watcher {

// What the engine's view shows, as families of metrics. What is unknown has no series.
std::vector<prometheus::MetricFamily> families_of(const rules::EngineView& view);

}  // namespace watcher
