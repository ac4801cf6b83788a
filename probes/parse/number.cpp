#include "probes/parse/number.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <system_error>

namespace probes {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

// Whether a well-formed number that no double holds is too small rather than too large: from_chars says only
// that it is out of range. Too small is 0, as it is to Prometheus.
bool is_too_small(std::string_view unsigned_number) {
  std::int64_t magnitude = 0;  // power of ten of the first digit that is not 0, plus one
  bool seen_point = false;
  bool seen_digit = false;
  std::size_t at = 0;
  for (; at < unsigned_number.size() && (unsigned_number[at] | 0x20) != 'e'; ++at) {
    const char c = unsigned_number[at];
    if (c == '.') {
      seen_point = true;
    } else if (seen_digit || c != '0') {
      seen_digit = true;
      if (!seen_point) ++magnitude;
    } else if (seen_point) {
      --magnitude;
    }
  }
  constexpr std::int64_t exponent_max = 1'000'000'000;  // beyond what digits within a line can outweigh
  std::int64_t exponent = 0;
  bool negative = false;
  for (++at; at < unsigned_number.size(); ++at) {
    const char c = unsigned_number[at];
    if (c == '-') negative = true;
    if (is_digit(c) && exponent < exponent_max) exponent = exponent * 10 + (c - '0');
  }
  return magnitude + (negative ? -exponent : exponent) < 0;
}

std::optional<double> parse_unsigned(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ptr != end) return std::nullopt;
  if (result.ec == std::errc()) return value;
  if (result.ec == std::errc::result_out_of_range && is_too_small(text)) return 0.0;
  return std::nullopt;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  if (equals_ignoring_case(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  const bool signed_text = !text.empty() && (text[0] == '+' || text[0] == '-');
  const double sign = signed_text && text[0] == '-' ? -1.0 : 1.0;
  if (signed_text) text.remove_prefix(1);
  if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity")) {
    return sign * std::numeric_limits<double>::infinity();
  }
  // from_chars would take a second minus, and "nan(...)".
  if (text.empty() || !(is_digit(text[0]) || text[0] == '.')) return std::nullopt;
  const std::optional<double> value = parse_unsigned(text);
  if (!value) return std::nullopt;
  return sign * *value;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

}  // namespace probes
