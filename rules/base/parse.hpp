#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "rules/base/time.hpp"

namespace rules {

// A mistake in a text that a person wrote (a condition, a selector, a duration).
struct SyntaxError {
  std::size_t offset = 0;  // bytes from the text's begin
  std::string what;        // what is wrong and what was expected, lower case, no full stop
};

template <class T>
using Parsed = std::variant<T, SyntaxError>;

// Durations as in the configuration: 500ms 5s 5m 1h30m 7d. Units d h m s ms, each at most once and in that order.
Parsed<Duration> parse_duration(std::string_view text);

// The shortest text that parse_duration reads back as the same value: 1h30m, 500ms, 0s.
std::string to_string(Duration d);

}  // namespace rules
