#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"
#include "rules/incidents/fuse.hpp"

// Switches that changed nothing: those that failed before their own command began (SPEC 2.24), and those by hand after
// which runs what ran before (SPEC 2.25). They are no reason to do less later.

using namespace std::chrono_literals;
using namespace world;
using rules::Stage;
using rules::StepStatus;

namespace {

Script lies() { return {StepStatus::succeeded, 1s, false, true}; }
Script breaks_off() { return {StepStatus::failed, 1s, false, true}; }
Script never_begins() { return {StepStatus::failed, 1s, false, false}; }

rules::CoreConfig with_all_sections() {
  return with([](rules::CoreConfig& config) {
    config.actions[0].on_failure = {run("maintenance on")};
    config.actions[0].always = {run("resume")};
  });
}

void readiness(World& w, const std::string& why_not) {
  w.observe(rules::ReadinessRead{rules::ServiceName("web"), w.now(), why_not.empty(), why_not});
}

int switches_away(const World& w, const std::string& revision) {
  return w.journal.ledger.at({"web", revision}).switches_away;
}

// As the next start counts it.
int counted(const World& w) {
  rules::Fuse fuse;
  int put = 0;
  for (const rules::FuseRecord& use : w.journal.read_back(w.now()).fuse) {
    put += use.undone ? -1 : 1;
    fuse.put(use);
  }
  const rules::FuseLimits none{1, 1, 1};
  const bool blown = !fuse.blown(rules::ServiceName("web"), none, nullptr, true, w.now()).empty();
  CHECK(blown == (put > 0));
  return put;
}

rules::Answer by_hand(World& w, const std::string& to) {
  rules::RollbackByHand request;
  request.service = rules::ServiceName("web");
  request.to = rules::Revision(to);
  return w.ask(request);
}

void by_hand_ends(World& w, const std::string& outcome) {
  REQUIRE(by_hand(w, "v1").accepted);
  REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
  CHECK(w.outcome() == outcome);
}

}  // namespace

TEST_CASE("SPEC 2.24: a switch that fails before its command began marks nothing, counts nowhere, runs no on_failure") {
  World w(with_all_sections());
  w.scripts["switch last-good"] = never_begins();
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 15min));
  CHECK(w.outcome() == "action_failed");
  CHECK(w.performed() == std::vector<std::string>{"switch last-good", "run resume"});
  CHECK(w.standing("bad") == rules::Standing::candidate);
  CHECK(switches_away(w, "bad") == 0);
  CHECK(counted(w) == 0);
  CHECK_FALSE(w.service().fused);
  CHECK_FALSE(w.journal.services.at("web").mutation_ended.has_value());
  CHECK(w.violations.empty());
}

TEST_CASE("SPEC 2.24: nor does what the plan did before a switch that never began count") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps.insert(config.actions[0].steps.begin(), run("pause"));
    config.actions[0].on_failure = {run("maintenance on")};
    config.actions[0].always = {run("resume")};
  }));
  w.settle_on_v2();
  w.scripts["switch last-good"] = w.scripts["switch v1"] = never_begins();
  for (int tries = 0; tries < 4; ++tries) by_hand_ends(w, "action_failed");
  CHECK(w.count_performed("run maintenance on") == 0);
  CHECK(w.count_performed("run resume") == 4);
  CHECK(counted(w) == 0);
  CHECK_FALSE(w.journal.services.at("web").mutation_ended.has_value());
  w.scripts.clear();
  w.deploy("bad");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.violations.empty());
}

TEST_CASE("SPEC 2.24: what fails before the switch is reached runs no on_failure, and waits for the cooldown") {
  World w(with([](rules::CoreConfig& config) {
    rules::StepSpec backup = run("backup");
    backup.on_failure = rules::OnFailure::abort;
    config.actions[0].steps.insert(config.actions[0].steps.begin(), backup);
    config.actions[0].on_failure = {run("maintenance on")};
    config.actions[0].always = {run("resume")};
  }));
  w.scripts["run backup"] = breaks_off();
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 15min));
  CHECK(w.outcome() == "action_failed");
  CHECK(w.performed() == std::vector<std::string>{"run backup", "run resume"});
  CHECK(w.standing("bad") == rules::Standing::candidate);
  CHECK(counted(w) == 0);
  CHECK(w.journal.services.at("web").mutation_ended.has_value());
}

TEST_CASE("SPEC 2.22: what was in the way of a switch is gone: what fires is acted on, once") {
  World w(with_all_sections());
  w.scripts["switch last-good"] = never_begins();
  harm(w);
  readiness(w, "/opt/app/.git/index.lock is there");
  REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
  w.run(1h);
  CHECK(w.all().size() == 1);
  w.scripts.clear();
  readiness(w, "");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.all().size() == 2);
  CHECK(w.standing("bad") == rules::Standing::bad);
}

