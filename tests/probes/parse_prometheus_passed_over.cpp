#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/parse/newlines.hpp"
#include "probes/parse/prometheus_text.hpp"

// What nobody wants is passed over many lines at once; in pieces of a few bytes no line is. Both have to say the same
// of whatever comes.

namespace {

using probes::PrometheusText;

class Pages {
 public:
  explicit Pages(unsigned seed) : random_(seed) {}

  // A page of a few families, with a few of its bytes changed.
  std::string page() {
    std::string out;
    for (int family = 0, families = below(8); family < families; ++family) append_family(out);
    if (below(4) == 0) out.resize(static_cast<std::size_t>(below(static_cast<int>(out.size()) + 1)));
    if (below(3) == 0) return out;
    for (int changes = below(4); changes > 0 && !out.empty(); --changes) change(out);
    return out;
  }

  std::size_t piece() { return static_cast<std::size_t>(1 + below(static_cast<int>(probes::newlines_size) - 1)); }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  template <std::size_t N>
  std::string one_of(const std::array<std::string_view, N>& texts) {
    return std::string(texts.at(static_cast<std::size_t>(below(static_cast<int>(N)))));
  }

  void append_family(std::string& out) {
    constexpr std::array<std::string_view, 8> names{"wanted", "wanted_too", "pool_size", "pool_size_max",
                                                    "p",      "w",          "a:b",       "http_requests_total"};
    constexpr std::array<std::string_view, 3> parts{"_bucket", "_sum", "_count"};
    const std::string name = one_of(names);
    const bool is_histogram = below(3) == 0;
    if (below(2) == 0) out += "# TYPE " + name + " gauge\n";
    for (int line = 0, lines = below(40); line < lines; ++line) {
      out += name + (is_histogram ? one_of(parts) : "");
      if (below(4) != 0) append_labels(out, line);
      append_rest(out);
    }
  }

  void append_labels(std::string& out, int line) {
    out += "{shard=\"" + std::to_string(line) + "\"";
    if (below(3) == 0) out += ",text=\"" + std::string(static_cast<std::size_t>(below(200)), 'x') + "\"";
    out += '}';
  }

  void append_rest(std::string& out) {
    constexpr std::array<std::string_view, 12> values{
        "0", "17", "1.5", "NaN", "+Inf", "1e6", "-0.5", ".5", "12345678", "1 1700000000000", "0x1f", ""};
    constexpr std::array<std::string_view, 4> blanks{" ", " ", "\t", "  "};
    constexpr std::array<std::string_view, 8> ends{"\n", "\n", "\n", "\n", "\n", "\r\n", " \n", "\n\n"};
    out += one_of(blanks) + one_of(values) + one_of(ends);
  }

  void change(std::string& out) {
    constexpr std::string_view bytes = "\n\n\n{}\"\\# 0x\r\t,=\xFF";
    const auto at = static_cast<std::size_t>(below(static_cast<int>(out.size())));
    const char byte = bytes[static_cast<std::size_t>(below(static_cast<int>(bytes.size())))];
    if (below(2) == 0)
      out[at] = byte;
    else
      out.insert(at, 1, byte);
  }

  std::mt19937 random_;
};

std::string read(PrometheusText& parser, std::string_view page, std::size_t piece) {
  parser.begin();
  for (std::size_t at = 0; at < page.size(); at += piece) {
    if (!parser.push(page.substr(at, piece))) break;
  }
  const auto fault = parser.finish();
  std::string out = fault ? "fault: " + fault->what + "\n" : "";
  if (!fault) out += std::to_string(parser.unread().lines) + " unread: " + parser.unread().first + "\n";
  for (const rules::Reading& reading : parser.take())
    out += rules::to_string(*reading.series) + " = " + std::to_string(reading.value) + "\n";
  return out;
}

PrometheusText parser() {
  std::vector<rules::Selector> keep(2);
  keep[0].name = "wanted";
  keep[1].name = "wanted_too";
  return PrometheusText(std::move(keep));
}

}  // namespace

TEST_CASE("lines that are passed over together say what they say one by one") {
  Pages pages(20260117);
  PrometheusText together = parser();
  PrometheusText one_by_one = parser();
  for (int i = 0; i < 4000; ++i) {
    const std::string page = pages.page();
    const std::string said = read(together, page, page.size() + 1);
    CAPTURE(i);
    CAPTURE(page);
    REQUIRE(said == read(one_by_one, page, pages.piece()));
  }
}

TEST_CASE("a line that is too long is one where lines are passed over, too") {
  const std::string line = "other{text=\"" + std::string(probes::prometheus_line_max, 'x') + "\"} 1\n";
  const std::string page = "other{a=\"b\"} 1\nother{a=\"c\"} 1\n" + line + "other{a=\"d\"} 1\n" + line;
  PrometheusText together = parser();
  PrometheusText one_by_one = parser();
  const std::string said = read(together, page, page.size());
  CHECK(said.starts_with("2 unread: line 3"));
  CHECK(said == read(one_by_one, page, 50));
}

TEST_CASE("each line feed among 64 bytes is seen") {
  std::string bytes(probes::newlines_size, 'x');
  CHECK(probes::newlines(bytes.data()) == 0);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = '\n';
    CHECK(probes::newlines(bytes.data()) == std::uint64_t{1} << at);
    bytes[at] = '\x8A';
    CHECK(probes::newlines(bytes.data()) == 0);
  }
  CHECK(probes::newlines(std::string(probes::newlines_size, '\n').data()) == ~std::uint64_t{0});
}
