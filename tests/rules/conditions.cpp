#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "rules/conditions/bare_numbers.hpp"
#include "rules/conditions/condition.hpp"
#include "rules/conditions/unit.hpp"

using rules::Condition;
using rules::parse_condition;

namespace {

struct Case {
  std::string text;
  std::string expected;
};

std::string show(const rules::Expression& expression);

std::string show_literal(const rules::Literal& literal) {
  std::string number = std::to_string(literal.value);
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  switch (literal.kind) {
    case rules::LiteralKind::number:
      return number;
    case rules::LiteralKind::share:
      return number + "share";
    case rules::LiteralKind::duration:
      return number + "s";
    case rules::LiteralKind::size:
      return number + "B";
  }
  return "";
}

struct ShowExpression {
  std::string operator()(const rules::Literal& x) const { return show_literal(x); }
  std::string operator()(const rules::SignalRef& x) const { return to_string(x); }
  std::string operator()(const rules::FieldRef& x) const { return to_string(x); }
  std::string operator()(const rules::BaselineRef& x) const { return "baseline(" + show(*x.of) + ")"; }
  std::string operator()(const rules::BeforeRef& x) const { return "before(" + show(*x.of) + ")"; }
  std::string operator()(const rules::RestartsRef& x) const {
    return "restarts(" + x.probe.text + "," + rules::to_string(x.window) + ")";
  }
  std::string operator()(const rules::OverTimeRef& x) const {
    const std::vector<std::string> names{"avg", "max", "min", "quantile", "slope"};
    return names[static_cast<std::size_t>(x.function)] + "(" + show(*x.of) + "," + rules::to_string(x.window) + ")";
  }
  std::string operator()(const rules::Arithmetic& x) const {
    return "(" + show(*x.left) + "+-*/"[static_cast<std::size_t>(x.op)] + show(*x.right) + ")";
  }
  std::string operator()(const rules::Negation& x) const { return "(-" + show(*x.of) + ")"; }
};

std::string show(const rules::Expression& expression) { return std::visit(ShowExpression{}, expression.node); }

std::string show(const rules::ConditionNode& node);

std::string join(const std::vector<rules::ConditionPtr>& terms, const std::string& word) {
  std::string out = "[";
  for (const rules::ConditionPtr& term : terms) out += (out == "[" ? "" : " " + word + " ") + show(*term);
  return out + "]";
}

struct ShowCondition {
  std::string operator()(const rules::Compare& x) const {
    return show(*x.left) + std::string(to_string(x.op)) + show(*x.right);
  }
  std::string operator()(const rules::And& x) const { return join(x.terms, "and"); }
  std::string operator()(const rules::Or& x) const { return join(x.terms, "or"); }
  std::string operator()(const rules::Not& x) const { return "not " + show(*x.of); }
};

std::string show(const rules::ConditionNode& node) { return std::visit(ShowCondition{}, node.node); }

std::string parsed(const std::string& text) {
  const auto result = parse_condition(text);
  if (const auto* error = std::get_if<rules::SyntaxError>(&result)) return "error: " + error->what;
  return show(std::get<Condition>(result).root());
}

std::string rejected(const std::string& text) {
  const auto result = parse_condition(text);
  const auto* error = std::get_if<rules::SyntaxError>(&result);
  return error == nullptr ? "accepted" : std::to_string(error->offset) + ": " + error->what;
}

}  // namespace

