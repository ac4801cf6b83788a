#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "probes/parse/prometheus_series.hpp"
#include "probes/parse/prometheus_text.hpp"

namespace {

using probes::PrometheusText;

std::vector<rules::Selector> selectors(const std::vector<std::string>& texts) {
  std::vector<rules::Selector> keep;
  for (const std::string& text : texts) {
    const rules::Parsed<rules::Selector> parsed = rules::parse_selector(text);
    REQUIRE(std::holds_alternative<rules::Selector>(parsed));
    keep.push_back(std::get<rules::Selector>(parsed));
  }
  return keep;
}

struct Page {
  std::optional<rules::Fault> fault;
  std::vector<rules::Reading> readings;

  std::string text() const {
    std::string out = fault ? "fault: " + fault->what : "";
    for (const rules::Reading& reading : readings) {
      out += rules::to_string(*reading.series) + " = " + std::to_string(reading.value) + "\n";
    }
    return out;
  }
};

Page read(PrometheusText& parser, const std::string& page, std::size_t piece_size) {
  parser.begin();
  for (std::size_t at = 0; at < page.size(); at += piece_size) {
    if (!parser.push(std::string_view(page).substr(at, piece_size))) break;
  }
  Page result;
  result.fault = parser.finish();
  result.readings = parser.take();
  return result;
}

Page read(const std::string& page, const std::vector<std::string>& keep = {"m"}) {
  PrometheusText parser(selectors(keep));
  return read(parser, page, page.size() + 1);
}

// The value of the one reading.
double value_of(const std::string& page) {
  const Page result = read(page);
  INFO(page);
  INFO(result.text());
  REQUIRE_FALSE(result.fault);
  REQUIRE(result.readings.size() == 1);
  return result.readings[0].value;
}

// The first line that is passed over.
std::string unread_of(const std::string& page) {
  PrometheusText parser(selectors({"m"}));
  CHECK_FALSE(read(parser, page, page.size() + 1).fault);
  CHECK(parser.unread().lines == 1);
  return parser.unread().first;
}

std::string series_of(const std::string& page, const std::string& name = "m") {
  const Page result = read(page, {name});
  INFO(page);
  INFO(result.text());
  REQUIRE_FALSE(result.fault);
  REQUIRE(result.readings.size() == 1);
  return rules::to_string(*result.readings[0].series);
}

std::string fault_of(const std::string& page, const std::vector<std::string>& keep = {"m"}) {
  const Page result = read(page, keep);
  INFO(page);
  REQUIRE(result.fault);
  CHECK(result.fault->kind == rules::FaultKind::parse);
  CHECK(result.readings.empty());
  return result.fault->what;
}

const std::string real_page =
    "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n"
    "# TYPE process_start_time_seconds gauge\n"
    "process_start_time_seconds 1.7e+09\n"
    "# HELP http_requests_total Requests with \"quotes\" and \\\\ in the help {text}\n"
    "# TYPE http_requests_total counter\n"
    "http_requests_total{code=\"200\",method=\"get\"} 1027 1395066363000\n"
    "http_requests_total{method=\"get\",code=\"500\"} 3\n"
    "\n"
    "# TYPE latency histogram\n"
    "latency_bucket{le=\"0.1\"} 5\n"
    "latency_bucket{le=\"+Inf\"} 7 # {trace_id=\"KOO5S4vxi0o\"} 0.67\n"
    "latency_sum 0.83\n"
    "latency_count 7\n"
    "other_metric{a=\"b\"} 1\n"
    "# EOF\n";

const std::vector<std::string> real_keep{"http_requests_total{code=~\"5..\"}", "latency_bucket", "latency_sum",
                                         "latency_count"};

const std::string real_readings =
    "process_start_time_seconds = 1700000000.000000\n"
    "http_requests_total{code=\"500\",method=\"get\"} = 3.000000\n"
    "latency_bucket{le=\"0.1\"} = 5.000000\n"
    "latency_bucket{le=\"+Inf\"} = 7.000000\n"
    "latency_sum = 0.830000\n"
    "latency_count = 7.000000\n";

}  // namespace

TEST_CASE("a Prometheus page gives the series that a selector wants, and the start time, in the page's order") {
  CHECK(read(real_page, real_keep).text() == real_readings);
}

TEST_CASE("a Prometheus page may be cut into pieces anywhere") {
  PrometheusText parser(selectors(real_keep));
  for (std::size_t size = 1; size <= real_page.size(); ++size) {
    INFO("pieces of ", size);
    CHECK(read(parser, real_page, size).text() == real_readings);
  }
}

