#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "journal_support.hpp"
#include "watcher/notify/fields.hpp"
#include "watcher/notify/notifiers.hpp"

using journal_support::contains;
namespace json = boost::json;

namespace {

rules::Tell tell() {
  rules::Tell tell;
  tell.stage = rules::Stage::completed;
  tell.outcome = rules::Outcome::recovered;
  tell.context.service = rules::ServiceName("web");
  tell.context.rule = rules::RuleName("slow");
  tell.context.incident = rules::IncidentId("20261121-020304-web-slow");
  tell.context.severity = rules::Severity::p0;
  tell.context.from = rules::Revision("v2");
  tell.context.to = rules::Revision("v1");
  tell.title = "web \"recovered\" <!channel>";
  tell.text = "line one\nline two & more \x1b[31m\xff";
  tell.at = rules::from_unix_seconds(1795226584);
  rules::Comparison good;
  good.text = "p95 > 3";
  good.verdict = rules::Verdict::good;
  good.value.value = 0.2;
  good.threshold = 3;
  rules::Comparison bad;
  bad.text = "error_rate > 5%";
  bad.verdict = rules::Verdict::bad;
  bad.value.value = 0.3125;
  bad.value.count = 1312;
  bad.threshold = 0.05;
  bad.unit = "%";
  rules::Comparison unknown;
  unknown.text = "memory > 90%";
  unknown.value.cause = rules::Cause::stale;
  tell.evidence = {good, bad, unknown};
  return tell;
}

watcher::NotifierSection section(const std::string& name, watcher::NotifierKind kind = {}) {
  watcher::NotifierSection result;
  result.name = rules::NotifierName(name);
  result.kind = std::move(kind);
  return result;
}

std::vector<std::string> names(const std::vector<const watcher::NotifierSection*>& told) {
  std::vector<std::string> result;
  for (const auto* notifier : told) result.push_back(notifier->name.text);
  return result;
}

}  // namespace

TEST_CASE("a webhook gets the documented members") {
  const json::value body = json::parse(watcher::render(tell(), section("hook"), "prod-1"));
  CHECK(body.at("version") == 1);
  CHECK(body.at("stage") == "completed");
  CHECK(body.at("title") == "web \"recovered\" <!channel>");
  CHECK(body.at("text") == "line one\nline two & more \uFFFD");
  CHECK(body.at("watcher") == "prod-1");
  CHECK(body.at("service") == "web");
  CHECK(body.at("rule") == "slow");
  CHECK(body.at("severity") == "P0");
  CHECK(body.at("incident") == "20261121-020304-web-slow");
  CHECK(body.at("from") == "v2");
  CHECK(body.at("to") == "v1");
  CHECK(body.at("outcome") == "recovered");
  CHECK(body.at("time") == "2026-11-21T02:03:04.000Z");
  CHECK(body.at("value") == 0.3125);
  CHECK(body.at("threshold") == 0.05);
  CHECK(body.at("evidence").at(1).at("unit") == "%");
  CHECK(body.at("evidence").as_array().size() == 3);
  CHECK(body.at("evidence").at(1).at("count").to_number<double>() == 1312);
  CHECK(body.at("evidence").at(2).at("value").is_null());
  CHECK(body.at("evidence").at(2).at("unknown") == "stale");
}

TEST_CASE("a message without an outcome or evidence has nulls for them") {
  rules::Tell bare;
  const json::value body = json::parse(watcher::render(bare, section("hook"), "prod-1"));
  CHECK(body.at("outcome").is_null());
  CHECK(body.at("value").is_null());
  CHECK(body.at("evidence").as_array().empty());
}

TEST_CASE("a slack message has a plain text and blocks within Slack's limits, and mentions nobody") {
  auto message = tell();
  message.text = std::string(10000, '&');
  message.title = std::string(1000, 'x') + "<!channel>";
  const json::value body = json::parse(watcher::render(message, section("s", watcher::SlackNotifier{}), "prod-1"));
  const auto& blocks = body.at("blocks").as_array();
  CHECK(blocks[0].at("type") == "header");
  CHECK(blocks[0].at("text").at("text").as_string().size() <= 150);
  CHECK(blocks[0].at("text").at("text").as_string().starts_with("[P0] xxx"));
  CHECK(blocks[1].at("text").at("text").as_string().size() <= 3000);
  CHECK(blocks[2].at("fields").as_array().size() == 6);
  CHECK(contains(std::string(blocks[3].at("elements").at(0).at("text").as_string()), "20261121-020304-web-slow"));
  CHECK_FALSE(contains(watcher::render(tell(), section("s", watcher::SlackNotifier{}), "p").substr(0, 60), "<!"));
}

