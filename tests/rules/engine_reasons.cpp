#include <doctest/doctest.h>

#include "engine_world.hpp"

// What looks like a reason to act and is none, and what looks like none and is one.

using namespace world;
using rules::Standing;

namespace {

void add_notice(rules::CoreConfig& config, const std::string& when, Duration sustain) {
  config.rules.push_back(rule("notice", when, sustain, {}));
  config.rules.back().severity = rules::Severity::p3;
}

// Fires on three times the errors that the revision before had.
rules::CoreConfig worse_than_before() {
  rules::CoreConfig config = usual();
  config.rules = {rule("worse", "web_errors > 3 * baseline(web_errors)", 1min)};
  return config;
}

}  // namespace

TEST_CASE("SPEC 2.22: a rule that only notifies and still fires does not roll back for one that cleared") {
  World w(with([](rules::CoreConfig& config) {
    add_notice(config, "web_errors > 2%", 30s);
    config.actions[0].steps = {sleep(6min), switch_step()};
  }));
  bring_up_v2(w);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 10min));
  w.reality["web"].extra_errors = 0.03;
  w.run(15min);
  CHECK(w.deeds.empty());
  CHECK(w.phase() == "telling");
  // The acting rule fires again: that is a reason again.
  w.reality["web"].extra_errors = 0.3;
  CHECK(w.run_until([&] { return w.deeds.size() == 1; }, 20min));
}

TEST_CASE("SPEC 2.27: a rule that only notifies and fires while a restart is verified does not climb") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = restart_then_rollback();
    add_notice(config, "web_errors > 2%", 70s);
  }));
  bring_up_v2(w);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run restart") == 1; }, 15min));
  w.reality["web"].extra_errors = 0.021;
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.told_text("notice"));
  CHECK(w.count_performed("switch last-good") == 0);
}

TEST_CASE("SPEC 2.16: a fresh rule that only notifies does not let a pre-existing one roll back") {
  World w(with([](rules::CoreConfig& config) { add_notice(config, "web_errors > 40%", 10s); }));
  w.reality["web"].extra_errors = 0.3;
  w.run(5min);
  w.deploy("v2");
  w.run(30s);
  w.reality["web"].extra_errors = 0.6;
  w.run(15min);
  CHECK(w.last()->rules.size() == 2);
  CHECK(w.deeds.empty());
  CHECK(w.phase() == "asking");
}

TEST_CASE("SPEC 2.16: what is bad only since the new revision runs is not pre-existing, however late the mark comes") {
  World w(usual());
  w.run(5min + 1s);
  w.deploy("crash");
  w.run(7s);
  w.mark(rules::MarkKind::mark, "crash");
  w.run(1min);
  REQUIRE(w.service().revision.text == "crash");
  CHECK_FALSE(w.rule("down").preexisting);
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("SPEC 2.20: a rule that acts and joins one that asks does not wait for the answer") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].severity = rules::Severity::p2;
    config.rules.push_back(rule("worse", "web_errors > 10%", 2min));
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 10min));
}

TEST_CASE("SPEC 2.25: after a wait a rule that cannot be seen any more starts nothing until it is seen bad") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 10min));
  w.reality["web"].probes_work = false;
  w.run(20min);
  CHECK(w.deeds.size() == 1);
  CHECK(w.phase() == "held");
  w.reality["web"].probes_work = true;
  CHECK(w.run_until([&] { return w.deeds.size() == 2; }, 5min));
}

TEST_CASE("SPEC 2.25: a rung that was refused by the fuse does nothing, not even what follows failure") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = restart_then_rollback();
    config.services[0].fuse.switches_per_day = 0;
    config.actions[0].on_failure = {run("maintenance")};
    config.actions[0].always = {run("tidy")};
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "fused"; }, 20min));
  CHECK(w.performed() == std::vector<std::string>{"run restart"});
}

TEST_CASE("SPEC 2.14: a mark that names a revision waits for it and survives our restart") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    World w(usual());
    w.run(5min);
    w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
    if (restarts) w.crash();
    w.deploy("v2");
    w.run(1min);
    w.deploy("bad");
    w.run(10min);
    CHECK(w.phase() == "telling");
    CHECK(w.deeds.empty());
  }
}

TEST_CASE("SPEC 2.14: a mark between deploy begin and end does not end the deployment") {
  World w(usual());
  w.run(5min);
  w.mark(rules::MarkKind::begin);
  w.mark(rules::MarkKind::mark, "v2");
  w.run(10s);
  CHECK(w.service().deploying);
  w.mark(rules::MarkKind::end);
  CHECK_FALSE(w.service().deploying);
}

