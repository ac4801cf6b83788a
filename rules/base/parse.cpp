#include "rules/base/parse.hpp"

#include <array>
#include <limits>

namespace rules {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr std::int64_t ns_per_ms = 1'000'000;
// Longest first: the order in which they may be written.
constexpr std::array<Unit, 5> units{{{"d", 86'400'000 * ns_per_ms},
                                     {"h", 3'600'000 * ns_per_ms},
                                     {"m", 60'000 * ns_per_ms},
                                     {"s", 1'000 * ns_per_ms},
                                     {"ms", ns_per_ms}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) {
  constexpr std::string_view expected = "expected a duration such as 500ms, 5s, 5m, 1h30m or 7d";
  if (text.empty()) return SyntaxError{0, std::string(expected)};
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t number_at = at;
    std::int64_t number = 0;
    while (at < text.size() && is_digit(text[at])) {
      if (number > std::numeric_limits<std::int64_t>::max() / 20) return SyntaxError{number_at, "duration too long"};
      number = number * 10 + (text[at++] - '0');
    }
    if (at == number_at) return SyntaxError{at, std::string(expected)};
    const std::size_t unit_at = at;
    while (at < text.size() && is_letter(text[at])) ++at;
    const std::string_view unit = text.substr(unit_at, at - unit_at);
    std::size_t found = 0;
    while (found < units.size() && units[found].name != unit) ++found;
    if (found == units.size()) return SyntaxError{unit_at, std::string(expected)};
    if (found < next_unit) return SyntaxError{unit_at, "units go from d to ms, each at most once"};
    next_unit = found + 1;
    if (number > (std::numeric_limits<std::int64_t>::max() - total) / units[found].nanoseconds) {
      return SyntaxError{number_at, "duration too long"};
    }
    total += number * units[found].nanoseconds;
  }
  return Duration(total);
}

std::string to_string(Duration d) {
  std::int64_t rest = d.count();
  std::string out;
  if (rest < 0) {
    out = "-";
    rest = -rest;
  }
  const std::size_t sign = out.size();
  for (const Unit& unit : units) {
    const std::int64_t n = rest / unit.nanoseconds;
    if (n == 0) continue;
    out += std::to_string(n) + std::string(unit.name);
    rest -= n * unit.nanoseconds;
  }
  return out.size() > sign ? out : "0s";
}

}  // namespace rules