TEST_CASE("a template's fields are replaced and escaped, everything else stays") {
  auto notifier = section("hook");
  notifier.template_text =
      R"({"a": "{title}: {text}", "b": {"c": "{unknown}"}, "d": "{service} {rule} {severity} {from} {to} {value} )"
      R"({threshold} {stage} {outcome} {incident} {watcher} {time}"})";
  const json::value body = json::parse(watcher::render(tell(), notifier, "prod-1"));
  CHECK(body.at("a") == "web \"recovered\" <!channel>: line one\nline two & more \uFFFD");
  CHECK(body.at("b").at("c") == "{unknown}");
  CHECK(body.at("d") ==
        "web slow P0 v2 v1 31.25 % 5.0 % completed recovered 20261121-020304-web-slow prod-1 2026-11-21T02:03:04.000Z");
  notifier.template_text = "{title";
  CHECK(watcher::render(tell(), notifier, "prod-1") == "{title");
}

TEST_CASE("what a value says is not looked at as a template again") {
  auto notifier = section("hook");
  notifier.template_text = "\"{title}\"";
  auto message = tell();
  message.title = "{incident}";
  CHECK(watcher::render(message, notifier, "prod-1") == "\"{incident}\"");
}

TEST_CASE("every notifier is told unless its filters narrow it, and a notify step tells its addressee alone") {
  auto started = section("started");
  started.on = {"started"};
  auto ended = section("ended");
  ended.on = {"completed"};
  auto p1 = section("p1");
  p1.severities = {rules::Severity::p1};
  const std::vector<watcher::NotifierSection> notifiers{section("all"), started, ended, p1};
  auto message = tell();
  CHECK(names(watcher::recipients(message, notifiers)) == std::vector<std::string>{"all", "ended"});
  message.stage = rules::Stage::cleared;
  CHECK(names(watcher::recipients(message, notifiers)) == std::vector<std::string>{"all", "ended"});
  message.stage = rules::Stage::started;
  message.context.severity = rules::Severity::p1;
  CHECK(names(watcher::recipients(message, notifiers)) == std::vector<std::string>{"all", "started", "p1"});
  message.notifier = rules::NotifierName("ended");
  CHECK(names(watcher::recipients(message, notifiers)) == std::vector<std::string>{"ended"});
}

TEST_CASE("a template of Slack's is a text, put where Slack wants it, unless it is a JSON object") {
  auto notifier = section("s", watcher::SlackNotifier{});
  notifier.template_text = "*{severity} {service}*\n{title} {runbook}";
  auto message = tell();
  message.explanation.runbook = "https://wiki/a?b=1&c";
  CHECK(json::parse(watcher::render(message, notifier, "prod-1")) ==
        json::value{{"text", "*P0 web*\nweb \"recovered\" &lt;!channel&gt; https://wiki/a?b=1&amp;c"}});
  notifier.template_text = R"({"username": "rb", "text": "{title}"})";
  CHECK(json::parse(watcher::render(message, notifier, "prod-1")) ==
        json::value{{"username", "rb"}, {"text", "web \"recovered\" &lt;!channel&gt;"}});
}

TEST_CASE("what is in braces and no field is named, and JSON is no field") {
  CHECK(watcher::unknown_fields(R"({"a": {"b": "{title}"}, "c": {}})").empty());
  CHECK(watcher::unknown_fields("{titel} {text} {titel} {runbooks}") == std::vector<std::string>{"titel", "runbooks"});
}

