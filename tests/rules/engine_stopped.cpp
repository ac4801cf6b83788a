#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC 2.14: a deployment without marks stops what runs, for seconds or minutes. What somebody stopped is no evidence;
// what ended by itself is.

using namespace world;

namespace {

// v2 came over v1, is up and not baked: it is armed.
World armed(rules::CoreConfig config = usual()) {
  config.services[0].health = rules::ProbeName("web_health");
  World w(std::move(config));
  bring_up_v2(w);
  w.run(1min);
  return w;
}

void stop(World& w) {
  w.reality["web"].crashing.insert("v2");
  w.reality["web"].stopped = "web.service was stopped by hand";
}

void start(World& w) {
  w.reality["web"].crashing.erase("v2");
  w.reality["web"].stopped.clear();
}

}  // namespace

TEST_CASE("SPEC 2.14: what somebody stopped is not judged as long as a deployment may take, and what ended is") {
  for (const bool by_hand : {true, false}) {
    CAPTURE(by_hand);
    World w = armed();
    stop(w);
    if (!by_hand) w.reality["web"].stopped.clear();
    w.run(10min);
    CHECK((w.outcome() == "none") == by_hand);
    if (!by_hand) continue;
    CHECK(w.rule("down").judgement.cause == rules::Cause::deploying);
    start(w);
    w.run(10min);
    CHECK(w.outcome() == "none");
    CHECK(w.rule("down").judgement.verdict == rules::Verdict::good);
  }
}

TEST_CASE("a rule that fires before it was seen that somebody stopped what ran opens no incident") {
  World w = armed(with([](rules::CoreConfig& config) {
    for (rules::RuleSpec& rule : config.rules) {
      if (rule.name.text == "down") rule.sustain = 0s;
    }
  }));
  stop(w);
  w.run(5min);
  CHECK(w.noted("firing") == 1);
  CHECK(w.outcome() == "none");
  w.run(15min);
  CHECK(w.phase() == "asking");
}

TEST_CASE("that it was stopped is told once, after a minute, and that it runs again, and a short stop is not told") {
  World w = armed();
  stop(w);
  w.run(50s);
  start(w);
  w.run(1min);
  CHECK_FALSE(w.told_text("stopped"));
  stop(w);
  w.run(80s);
  CHECK(w.told_text("web is stopped, and did not fail"));
  CHECK(w.told_text("web.service was stopped by hand (seen at "));
  CHECK(w.told_text("start it"));
  w.crash();
  w.run(3min);
  CHECK(w.noted("stopped") == 1);
  start(w);
  w.run(1min);
  CHECK(w.told_text("web: it is not stopped any more"));
}

TEST_CASE("what stays stopped for longer than a deployment may take is asked about, never acted on by itself") {
  World w = armed(with([](rules::CoreConfig& config) {
    config.services[0].ask_timeout = 10min;
    config.services[0].ask_then = rules::AskThen::act;
  }));
  stop(w);
  w.run(14min);
  CHECK(w.outcome() == "none");
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 4min));
  CHECK(w.open()->asked.starts_with("nobody has started it again: web.service was stopped by hand"));
  w.run(20min);
  CHECK(w.deeds.empty());
  CHECK(w.outcome() == "aborted");
}

TEST_CASE("a question about what was stopped ends when it runs again, and what is down then is rolled back") {
  for (const bool is_well : {true, false}) {
    CAPTURE(is_well);
    World w = armed();
    stop(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 20min));
    w.reality["web"].stopped.clear();
    if (is_well) start(w);
    REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
    CHECK(w.outcome() == (is_well ? "cleared" : "recovered"));
  }
}