TEST_CASE("a condition is read with or < and < not < comparison < + - < * / < unary minus") {
  const std::vector<Case> cases{{"error_rate > 5%", "error_rate>0.05share"},
                                {"a > 1 or b > 2 and c > 3", "[a>1 or [b>2 and c>3]]"},
                                {"(a > 1 or b > 2) and c > 3", "[[a>1 or b>2] and c>3]"},
                                {"not a > 1 and b > 2", "[not a>1 and b>2]"},
                                {"not not a == 1", "not not a==1"},
                                {"a - b - c >= 1", "((a-b)-c)>=1"},
                                {"a + b * c / d < 1", "(a+((b*c)/d))<1"},
                                {"-a * -2 != 1", "((-a)*(-2))!=1"},
                                {"(a + b) * 2 <= 1", "((a+b)*2)<=1"},
                                {"p95 > 3000ms or p95 > 3 * baseline(p95)", "[p95>3s or p95>(3*baseline(p95))]"},
                                {"health.up == 0", "health.up==0"},
                                {"host.disk_used{path=\"/\"} > 90%", "host.disk_used{path=\"/\"}>0.9share"},
                                {"baseline(host.load1) < before(p95)", "baseline(host.load1)<before(p95)"},
                                {"restarts(app, 10m) >= 3", "restarts(app,10m)>=3"},
                                {"avg(cpu, 10m) > 1 and max(a.b, 5m) > 1 and min(x, 1m) > 1",
                                 "[avg(cpu,10m)>1 and max(a.b,5m)>1 and min(x,1m)>1]"},
                                {"quantile(x, 0.95, 5m) > slope(x, 1h)", "quantile(x,5m)>slope(x,1h)"},
                                {"app.http_requests_total{code=~\"5..\",path!=\"/\"} > 1",
                                 "app.http_requests_total{code=~\"5..\",path!=\"/\"}>1"}};
  for (const Case& each : cases) {
    CAPTURE(each.text);
    CHECK(parsed(each.text) == each.expected);
  }
}

TEST_CASE("numbers, shares, durations and sizes are what they say") {
  const std::vector<Case> cases{{"x > 5", "x>5"},
                                {"x > 1.5", "x>1.5"},
                                {"x > 1e3", "x>1000"},
                                {"x > 2.5e-1", "x>0.25"},
                                {"x > 12.5%", "x>0.125share"},
                                {"x > 500ms", "x>0.5s"},
                                {"x > 1h30m", "x>5400s"},
                                {"x > 2KiB", "x>2048B"},
                                {"x > 1MiB", "x>1048576B"},
                                {"x > 0.5GiB", "x>536870912B"}};
  for (const Case& each : cases) {
    CAPTURE(each.text);
    CHECK(parsed(each.text) == each.expected);
  }
}

TEST_CASE("a mistake in a condition names its place and what was expected") {
  const std::vector<Case> cases{
      {"", "0: expected a number, a signal, probe.field or \"(\", found the end"},
      {"x", "0: a number says nothing by itself; expected a comparison such as x > 5"},
      {"x >", "3: expected a number, a signal, probe.field or \"(\", found the end"},
      {"1 < x < 2", "6: comparisons are not chained; expected \"and\" between two of them"},
      {"(x > 1) + 2 > 3", "0: comparing and computing do not mix; expected a number or a signal here"},
      {"1 + (x > 1) > 3", "4: comparing and computing do not mix; expected a number or a signal here"},
      {"-(x > 1) > 3", "1: comparing and computing do not mix; expected a number or a signal here"},
      {"x and y > 1", "0: a number says nothing by itself; expected a comparison such as x > 5"},
      {"not x", "4: a number says nothing by itself; expected a comparison such as x > 5"},
      {"x > 5 %", "6: % stands directly after a number, as in 5%"},
      {"x = 5", "2: expected ==, found ="},
      {"x > 5q", "5: expected a duration such as 500ms, 5s, 5m, 1h30m or 7d, or a size in KiB, MiB, GiB"},
      {"x > 1.5s", "4: durations are whole numbers with units, such as 1500ms or 1h30m"},
      {"x > 5% y", "7: expected \"and\", \"or\" or the end of the condition, found \"y\""},
      {"p95{a=\"b\"} > 1", "3: expected no labels on a signal; labels belong to probe.field, found \"{\""},
      {"a.b{c=~\"(\"} > 1", "7: not an RE2 pattern: missing ): ("},
      {"a.b{c=\"d} > 1", "6: this string has no end"},
      {"a. b > 1", "3: expected a field's name directly after the dot, found \"b\""},
      {"Error > 1", "0: names of signals and probes have only a-z, 0-9 and _"},
      {"median(x, 5m) > 1",
       "0: there is no function \"median\"; expected baseline, before, restarts, avg, max, min, quantile or slope"},
      {"avg(x + 1, 5m) > 1", "6: expected \",\", found \"+\""},
      {"avg(x, 5) > 1", "7: expected a window such as 10m, at most 1d, found \"5\""},
      {"avg(x, 25h) > 1", "7: expected a window such as 10m, at most 1d, found \"25h\""},
      {"quantile(x, 95, 5m) > 1", "12: expected a quantile from 0 to 1, such as 0.95, found \"95\""},
      {"baseline(5) > 1", "9: expected a signal or probe.field, found \"5\""},
      {"x > 1e999", "4: number out of range"},
      {"x > #", "4: unexpected character"},
      {"x > 1 and", "9: expected a number, a signal, probe.field or \"(\", found the end"}};
  for (const Case& each : cases) {
    CAPTURE(each.text);
    CHECK(rejected(each.text) == each.expected);
  }
}

