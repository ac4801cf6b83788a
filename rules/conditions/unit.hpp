#pragma once

#include <string>
#include <string_view>

#include "rules/conditions/condition.hpp"

namespace rules {

// People read a value in the unit in which its threshold was written: 5% is compared with 6.0 %, 3000ms with 4210 ms.
// What is kept and computed with is in base units: shares, seconds, bytes.

// The unit of a literal as written, "%" of 5%, "ms" of 3000ms, the largest of 1h30m; empty when it has none.
std::string_view unit_written(std::string_view literal);

// The unit of what a threshold was computed from, where the result has it too: "ms" of 2 * 1500ms. Empty: none.
std::string_view unit_of(const Expression& threshold);

// The unit in which the condition compares the signal; empty: in none, or not by itself.
std::string_view unit_of(const Condition& condition, const SignalName& signal);

// 6.0 %, 4210 ms, 93.5 MiB; without a unit 0.3125, 12000, 1.5e+09, NaN. Four significant digits; whole numbers without
// a unit are in full up to a million.
std::string in_unit(double value, std::string_view unit);

}  // namespace rules
