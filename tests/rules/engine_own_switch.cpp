#include <doctest/doctest.h>

#include "engine_world.hpp"

// What a switch of ours does to what is measured, and what it is compared with when that was gone before.

using namespace world;

TEST_CASE("SPEC 2.14: what our own switch stops and starts is not down, and nothing joins for it") {
  World w(usual());
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 3min, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 15min));
  w.reality["web"].crashing.insert("bad");
  w.run(1min);
  CHECK(w.rule("down").judgement.cause == rules::Cause::deploying);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.last()->rules.size() == 1);
}

TEST_CASE("a switch of ours that hangs hides an outage no longer than a deployment may take") {
  World w(with([](rules::CoreConfig& config) { config.services[0].deploy_timeout = 5min; }));
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 20min, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 15min));
  w.reality["web"].crashing.insert("bad");
  w.run(4min);
  CHECK(w.rule("down").judgement.cause == rules::Cause::deploying);
  w.run(2min);
  CHECK(w.rule("down").progress.state == rules::RuleState::firing);
}

TEST_CASE("SPEC 3: before(x) is the newest value of the hour before the incident, where there was none any more") {
  for (const bool was_ever_there : {true, false}) {
    CAPTURE(was_ever_there);
    World w(with([&](rules::CoreConfig& config) {
      config.actions[0].verify.when = condition("web_health.up == 1 and web_errors < before(web_errors) + 50%");
    }));
    w.reality["web"].has_counters = was_ever_there;
    w.run(5min);
    w.reality["web"].on_switch = [](Reality& reality) { reality.has_counters = true; };
    w.deploy("crash");
    REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
    CHECK(w.outcome() == "recovered");
    CHECK(w.last()->outcome_detail == "every rule is good again");
    CHECK(w.last()->before.empty() != was_ever_there);
  }
}
