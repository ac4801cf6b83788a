#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "rules/signals/selector.hpp"
#include "rules/signals/signal_spec.hpp"

using rules::parse_selector;
using rules::Selector;
using rules::SeriesKey;

namespace {

Selector selector(const std::string& text) { return std::get<Selector>(parse_selector(text)); }

std::string rejected_selector(const std::string& text) {
  const auto result = parse_selector(text);
  const auto* error = std::get_if<rules::SyntaxError>(&result);
  return error == nullptr ? "accepted" : std::to_string(error->offset) + ": " + error->what;
}

std::string rejected_expression(const std::string& text) {
  const auto result = rules::parse_signal_expression(text);
  const auto* error = std::get_if<rules::SyntaxError>(&result);
  return error == nullptr ? "accepted" : std::to_string(error->offset) + ": " + error->what;
}

}  // namespace

TEST_CASE("a selector matches as in PromQL, regular expressions anchored at both ends") {
  const SeriesKey ok{"http_requests_total", {{"code", "200"}, {"route", "/a"}}};
  const SeriesKey error{"http_requests_total", {{"code", "503"}}};
  CHECK(selector("http_requests_total").matches(ok));
  CHECK_FALSE(selector("http_requests").matches(ok));
  CHECK(selector("http_requests_total{code=~\"5..\"}").matches(error));
  CHECK_FALSE(selector("http_requests_total{code=~\"5..\"}").matches(ok));
  CHECK_FALSE(selector("http_requests_total{code=~\"5\"}").matches(error));
  CHECK_FALSE(selector("http_requests_total{code=~\"4..|50\"}").matches(error));
  CHECK(selector("http_requests_total{code!~\"4..|50\"}").matches(error));
  CHECK(selector("http_requests_total{code!=\"200\"}").matches(error));
  CHECK_FALSE(selector("http_requests_total{code!=\"200\"}").matches(ok));
}

TEST_CASE("a label that is absent has the empty value") {
  const SeriesKey bare{"x", {}};
  CHECK(selector("x{a=\"\"}").matches(bare));
  CHECK(selector("x{a!=\"b\"}").matches(bare));
  CHECK(selector("x{a=~\".*\"}").matches(bare));
  CHECK_FALSE(selector("x{a=~\".+\"}").matches(bare));
}

TEST_CASE("a dot in a pattern matches a line break, as in Prometheus") {
  CHECK(selector("x{a=~\"a.b\"}").matches(SeriesKey{"x", {{"a", "a\nb"}}}));
}

TEST_CASE("a selector is written so that it reads back as the same") {
  for (const std::string text : {"x", "a:b_total{code=~\"5..\",path!=\"/\\\"q\\\\\"}", "x{a!~\"b\",c=\"\\n\"}"}) {
    CAPTURE(text);
    CHECK(to_string(selector(text)) == text);
    CHECK(selector(to_string(selector(text))) == selector(text));
  }
  CHECK(to_string(selector(" x { a = 'b' , c =~ `d\\d` , } ")) == "x{a=\"b\",c=~\"d\\\\d\"}");
}

TEST_CASE("a mistake in a selector names its place and what was expected") {
  CHECK(rejected_selector("") == "0: expected a metric's name, found the end");
  CHECK(rejected_selector("{a=\"b\"}") == "0: expected a metric's name, found \"{\"");
  CHECK(rejected_selector("x{a}") == "3: expected one of = != =~ !~, found \"}\"");
  CHECK(rejected_selector("x{a=b}") == "4: expected a string in quotes, found \"b\"");
  CHECK(rejected_selector("x{a=\"b\"") == "7: expected \"}\", found the end");
  CHECK(rejected_selector("x{__name__=\"b\"}") == "2: the metric's name stands before the braces");
  CHECK(rejected_selector("x{a=~\"a)|(b\"}") == "5: not an RE2 pattern: unexpected ): a)|(b");
  CHECK(rejected_selector("x[5m]") == "1: expected the end of the selector, found \"[\"");
  CHECK(rejected_selector("x{a=\"\\q\"}") == "5: unknown escape in a string; a backslash is written \\\\");
}

