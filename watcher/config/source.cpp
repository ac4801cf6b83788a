#include "watcher/config/source.hpp"

#include <algorithm>

namespace watcher {

namespace {

bool continues_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Walks through the text and knows line and column.
struct Cursor {
  std::string_view text;
  std::size_t at = 0;
  Place place;

  bool done() const { return at >= text.size(); }
  std::string_view rest() const { return text.substr(at); }
  void step() {
    if (text[at] == '\n') {
      ++place.line;
      place.column = 0;
    }
    ++at;
    if (done() || !continues_code_point(text[at])) ++place.column;
  }
  void steps(std::size_t n) {
    for (std::size_t i = 0; i < n && !done(); ++i) step();
  }
};

std::size_t utf8_length(std::uint32_t code_point) {
  if (code_point < 0x80) return 1;
  if (code_point < 0x800) return 2;
  return code_point < 0x10000 ? 3 : 4;
}

// Steps over an escape and returns how many bytes of the value it stands for.
std::size_t step_over_escape(Cursor& cursor, bool multiline) {
  cursor.step();
  if (cursor.done()) return 0;
  const char kind = cursor.text[cursor.at];
  if (multiline && (kind == '\n' || kind == ' ' || kind == '\t' || kind == '\r')) {
    while (!cursor.done() && std::string_view(" \t\r\n").find(cursor.text[cursor.at]) != std::string_view::npos) {
      cursor.step();
    }
    return 0;
  }
  if (kind != 'u' && kind != 'U') {
    cursor.step();
    return 1;
  }
  const std::size_t digits = kind == 'u' ? 4 : 8;
  std::uint32_t code_point = 0;
  for (const char c : cursor.rest().substr(1, digits)) {
    const std::string_view hex = "0123456789abcdef";
    const std::size_t digit = hex.find(static_cast<char>(c | 0x20));
    code_point = code_point * 16 + static_cast<std::uint32_t>(digit == std::string_view::npos ? 0 : digit);
  }
  cursor.steps(1 + digits);
  return utf8_length(code_point);
}

}  // namespace

Source::Source(std::string_view text) : text_(text), line_starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') line_starts_.push_back(i + 1);
  }
}

Place Source::inside_string(Place begin, std::size_t offset) const {
  if (begin.line == 0 || begin.line > line_starts_.size()) return begin;
  Cursor cursor{text_, line_starts_[begin.line - 1], {begin.line, 1}};
  while (!cursor.done() && cursor.place.line == begin.line && cursor.place.column < begin.column) cursor.step();
  if (cursor.done()) return begin;
  const char quote = cursor.text[cursor.at];
  if (quote != '"' && quote != '\'') return begin;
  const bool multiline = cursor.rest().substr(0, 3) == std::string(3, quote);
  cursor.steps(multiline ? 3 : 1);
  if (multiline && !cursor.done() && cursor.text[cursor.at] == '\n') cursor.step();
  for (std::size_t value_at = 0; value_at < offset && !cursor.done();) {
    if (quote == '"' && cursor.text[cursor.at] == '\\') {
      value_at += step_over_escape(cursor, multiline);
    } else {
      cursor.step();
      ++value_at;
    }
  }
  return cursor.place;
}

}  // namespace watcher
