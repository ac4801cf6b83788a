#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "rules/conditions/condition.hpp"
#include "rules/conditions/judgement.hpp"

namespace rules {

// Which comparisons made the condition what it was judged to be, by their places in `judged`: in an `or` that is bad
// those that are bad, in an `and` all of them. None where it is unknown.
std::vector<std::size_t> deciding(const Condition& condition, const Judgement& judged);

// The condition's comparisons as written, in the same order.
std::vector<std::string> comparisons_of(const Condition& condition);

}  // namespace rules
