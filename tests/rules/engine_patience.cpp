#include <doctest/doctest.h>

#include "engine_world.hpp"

// Every wait ends: for the host's lock, for people, for what explains the trouble, for a rung to help.

using namespace world;

namespace {

rules::CoreConfig tidies_up() {
  return with([](rules::CoreConfig& config) { config.actions[0].always = {run("tidy"), notify("team")}; });
}

// Only what is always done is left, and another process took the lock while we were away.
void lose_the_lock_before_tidying_up(World& w) {
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.crash();
  w.lock_refused = true;
  REQUIRE(w.run_until([&] { return w.phase() == "finishing"; }, 15min));
}

// Fires at the second bad answer, and a restart is tried first.
rules::CoreConfig at_once() {
  return with([](rules::CoreConfig& config) {
    config.rules = {rule("down", "web_health.up == 0", 0s, {"restart", "rollback"})};
  });
}

// v2 runs, was up, and is down.
void bring_down_v2(World& w) {
  bring_up_v2(w);
  w.reality["web"].crashing.insert("v2");
}

}  // namespace

TEST_CASE("an always step that cannot have the host's lock is left out after deploy_timeout, and people are told") {
  World w(tidies_up());
  lose_the_lock_before_tidying_up(w);
  const Instant begun = w.now();
  REQUIRE(w.run_until([&] { return w.closed(); }, 1h));
  CHECK(w.now() - begun >= 15min);
  CHECK(w.now() - begun <= 16min);
  CHECK(w.outcome() == "action_failed");
  CHECK(w.last()->outcome_detail.find("run tidy was not done: the host's lock cannot be had") != std::string::npos);
  CHECK(w.count_performed("run tidy") == 0);
  CHECK(w.told(rules::Stage::failed) == 1);
  CHECK(w.tells.back().text.find("run tidy was not done") != std::string::npos);
  int left_out = 0;
  for (const auto& [id, step] : w.journal.steps) left_out += step.status == rules::StepStatus::skipped ? 1 : 0;
  CHECK(left_out == 1);
  // What was verified stays verified.
  CHECK(w.standing("bad") == rules::Standing::bad);
}

TEST_CASE("an always step is done when the host's lock can be had in time") {
  World w(tidies_up());
  lose_the_lock_before_tidying_up(w);
  w.run(10min);
  CHECK_FALSE(w.closed());
  w.lock_refused = false;
  REQUIRE(w.run_until([&] { return w.closed(); }, 2min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("run tidy") == 1);
}

TEST_CASE("a plan that has begun and cannot have the host's lock again fails after deploy_timeout") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("pause"), sleep(1min), switch_step()};
    config.actions[0].on_failure = {run("resume")};
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run pause") == 1; }, 15min));
  w.run(10s);
  w.crash();
  w.lock_refused = true;
  REQUIRE(w.run_until([&] { return w.closed(); }, 1h));
  CHECK(w.outcome() == "action_failed");
  CHECK(w.last()->outcome_detail.find("the host's lock cannot be had") != std::string::npos);
  CHECK(w.last()->outcome_detail.find("run resume was not done") != std::string::npos);
  CHECK(w.count_performed("switch last-good") == 0);
}

TEST_CASE("SPEC 2.26: a pause that ends during the verification takes nothing from what was seen to be good") {
  const auto closed_after = [](bool pauses) {
    World w(usual());
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
    const Instant begun = w.now();
    w.run(30s);
    if (pauses) w.ask(rules::Pause{{}, 40s, "a look around"});
    REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
    return w.now() - begun;
  };
  CHECK(closed_after(true) == closed_after(false));
}

TEST_CASE("SPEC 2.19: unless_max goes on over our own restarts") {
  World w(with(explain_by_pg));
  harm_explained_by_pg(w);
  w.run(3min);
  REQUIRE(w.noted("withheld") > 0);
  for (int restart = 0; restart < 4; ++restart) {
    w.crash(2s);
    w.run(2min);
  }
  // Nearly the ten minutes are over, and are not begun anew.
  CHECK(w.outcome() == "none");
  CHECK(w.run_until([&] { return w.outcome() != "none"; }, 2min));
}

