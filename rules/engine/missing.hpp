#pragma once

#include <string>
#include <vector>

#include "rules/engine/service.hpp"

namespace rules {

// One sentence for each thing that is missing before the rule acts, or why it will not. Pure.
std::vector<std::string> missing(const Service& service, const WatchedRule& rule, Mode cap, Instant now);

// Why its fuse would not let it act; empty: it would. What its own incident has begun is not held against it: the one
// switch that its revision may have is the one that is being made.
std::string why_fused(const Service& service);

}  // namespace rules
