#include <doctest/doctest.h>

#include "engine_world.hpp"

// When what happened, as the report has it.

using namespace world;

namespace {

rules::DeployMark mark_of(const World& w, rules::MarkKind kind) {
  rules::DeployMark mark;
  mark.kind = kind;
  mark.service = rules::ServiceName("web");
  mark.at = w.now();
  return mark;
}

const rules::LedgerRecord& ledger(const World& w, const std::string& revision) {
  return w.journal.ledger.at({"web", revision});
}

constexpr Duration switching = 5min;

// The switch takes so long that its incident is worth measuring, and has begun.
void switch_for_long(World& w) {
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, switching, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
}

Duration unmeasured(const rules::IncidentRecord& incident) {
  Duration sum{};
  for (const auto& [cause, length] : incident.times.unmeasured_ns) sum += Duration(length);
  return sum;
}

rules::CoreConfig restoring() {
  return with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("restore"), switch_step()};
    config.actions[0].steps[0].uses_backup = true;
  });
}

void end_for_want_of_a_backup(World& w) {
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 15min));
}

// A mark of this revision, with the backup that was made before it came.
void say_backup(World& w, const std::string& revision) {
  rules::DeployMark mark = mark_of(w, rules::MarkKind::mark);
  mark.revision = rules::Revision(revision);
  mark.backup = "/backups/before-" + revision + ".dump";
  w.observe(mark);
}

}  // namespace

TEST_CASE("a deployment's start and end are those that were said, however late its revision is seen") {
  for (const bool seen_after_the_end : {false, true}) {
    CAPTURE(seen_after_the_end);
    World w(usual());
    w.run(5min);
    const Instant began = w.now();
    w.observe(mark_of(w, rules::MarkKind::begin));
    w.run(1min);
    if (!seen_after_the_end) w.deploy("v2");
    w.run(4min);
    const Instant ended = w.now();
    w.observe(mark_of(w, rules::MarkKind::end));
    if (seen_after_the_end) w.deploy("v2");
    w.run(2min);
    CHECK(ledger(w, "v2").deploy_began == began);
    CHECK(ledger(w, "v2").deploy_ended == ended);
    CHECK_FALSE(ledger(w, "v1").deploy_began);
    w.deploy("v3");
    w.run(2min);
    CHECK_FALSE(ledger(w, "v3").deploy_began);
    CHECK_FALSE(ledger(w, "v3").deploy_ended);
  }
}

TEST_CASE("an incident's times are in their order, and its downtime is what was measured bad") {
  World w(usual());
  w.run(5min);
  const Instant deployed = w.now();
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  const rules::IncidentRecord incident = *w.last();
  const rules::IncidentTimes& times = incident.times;
  REQUIRE(times.deployed);
  CHECK(*times.deployed <= deployed);
  CHECK(*times.deployed + 30s > deployed);
  REQUIRE(incident.rules.front().bad_since);
  CHECK(*incident.rules.front().bad_since > deployed);
  CHECK(*incident.rules.front().bad_since + 60s <= incident.opened);
  CHECK(times.decided == incident.opened);
  REQUIRE(times.recovered);
  CHECK(*times.recovered > *times.decided);
  CHECK(*times.recovered < *incident.closed);
  const Duration bad(times.bad_ns);
  CHECK(bad >= 60s);
  CHECK(bad <= *times.recovered - *incident.rules.front().bad_since);
  // 30 % of 40 requests a second, for as long as the bad one ran.
  CHECK(times.counts_requests);
  CHECK(times.failed > 0.8 * 12 * rules::seconds(bad));
  CHECK(times.failed < 1.5 * 12 * rules::seconds(bad) + 12 * 60);
}

TEST_CASE("what is bad, and fails, while the switch is under way counts as well") {
  World w(usual());
  switch_for_long(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  const rules::IncidentTimes times = w.last()->times;
  const Duration bad(times.bad_ns);
  CHECK(bad >= 1min + switching);
  CHECK(times.failed > 0.8 * 12 * rules::seconds(bad));
}

TEST_CASE("what cannot be measured while the switch is under way is no downtime, and said to be unmeasured") {
  World w(usual());
  switch_for_long(w);
  w.reality["web"].probes_work = false;
  w.run(3min);
  w.reality["web"].probes_work = true;
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(unmeasured(*w.last()) >= 2min);
  CHECK(Duration(w.last()->times.bad_ns) <= 1min + switching - 2min);
}

TEST_CASE("an incident's deployment began when that was said") {
  World w(usual());
  w.run(5min);
  const Instant began = w.now();
  w.observe(mark_of(w, rules::MarkKind::begin));
  w.run(2min);
  w.deploy("bad");
  w.run(1min);
  w.observe(mark_of(w, rules::MarkKind::end));
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.last()->times.deployed == began);
}

TEST_CASE("while the watcher is away nothing is measured, and the downtime says how long") {
  World w(usual());
  switch_for_long(w);
  w.crash(1min);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(unmeasured(*w.last()) >= 1min);
}

TEST_CASE("what ran already when it was first seen has no known deployment") {
  World w(usual());
  w.run(5min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return !w.all().empty(); }, 15min));
  CHECK_FALSE(w.last()->times.deployed);
  CHECK(w.last()->times.undeployed == "it ran already when rollbackd first looked");
}

TEST_CASE("SPEC 2.22: what ended for want of a backup is looked at again when a mark names it") {
  World w(restoring());
  end_for_want_of_a_backup(w);
  CHECK(w.told_text("`rollbackd deploy mark bad --backup PATH` says one"));
  w.run(5min);
  REQUIRE(w.deeds.empty());
  say_backup(w, "bad");
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 30s));
  CHECK(w.all().size() == 2);
  CHECK(ledger(w, "bad").backup == "/backups/before-bad.dump");
}

TEST_CASE("a mark with a backup of another revision than runs has nothing looked at again") {
  World w(restoring());
  end_for_want_of_a_backup(w);
  say_backup(w, "next");
  w.run(10min);
  CHECK(w.all().size() == 1);
  CHECK(w.deeds.empty());
}