TEST_CASE("SPEC 2.14: no evidence from before a late mark counts") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.rule("errors").progress.bad > 40s; }, 5min));
  w.mark(rules::MarkKind::mark, "bad");
  CHECK(w.rule("errors").progress.bad < 1s);
}

TEST_CASE("SPEC 2.14: a look that fails between two that agree does not hide a deployment") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  for (int look = 0; look < 4; ++look) {
    w.reality["web"].readable = look % 2 == 0;
    w.run(10s);
  }
  CHECK(w.service().revision.text == "v2");
}

TEST_CASE("SPEC 2.14: a switch of ours that is seen only after its incident is no deployment") {
  World w(armed_always());
  w.settle_on_v2();
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.deeds.size() == 1; }, 15min));
  w.reality["web"].readable = false;
  REQUIRE(w.run_until([&] { return w.outcome() == "unverifiable"; }, 30min));
  w.reality["web"].readable = true;
  w.run(15min);
  REQUIRE(w.service().revision.text == "v2");
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 30min));
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("SPEC 2.15: one that restarts again and again without coming up is down, not warming up") {
  World w(usual());
  w.reality["web"].unhealthy = {"v2"};
  w.reality["web"].process_start = 1000;
  w.run(5min);
  w.deploy("v2");
  for (int restart = 0; restart < 12 && w.deeds.empty(); ++restart) {
    w.reality["web"].process_start += 60;
    w.run(1min);
  }
  CHECK(w.count_performed("switch last-good") == 1);
}

TEST_CASE("SPEC 2.15: an instance that restarts after it was up warms up anew") {
  World w(usual());
  w.reality["web"].process_start = 1000;
  w.run(10min);
  w.reality["web"].process_start = 1300;
  w.reality["web"].unhealthy = {"v1"};
  w.run(20s);
  CHECK(w.rule("down").judgement.cause == rules::Cause::warming_up);
}

TEST_CASE("SPEC 2.26: after our restart what was left does not count against what was brought") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying" && w.service().revision.text == "v1"; }, 15min));
  w.run(12s);
  w.crash();
  bool was_bad = false;
  w.run_until([&] { return was_bad = was_bad || w.rule("errors").judgement.verdict == rules::Verdict::bad; }, 1min);
  CHECK_FALSE(was_bad);
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 10min));
}

TEST_CASE("SPEC 2.26: a driver that returns before the old revision is gone is waited for, at most start_deadline") {
  for (const bool comes : {true, false}) {
    CAPTURE(comes);
    World w(usual());
    w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 1s, false};
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
    const Instant begun = w.now();
    w.run(1min);
    CHECK(w.phase() == "verifying");
    if (comes) w.deploy("v1");
    REQUIRE(w.run_until([&] { return w.closed(); }, 15min));
    CHECK(w.outcome() == (comes ? "recovered" : "wrong_revision"));
    if (!comes) CHECK(w.now() - begun <= 5min + 11s);
  }
}

TEST_CASE("SPEC 2.26: a rule that a reload takes away was not seen good") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying" && w.service().revision.text == "v1"; }, 15min));
  rules::CoreConfig config = usual();
  config.rules.erase(config.rules.begin());
  w.reload(config);
  REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
  CHECK(w.outcome() == "unverifiable");
  CHECK(w.standing("bad") == Standing::suspect);
}

TEST_CASE("SPEC 2.26: before(x) is the value when the incident opened") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].verify.when = condition("web_errors < 0.5 * before(web_errors)");
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.last()->before.at("web_errors") == doctest::Approx(0.3).epsilon(0.05));
}

TEST_CASE("SPEC 2.9: a baseline is the median of the verified predecessor, not of the one under test") {
  World w(worse_than_before());
  w.reality["web"].extra_errors = 0.01;
  w.run(20min);
  w.deploy("v2");
  w.run(1min);
  w.reality["web"].extra_errors = 0.02;
  w.run(30min);
  CHECK(w.outcome() == "none");
  w.reality["web"].extra_errors = 0.04;
  CHECK(w.run_until([&] { return w.deeds.size() == 1; }, 10min));
  CHECK(w.journal.ledger.at({"web", "v2"}).baselines.at("web_errors") == doctest::Approx(0.01).epsilon(0.1));
}

TEST_CASE("SPEC 2.9: without ten minutes of a baseline what rests on it is left out and nothing fires") {
  World w(worse_than_before());
  harm(w);
  w.run(20min);
  CHECK(w.rule("worse").judgement.cause == rules::Cause::no_baseline);
  CHECK(w.outcome() == "none");
}

