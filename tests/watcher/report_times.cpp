#include "watcher/report/times.hpp"

#include <doctest/doctest.h>

#include "journal_support.hpp"

using journal_support::contains;
using namespace std::chrono_literals;

namespace {

rules::Instant at(double seconds) { return rules::from_unix_seconds(1795226584 + seconds); }

rules::IncidentRecord recovered() {
  rules::IncidentRecord incident;
  rules::JoinedRule rule;
  rule.rule = rules::RuleName("errors");
  rule.joined = at(0);
  rule.bad_since = at(-300);
  incident.rules = {rule};
  incident.opened = at(0);
  incident.closed = at(432);
  incident.outcome = rules::Outcome::recovered;
  incident.switched = true;
  incident.times.deployed = at(-490);
  incident.times.decided = at(1);
  incident.times.recovered = at(80);
  incident.times.bad_ns = rules::Duration(370s).count();
  incident.times.counted_until = at(432);
  return incident;
}

std::vector<rules::StepRecord> switched() {
  rules::StepRecord step;
  step.kind = "switch";
  step.started = at(3);
  step.ended = at(62);
  step.status = rules::StepStatus::succeeded;
  return {step};
}

void check_each(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(contains(text, part));
  }
}

}  // namespace

TEST_CASE("the report has an incident's times with the spans between them") {
  check_each(watcher::times_text(recovered(), switched()),
             {"deploy: 2026-11-21T01:54:54.000Z\n", "first bad sample: 2026-11-21T01:58:04.000Z, 3m 10s after deploy\n",
              "detection: 2026-11-21T02:03:04.000Z, 5m after first bad sample\n",
              "decision: 2026-11-21T02:03:05.000Z, 1s after detection\n",
              "switch: 2026-11-21T02:04:06.000Z, 1m 1s after decision\n",
              "recovery: 2026-11-21T02:04:24.000Z, 18s after switch\n", "downtime in total: 6m 10s\n",
              "requests that failed: not measured: no error ratio is concerned\n"});
}

TEST_CASE("a time that was not measured is unknown, says why, and the next one counts from the last that is known") {
  auto incident = recovered();
  incident.times.deployed.reset();
  incident.times.undeployed = "it ran already when rollbackd first looked";
  incident.rules.front().bad_since.reset();
  incident.times.recovered.reset();
  check_each(
      watcher::times_text(incident, {}),
      {"deploy: unknown: it ran already when rollbackd first looked\n",
       "first bad sample: unknown: it was bad before rollbackd was started\n", "detection: 2026-11-21T02:03:04.000Z\n",
       "switch: unknown: nothing was switched\n", "recovery: unknown: its rules were not measured to be good\n"});
}

TEST_CASE("a switch that is under way, or did not go well, is no time, and that is said") {
  std::vector<rules::StepRecord> steps = switched();
  steps.front().status = rules::StepStatus::started;
  check_each(watcher::times_text(recovered(), steps), {"switch: unknown: it is under way\n"});
  steps.front().status = rules::StepStatus::failed;
  check_each(watcher::times_text(recovered(), steps), {"switch: unknown: it did not go well\n"});
}

TEST_CASE("what was bad before its release was deployed began before that") {
  auto incident = recovered();
  incident.rules.front().bad_since = at(-520);
  check_each(watcher::times_text(incident, {}), {"first bad sample: 2026-11-21T01:54:24.000Z, 30s before deploy\n"});
}

TEST_CASE("what was good again before that was decided stands before the decision, and counts from the detection") {
  auto incident = recovered();
  const rules::Instant joined = incident.rules.front().joined;
  incident.times.recovered = joined + 17s;
  incident.times.decided = joined + 23s;
  const std::string text = watcher::times_text(incident, {});
  check_each(text, {"17s after detection\n", "6s after recovery\n"});
  CHECK(text.find("recovery: ") < text.find("decision: "));
  CHECK(text.find(" before ") == std::string::npos);
}

TEST_CASE("time that could not be measured is no downtime, and is told beside it") {
  auto incident = recovered();
  incident.times.unmeasured_ns = {{"no_data", rules::Duration(20s).count()},
                                  {"warming_up", rules::Duration(15s).count()}};
  CHECK(watcher::downtime_text(incident) == "6m 10s; 35s more could not be measured (no_data 20s, warming_up 15s)");
  incident.times.counts_requests = true;
  incident.times.failed = 1203.7;
  incident.times.requests = 5310.2;
  CHECK(watcher::failed_requests_text(incident) == "1204 of 5310");
}

TEST_CASE("an incident by hand, and one that an older version opened, have no times that nobody measured") {
  auto by_hand = recovered();
  by_hand.rules.clear();
  CHECK(contains(watcher::times_text(by_hand, {}), "detection: unknown: no rule fired, it was begun by hand"));
  CHECK(contains(watcher::downtime_text(by_hand), "not measured: no rule fired"));
  auto older = recovered();
  older.times = {};
  older.rules.front().bad_since.reset();
  CHECK(contains(watcher::times_text(older, {}), "deploy: unknown: the version of rollbackd that opened it"));
  CHECK(contains(watcher::downtime_text(older), "unknown: the version"));
  CHECK(watcher::times_json(older, {}).at("downtime_seconds").is_null());
}

TEST_CASE("an incident's times for programs are null where they are unknown") {
  const auto json = watcher::times_json(recovered(), switched());
  CHECK(json.at("first_bad_sample").at("after_seconds").as_double() == 190);
  CHECK(json.at("first_bad_sample").at("after").as_string() == "deploy");
  CHECK(json.at("deploy").at("after").is_null());
  CHECK(json.at("downtime_seconds").as_double() == 370);
  CHECK(json.at("requests_failed").is_null());
  CHECK(watcher::times_json(recovered(), {}).at("switch").at("unknown").as_string() == "nothing was switched");
}
