#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "probes/parse/prometheus_text.hpp"

// Lines that cannot be read and that nothing selects: they are passed over and counted.

namespace {

struct Page {
  std::optional<rules::Fault> fault;
  std::vector<rules::Reading> readings;
  rules::Unread unread;
};

// In pieces of every size that matters.
Page read(const std::string& text, std::size_t piece) {
  const rules::Parsed<rules::Selector> parsed = rules::parse_selector("http_requests_total");
  probes::PrometheusText parser({std::get<rules::Selector>(parsed)});
  Page out;
  for (int page = 0; page < 2; ++page) {
    parser.begin();
    for (std::size_t at = 0; at < text.size(); at += piece) parser.push(std::string_view(text).substr(at, piece));
    out.fault = parser.finish();
    out.unread = parser.unread();
    out.readings = parser.take();
  }
  return out;
}

const std::string wanted = "http_requests_total{code=\"200\"} 5\n";

}  // namespace

TEST_CASE("a line that nothing selects and that cannot be read blinds nobody, and is counted") {
  const std::string native = "rpc_seconds {count:17,sum:2.5,schema:3,zero_threshold:1e-128,zero_count:0}\n";
  const std::string long_value = "build_info{tree=\"" + std::string(100'000, 'x') + "\"} 1\n";
  const std::string no_name = "9lives 1\n";
  const std::string no_label = "{\"odd.name\",,=} 1\n";
  const std::string longer_name = "http_requests_total_by_region {count:17} x\n";
  for (const std::string& bad : {native, long_value, no_name, no_label, longer_name}) {
    for (const std::size_t piece :
         {std::size_t{1} << 20, std::size_t{65'536}, std::size_t{60'000}, std::size_t{4096}, std::size_t{7}}) {
      for (const std::string& page : {bad + wanted, wanted + bad, wanted + bad + "other 1\n"}) {
        CAPTURE(bad.substr(0, 40));
        CAPTURE(piece);
        const Page result = read(page, piece);
        CHECK_FALSE(result.fault);
        REQUIRE(result.readings.size() == 1);
        CHECK(result.readings[0].value == 5);
        CHECK(result.unread.lines == 1);
        CHECK_FALSE(result.unread.first.empty());
      }
    }
  }
}

TEST_CASE("a byte-order mark before the first line is nothing") {
  const Page result = read("\xEF\xBB\xBF" + wanted, 3);
  CHECK_FALSE(result.fault);
  CHECK(result.readings.size() == 1);
  CHECK(result.unread.lines == 0);
}

TEST_CASE(
    "a line that cannot be read and names what is wanted makes the page malformed: a wrong sum is worse than none") {
  for (const std::string& bad :
       {std::string("http_requests_total{code=\"500\" 7\n"), std::string("http_requests_total 7x\n"),
        std::string("\"http_requests_total\" 7\n"), std::string("x{y=\"http_requests_total\"\n"),
        "http_requests_total{code=\"" + std::string(100'000, 'x') + "\"} 7\n"}) {
    CAPTURE(bad.substr(0, 40));
    CHECK(read(wanted + bad, 1000).fault);
    CHECK(read(wanted + bad, 1000).readings.empty());
  }
}

TEST_CASE("a page of which no line can be read is malformed") {
  CHECK(read("<html>\n<body>no metrics here\n", 1000).fault);
  CHECK(read("{\"status\": \"ok\"}\n", 1000).fault);
  CHECK(read(std::string(200'000, 'x'), 1000).fault);
  CHECK_FALSE(read("# nothing yet\n", 1000).fault);
}

TEST_CASE("a page that is cut off in the middle of a line is malformed, also of a line that nothing selects") {
  const std::string long_line = "build_info{tree=\"" + std::string(100'000, 'x');
  for (const std::string& cut : {std::string("go_gc_dur"), std::string("other{a=\"x"), std::string("other{a=\"1\"}"),
                                 std::string("{\"odd.name\",a="), long_line}) {
    for (const std::size_t piece :
         {std::size_t{1} << 20, std::size_t{65'536}, std::size_t{60'000}, std::size_t{4096}, std::size_t{7}}) {
      CAPTURE(cut.substr(0, 40));
      CAPTURE(piece);
      const Page result = read(wanted + cut, piece);
      CHECK(result.fault);
      CHECK(result.readings.empty());
      // The same line with its end is whole, only not readable.
      CHECK_FALSE(read(wanted + cut + "\n", piece).fault);
    }
  }
  CHECK_FALSE(read(wanted + "other 1", 7).fault);
}

TEST_CASE(
    "lines that nobody wants are counted where they stand, however many of how many names come one after another") {
  std::string page = wanted;
  for (int i = 0; i < 20; ++i) {
    const std::string labels = "{route=\"/" + std::to_string(i) + "\"} ";
    for (const char* const name : {"h_bucket", "h_sum", "h_count", "h", "g_total", "http_requests_total_"})
      page += name + labels + std::to_string(i) + (i % 3 == 0 ? "\r\n" : "\n");
  }
  page += "h_sum{route=\"/\"} seven\nh_sum\nh_sum 7\nhttp_requests_total{code=\"501\"} 3\n";
  const auto line = std::count(page.begin(), page.end(), '\n') - 3;
  for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{100}, std::size_t{7}, std::size_t{1}}) {
    CAPTURE(piece);
    const Page result = read(page, piece);
    CHECK_FALSE(result.fault);
    CHECK(result.readings.size() == 2);
    CHECK(result.unread.lines == 2);
    CHECK(result.unread.first.starts_with("line " + std::to_string(line) + ": \"h_sum{route=\"/\"} seven\""));
  }
}

TEST_CASE("what is said of a line does not depend on whether its name was known before") {
  const std::string alone = "other        \n";
  const Page cold = read(alone + wanted, 4096);
  CHECK(cold.unread.lines == 1);
  CHECK(read("other 1\n" + alone + wanted, 4096).unread.first.substr(7) == cold.unread.first.substr(7));
  CHECK(cold.unread.first.find("expected a metric's name") != std::string::npos);
}

TEST_CASE("a line that another one swallowed, whose end was lost, is missed at once or with the next page") {
  const std::string before = "x 3\nlatency{le=\"1\"} 3\n";
  const std::string good = wanted + "http_requests_total{code=\"500\"} 1\n";
  const std::string ends[] = {"x 3" + good,
                              "x 3 1700000000" + good,
                              "latency{le=\"1\"} 3" + good,
                              "latency{le=\"1\"} 3 # {id=\"7\"} 0.5\nx 3.5e" + good,
                              "# HELP x What it is." + good,
                              "# TYPE x gauge" + good,
                              "x 3\n# EOF" + good,
                              "latency{le=\"1\"} 3 # {id=\"7\"} 0.5" + good,
                              wanted + "http_requests_total{code=\"400\"} 3 # {id=\"7\"} 0.5" + good};
  for (const std::string& bad : ends) {
    CAPTURE(bad);
    probes::PrometheusText parser({std::get<rules::Selector>(rules::parse_selector("http_requests_total"))});
    const auto fails = [&](const std::string& text) {
      parser.begin();
      parser.push(text);
      const bool failed = parser.finish().has_value();
      parser.take();
      return failed;
    };
    for (int page = 0; page < 10; ++page) REQUIRE_FALSE(fails(before + good));
    fails(before + bad);
    CHECK(fails(before + bad));
    CHECK(fails(before + bad));
    CHECK_FALSE(fails(before + good));
  }
}

TEST_CASE("what a page says after its samples' values is read now and then, and then told every time") {
  probes::PrometheusText parser({std::get<rules::Selector>(rules::parse_selector("http_requests_total"))});
  int told = 0;
  for (int page = 0; page < 200; ++page) {
    parser.begin();
    parser.push(wanted + (page < 10 ? "x 3\n" : "x 3 and more 3\n"));
    CHECK_FALSE(parser.finish());
    told += parser.unread().lines > 0 ? 1 : 0;
    parser.take();
  }
  CHECK(told >= 130);
  CHECK(parser.unread().first.find("the timestamp is not a number") != std::string::npos);
}

TEST_CASE("a comment may speak of what is wanted, and be a sample that was put out of use") {
  const std::string page = "# HELP http_requests_total 5\n# TYPE http_requests_total counter\n" + wanted +
                           "#http_requests_total{code=\"500\"} 7\n# http_requests_total{code=\"501\"} 7\n"
                           "# see http_requests_total: 7 of them\n# EOF\n";
  const Page result = read(page, 1000);
  CHECK_FALSE(result.fault);
  CHECK(result.readings.size() == 1);
}