TEST_CASE("a plan whose lock is refused after a crash goes on and is not fused by its own switch") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {switch_step(), sleep(30s), run("warm", rules::OnFailure::abort)};
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.service().revision.text == "v1"; }, 15min));
  w.lock_refused = true;
  w.crash();
  w.run(2min);
  CHECK(w.outcome() == "open");
  w.lock_refused = false;
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.performed() == std::vector<std::string>{"switch last-good", "run warm"});
}

TEST_CASE("an idempotent switch found in flight is begun again only with the host's lock, and counted once") {
  World w(with([](rules::CoreConfig& config) { config.actions[0].steps[0].idempotent = true; }));
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 20s, false};
  harm(w);
  REQUIRE(w.run_until([&] { return w.deeds.size() == 1; }, 15min));
  w.run(5s);
  w.lock_refused = true;
  w.scripts.clear();
  w.crash();
  w.run(1min);
  CHECK(w.deeds.size() == 1);
  w.lock_refused = false;
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.deeds.size() == 2);
  CHECK(w.journal.ledger.at({"web", "bad"}).switches_away == 1);
}

TEST_CASE("a stop in the middle of a plan begins no further step, and the next start goes on there") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("pause"), switch_step()};
    config.actions[0].always = {run("tidy")};
  }));
  w.scripts["run pause"] = {rules::StepStatus::succeeded, 20s, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.deeds.size() == 1; }, 15min));
  w.stop();
  w.run(2min);
  CHECK(w.performed() == std::vector<std::string>{"run pause"});
  CHECK(w.outcome() == "open");
  w.crash(10s);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.performed() == std::vector<std::string>{"run pause", "switch last-good", "run tidy"});
}

TEST_CASE("a disk without its reserve makes it ask, and a damaged database observe until the state is accepted") {
  {
    World w(usual());
    w.observe(rules::SelfDegraded{w.now(), "the disk is full", true, false});
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
    CHECK(w.deeds.empty());
  }
  World w(usual());
  w.observe(rules::SelfDegraded{w.now(), "the database was damaged", false, true});
  w.observe(rules::SelfDegraded{w.now(), "", false, false});
  CHECK(w.view().mode == rules::Mode::observe);
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 15min));
  CHECK(w.deeds.empty());
  CHECK(w.ask(rules::AcceptState{}).accepted);
  CHECK(w.view().mode == rules::Mode::act);
}

TEST_CASE("people are told once that the watcher itself is in trouble, and when that is over") {
  World w(usual());
  w.run(1min);
  for (int i = 0; i < 3; ++i) w.observe(rules::SelfDegraded{w.now(), "the disk is full", true, false});
  w.run(1min);
  CHECK(w.told(rules::Stage::fault) == 1);
  CHECK(w.told_text("the disk is full"));
  w.observe(rules::SelfDegraded{w.now(), "", false, false});
  w.observe(rules::SelfDegraded{w.now(), "", false, false});
  w.run(1min);
  CHECK(w.told(rules::Stage::fault) == 2);
}

TEST_CASE("a watcher that cannot vouch for itself measures nothing until it is well again") {
  World w(usual());
  w.run(5min);
  w.observe(rules::SelfDegraded{w.now(), "the loop lags", false, false});
  w.deploy("bad");
  w.run(10min);
  CHECK(w.rule("errors").judgement.cause == rules::Cause::self_degraded);
  CHECK(w.outcome() == "none");
  w.observe(rules::SelfDegraded{w.now(), "", false, false});
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("what is missing before a rule acts is said") {
  World w(usual());
  const auto says = [&](const std::string& part) {
    for (const std::string& one : w.rule("errors").missing) {
      if (one.find(part) != std::string::npos) return true;
    }
    return false;
  };
  CHECK(says("unknown: "));
  w.run(5min);
  CHECK(says("it is good"));
  CHECK(says("disarmed: would ask"));
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.rule("errors").progress.bad > 20s; }, 5min));
  CHECK(says("of 1m"));
  w.ask(rules::Pause{{}, 1h, ""});
  CHECK(says("paused until"));
}

TEST_CASE("SPEC 2.22: what fires while the service is paused is told, with the word that ends the pause") {
  World w(usual());
  w.settle_on_v2();
  CHECK(w.ask(rules::Pause{{}, 30min, "maintenance"}).accepted);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.noted("firing") == 1; }, 10min));
  CHECK(w.told_text("web: errors fires, and nothing is done"));
  CHECK(w.told_text("`rollbackd resume --service web` ends that"));
  w.run(10min);
  CHECK(w.told(rules::Stage::fault) == 1);
  CHECK(w.deeds.empty());
}
