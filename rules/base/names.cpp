#include "rules/base/names.hpp"

#include <algorithm>
#include <string_view>

namespace rules {

namespace {

constexpr std::size_t revision_length_max = 200;

bool is_alphanumeric(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_inner(char c) { return is_alphanumeric(c) || std::string_view("._:/@-").find(c) != std::string_view::npos; }

}  // namespace

bool is_safe_in_argv(const Revision& revision) {
  const std::string& text = revision.text;
  if (text.empty() || text.size() > revision_length_max) return false;
  return is_alphanumeric(text.front()) && std::all_of(text.begin() + 1, text.end(), is_inner);
}

}  // namespace rules
