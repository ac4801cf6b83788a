#pragma once

#include <optional>
#include <string_view>

namespace probes {

// A number as Prometheus takes it: decimal with an optional sign, point and exponent, Inf, Infinity or NaN in
// any case. No hexadecimal, no underscores, no blanks around it; too large for a double is not a number.
std::optional<double> parse_number(std::string_view text);

// The text without blanks, tabs and line ends around it.
std::string_view trimmed(std::string_view text);

}  // namespace probes
