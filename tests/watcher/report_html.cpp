#include <doctest/doctest.h>

#include "journal_support.hpp"
#include "rules/conditions/condition.hpp"
#include "watcher/report/html.hpp"
#include "watcher/report/report.hpp"

using journal_support::contains;
using namespace std::chrono_literals;

namespace {

const rules::Instant begin = rules::from_unix_seconds(1795226000);

// The application is up for a minute, down for one, and up again.
std::vector<rules::Poll> polls() {
  std::vector<rules::Poll> out;
  for (int second = 0; second < 180; second += 5) {
    rules::Poll poll;
    poll.probe = rules::ProbeName("app");
    poll.started = poll.ended = begin + std::chrono::seconds(second);
    const bool is_down = second >= 60 && second < 120;
    poll.up = is_down ? rules::Up::down : rules::Up::up;
    if (is_down) poll.fault = rules::Fault{rules::FaultKind::refused, "refused"};
    out.push_back(std::move(poll));
  }
  return out;
}

rules::CoreConfig core() {
  rules::CoreConfig out;
  rules::ProbeShape probe;
  probe.name = rules::ProbeName("app");
  out.probes.push_back(probe);
  rules::RuleSpec rule;
  rule.name = rules::RuleName("down");
  rule.service = rules::ServiceName("web");
  rule.when = std::get<rules::Condition>(rules::parse_condition("app.up == 0"));
  out.rules.push_back(rule);
  return out;
}

watcher::ReportInput incident() {
  watcher::ReportInput input;
  input.incident.id = rules::IncidentId("20261121-020304-web-down");
  input.incident.service = rules::ServiceName("web");
  input.incident.opened = begin + 90s;
  input.incident.closed = begin + 175s;
  input.incident.outcome = rules::Outcome::recovered;
  input.incident.past_no_return = true;
  input.incident.times.deployed = begin + 55s;
  input.incident.timeline = {{begin + 100s, "switched", "v2 to v1"}};
  rules::JoinedRule rule;
  rule.rule = rules::RuleName("down");
  rule.bad_since = begin + 60s;
  input.incident.rules = {rule};
  return input;
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a plot has what was measured around the incident, gaps where nothing was, and the threshold") {
  auto recorded = polls();
  std::erase_if(recorded,
                [](const rules::Poll& poll) { return poll.ended > begin + 130s && poll.ended < begin + 165s; });
  const auto plots = watcher::around(core(), incident().incident, recorded).plots;
  REQUIRE(plots.size() == 1);
  CHECK(plots[0].condition == "app.up == 0");
  CHECK(plots[0].threshold == 0);
  const auto at = [&](rules::Duration when) {
    const auto found = std::find_if(plots[0].points.begin(), plots[0].points.end(),
                                    [&](const auto& point) { return point.at >= begin + when; });
    REQUIRE(found != plots[0].points.end());
    return found->value;
  };
  CHECK(at(30s) == 1);
  CHECK(at(80s) == 0);
  CHECK(at(125s) == 1);
  CHECK_FALSE(at(155s).has_value());
  CHECK(at(172s) == 1);
  CHECK(plots[0].points.back().at <= begin + 175s);
}

TEST_CASE("nothing is drawn of what was never measured, and nothing of rules of other services") {
  CHECK(watcher::around(core(), incident().incident, {}).plots.empty());
  auto other = incident().incident;
  other.rules.clear();
  other.service = rules::ServiceName("worker");
  CHECK(watcher::around(core(), other, polls()).plots.empty());
}

TEST_CASE("the page has the report, a figure for each plot, the marks, and no scripts") {
  auto input = incident();
  input.around = watcher::around(core(), input.incident, polls());
  const std::string page = watcher::report_html(input, "");
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(contains(page, "<h1>web: recovered"));
  CHECK(times(page, "<svg") == 1);
  for (const char* mark : {">deployed</text>", ">fired</text>", ">switched</text>"}) CHECK(times(page, mark) == 1);
  CHECK(contains(page, "class=\"threshold\""));
  CHECK(contains(page, "Content-Security-Policy"));
  CHECK(times(page, "<script") == 0);
  CHECK(page.find("<svg") < page.find("<h2>What was done"));
}

namespace {

rules::RuleSpec rule(const std::string& name, const std::string& service, const std::string& when) {
  rules::RuleSpec out;
  out.name = rules::RuleName(name);
  out.service = rules::ServiceName(service);
  out.severity = rules::Severity::p2;
  out.sustain = 5min;
  out.when = std::get<rules::Condition>(rules::parse_condition(when));
  return out;
}

// Besides what fires: a rule that was bad for a minute, one that was never measured, one of another service, and a
// signal that nothing compares.
rules::CoreConfig core_of_several() {
  rules::CoreConfig out = core();
  out.rules.push_back(rule("gone", "web", "app.up < 1"));
  out.rules.push_back(rule("queue", "web", "app.waiting > 50"));
  out.rules.push_back(rule("other", "worker", "app.up < 2"));
  rules::SignalSpec signal;
  signal.name = rules::SignalName("alive");
  signal.probe = rules::ProbeName("app");
  signal.of = std::get<rules::ExpressionOf>(rules::parse_signal_expression("alive"));
  out.signals.push_back(signal);
  return out;
}

}  // namespace

TEST_CASE("the report lists every rule of the service, the others as they were and what they came to") {
  auto input = incident();
  input.around = watcher::around(core_of_several(), input.incident, polls());
  REQUIRE(input.around.bystanders.size() == 2);
  const watcher::Bystander& gone = input.around.bystanders.front();
  CHECK(gone.rule.text == "gone");
  CHECK(gone.judgement.verdict == rules::Verdict::bad);
  CHECK(gone.at_end == rules::Verdict::good);
  CHECK(gone.bad > 59s);
  CHECK(gone.bad < 62s);
  for (const std::string& report : {watcher::report_markdown(input, ""), watcher::report_html(input, "")}) {
    CHECK(contains(report, "bad for 1m in all (needs 5m), at the end good"));
    CHECK(contains(report, "never bad, at the end unknown"));
    CHECK(contains(report, "Could not be measured at any time of it:"));
    CHECK_FALSE(contains(report, "app.up &lt; 2"));
    CHECK_FALSE(contains(report, "app.up < 2"));
  }
  CHECK(times(watcher::report_html(input, ""), "<svg") == 2);
  CHECK(input.around.unmeasured == std::vector<std::string>{"app.waiting > 50", "alive"});
}

TEST_CASE("the report's text has a curve of each signal, with the marks and the threshold") {
  auto input = incident();
  input.around = watcher::around(core(), input.incident, polls());
  const std::string report = watcher::report_markdown(input, "");
  CHECK(contains(report, "## How it went"));
  CHECK(contains(report, "D: deployed, F: fired, S: switched."));
  CHECK(contains(report, "app.up == 0: 0 to 1, at last 1; threshold 0\n"));
  CHECK(contains(report, "████"));
  CHECK(contains(report, "▁▁▁▁"));
  CHECK(report.find("## Evidence") < report.find("## How it went"));
  CHECK(report.find("## How it went") < report.find("## What was done"));
}

TEST_CASE("of more comparisons than are drawn the others are named") {
  auto input = incident();
  input.around = watcher::around(core(), input.incident, polls());
  input.around.plots.resize(14, input.around.plots.front());
  input.around.plots.back().condition = "app.up < 14";
  const std::string page = watcher::report_html(input, "");
  CHECK(times(page, "<svg") == 12);
  CHECK(contains(page,
                 "2 more were compared, and are not drawn: <code>app.up == 0</code>, <code>app.up &lt; 14</code>."));
  input.around.plots.resize(12);
  CHECK_FALSE(contains(watcher::report_html(input, ""), "not drawn"));
}

TEST_CASE("plots of then stay when the report is written again and no samples are left") {
  auto input = incident();
  input.around = watcher::around(core(), input.incident, polls());
  const std::string before = watcher::report_html(input, "");
  const std::string report_of_then = watcher::report_markdown(input, "");
  CHECK(contains(report_of_then, "## How it went"));
  input.around = {};
  CHECK(watcher::report_html(input, before) == before);
  CHECK(watcher::report_markdown(input, report_of_then) == report_of_then);
  CHECK(times(watcher::report_html(input, ""), "<svg") == 0);
}

TEST_CASE("nothing that a target or a person said is markup in the page") {
  auto input = incident();
  const std::string nasty = "<script>alert(1)</script> [x](javascript:alert(1)) \"onload=\" <img src=x> \x1b[31m";
  input.incident.outcome_detail = nasty;
  input.incident.timeline.push_back({begin + 101s, "note", nasty});
  input.incident.explanation.impact = nasty;
  input.evidence_files = {{nasty, 1}};
  input.taken_back = {nasty};
  input.notes = {nasty};
  input.around = watcher::around(core(), input.incident, polls());
  input.around.plots.front().condition = nasty;
  const std::string page = watcher::report_html(input, "");
  CHECK(times(page, "<script") == 0);
  CHECK(times(page, "<img") == 0);
  CHECK(times(page, "href=\"javascript") == 0);
  CHECK(times(page, "\x1b") == 0);
  CHECK(contains(page, "&lt;script&gt;"));
  CHECK(watcher::html_text("\"<&>\"") == "&quot;&lt;&amp;&gt;&quot;");
}
