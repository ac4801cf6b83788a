#include "probes/ask/filling_in.hpp"

#include <string_view>

namespace probes {

namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool is_unreserved(char c) {
  const bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("-._~").find(c) != std::string_view::npos;
}

void append_hex(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += hex_digits[byte >> 4];
  out += hex_digits[byte & 0xF];
}

void append_for_url(std::string& out, char c) {
  if (is_unreserved(c)) {
    out += c;
    return;
  }
  out += '%';
  append_hex(out, c);
}

void append_for_json(std::string& out, char c) {
  constexpr char first_printable = 0x20;
  if (c == '"' || c == '\\') out += '\\';
  if (c >= 0 && c < first_printable) {
    out += "\\u00";
    append_hex(out, c);
    return;
  }
  out += c;
}

void append_quoted(std::string& out, const std::string& value, Quoting quoting) {
  for (const char c : value) {
    switch (quoting) {
      case Quoting::none:
        out += c;
        break;
      case Quoting::url:
        append_for_url(out, c);
        break;
      case Quoting::json:
        append_for_json(out, c);
        break;
    }
  }
}

}  // namespace

std::string filled_in(const std::string& text, const Saved& saved, Quoting quoting) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find('{', at);
    out.append(text, at, open - at);
    if (open == std::string::npos) break;
    const std::size_t close = text.find('}', open);
    const auto known = close == std::string::npos ? saved.end() : saved.find(text.substr(open + 1, close - open - 1));
    if (known == saved.end()) {
      out += '{';
      at = open + 1;
      continue;
    }
    append_quoted(out, known->second, quoting);
    at = close + 1;
  }
  return out;
}

}  // namespace probes
