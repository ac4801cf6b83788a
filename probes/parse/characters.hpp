#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace probes {

// Sets of bytes as tables: one load says whether a byte is in the set.
class CharacterSet {
 public:
  constexpr explicit CharacterSet(std::string_view members) {
    for (const char c : members) in_[static_cast<unsigned char>(c)] = true;
  }
  constexpr bool has(char c) const { return in_[static_cast<unsigned char>(c)]; }

 private:
  std::array<bool, 256> in_{};
};

inline constexpr CharacterSet metric_name_begin("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:");
inline constexpr CharacterSet metric_name_part("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789");
inline constexpr CharacterSet label_name_begin("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
inline constexpr CharacterSet label_name_part("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
// What a number may end with: a digit, a point, inf, nan, infinity.
inline constexpr CharacterSet number_end("0123456789.fFnNyY");
inline constexpr CharacterSet digits("0123456789");
// What stands before the last digit of a number, or before its only one.
inline constexpr CharacterSet before_digit("0123456789.+-eE \t}");

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The text up to the next blank, taken off with the blanks behind it.
inline std::string_view take_word(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && !is_blank(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  while (end < text.size() && is_blank(text[end])) ++end;
  text.remove_prefix(end);
  return word;
}

// For people: what can be shown of a line that came from outside.
inline std::string quoted_excerpt(std::string_view line) {
  constexpr std::size_t shown_max = 80;  // bytes; enough to find the line by
  std::string out = "\"";
  for (const char c : line.substr(0, shown_max)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (line.size() > shown_max ? "...\"" : "\"");
}

}  // namespace probes