TEST_CASE("a share compared with a bare number above 1 is a mistake") {
  CHECK(rejected("5% > 7") == "5: a share is compared with a number above 1; expected one such as 5% or 0.05");
  CHECK(rejected("x > 1 or 7 < 5%") == "9: a share is compared with a number above 1; expected one such as 5% or 0.05");
  CHECK(rejected("5% < 1") == "accepted");
  const auto is_ratio = [](const rules::Expression& e) {
    const auto* signal = std::get_if<rules::SignalRef>(&e.node);
    return signal != nullptr && signal->signal.text == "error_rate";
  };
  const auto offset = [&](const std::string& text) {
    const auto found = rules::share_against_number(std::get<Condition>(parse_condition(text)), is_ratio);
    return found ? static_cast<int>(found->offset) : -1;
  };
  CHECK(offset("error_rate > 5") == 13);
  CHECK(offset("a > 5 and not avg(error_rate, 5m) - 1% > 5") == 41);
  CHECK(offset("error_rate > 5%") == -1);
  CHECK(offset("error_rate * 100 > 5") == -1);
  CHECK(offset("p95 > 5") == -1);
}

TEST_CASE("a time compared with a bare number of ten or more is doubted, and both ways of writing it are named") {
  const auto is_time = [](const rules::Expression& e) {
    const auto* signal = std::get_if<rules::SignalRef>(&e.node);
    return signal != nullptr && signal->signal.text == "p95";
  };
  const auto doubt = [&](const std::string& text) {
    const auto found = rules::time_against_number(std::get<Condition>(parse_condition(text)), is_time);
    return found ? std::to_string(found->offset) + ": " + found->what : "";
  };
  CHECK(doubt("p95 > 3000") ==
        "6: a time is compared with 3000, which without a unit is seconds; write 3000ms if milliseconds are meant, "
        "else 3000s");
  CHECK(doubt("x > 3000 or not 1.5e3 < avg(p95, 5m)").starts_with("16: a time is compared with 1.5e3, "));
  CHECK(doubt("p95 > 10").starts_with("6: "));
  for (const char* const fine : {"p95 > 9.5", "p95 > 3000ms", "p95 > 3000s", "p95 > 0.3", "p95 * 1000 > 3000",
                                 "x > 3000", "p95 > 20 * baseline(p95)", "slope(p95, 5m) > 10"}) {
    CAPTURE(fine);
    CHECK(doubt(fine) == "");
  }
}

TEST_CASE("nesting and length of a condition have limits") {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '(') + "x > 1" +
           std::string(static_cast<std::size_t>(depth), ')');
  };
  CHECK(rejected(nested(20)) == "accepted");
  CHECK(rejected(nested(2000)).find("nested deeper than 64 levels") != std::string::npos);
  std::string minus(2000, '-');
  CHECK(rejected(minus + "x > 1").find("nested deeper than 64 levels") != std::string::npos);
  std::string sum = "x";
  while (sum.size() + 2 <= 4092) sum += "+x";
  sum += " >1";
  sum.resize(4096, ' ');
  CHECK(rejected(sum) == "accepted");
  CHECK(rejected(sum + " ") == "4096: longer than 4096 bytes; split it up");
}

