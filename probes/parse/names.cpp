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
  if (!compiled.ok()) return "not an RE2 pattern: " + compiled.error();
  if (compiled.NumberOfCapturingGroups() == 0)
    return "\"" + pattern + "\" has no group that is the number; write one, such as 'hits:(\\d+)'";
  return {};
}

std::string wrong_variable(const std::string& name) {
  if (name.empty()) return "a variable without a name";
  if (name.find('=') == std::string::npos) return {};
  return "the name \"" + name + "\" of a variable cannot have = in it";
}

std::string wrong_mount(const std::string& path) {
  if (path.starts_with('/')) return {};
  return "\"" + path + "\" is not the path of a mount point; write it from the root on, such as \"/" + path + "\"";
}

std::string wrong_host(const std::string& host) {
  if (host.empty()) return "is empty; write an address or a name, such as \"127.0.0.1\"";
  const bool several_colons = host.find(':') != host.rfind(':');  // an IPv6 address
  const bool blank = host.find_first_of(" \t\r\n/@") != std::string::npos;
  if (!blank && (several_colons || host.find(':') == std::string::npos)) return {};
  return "expected an address or a name alone, such as \"127.0.0.1\", found \"" + host +
         "\"; the port is a key of its own";
}

}  // namespace probes