TEST_CASE("an expression outside the accepted part of PromQL is an error, not a guess") {
  for (const std::string text :
       {"a", "a / b", "-a + 2 * (b - 1)", "sum(a)", "sum by (x) (a)", "max(rate(a[1m])) by (x, y)",
        "sum(rate(a{code=~\"5..\"}[1m])) / sum(rate(a[1m]))", "increase(a[1h30m])", "avg(a) + min(b) * +1", "sum"}) {
    CAPTURE(text);
    CHECK(rejected_expression(text) == "accepted");
  }
  for (const std::string text : {"",
                                 "5",
                                 "a > 1",
                                 "a % 2",
                                 "a ^ 2",
                                 "a and b",
                                 "a / on (x) b",
                                 "a offset 5m",
                                 "a @ 1",
                                 "a[5m]",
                                 "rate(a)",
                                 "rate(a[5m:1m])",
                                 "sum without (x) (a)",
                                 "count(a)",
                                 "histogram_quantile(0.9, a)",
                                 "sum(5)",
                                 "a 5m",
                                 "5% * a",
                                 "irate(a[1m])",
                                 "rate(sum(a)[1m])",
                                 "a b",
                                 "(a",
                                 "{a=\"b\"}",
                                 "rate(a[0s])",
                                 "a / bool b",
                                 "NaN * a"}) {
    CAPTURE(text);
    CHECK(rejected_expression(text) != "accepted");
  }
  CHECK(rejected_expression("a and b") == "2: expected + - * / or the end, found \"and\"");
  CHECK(rejected_expression("5 + 1") == "0: reads no series; expected a metric's name");
  CHECK(rejected_expression("a[5m]") == "1: a range stands inside rate() or increase() only");
}

TEST_CASE("names with other characters than [a-zA-Z0-9_] stand in quotes, in the braces") {
  const std::string text = R"({"http.server.request.duration_count","http.response.status_code"=~"5..",route!="/a"})";
  const Selector read = selector(text);
  CHECK(read.name == "http.server.request.duration_count");
  CHECK(read.matchers.front().label() == "http.response.status_code");
  CHECK(to_string(read) == text);
  CHECK(to_string(selector(R"({"plain", "label"="x"})")) == R"(plain{label="x"})");
  CHECK(to_string(selector(R"({"a.b"})")) == R"({"a.b"})");
  const SeriesKey failed{"http.server.request.duration_count", {{"http.response.status_code", "503"}, {"route", "/b"}}};
  CHECK(read.matches(failed));
  CHECK(rules::to_string(failed) ==
        R"({"http.server.request.duration_count","http.response.status_code"="503",route="/b"})");
  for (const std::string wrong :
       {R"({"a" "b"="c"})", R"({"a"="c"})", R"({""})", R"({"a",""="c"})", R"({"a")", R"({"a","__name__"="c"})"}) {
    CAPTURE(wrong);
    CHECK(std::holds_alternative<rules::SyntaxError>(rules::parse_selector(wrong)));
  }
  CHECK(std::holds_alternative<rules::ExpressionOf>(
      rules::parse_signal_expression(R"(sum(rate({"a.b","c.d"="e"}[1m])) / {"f.g"})")));
}

TEST_CASE("a pattern of names stands in the braces, and of a histogram for the names of its parts") {
  const std::string text = R"({__name__=~".+_http_requests_total",__name__!~"client.+",code=~"5.."})";
  const Selector read = selector(text);
  CHECK(to_string(read) == text);
  CHECK(read.matches({"shop_http_requests_total", {{"code", "500"}}}));
  CHECK_FALSE(read.matches({"shop_http_requests_total", {{"code", "200"}}}));
  CHECK_FALSE(read.matches({"http_requests_total", {{"code", "500"}}}));
  CHECK_FALSE(read.matches({"client_http_requests_total", {{"code", "500"}}}));
  const rules::QuantileOf of{0.95, selector(R"({__name__=~"a|b",c="d"})")};
  CHECK(rules::bucket_selector(of).matches({"b_bucket", {{"c", "d"}, {"le", "1"}}}));
  CHECK_FALSE(rules::bucket_selector(of).matches({"a", {{"c", "d"}}}));
  CHECK(rules::count_selector(of).matches({"a_count", {{"c", "d"}}}));
  for (const std::string wrong :
       {R"({__name__="a"})", R"({__name__!~"a"})", R"(a{__name__=~"b"})", R"({__name__=~"("})"}) {
    CAPTURE(wrong);
    CHECK(std::holds_alternative<rules::SyntaxError>(rules::parse_selector(wrong)));
  }
}

TEST_CASE("selectors of a signal are all that its probe has to keep") {
  rules::SignalSpec signal;
  signal.of = std::vector<rules::RatioOf>{{selector("a{code=\"500\"}"), selector("a")}};
  CHECK(selectors_of(signal) == std::vector<Selector>{selector("a{code=\"500\"}"), selector("a")});
  signal.of = std::vector<rules::QuantileOf>{{0.95, selector("d{x=\"y\"}")}};
  CHECK(selectors_of(signal) ==
        std::vector<Selector>{selector("d{x=\"y\"}"), selector("d_bucket{x=\"y\"}"), selector("d_count{x=\"y\"}")});
  signal.of = std::get<rules::ExpressionOf>(rules::parse_signal_expression("sum(rate(b[1m])) / a"));
  CHECK(selectors_of(signal) == std::vector<Selector>{selector("b"), selector("a")});
}