TEST_CASE("a template that cannot be meant is told") {
  using watcher::wrong_template;
  for (const char* const fine : {"{title}", "[{severity}] {title}", R"({"text": "{title}", "n": "{value}", "o": {}})",
                                 R"([{"text": "{text}"}])", "plain", "{}", "{ {title} }", "a {b} c"}) {
    CAPTURE(fine);
    CHECK(wrong_template(fine).empty());
  }
  CHECK(wrong_template("{RUNBOOK} x") == "has {RUNBOOK}, for which nothing is filled in; write {runbook}");
  CHECK(wrong_template("a { title }") == "has { title }, for which nothing is filled in; write {title}");
  CHECK(wrong_template("{title") == "does not close {title, for which nothing is filled in; write {title}");
  CHECK(wrong_template("{title {text}").starts_with("does not close {title"));
  CHECK(wrong_template(" \n").starts_with("is empty"));
  CHECK(wrong_template(R"({"text": {title)").starts_with("does not close"));
  // A value is a text: it may say "6.0 %", or nothing at all.
  for (const char* const wrong : {R"({"text": "{title}")", R"({"a": {title}})", R"({"text": "{title}", "n": {value}})",
                                  R"({"a": 1{outcome}})", R"({"{title}": {}, "b": [{severity}]})"}) {
    CAPTURE(wrong);
    CHECK(wrong_template(wrong).starts_with(
        "begins as JSON and is none once it is filled in; write names and fields in"));
  }
}

TEST_CASE("progress is told only to those who ask for it, and late comes with started") {
  auto all = section("all");
  auto started = section("started");
  started.on = {"started"};
  auto progress = section("progress");
  progress.on = {"progress"};
  const std::vector<watcher::NotifierSection> notifiers{all, started, progress};
  auto message = tell();
  message.stage = rules::Stage::progress;
  CHECK(names(watcher::recipients(message, notifiers)) == std::vector<std::string>{"progress"});
  message.stage = rules::Stage::late;
  CHECK(names(watcher::recipients(message, notifiers)) == std::vector<std::string>{"all", "started"});
}

TEST_CASE("a notify step that only repeats the story is told to those alone who do not hear it") {
  auto joins = section("joins");
  joins.after = std::chrono::minutes(5);
  auto ends = section("ends");
  ends.on = {"completed"};
  const std::vector<watcher::NotifierSection> notifiers{section("all"), joins, ends};
  auto message = tell();
  message.stage = rules::Stage::started;
  const auto told_by_step = [&](const std::string& name) {
    message.notifier = rules::NotifierName(name);
    return watcher::recipients(message, notifiers).size();
  };
  CHECK(told_by_step("all") == 0);
  CHECK(told_by_step("joins") == 1);
  CHECK(told_by_step("ends") == 1);
  message.notifier = rules::NotifierName("all");
  message.stage = rules::Stage::progress;  // it has words of its own
  CHECK(watcher::recipients(message, notifiers).size() == 1);
}

TEST_CASE("who has heard of a cause by another message is not told of it again, and who has not is") {
  auto all = section("all");
  auto blind_only = section("blind_only");
  blind_only.on = {"blind"};
  auto urgent = section("urgent");
  urgent.severities = {rules::Severity::p0};
  auto ordinary = section("ordinary");
  ordinary.severities = {rules::Severity::p1};
  auto said = tell();
  said.stage = rules::Stage::blind;
  said.context.severity = rules::Severity::p1;
  said.said_by = {{rules::Stage::fault, rules::Severity::p0}};
  CHECK(names(watcher::recipients(said, {all, blind_only, urgent, ordinary})) ==
        std::vector<std::string>{"blind_only", "ordinary"});
}

TEST_CASE("that a failed incident's reason is over is told to whom an alert stands open with, and to nobody else") {
  auto alerts = section("alerts");
  alerts.kind = watcher::PagerDutyNotifier();
  auto urgent_alerts = alerts;
  urgent_alerts.name = rules::NotifierName("urgent_alerts");
  urgent_alerts.severities = {rules::Severity::p0};
  auto over = tell();
  over.stage = rules::Stage::cleared;
  over.outcome = rules::Outcome::action_failed;
  over.context.severity = rules::Severity::p1;
  over.said_by = {{rules::Stage::failed, rules::Severity::p1}};
  CHECK(names(watcher::recipients(over, {section("all"), alerts, urgent_alerts})) ==
        std::vector<std::string>{"alerts", "urgent_alerts"});
}

TEST_CASE("who is named for a later look is told of it though it hears the story") {
  const std::vector<watcher::NotifierSection> notifiers{section("all"), section("lead")};
  auto message = tell();
  message.stage = rules::Stage::failed;
  message.notifier = rules::NotifierName("lead");
  CHECK(names(watcher::recipients(message, notifiers)).empty());
  message.is_news = true;
  CHECK(names(watcher::recipients(message, notifiers)) == std::vector<std::string>{"lead"});
}
