#include "probes/parse/names.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace probes {

bool is_field_name(std::string_view name) {
  const auto first = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto inner = [&](char c) { return first(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && first(name.front()) && std::all_of(name.begin(), name.end(), inner);
}

std::string wrong_field(const std::string& field) {
  if (field == "up" || field == "duration")
    return "the field \"" + field + "\" is the probe's own; choose another name";
  return is_field_name(field) ? std::string() : "the name \"" + field + "\" must match [a-z_][a-z0-9_]*";
}

std::string wrong_pointer(const std::string& pointer) {
  if (pointer.empty() || pointer.front() == '/') return {};
  return "\"" + pointer + "\" is not a JSON pointer; write \"/" + pointer + "\"";
}

std::string wrong_pattern(const std::string& pattern) {
  const re2::RE2 compiled(pattern, re2::RE2::Quiet);
  return compiled.ok() ? std::string() : "not an RE2 pattern: " + compiled.error();
}

}  // namespace probes