TEST_CASE("each comparison keeps its text as written") {
  const auto result = parse_condition("(a+1 > 2)  or   b  <=  ( c - 1 )");
  const auto& terms = std::get<rules::Or>(std::get<Condition>(result).root().node).terms;
  CHECK(std::get<rules::Compare>(terms[0]->node).text == "a+1 > 2");
  CHECK(std::get<rules::Compare>(terms[1]->node).text == "b  <=  ( c - 1 )");
}

TEST_CASE("references of a condition are all names in it with their places") {
  const auto result =
      parse_condition("p95 > 3 * baseline(p95) and not avg(h.q, 5m) < before(h.q) or restarts(app, 1m) > 2");
  const auto references = std::get<Condition>(result).references();
  REQUIRE(references.size() == 5);
  CHECK(std::get<rules::SignalRef>(references[0].to).signal.text == "p95");
  CHECK_FALSE(references[0].baseline);
  CHECK(references[1].baseline);
  CHECK(references[1].offset == 19);
  CHECK(std::get<rules::FieldRef>(references[2].to).field == "q");
  CHECK(references[3].before);
  CHECK(std::get<rules::RestartsRef>(references[4].to).probe.text == "app");
  CHECK(Condition().references().empty());
}

TEST_CASE("SPEC 5: values are written in the unit of the threshold, with what a person reads of them") {
  struct Row {
    double value;
    const char* unit;
    const char* text;
  };
  const Row rows[] = {
      {0.06, "%", "6.0 %"},
      {0.0504, "%", "5.04 %"},
      {0.3125, "%", "31.25 %"},
      {1, "%", "100 %"},
      {0, "%", "0.0 %"},
      {0.0000001, "%", "0.000010 %"},
      {4.21, "ms", "4210 ms"},
      {0.005, "ms", "5.0 ms"},
      {1234.567, "ms", "1234567 ms"},
      {93.5 * 1048576, "MiB", "93.5 MiB"},
      {4.2, "s", "4.2 s"},
      {252, "m", "4.2 m"},
      {-0.02, "%", "-2.0 %"},
      {0.31254, "", "0.3125"},
      {12000, "", "12000"},
      {1.5e9, "", "1.5e+09"},
      {3, "furlong", "3"},
      {99.996 / 1000, "ms", "100 ms"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    CAPTURE(row.unit);
    CHECK(rules::in_unit(row.value, row.unit) == row.text);
  }
  CHECK(rules::in_unit(std::numeric_limits<double>::quiet_NaN(), "%") == "NaN");
  CHECK(rules::in_unit(-std::numeric_limits<double>::infinity(), "ms") == "-Inf");
}

TEST_CASE("SPEC 5: a comparison has the unit in which its threshold was written") {
  struct Row {
    const char* condition;
    const char* unit;
  };
  const Row rows[] = {
      {"a > 5%", "%"},          {"a > 3000ms", "ms"}, {"a > 3s", "s"},       {"a > 1h30m", "h"},
      {"a > 90MiB", "MiB"},     {"a > 5", ""},        {"a > 0.05", ""},      {"5% < a", "%"},
      {"a > 2 * 1500ms", "ms"}, {"a > 3 * b", ""},    {"a > b + 1s", "s"},   {"a > 10s / 5s", ""},
      {"a > 10s / 5", "s"},     {"a > -5%", "%"},     {"a > 2ms * 2ms", ""}, {"a / 10s > 5", ""},
      {"a > baseline(a)", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.condition);
    const auto parsed = rules::parse_condition(row.condition);
    REQUIRE(std::holds_alternative<rules::Condition>(parsed));
    CHECK(std::get<rules::Compare>(std::get<rules::Condition>(parsed).root().node).unit == row.unit);
  }
}

TEST_CASE("a signal is read in the unit of the first comparison that has it") {
  const auto parsed = rules::parse_condition("a > 3 * baseline(a) or not (b > 1% and a > 3000ms)");
  const auto& condition = std::get<rules::Condition>(parsed);
  CHECK(rules::unit_of(condition, rules::SignalName("a")) == "ms");
  CHECK(rules::unit_of(condition, rules::SignalName("b")) == "%");
  CHECK(rules::unit_of(condition, rules::SignalName("c")).empty());
  CHECK(rules::unit_of(rules::Condition(), rules::SignalName("a")).empty());
}