TEST_CASE("a Prometheus number means what it means in Prometheus") {
  struct Row {
    const char* text;
    double value;
  };
  for (const Row& row : {Row{"0", 0},
                         {"12", 12},
                         {"-1.5", -1.5},
                         {"+2", 2},
                         {".5", 0.5},
                         {"5.", 5},
                         {"1e3", 1000},
                         {"1E+3", 1000},
                         {"1.25e-2", 0.0125},
                         {"+Inf", HUGE_VAL},
                         {"-Inf", -HUGE_VAL},
                         {"inf", HUGE_VAL},
                         {"Infinity", HUGE_VAL},
                         {"1e-400", 0},
                         {"1e-5000000000000", 0},
                         {"9007199254740993", 9007199254740992.0}}) {
    INFO(row.text);
    CHECK(value_of(std::string("m ") + row.text + "\n") == row.value);
  }
  CHECK(std::isnan(value_of("m NaN\n")));
  CHECK(std::isnan(value_of("m nan\n")));
}

TEST_CASE("what is no number to Prometheus is a parse error with the line's number, never a value") {
  for (const char* const text :
       {"x",  "1x",     "0x10", "0x1p-2", "1_000", "1e400", "-1e400", "--1",   "+-1", "-",      "+", "e3",
        "1e", "nan(1)", "-nan", "infi",   "1,5",   "\"1\"", "1#",     "1 2 3", "1 x", "1 1.5x", "",  "  "}) {
    INFO(text);
    CHECK(fault_of(std::string("# TYPE m gauge\nm ") + text + "\n").starts_with("line 2: "));
  }
}

TEST_CASE("labels are read with escapes, in any order, with blanks where the format allows them") {
  CHECK(series_of("m{a=\"1\",b=\"2\"} 1\n") == "m{a=\"1\",b=\"2\"}");
  CHECK(series_of("m{b=\"2\",a=\"1\"} 1\n") == "m{a=\"1\",b=\"2\"}");
  CHECK(series_of("  m \t{ a = \"1\" ,\tb=\"2\" , }\t1  \t2 \n") == "m{a=\"1\",b=\"2\"}");
  CHECK(series_of("m{} 1\n") == "m");
  CHECK(series_of("m{ } 1\n") == "m");
  CHECK(series_of("m{a=\"x\"}1\n") == "m{a=\"x\"}");
  CHECK(series_of("m{a=\"q\\\"b\\\\s\\nn\"} 1\n") == "m{a=\"q\\\"b\\\\s\\nn\"}");
  CHECK(series_of("m{a=\"\\d\"} 1\n") == "m{a=\"\\\\d\"}");
  CHECK(series_of("m{a=\"{},= # } \"} 1\n") == "m{a=\"{},= # } \"}");
  CHECK(series_of("m{a=\"\xC3\xA9\"} 1\n") == "m{a=\"\xC3\xA9\"}");
  CHECK(series_of("m:rate 1\n", "m:rate") == "m:rate");
}

TEST_CASE("a label with an empty value is the same as no label") {
  CHECK(series_of("m{a=\"\",b=\"1\"} 1\n") == "m{b=\"1\"}");
  CHECK(fault_of("m 1\nm{a=\"\"} 2\n").starts_with("line 2: "));
}

TEST_CASE("malformed labels of a wanted name are a parse error with the line's number") {
  for (const char* const labels : {"{a=\"1\"",
                                   "{a=\"1}",
                                   "{a=\"1\\\"}",
                                   "{a}",
                                   "{a=}",
                                   "{a=1}",
                                   "{=\"1\"}",
                                   "{1a=\"1\"}",
                                   "{a=\"1\" b=\"2\"}",
                                   "{a=\"1\",,b=\"2\"}",
                                   "{,}",
                                   "{a:b=\"1\"}",
                                   "{a=\"1\",a=\"2\"}",
                                   "{a=\"1\"}}",
                                   "{{a=\"1\"}",
                                   "{a=\"\xFF\"}",
                                   "{a=\"\xC0\xAF\"}",
                                   "{a=\"\xED\xA0\x80\"}",
                                   "{__name__=\"x\"}",
                                   "{\"x\"}",
                                   "{\"\"=\"1\"}",
                                   "{a='1'}"}) {
    INFO(labels);
    CHECK(fault_of("m 1\nm" + std::string(labels) + " 1\n").starts_with("line 2: "));
  }
}

