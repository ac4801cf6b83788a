#pragma once

#include <functional>
#include <optional>

#include "rules/conditions/condition.hpp"

namespace rules {

// What kind of quantity a SignalRef or FieldRef is; none: nobody knows, or a mere number.
using KindOf = std::function<std::optional<LiteralKind>(const Expression&)>;

// The first comparison of two different kinds of quantity: `memory_used > 1GiB` compares a share with a size, is never
// true and fires never. What is multiplied or divided has no kind.
std::optional<SyntaxError> mixed_units(const Condition& condition, const KindOf& kind_of);

// The first comparison of a share that can never be true, or never false: above 100%, at least 0%.
std::optional<SyntaxError> share_out_of_range(const Condition& condition, const KindOf& kind_of);

}  // namespace rules
