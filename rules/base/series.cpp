#include "rules/base/series.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rules {

namespace {

constexpr std::size_t of_allocator = 16;  // bytes that it adds to each block

// A string holds short texts in itself.
std::size_t allocated(const std::string& text) {
  constexpr std::size_t in_itself = 15;  // bytes
  return text.capacity() <= in_itself ? 0 : text.capacity() + of_allocator;
}

bool is_escaped(char c) { return c == '\\' || c == '"' || c == '\n'; }

// Whole stretches at once: hardly any value has something to escape.
void append_escaped(std::string& out, std::string_view value) {
  while (!value.empty()) {
    const auto* const special = std::find_if(value.begin(), value.end(), is_escaped);
    const auto plain = static_cast<std::size_t>(special - value.begin());
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

// What each character may be in a name that needs no quotes.
enum : unsigned char { in_label = 1, in_metric = 2, not_first = 4 };

constexpr std::array<unsigned char, 256> plain_characters = [] {
  std::array<unsigned char, 256> table{};
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = in_label | in_metric;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = in_label | in_metric;
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = in_label | in_metric | not_first;
  table['_'] = in_label | in_metric;
  table[':'] = in_metric;
  return table;
}();

bool is_plain(std::string_view name, unsigned char where) {
  const auto what = [](char c) { return plain_characters[static_cast<unsigned char>(c)]; };
  if (name.empty() || (what(name.front()) & not_first) != 0) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return (what(c) & where) != 0; });
}

}  // namespace

bool is_plain_label(std::string_view name) { return is_plain(name, in_label); }
bool is_plain_metric(std::string_view name) { return is_plain(name, in_metric); }

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

std::size_t bytes_of(const SeriesKey& key) {
  std::size_t bytes =
      sizeof(SeriesKey) + allocated(key.name) + key.labels.capacity() * sizeof(Label) + 2 * of_allocator;
  for (const Label& label : key.labels) bytes += allocated(label.name) + allocated(label.value);
  return bytes;
}

std::string to_string(const SeriesKey& key) {
  std::string out;
  append_with(out, key, "");
  return out;
}

}  // namespace rules
