#pragma once

#include <string>
#include <vector>

#include "rules/engine/service.hpp"

namespace rules {

// One sentence for each thing that is missing before the rule acts, or why it will not. Pure.
std::vector<std::string> missing(const Service& service, const WatchedRule& rule, Mode cap, Instant now);

}  // namespace rules
