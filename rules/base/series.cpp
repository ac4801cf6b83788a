#include "rules/base/series.hpp"

#include <algorithm>
#include <utility>

namespace rules {

namespace {

void append_escaped(std::string& out, const std::string& value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

void append_quoted(std::string& out, const std::string& text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

bool is_plain(std::string_view name, std::string_view besides) {
  const auto letter = [besides](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || besides.find(c) != besides.npos;
  };
  const auto part = [&letter](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), part);
}

}  // namespace

bool is_plain_label(std::string_view name) { return is_plain(name, ""); }
bool is_plain_metric(std::string_view name) { return is_plain(name, ":"); }

std::string to_string(const SeriesKey& key) {
  const bool plain = is_plain_metric(key.name);
  if (plain && key.labels.empty()) return key.name;
  std::string out = plain ? key.name : "";
  char separator = '{';
  if (!plain) {
    out += std::exchange(separator, ',');
    append_quoted(out, key.name);
  }
  for (const Label& label : key.labels) {
    out += std::exchange(separator, ',');
    if (is_plain_label(label.name))
      out += label.name;
    else
      append_quoted(out, label.name);
    out += '=';
    append_quoted(out, label.value);
  }
  out += '}';
  return out;
}

}  // namespace rules
