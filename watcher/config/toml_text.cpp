#include "watcher/config/toml_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

namespace watcher {

namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20) || c == 0x7f; }

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
  }
  if (!is_control(c)) {
    out += c;
    return;
  }
  std::array<char, 8> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned>(c));
  out += escape.data();
}

}  // namespace

std::string toml_string(std::string_view value) {
  const bool escapes = value.find('"') != std::string_view::npos || value.find('\\') != std::string_view::npos;
  const bool literal =
      value.find('\'') == std::string_view::npos && std::none_of(value.begin(), value.end(), is_control);
  if (escapes && literal) return "'" + std::string(value) + "'";
  std::string out = "\"";
  for (const char c : value) append_escaped(out, c);
  return out + "\"";
}

std::string toml_strings(const std::vector<std::string>& values) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ", ") + toml_string(values[i]);
  return out + "]";
}

std::string toml_key(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), is_bare);
  return bare ? std::string(key) : toml_string(key);
}

std::string toml_inline(const toml::node& node) {
  std::string out;
  if (const toml::table* table = node.as_table()) {
    for (const auto& [key, value] : *table) {
      out += (out.empty() ? "{ " : ", ") + toml_key(key.str()) + " = " + toml_inline(value);
    }
    return out.empty() ? "{}" : out + " }";
  }
  if (const toml::array* array = node.as_array()) {
    for (const toml::node& value : *array) out += (out.empty() ? "[" : ", ") + toml_inline(value);
    return out.empty() ? "[]" : out + "]";
  }
  if (const auto* text = node.as_string()) return toml_string(text->get());
  std::ostringstream plain;
  node.visit([&](const auto& value) {
    if constexpr (toml::is_value<decltype(value)>) plain << value;
  });
  return plain.str();
}

}  // namespace watcher