TEST_CASE("SPEC 2.15: what is started again after a stop has time to come up, and then down is bad") {
  World w = armed();
  stop(w);
  w.run(3min);
  w.reality["web"].stopped.clear();  // it is started, and not up
  w.run(4min);
  CHECK(w.rule("down").judgement.cause == rules::Cause::warming_up);
  CHECK(w.outcome() == "none");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE(
    "SPEC 2.16: a release that comes after a long stop and stays down is rolled back, for it was not down before") {
  World w = armed();
  stop(w);
  w.run(4min);
  w.reality["web"].stopped.clear();
  w.deploy("crash");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
}

TEST_CASE("a look that sees nothing ends no stop, and hides what it began with no longer") {
  World w = armed();
  stop(w);
  w.run(1min);
  w.reality["web"].stopped.clear();
  w.reality["web"].readable = false;
  w.run(10min);
  CHECK(w.rule("down").judgement.cause == rules::Cause::deploying);
  CHECK(w.run_until([&] { return w.open().has_value(); }, 10min));
}

TEST_CASE("what our own switch stops and starts was stopped by nobody") {
  World w(usual());
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 3min, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
  w.reality["web"].stopped = "web.service was stopped by hand";
  w.reality["web"].on_switch = [](Reality& reality) { reality.stopped.clear(); };
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK_FALSE(w.told_text("stopped by hand"));
}

TEST_CASE("what a step of ours stopped was stopped by nobody else, and the next action of the ladder begins") {
  World w(with([](rules::CoreConfig& config) {
    config.services[0].cooldown = 0s;
    config.actions.push_back(action("freeze", {run("freeze")}));
    config.actions.back().settle = 10s;
    config.rules[0].respond = {rules::ActionName("freeze"), rules::ActionName("rollback")};
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run freeze") == 1; }, 15min));
  w.reality["web"].stopped = "web.service was stopped by hand";
  w.reality["web"].on_switch = [](Reality& reality) { reality.stopped.clear(); };
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
}

TEST_CASE("SPEC 2.15: a watchdog that restarts what never came up keeps nobody from rolling it back") {
  rules::CoreConfig config = usual();
  config.services[0].health = rules::ProbeName("web_health");
  World w(std::move(config));
  w.run(10min);
  w.reality["web"].crashing.insert("v2");
  w.deploy("v2");
  for (int i = 0; i < 40 && w.outcome() == "none"; ++i) {
    w.run(40s);
    w.reality["web"].stopped = "web.service was stopped by hand";
    w.run(20s);
    w.reality["web"].stopped.clear();
  }
  REQUIRE(w.run_until([&] { return w.closed(); }, 15min));
  CHECK(w.outcome() == "recovered");
}

namespace {

// v2 does harm and people are asked; then one of them stops it, and that is seen.
World asked_and_stopped(rules::CoreConfig config) {
  World w(std::move(config));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
  w.reality["web"].crashing.insert("bad");
  w.reality["web"].stopped = "web.service was stopped by hand";
  w.reality["web"].on_switch = [](Reality& reality) { reality.stopped.clear(); };
  w.run(30s);
  return w;
}

}  // namespace

TEST_CASE("who approves after somebody stopped it does not wait for what may be deployed in its place") {
  World w = asked_and_stopped(asking());
  const rules::Answer answer = w.ask(rules::Approve{w.last()->id, "anna"});
  CHECK(answer.accepted);
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 1min));
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("who was told that it is done without an answer is told why it is not, and asked anew when it is started") {
  rules::CoreConfig config = asking();
  config.services[0].ask_timeout = 5min;
  config.services[0].ask_then = rules::AskThen::act;
  World w = asked_and_stopped(std::move(config));
  REQUIRE(w.run_until([&] { return w.told_text("Asked because nobody has started it again: web.service"); }, 6min));
  CHECK(w.phase() == "asking");
  REQUIRE(w.run_until([&] { return w.closed(); }, 6min));
  CHECK(w.outcome() == "aborted");
  CHECK(w.deeds.empty());
  CHECK(w.told_text("nobody answered: nobody has started it again"));
  SUBCASE("it does harm as before") {
    start(w);
    w.reality["web"].crashing.clear();
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
    CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  }
  SUBCASE("it stays stopped: one more question, when no deployment takes that long") {
    w.run(2h);
    REQUIRE(w.all().size() == 2);
    CHECK(w.last()->outcome_detail.starts_with("nobody answered: nobody has started it again"));
  }
}

TEST_CASE("what a step of ours has stopped is not told as stopped by hand, nor is its start advised blindly") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps.insert(config.actions[0].steps.begin(),
                                   {run("stop it"), run("fail", rules::OnFailure::abort)});
  }));
  w.scripts["run fail"] = {rules::StepStatus::failed, 1s};
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run stop it") == 1; }, 15min));
  w.reality["web"].crashing.insert("bad");
  w.reality["web"].stopped = "web.service was stopped by hand";
  w.run(5min);
  CHECK(w.outcome() == "action_failed");
  CHECK_FALSE(w.told_text("did not fail"));
  CHECK(w.told_text("web is stopped since rollbackd changed it"));
  CHECK(w.told_text("once you know that bad is to run"));
}

TEST_CASE("that somebody stopped it while its rollback was verified is in the outcome's words") {
  World w(usual());
  w.reality["web"].on_switch = [](Reality& reality) { reality.sick.insert("v1"); };
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.run(30s);
  w.reality["web"].crashing.insert("v1");
  w.reality["web"].stopped = "web.service was stopped by hand";
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "not_recovered");
  CHECK(w.last()->outcome_detail.ends_with("; web.service was stopped by hand"));
}
