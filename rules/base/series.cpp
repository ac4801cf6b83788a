#include "rules/base/series.hpp"

#include <algorithm>
#include <utility>

namespace rules {

namespace {

// Whole stretches at once: hardly any value has something to escape.
void append_escaped(std::string& out, std::string_view value) {
  while (!value.empty()) {
    const std::size_t plain = std::min(value.find_first_of("\\\"\n"), value.size());
    out += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) return;
    out += '\\';
    out += value.front() == '\n' ? 'n' : value.front();
    value.remove_prefix(1);
  }
}

void append_labels(std::string& out, const SeriesKey& key, std::string_view more, bool opened) {
  char separator = opened ? ',' : '{';
  for (const Label& label : key.labels) {
    out += std::exchange(separator, ',');
    if (is_plain_label(label.name))
      out += label.name;
    else
      append_quoted(out, label.name);
    out += '=';
    append_quoted(out, label.value);
  }
  if (!more.empty()) {
    out += separator;
    out += more;
  }
  out += '}';
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

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

void append_with(std::string& out, const SeriesKey& key, std::string_view more) {
  const bool plain = is_plain_metric(key.name);
  if (plain) {
    out += key.name;
    if (key.labels.empty() && more.empty()) return;
  } else {
    out += '{';
    append_quoted(out, key.name);
  }
  append_labels(out, key, more, !plain);
}

std::string to_string(const SeriesKey& key) {
  std::string out;
  append_with(out, key, "");
  return out;
}

}  // namespace rules