TEST_CASE("a quoted name inside the braces is read as the metric's name") {
  CHECK(series_of("{\"m\",a=\"1\"} 1\n") == "m{a=\"1\"}");
  CHECK(series_of("{\"m\"} 1\n") == "m");
  CHECK(series_of("m{\"a\"=\"1\"} 1\n") == "m{a=\"1\"}");
  CHECK(read("{\"http.requests\",code=\"500\"} 1\nm 2\n").text() == "m = 2.000000\n");
  for (const char* const line : {"{a=\"1\"} 1\n", "{} 1\n", "{\"\"} 1\n", "{\"m\" \"n\"} 1\n", "{\"m\",\"n\"} 1\n"}) {
    INFO(line);
    CHECK(fault_of(line).starts_with("line 1: "));
  }
}

TEST_CASE("a name is compared as a whole, never by its begin") {
  CHECK(read("mm 1\nm_total 2\nm{a=\"x\"} 3\nm 4\nm:x 5\n").text() == "m{a=\"x\"} = 3.000000\nm = 4.000000\n");
  // The name that was skipped before must not hide a wanted one that begins like it, nor the other way round.
  CHECK(read("m_a 1\nm 2\nm_a{x=\"1\"} 1\n").text() == "m = 2.000000\n");
  CHECK(read("a 1\nab 2\na 3\n", {"ab"}).text() == "ab = 2.000000\n");
}

TEST_CASE("a series that stands twice in a page is a parse error, however it is spelled") {
  CHECK(fault_of("m 1\nx 1\nm 1\n").find("in line 1") != std::string::npos);
  CHECK(fault_of("m{a=\"1\",b=\"2\"} 1\nm{b=\"2\",a=\"1\"} 2\n").starts_with("line 2: "));
  CHECK(fault_of("m 1\nm{} 2\n").starts_with("line 2: "));
  CHECK(fault_of("m 1\n{\"m\"} 2\n").starts_with("line 2: "));
  // Also one that its labels leave out: which of the two would have been meant is not known.
  CHECK(fault_of("m{a=\"1\"} 1\nm{a=\"1\"} 2\n", {"m{a=\"2\"}"}).starts_with("line 2: "));
}

TEST_CASE("a page that is not metrics is refused at its first line") {
  CHECK(fault_of("<!DOCTYPE html>\n<html>\n").find("HTML") != std::string::npos);
  CHECK(fault_of("{\"status\":\"ok\"}").find("JSON") != std::string::npos);
  CHECK(fault_of("{\n\"status\":\"ok\"}\n").find("JSON") != std::string::npos);
  CHECK(fault_of("[1,2]\n").find("JSON") != std::string::npos);
  for (const char* const page : {"404 page not found\n", "Not Found", "ok", "ok\n", "\x1F\x8B\x08", "up\n"}) {
    INFO(page);
    CHECK(fault_of(page).starts_with("line 1: "));
  }
}

TEST_CASE("of a line that nobody wants the name's begin, what follows it and how it ends are looked at, no more") {
  for (const char* const line : {"x\n", "x{a=\"1\"}\n", "x y z;\n", "x{a=\"1\"} abc\n", "x-y 1\n", "9x 1\n", "-x 1\n",
                                 "x=1\n", "x NaNN\n", "x{a=\"1\"} NaNN\n", "x{a=\"1\"}Infin\n", "x infinit\t \n",
                                 "x y\n", "x x1\n", "x{a=\"1\"} v2\r\n", "x 1.5f\n", "x .\n"}) {
    INFO(line);
    CHECK(unread_of("m 1\n# comment\n" + std::string(line)).starts_with("line 3: "));
    CHECK(unread_of("x 1\nx{a=\"0\"} 1\n" + std::string(line)).starts_with("line 3: "));
  }
  for (const char* const line :
       {"x{a=\"1\"} 1 \t\n", "x{a=\"2\"} NaN\n", "x +Inf\n", "x infinity\r\n", "x nan\n", "x -5\n", "x 5.\n", "x 1e9\n",
        "x{a=\"1\"}7\n", "x{a=\"1\"}+Inf\n", "x 1 # {id=\"a\"} .5\n"}) {
    INFO(line);
    PrometheusText parser(selectors({"m"}));
    CHECK(read(parser, "x 1\nx{a=\"0\"} 1\n" + std::string(line) + "m 1\n", 1000).text() == "m = 1.000000\n");
    CHECK(parser.unread().lines == 0);
  }
}

TEST_CASE("CRLF ends a line, and the last line may lack its end") {
  CHECK(read("x 1\r\n\r\nm{a=\"1\"} 5\r\nm 6").text() == "m{a=\"1\"} = 5.000000\nm = 6.000000\n");
  CHECK(read("").text().empty());
  CHECK(read("\n \n\t\n# only comments").text().empty());
}

