#include "watcher/report/visible.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace watcher {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};
// What cannot be seen, or moves what can (Unicode: Cc beyond ASCII, Bidi_Control, Default_Ignorable and separators).
constexpr std::array<Range, 13> not_shown{{{0x80, 0x9F},          // C1 controls
                                           {0xAD, 0xAD},          // soft hyphen
                                           {0x61C, 0x61C},        // Arabic letter mark
                                           {0x180E, 0x180E},      // Mongolian vowel separator
                                           {0x200B, 0x200B},      // zero width; the joiners are for writing
                                           {0x200E, 0x200F},      // marks of direction
                                           {0x2028, 0x202E},      // line and paragraph separators, embeddings
                                           {0x2060, 0x206F},      // word joiner, isolates
                                           {0xFE00, 0xFE0E},      // variations; FE0F makes an emoji, and no more
                                           {0xFEFF, 0xFEFF},      // byte-order mark
                                           {0xFFF9, 0xFFFB},      // interlinear annotations
                                           {0x1BCA0, 0x1BCA3},    // shorthand controls
                                           {0xE0000, 0xE0FFF}}};  // tags

bool is_shown(std::uint32_t point) {
  return std::none_of(not_shown.begin(), not_shown.end(),
                      [point](const Range& range) { return point >= range.first && point <= range.last; });
}

std::uint32_t code_point(std::string_view character) {
  constexpr std::array<unsigned char, 5> lead_bits{0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t point = static_cast<unsigned char>(character[0]) & lead_bits[character.size()];
  for (const char c : character.substr(1)) point = point << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return point;
}

std::string in_json(std::uint32_t point) {
  if (point < 0x10000) return fmt::format("\\u{:04x}", point);
  point -= 0x10000;
  return fmt::format("\\u{:04x}", 0xD800 + (point >> 10)) + fmt::format("\\u{:04x}", 0xDC00 + (point & 0x3FF));
}

// The length of the colour at the text's begin, 0 when there is none: ESC [ digits and semicolons m.
std::size_t colour_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

// One byte of ASCII as it is shown.
std::string shown(char c) {
  if (c == '\x1b') return "\\e";
  if (c == '\r') return "";
  const bool is_plain = (c >= ' ' && c != '\x7f') || c == '\n' || c == '\t';
  return is_plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned>(c));
}

}  // namespace

std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what is beyond U+10FFFF.
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) || (lead == 0xF0 && byte(1) < 0x90) ||
      (lead == 0xF4 && byte(1) > 0x8F))
    return 0;
  return length;
}

std::string visible(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size());
  while (!bytes.empty()) {
    std::size_t length = colour_length(bytes);
    if (length == 0) {
      length = character_length(bytes);
      if (length == 0) result += replacement;
      if (length == 1) result += shown(bytes[0]);
      if (length > 1) {
        const std::uint32_t point = code_point(bytes.substr(0, length));
        result += is_shown(point) ? std::string(bytes.substr(0, length)) : fmt::format("U+{:04X}", point);
      }
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string visible_json(std::string_view json) {
  std::string result;
  result.reserve(json.size());
  while (!json.empty()) {
    const std::size_t length = character_length(json);
    const std::uint32_t point = length == 0 ? 0xFFFD : code_point(json.substr(0, length));
    if (length == 0) {
      result += replacement;
    } else if (is_shown(point) && point != 0x7F) {
      result += json.substr(0, length);
    } else {
      result += in_json(point);
    }
    json.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

}  // namespace watcher
