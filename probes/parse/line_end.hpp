#pragma once

#include <string_view>

#include "probes/parse/characters.hpp"
#include "probes/parse/number.hpp"

namespace probes {

inline std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// Nearly every line ends in two digits, or in one after a blank: more is read only of those that do not.
inline bool ends_with_digit(char before, char last) { return digits.has(last) && before_digit.has(before); }

inline bool ends_with_number(std::string_view line) {
  if (!number_end.has(line.back())) line = without_blanks(line);
  const char before = line.size() > 1 ? line[line.size() - 2] : '\0';
  if (ends_with_digit(before, line.back())) return true;
  const std::size_t blank = line.find_last_of(" \t}");
  return parse_number(line.substr(blank == std::string_view::npos ? 0 : blank + 1)).has_value();
}

}  // namespace probes
