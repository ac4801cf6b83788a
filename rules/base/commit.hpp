#pragma once

#include <string_view>

namespace rules {

// Whether a text is the whole id of a git commit, as git prints it: 40 hexadecimal digits.
constexpr bool is_commit(std::string_view text) {
  constexpr std::size_t length = 40;
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace rules