TEST_CASE("SPEC 2.22: also where the plan did something before the switch that was in its way") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps.insert(config.actions[0].steps.begin(), run("pause"));
  }));
  w.scripts["switch last-good"] = never_begins();
  harm(w);
  readiness(w, "/opt/app/.git/index.lock is there");
  REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
  w.scripts.clear();
  readiness(w, "");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 5min));
  CHECK(w.performed() == std::vector<std::string>{"run pause", "switch last-good", "run pause", "switch last-good"});
  CHECK(w.violations.empty());
}

TEST_CASE("SPEC 2.22: that it could be rolled back all the time is no news") {
  World w(usual());
  w.scripts["switch last-good"] = never_begins();
  harm(w);
  readiness(w, "");
  REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
  for (int look = 0; look < 10; ++look) {
    w.run(20s);
    readiness(w, "");
  }
  CHECK(w.all().size() == 1);
}

TEST_CASE("SPEC 2.22: what no look foresaw is tried again every half hour, over a restart as well") {
  for (const bool dies : {false, true}) {
    CAPTURE(dies);
    World w(usual());
    w.scripts["switch last-good"] = never_begins();
    harm(w);
    readiness(w, "");
    REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
    const rules::Instant refused = *w.last()->closed;
    CHECK(w.told_text("while a rollback looks possible it is tried again every 30m, after a day once a day."));
    CHECK(w.situation()->message.text.find("is tried again every 30m") != std::string::npos);
    w.run(10min);
    if (dies) {
      w.crash();
      readiness(w, "");
    }
    w.run(refused + 28min - w.now());
    CHECK(w.all().size() == 1);
    CHECK(w.rule("errors").missing.front().find("it is looked at again by itself from ") != std::string::npos);
    CHECK(w.situation()->needs_people);
    w.scripts.clear();
    REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
    CHECK(w.all().size() == 2);
    CHECK(w.last()->opened < refused + 30min);
    CHECK(w.violations.empty());
  }
}

TEST_CASE("what is tried again is so after somebody said that he knows, over a restart as well") {
  World w(usual());
  w.scripts["switch last-good"] = never_begins();
  harm(w);
  readiness(w, "");
  REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
  const rules::Instant refused = *w.last()->closed;
  w.run(1min);
  REQUIRE(w.ask(rules::Acknowledge{w.last()->id, "me"}).accepted);
  CHECK_FALSE(w.situation());
  w.run(5min);
  w.crash();
  readiness(w, "");
  CHECK_FALSE(w.situation());
  w.scripts.clear();
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 40min));
  CHECK(w.last()->opened < refused + 30min);
  CHECK(w.violations.empty());
}

TEST_CASE(
    "SPEC 2.22: what is refused again and again is tried no more often than people are reminded, and not counted") {
  World w(usual());
  w.scripts["switch last-good"] = never_begins();
  harm(w);
  readiness(w, "");
  REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
  w.run(4h);
  CHECK(w.all().size() == 9);
  CHECK(counted(w) == 0);
  CHECK(switches_away(w, "bad") == 0);
  w.run(21h);
  const std::size_t first_day = w.all().size();
  CHECK(first_day < 52);
  w.run(24h);
  CHECK(w.all().size() <= first_day + 2);
  CHECK(w.violations.empty());
}

TEST_CASE("SPEC 2.22: it is not tried while it could not be, once it is good, or after an abort") {
  World w(usual());
  w.scripts["switch last-good"] = never_begins();
  harm(w);
  readiness(w, "");
  SUBCASE("it could not be") {
    REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
    readiness(w, "/opt/app/.git/index.lock is there");
  }
  SUBCASE("it cannot be measured") {
    REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
    w.reality["web"].probes_work = false;
  }
  SUBCASE("it is good") {
    REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
    w.reality["web"].sick.clear();
  }
  SUBCASE("a person aborted it") {
    w.scripts["switch last-good"].takes = 1min;
    REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
    REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
    REQUIRE(w.run_until([&] { return w.closed(); }, 15min));
  }
  w.run(2h);
  CHECK(w.all().size() == 1);
}

TEST_CASE("SPEC 2.22: a step before the switch that failed is not tried again by itself") {
  World w(with([](rules::CoreConfig& config) {
    rules::StepSpec backup = run("backup");
    backup.on_failure = rules::OnFailure::abort;
    config.actions[0].steps.insert(config.actions[0].steps.begin(), backup);
  }));
  w.scripts["run backup"] = breaks_off();
  harm(w);
  readiness(w, "");
  REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 15min));
  w.crash();
  readiness(w, "");
  w.run(2h);
  CHECK(w.all().size() == 1);
}