TEST_CASE("SPEC 2.21: watcher.mode = ask is the most that may be done, also where ask.then says act") {
  World w(with([](rules::CoreConfig& config) {
    config.mode = rules::Mode::ask;
    config.services[0].ask_then = rules::AskThen::act;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  CHECK(w.told_text("Without an answer the incident is closed in 30m"));
  w.run(31min);
  CHECK(w.outcome() == "aborted");
  CHECK(w.deeds.empty());
}

TEST_CASE("SPEC 2.21: an ask that time answered is asked again when acting is no longer allowed") {
  World w(with([](rules::CoreConfig& config) {
    config.services[0].ask_then = rules::AskThen::act;
    config.rules[0].severity = rules::Severity::p2;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(20min);
  w.mark(rules::MarkKind::begin);
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 11min));
  rules::SelfDegraded full{w.now(), "the disk is full"};
  full.ask_instead_of_act = true;
  w.observe(full);
  w.mark(rules::MarkKind::end);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
  CHECK(w.deeds.empty());
}

TEST_CASE("SPEC 2.27: a rung of a rule with for = 0s is given two polls to help before the ladder is climbed") {
  for (const bool helps : {true, false}) {
    CAPTURE(helps);
    World w(at_once());
    bring_down_v2(w);
    REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 5min));
    const Instant settled = w.now();
    if (helps) w.reality["web"].crashing.erase("v2");
    REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
    CHECK(w.deeds.size() == (helps ? 1U : 2U));
    if (!helps) CHECK(w.deeds[1].at - settled >= 10s);
  }
}

TEST_CASE("SPEC 2.27: what was good while the action ran says nothing of whether it helped") {
  World w(at_once());
  w.scripts["run restart"] = {rules::StepStatus::succeeded, 20s, true};
  bring_down_v2(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run restart") == 1; }, 5min));
  w.run(5s);
  w.reality["web"].crashing.erase("v2");
  REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 1min));
  w.reality["web"].crashing.insert("v2");
  REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
  CHECK(w.performed() == std::vector<std::string>{"run restart", "switch last-good"});
}

TEST_CASE("a question asked only because the host's lock could not be had is withdrawn when it can") {
  World w(usual());
  w.lock_refused = true;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 30min));
  w.run(1min);
  CHECK(w.phase() == "asking");
  w.lock_refused = false;
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15s));
  CHECK(w.told_text("nobody has to approve it any more: the host's lock is free"));
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(w.violations.empty());
}

TEST_CASE("whoever approves what the host's lock then holds up is told") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
  w.lock_refused = true;
  const int late = w.told(rules::Stage::late);
  REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
  w.run(1min);
  CHECK(w.told(rules::Stage::late) == late + 1);
}

TEST_CASE("what is well by the time that the host's lock can be had is not switched away from") {
  World w(with([](rules::CoreConfig& config) { config.rules[0].sustain = 2min; }));
  w.lock_refused = true;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 15min));
  w.reality["web"].sick.clear();
  w.run(12s);
  w.lock_refused = false;
  w.run(20min);
  CHECK(w.count_performed("switch last-good") == 0);
  CHECK(w.outcome() == "cleared");
}

TEST_CASE(
    "what is well by the time that the host's lock can be had needs no more requests between two polls to be seen") {
  World w(with([](rules::CoreConfig& config) { config.rules[0].sustain = 2min; }));
  w.reality["web"].requests_per_second = 3;
  w.lock_refused = true;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 15min));
  w.reality["web"].sick.clear();
  w.run(25s);
  w.lock_refused = false;
  w.run(20min);
  CHECK(w.count_performed("switch last-good") == 0);
  CHECK(w.outcome() == "cleared");
}