TEST_CASE("the page's readings follow it when series come, go and change places") {
  PrometheusText parser(selectors({"m"}));
  const std::vector<std::pair<std::string, std::string>> pages{
      {"m{a=\"1\"} 1\nm{a=\"2\"} 2\nm 3\n", "m{a=\"1\"} = 1.000000\nm{a=\"2\"} = 2.000000\nm = 3.000000\n"},
      {"m{a=\"2\"} 4\nm 5\n", "m{a=\"2\"} = 4.000000\nm = 5.000000\n"},
      {"m 6\nm{a=\"2\"} 7\nm{a=\"1\"} 8\n", "m = 6.000000\nm{a=\"2\"} = 7.000000\nm{a=\"1\"} = 8.000000\n"},
      // The text that comes next is begun by one that is known: neither may be taken for the other.
      {"m {a=\"3\"} 9\nm 1\n", "m{a=\"3\"} = 9.000000\nm = 1.000000\n"},
      {"m 2\nm\t{a=\"2\"} 3\n", "m = 2.000000\nm{a=\"2\"} = 3.000000\n"},
      {"", ""}};
  for (int round = 0; round < 3; ++round) {
    for (const auto& [page, readings] : pages) CHECK(read(parser, page, page.size() + 1).text() == readings);
  }
}

TEST_CASE("after a malformed page the next one is read as if it had not been") {
  PrometheusText parser(selectors({"m"}));
  CHECK(read(parser, "m{a=\"1\"} 1\nm{a=\"2\"} x\n", 5).fault);
  CHECK(read(parser, "m{a=\"1\"} 1\nm{a=\"2\"} 2\n", 5).text() == "m{a=\"1\"} = 1.000000\nm{a=\"2\"} = 2.000000\n");
  CHECK_FALSE(read(parser, "m{a=\"1\"", 5).text().empty());
  CHECK(read(parser, "m 1\n", 5).text() == "m = 1.000000\n");
}

TEST_CASE("series of a page like the last one keep their identity, and labels that come and go are forgotten") {
  PrometheusText parser(selectors({"m"}));
  const Page first = read(parser, "m{a=\"1\"} 1\n", 100);
  const Page second = read(parser, "m{a=\"1\"} 2\n", 100);
  CHECK(first.readings.at(0).series == second.readings.at(0).series);
  const std::weak_ptr<const rules::SeriesKey> passing = read(parser, "m{a=\"passing\"} 1\n", 100).readings.at(0).series;
  CHECK_FALSE(passing.expired());
  for (int i = 0; i < 100; ++i) read(parser, "m{a=\"" + std::to_string(i) + "\"} 1\n", 100);
  CHECK(passing.expired());
}

TEST_CASE("the longest line, the most labels and the most series are taken, one more is refused") {
  const std::string long_line = "m " + std::string(probes::prometheus_line_max - 3, ' ') + "1";
  REQUIRE(long_line.size() == probes::prometheus_line_max);
  PrometheusText parser(selectors({"m"}));
  for (const std::size_t piece : {std::size_t{1000}, long_line.size() + 10}) {
    CHECK(read(parser, long_line + "\n", piece).text() == "m = 1.000000\n");
    CHECK(read(parser, "x 1\n " + long_line + "\n", piece).text().starts_with("fault: line 2: "));
    CHECK(read(parser, " " + long_line, piece).text().starts_with("fault: line 1: "));
    CHECK(read(parser, "x" + long_line + "\n", piece).text().starts_with("fault: line 1: "));
  }
  std::string labels;
  for (std::size_t i = 0; i < probes::prometheus_labels_max; ++i) labels += "l" + std::to_string(i) + "=\"1\",";
  CHECK_FALSE(read("m{" + labels + "} 1\n").fault);
  CHECK(fault_of("m{" + labels + "more=\"1\"} 1\n").find("64 labels") != std::string::npos);
  std::string page;
  for (std::size_t i = 0; i < probes::prometheus_series_max; ++i) page += "m{a=\"" + std::to_string(i) + "\"} 1\n";
  CHECK(read(parser, page, 65536).readings.size() == probes::prometheus_series_max);
  CHECK(read(parser, page + "m{a=\"x\"} 1\n", 65536).text().starts_with("fault: line 50001: "));
}

TEST_CASE("a fault shows the line without what a terminal would obey") {
  CHECK(fault_of("m \x1B[31mred\n") == "line 1: \"m ?[31mred\": the value is not a number");
  CHECK(fault_of("m " + std::string(200, 'x')).size() < 150);
}
