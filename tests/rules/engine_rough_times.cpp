#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"

// Clocks that jump, processes that stand still, counters that begin anew, probes that are slow: nothing is done
// wrongly for it, and nothing is given up for it.

using namespace world;

namespace {

void jump(World& w, Duration by) { w.observe(rules::ClockJump{w.now(), by}); }

// A new process has a later start time and counts from zero.
void begins_anew(Reality& real) {
  real.total = 0;
  real.errors = 0;
  real.process_start += 100;
}

}  // namespace

TEST_CASE("a clock that jumps while a rule is pending: its credit stays, and evidence counts from there on") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.rule("errors").progress.bad > 40s; }, 5min));
  jump(w, 1h);
  CHECK(w.rule("errors").judgement.verdict == rules::Verdict::unknown);
  CHECK(w.rule("errors").judgement.cause == rules::Cause::clock_jump);
  CHECK(w.rule("errors").progress.bad > 40s);
  w.run(10s);
  CHECK(w.outcome() == "none");
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("a clock that jumps while a person is asked neither clears nor acts") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  jump(w, -1h);
  w.run(2min);
  CHECK(w.phase() == "asking");
  CHECK(w.rule("errors").progress.state == rules::RuleState::firing);
  CHECK(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("a clock that jumps during the verification delays it and is no failure") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 10min));
  w.run(50s);
  jump(w, 1h);
  w.run(1s);
  CHECK(w.phase() == "verifying");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 10min));
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("a process that stood still: what was bad before is too old to fire on") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.rule("errors").progress.bad > 50s; }, 5min));
  w.freeze(1h);
  CHECK(w.outcome() == "none");
  errors_off(w);
  w.deploy("v3");
  w.run(10min);
  CHECK(w.noted("firing") == 0);
  CHECK(w.deeds.empty());
}

TEST_CASE("a process that stood still while it verified: people are told, nothing is switched again") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 10min));
  w.run(20s);
  w.freeze(2h);
  REQUIRE(w.run_until([&] { return w.closed(); }, 10min));
  CHECK(w.outcome() == "unverifiable");
  CHECK(w.told(rules::Stage::failed) == 1);
  w.run(1h);
  CHECK(w.deeds.size() == 1);
  CHECK(w.all().size() == 1);
}

TEST_CASE("SPEC 2.5: counters that begin anew with the switch are no errors and no recovery before they are measured") {
  World w(usual());
  w.reality["web"].process_start = 1000;
  w.reality["web"].on_switch = begins_anew;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 10min));
  const Instant begun = w.now();
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 10min));
  // A usable window of the new process (36s), and good for a minute.
  CHECK(w.now() - begun >= 96s);
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("SPEC 2.5: two instances that answer in turn during the switch delay the verdict and are no failure") {
  World w(usual());
  w.reality["web"].process_start = 1000;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 10min));
  for (int turn = 0; turn < 6; ++turn) {
    w.reality["web"].process_start = turn % 2 == 0 ? 1100 : 1000;
    w.run(5s);
  }
  CHECK(w.phase() == "verifying");
  w.reality["web"].process_start = 1100;
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("SPEC 2.10: a probe that is slow up to its timeout makes no rule blind and fires nothing, but what is bad") {
  for (const bool is_bad : {false, true}) {
    CAPTURE(is_bad);
    World w(usual());
    int polls = 0;
    w.reality["web"].poll_takes = [&polls] { return ++polls % 3 == 0 ? Duration(4900ms) : Duration(10ms); };
    w.run(5min);
    w.deploy(is_bad ? "bad" : "v2");
    w.run(30min);
    CHECK_FALSE(w.rule("errors").progress.blind);
    CHECK_FALSE(w.rule("down").progress.blind);
    if (!is_bad) CHECK(w.told(rules::Stage::blind) == 0);
    CHECK(w.noted("firing") == (is_bad ? 1 : 0));
    CHECK(w.outcome() == (is_bad ? "recovered" : "none"));
  }
}

TEST_CASE("SPEC 2.10: a probe whose every poll takes longer than its interval is still measured") {
  rules::CoreConfig config = usual();
  for (rules::ProbeShape& probe : config.probes) probe.max_gap = 17s;  // interval and a timeout of 12 s
  World w(config);
  w.reality["web"].poll_takes = [] { return Duration(12s); };
  w.run(5min);
  CHECK(w.told(rules::Stage::blind) == 0);
  w.deploy("bad");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  w.run(5min);
  CHECK_FALSE(w.rule("errors").progress.blind);
}

TEST_CASE("SPEC 2.11: the end of for has its confirmation at once, also where something else is told at that instant") {
  rules::CoreConfig config = usual();
  config.rules = {rule("down", "web_health.up == 0", 32s)};
  World w(config);
  w.run(5min);
  w.reality["web"].crashing.insert("v1");
  REQUIRE(w.run_until([&] { return w.rule("down").progress.state == rules::RuleState::pending; }, 10s));
  const Instant full = w.now() + 32s;
  w.observe(rules::ReadinessRead{rules::ServiceName("web"), full, true, ""});
  w.run(full - w.now() - 1ms);
  CHECK(w.polls_asked == 0);
  w.run(2ms);
  CHECK(w.polls_asked == 1);
}

TEST_CASE("SPEC 2.19: what explains the trouble does so only until it is stale") {
  World w(with(explain_by_pg));
  harm_explained_by_pg(w);
  REQUIRE(w.run_until([&] { return w.noted("withheld") == 1; }, 5min));
  w.reality["pg"].poll_takes = [] { return Duration(24h); };
  const auto last_poll = [&w] {
    for (const rules::ProbeView& probe : w.view().probes) {
      if (probe.probe.text == "pg_health") return probe.last->ended;
    }
    return Instant();
  };
  REQUIRE(w.run_until([&] { return w.outcome() != "none"; }, 3min));
  CHECK(w.last()->opened - last_poll() >= 72500ms);
  CHECK(w.last()->opened - last_poll() <= 90s);
}

TEST_CASE("SPEC 2.17: time in which nothing is known to be up any more does not count towards baking") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(2min);
  w.reality["web"].poll_takes = [] { return Duration(24h); };
  Instant oldest = Instant::max();
  for (const rules::ProbeView& probe : w.view().probes) oldest = std::min(oldest, probe.last->ended);
  const Duration known = oldest + 12500ms - w.now();
  const Duration baked = w.service().baked;
  w.run(5min);
  CHECK(w.service().baked - baked == known);
}
