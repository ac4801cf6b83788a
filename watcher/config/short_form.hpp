#pragma once

#include <string>
#include <string_view>

#include "watcher/config/loading.hpp"

namespace watcher {

// Puts the short words of a condition into those of the long form: `down` is `health.up == 0`, `memory` is
// `host.memory_used` of the container or unit that the service's application runs in, and names of implied signals and
// probes get the service's prefix.
Written spelled_out(const Written& condition, const ShortForm& form, const Loading& loading);

// Turns `rules = ["error_rate > 5% for 5m"]` of all short forms into rules.
void imply_rules(Loading& loading);

// Adds the signals and the probe `host` that conditions name and only a short form stands for.
void imply_what_is_named(Loading& loading);

}  // namespace watcher
