#include <doctest/doctest.h>

#include <limits>

#include "watcher/report/text.hpp"
#include "watcher/report/time_limits.hpp"
#include "watcher/report/visible.hpp"

using namespace watcher;
using namespace std::chrono_literals;

TEST_CASE("times are told in UTC, of any century") {
  CHECK(utc_text(rules::from_unix_seconds(0)) == "1970-01-01 00:00:00");
  CHECK(utc_text(rules::from_unix_seconds(1795226584)) == "2026-11-21 02:03:04");
  CHECK(iso_text(rules::Instant(1795226584s + 120ms)) == "2026-11-21T02:03:04.120Z");
  CHECK(iso_text(rules::Instant(-1ms)) == "1969-12-31T23:59:59.999Z");
  CHECK(utc_text(rules::Instant::max()).substr(0, 4) == "2262");
}

TEST_CASE("durations are told in two units at most") {
  CHECK(duration_text(0s) == "0s");
  CHECK(duration_text(350ms) == "350ms");
  CHECK(duration_text(4200ms) == "4.2s");
  CHECK(duration_text(9999ms) == "9.9s");
  CHECK(duration_text(10500ms) == "10s");
  CHECK(duration_text(432s) == "7m 12s");
  CHECK(duration_text(300s) == "5m");
  CHECK(duration_text(90min) == "1h 30m");
  CHECK(duration_text(3601s) == "1h");
  CHECK(duration_text(51h) == "2d 3h");
  CHECK(duration_text(-5s) == "-5s");
}

TEST_CASE("what took too long is told with its limit, and never with less than nothing") {
  CHECK(took_longer(5min) == "took longer than 5m");
  CHECK(took_longer(rules::Duration(5s) + 617ms + 12us) == "took longer than 5s617ms");
  CHECK(took_longer(0s) == "had no time left");
  CHECK(took_longer(-5617ms) == "had no time left");
  const rules::Instant since = rules::from_unix_seconds(1795226584);
  CHECK(waited_text(since, since + 62400ms) == "1m2s");
  CHECK(waited_text(since, since + 300ms) == "less than a second");
  CHECK(waited_text(since, since - 1h) == "less than a second");
}

TEST_CASE("numbers are told with four digits, whole ones in full") {
  CHECK(number_text(0.31254) == "0.3125");
  CHECK(number_text(12000) == "12000");
  CHECK(number_text(1.5e9) == "1.5e+09");
  CHECK(number_text(0) == "0");
  CHECK(number_text(std::numeric_limits<double>::quiet_NaN()) == "NaN");
  CHECK(number_text(-std::numeric_limits<double>::infinity()) == "-Inf");
}

TEST_CASE("a commit is shortened, other revisions are not") {
  CHECK(short_revision(rules::Revision(std::string(40, 'a'))) == std::string(12, 'a'));
  CHECK(short_revision(rules::Revision("release-2026.11.21-build.1234567890-abcdef")) ==
        "release-2026.11.21-build.1234567890-abcdef");
}

TEST_CASE("bytes become text: no control characters, no terminal sequences, only valid UTF-8") {
  CHECK(visible("plain\ttab\nline ü €  😀") == "plain\ttab\nline ü €  😀");
  CHECK(visible("\x1b[31mred\x1b[0m\r\n") == "red\n");
  CHECK(visible("a\x1b") == "a\\e");
  CHECK(visible("\x1b]52;c;cm0gLXJm\x07") == "\\e]52;c;cm0gLXJm\\x07");
  CHECK(visible("\x1b[2J") == "\\e[2J");
  CHECK(visible("\u202Egpj.exe \u009B31m") == "U+202Egpj.exe U+009B31m");
  CHECK(visible(std::string_view("a\0b\x07"
                                 "c\x7f",
                                 6)) == "a\\x00b\\x07c\\x7f");
  CHECK(visible("\xff\xc3(") == "\uFFFD\uFFFD(");
  CHECK(visible("\xc0\xaf") == "\uFFFD\uFFFD");            // overlong
  CHECK(visible("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");  // a surrogate
  CHECK(visible("cut \xe2\x82") == "cut \uFFFD\uFFFD");
  CHECK(clean_line("two\nlines\n", 100) == "two lines");
  CHECK(clean_line("ääää", 3) == "ä…");
}

TEST_CASE("plain words in markdown are no markup") {
  CHECK(markdown_text("error_rate > 5%") == "error_rate > 5%");
  CHECK(markdown_text("_it_ *is* <b> [a](b) `c` a|b ~~d~~ \\ &lt;") ==
        "\\_it\\_ \\*is\\* \\<b> \\[a\\](b) \\`c\\` a\\|b \\~\\~d\\~\\~ \\\\ \\&lt;");
  CHECK(markdown_text("# heading") == "\\# heading");
  CHECK(markdown_text("- item") == "\\- item");
  CHECK(markdown_text("1. item") == "1\\. item");
  CHECK(markdown_text("1.2.3") == "1.2.3");
  CHECK(markdown_text("a\n# b") == "a # b");
}

TEST_CASE("a code span has as many backticks as its content needs, and bears a table") {
  CHECK(markdown_code("plain", Place::paragraph) == "`plain`");
  CHECK(markdown_code("a`b``c", Place::paragraph) == "```a`b``c```");
  CHECK(markdown_code("`a`", Place::paragraph) == "`` `a` ``");
  CHECK(markdown_code("a || b", Place::table) == "`a \\|\\| b`");
  CHECK(markdown_code("a || b", Place::paragraph) == "`a || b`");
  CHECK(markdown_code("a\nb", Place::table) == "`a b`");
  CHECK(markdown_code("", Place::table) == "–");
}

TEST_CASE("a block's content cannot close its fence") {
  CHECK(markdown_block("one\n\n```\ntwo", "  ") == "  ````text\n  one\n\n  ```\n  two\n  ````\n");
  CHECK(markdown_block("", "") == "```text\n```\n");
}
