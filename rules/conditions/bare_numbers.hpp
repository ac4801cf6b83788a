#pragma once

#include <functional>
#include <optional>

#include "rules/conditions/condition.hpp"

namespace rules {

// The first comparison of a time with a bare number of 10 or more: `p95 > 3000` is fifty minutes, and milliseconds were
// probably meant. `is_time` says it of a SignalRef or FieldRef, as in share_against_number.
std::optional<SyntaxError> time_against_number(const Condition& condition,
                                               const std::function<bool(const Expression&)>& is_time);

}  // namespace rules
