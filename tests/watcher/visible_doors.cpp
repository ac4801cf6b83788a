#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "watcher/cli/visible_stream.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/visible.hpp"
#include "watcher/run/log.hpp"
#include "watcher/serve/json_text.hpp"

namespace {

std::string utf8(std::uint32_t point) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (point < 0x800) return {byte(0xC0 | point >> 6), byte(0x80 | (point & 0x3F))};
  if (point < 0x10000) return {byte(0xE0 | point >> 12), byte(0x80 | (point >> 6 & 0x3F)), byte(0x80 | (point & 0x3F))};
  return {byte(0xF0 | point >> 18), byte(0x80 | (point >> 12 & 0x3F)), byte(0x80 | (point >> 6 & 0x3F)),
          byte(0x80 | (point & 0x3F))};
}

// Every byte, and every character that is not shown as it is.
std::vector<std::string> dangers() {
  std::vector<std::string> out;
  for (int byte = 0; byte < 256; ++byte) {
    if (byte >= ' ' && byte < 0x7F) continue;
    if (byte != '\n' && byte != '\t') out.emplace_back(1, static_cast<char>(byte));
  }
  for (std::uint32_t point = 0x80; point < 0xA0; ++point) out.push_back(utf8(point));
  for (const std::uint32_t point :
       {0xADU,   0x61CU,  0x200BU, 0x200EU, 0x200FU, 0x2028U, 0x2029U, 0x202AU, 0x202BU,  0x202CU,
        0x202DU, 0x202EU, 0x2066U, 0x2067U, 0x2068U, 0x2069U, 0xFEFFU, 0xFFF9U, 0xE0001U, 0xE0041U})
    out.push_back(utf8(point));
  for (const char* sequence : {"\x1b]52;c;cm0gLXJm\x07", "\x1b[2J", "\x1b[31", "\x1bP1$r\x1b\\",
                               "\xc2\x9b"
                               "31m"})
    out.emplace_back(sequence);
  return out;
}

std::string through_terminal(const std::string& text) {
  std::ostringstream screen;
  watcher::VisibleStream out(screen);
  for (const char c : text) out << c;
  out << text << "\n" << text;
  out.flush();
  return screen.str();
}

}  // namespace

TEST_CASE("nothing that a target or a command said reaches people raw") {
  for (const std::string& danger : dangers()) {
    const std::string text = "a" + danger + "b";
    CAPTURE(watcher::visible_json(text));
    const std::vector<std::string> shown = {
        through_terminal(text),
        watcher::log_value(text),
        watcher::markdown_text(text),
        watcher::markdown_code(text, watcher::Place::table),
        watcher::markdown_block(text, ""),
        watcher::clean_line(text, 100),
        watcher::to_text(boost::json::value(text)),
    };
    for (const std::string& door : shown) {
      CAPTURE(&door - shown.data());
      if (watcher::character_length(danger) > 0) CHECK(door.find(danger) == std::string::npos);
      CHECK(watcher::visible(door) == door);
      for (std::size_t at = 0; at < door.size();
           at += std::max<std::size_t>(1, watcher::character_length(std::string_view(door).substr(at))))
        REQUIRE(watcher::character_length(std::string_view(door).substr(at)) > 0);
    }
  }
}

TEST_CASE("a JSON text keeps what it says") {
  const std::string said = "\u202E \u009B31m \U000E0041 ü 😀 \x7f";
  const std::string written = watcher::to_text(boost::json::value(said));
  CHECK(written == "\"\\u202e \\u009b31m \\udb40\\udc41 ü 😀 \\u007f\"");
  CHECK(boost::json::parse(written).as_string() == said);
}

TEST_CASE("what is plain passes as it is, and a line that does not end is not held") {
  std::ostringstream screen;
  {
    watcher::VisibleStream out(screen);
    out << "name  ü 12\n" << 3.5;
    CHECK(screen.str() == "name  ü 12\n");
    out << std::flush;
    CHECK(screen.str() == "name  ü 12\n3.5");
    out << std::string(100'000, 'x');
    CHECK(screen.str().size() > 100'000);
    out << "end";
  }
  CHECK(screen.str().ends_with("xend"));
}