TEST_CASE("SPEC 2.18: a switch that cannot begin because nobody can read what runs ends as that") {
  World w(usual());
  w.scripts["switch last-good"] = never_begins();
  harm(w);
  w.run(40s);
  w.reality["web"].readable = false;
  REQUIRE(w.run_until([&] { return w.closed(); }, 15min));
  CHECK(w.outcome() == "unverifiable");
  CHECK(w.last()->outcome_detail.starts_with("cannot read what runs: "));
  w.scripts.clear();
  w.reality["web"].readable = true;
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("a rung whose switch never began gives way to the next") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = {rules::ActionName("rollback"), rules::ActionName("restart")};
    config.actions[0].on_failure = {run("maintenance on")};
  }));
  w.scripts["switch last-good"] = never_begins();
  w.run(5min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.count_performed("run restart") == 1; }, 15min));
  CHECK(w.count_performed("run maintenance on") == 0);
  REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
  CHECK(w.outcome() == "not_recovered");
}

TEST_CASE("SPEC 2.25: a switch by hand after which the same runs is not counted") {
  World w(usual());
  bring_up_v2(w);
  w.scripts["switch last-good"] = lies();
  by_hand_ends(w, "wrong_revision");
  CHECK(switches_away(w, "v2") == 0);
  CHECK(counted(w) == 0);
  CHECK(w.standing("v2") == rules::Standing::candidate);
  w.crash();
  w.scripts.clear();
  errors_on(w);
  w.reality["web"].on_switch = [](Reality& real) { real.extra_errors = 0; };
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(w.last()->from.text == "v2");
}

TEST_CASE("SPEC 2.25: a switch by hand that broke off is counted only when something else runs after it") {
  for (const bool changes : {false, true}) {
    CAPTURE(changes);
    World w(usual());
    bring_up_v2(w);
    w.scripts["switch last-good"] = breaks_off();
    REQUIRE(by_hand(w, "v1").accepted);
    REQUIRE(w.run_until([&] { return w.deeds.size() == 1; }, 1min));
    if (changes) w.deploy("half");
    REQUIRE(w.run_until([&] { return w.closed(); }, 5min));
    CHECK(w.outcome() == "action_failed");
    CHECK(switches_away(w, "v2") == (changes ? 1 : 0));
    CHECK(counted(w) == (changes ? 2 : 0));
    CHECK(w.standing("v2") == (changes ? rules::Standing::suspect : rules::Standing::candidate));
  }
}

TEST_CASE(
    "SPEC 2.25: a switch by hand that says it failed and has brought its target is counted, and its incident ends") {
  World w(with_all_sections());
  bring_up_v2(w);
  w.scripts["switch last-good"] = breaks_off();
  REQUIRE(by_hand(w, "v1").accepted);
  REQUIRE(w.run_until([&] { return w.deeds.size() == 1; }, 1min));
  w.deploy("v1");
  REQUIRE(w.run_until([&] { return w.closed(); }, 5min));
  CHECK(w.outcome() == "action_failed");
  CHECK(w.performed() == std::vector<std::string>{"switch last-good", "run maintenance on", "run resume"});
  CHECK(switches_away(w, "v2") == 1);
  CHECK(counted(w) == 2);
}

TEST_CASE("SPEC 2.25: a switch by hand of which nobody can read what it changed is counted") {
  World w(usual());
  bring_up_v2(w);
  w.scripts["switch last-good"] = breaks_off();
  REQUIRE(by_hand(w, "v1").accepted);
  REQUIRE(w.run_until([&] { return w.deeds.size() == 1; }, 1min));
  w.reality["web"].readable = false;
  REQUIRE(w.run_until([&] { return w.closed(); }, 5min));
  CHECK(switches_away(w, "v2") == 1);
  CHECK(counted(w) == 2);
}

TEST_CASE(
    "SPEC 2.25: a crash while it is looked whether a switch by hand changed anything loses neither look nor end") {
  for (int commands = 1; commands < 40; ++commands) {
    CAPTURE(commands);
    World w(usual());
    bring_up_v2(w);
    w.scripts["switch last-good"] = breaks_off();
    REQUIRE(by_hand(w, "v1").accepted);
    w.crash_after(commands);
    REQUIRE(w.run_until([&] { return w.closed(); }, 5min));
    CHECK(w.count_performed("switch last-good") <= 1);
    CHECK(w.violations.empty());
  }
}

TEST_CASE("SPEC 2.24: by hand it is not switched to what turns out to run already") {
  World w(usual());
  w.reality["web"].readable = false;
  w.run(1min);
  w.reality["web"].readable = true;
  by_hand_ends(w, "no_target");
  CHECK(w.last()->outcome_detail == "v1 runs already; --force switches to it all the same");
  CHECK(w.deeds.empty());
}

TEST_CASE("forced, it is switched by hand to what is said to run already, which stays good") {
  World w(usual());
  w.settle_on_v2();
  rules::RollbackByHand request;
  request.service = rules::ServiceName("web");
  request.to = rules::Revision("v2");
  CHECK(w.ask(request).text == "v2 runs already; --force switches to it all the same");
  request.force = true;
  REQUIRE(w.ask(request).accepted);
  REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
  CHECK(w.standing("v2") == rules::Standing::good);
}
