#include <doctest/doctest.h>

#include "engine_world.hpp"

// What our own steps mean for what is measured after them: an action that brings no new instance changes nothing about
// how long what runs may take to start (SPEC 2.15), and one that may have is given that time.

using namespace world;

namespace {

rules::StepSpec call() {
  rules::StepSpec step;
  step.what = rules::HttpStep{};
  step.timeout = 10s;
  return step;
}

// `errors` responds with one step alone, and `down`, which is more severe, with a rollback.
rules::CoreConfig poking(const rules::StepSpec& step) {
  return with([&](rules::CoreConfig& config) {
    config.services[0].cooldown = 0s;
    config.actions.push_back(action("poke", {step}));
    config.actions.back().settle = 10s;
    config.rules[0].respond = {rules::ActionName("poke")};
    config.rules[1].severity = rules::Severity::p0;
    config.rules[1].sustain = 2min;
  });
}

// Up for long, it answers its health check with errors from the same moment on as everything else.
void sicken(World& w, bool answers) {
  bring_up_v2(w);
  w.run(2min);
  w.reality["web"].answers_sick = answers;
  w.reality["web"].unhealthy = {"v2"};
  errors_on(w);
}

bool is_poked(const World& w) {
  return w.count_performed("run poke") + w.count_performed("http POST ") > 0 && w.phase() != "acting";
}

}  // namespace

TEST_CASE("SPEC 2.15: an outage is not given time to start again because of a step that restarted nothing") {
  for (const rules::StepSpec& step : {call(), run("poke")}) {
    CAPTURE(describe(step));
    World w(poking(step));
    sicken(w, true);
    REQUIRE(w.run_until([&] { return is_poked(w); }, 15min));
    // Its span begins anew at the end of the action, its warm-up does not.
    CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 3min));
    CHECK(w.violations.empty());
  }
}

TEST_CASE("a call does not give what nobody answers for time to start, where that was so before it") {
  World w(poking(call()));
  sicken(w, false);
  REQUIRE(w.run_until([&] { return is_poked(w); }, 15min));
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 3min));
}

TEST_CASE("SPEC 2.15: what a command restarted is given its time to start") {
  World w(poking(run("poke")));
  bring_up_v2(w);
  w.run(2min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run poke") == 1; }, 15min));
  w.reality["web"].unhealthy = {"v2"};
  w.run(4min);
  CHECK(w.service().warming_up);
  CHECK(w.count_performed("switch last-good") == 0);
  // That is not for ever.
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 5min));
}

TEST_CASE("what waits for the cooldown says until when, why, and what ends it") {
  World w(with([](rules::CoreConfig& config) { config.rules[0].respond = {rules::ActionName("restart")}; }));
  bring_up_v2(w);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  w.tells.clear();
  w.reality["web"].unhealthy = {"v2"};
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 5min));
  w.run(1min);
  CHECK(w.told_text("waits: cooldown until "));
  CHECK(w.told_text("10m after what was done last, which `rollbackd fuse reset web` ends"));
  CHECK(w.journal.incidents.at(w.last()->id.text).waiting_for.starts_with("cooldown until "));
  REQUIRE(w.ask(rules::FuseReset{rules::ServiceName("web")}).accepted);
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 1min));
}

namespace {

rules::CoreConfig frozen_first(bool with_another_rung = false) {
  return with([&](rules::CoreConfig& config) {
    config.services[0].cooldown = 0s;
    config.actions[0].steps = {run("freeze"), switch_step()};
    config.actions[0].on_failure = {run("thaw")};
    config.actions[0].always = {run("tidy")};
    for (rules::RuleSpec& rule : config.rules) {
      rule.respond = {rules::ActionName("rollback")};
      if (with_another_rung) rule.respond.emplace_back("restart");
    }
  });
}

void until_frozen(World& w) {
  w.scripts["run freeze"].takes = 20s;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run freeze") == 1; }, 15min));
  w.run(5s);
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a mark that forbids what is being done keeps the switch from beginning, and what was begun is made good") {
  World w(frozen_first());
  until_frozen(w);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
  REQUIRE(w.run_until([&] { return w.all().front().closed.has_value(); }, 5min));
  CHECK(w.all().front().outcome == rules::Outcome::aborted);
  CHECK(w.performed() == Words{"run freeze", "run thaw", "run tidy"});
  CHECK(w.told_text("its deploy mark forbids rolling it back, which was said before the switch began"));
  CHECK(w.told_text("`rollbackd deploy mark bad --service web --rollback auto` allows it"));
  w.run(30min);
  CHECK(w.count_performed("switch last-good") == 0);
  CHECK(w.standing("bad") == rules::Standing::candidate);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::automatic);
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 5min));
  CHECK(w.violations.empty());
}

TEST_CASE("where a mark forbids the switch, the rung after it is taken") {
  World w(frozen_first(true));
  until_frozen(w);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
  REQUIRE(w.run_until([&] { return w.count_performed("run restart") == 1; }, 5min));
  CHECK(w.count_performed("switch last-good") == 0);
  CHECK(w.count_performed("run thaw") == 1);
}

TEST_CASE("a mark that says ask while the plan runs has people asked before the switch") {
  World w(frozen_first());
  until_frozen(w);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::ask);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 5min));
  CHECK(w.count_performed("switch last-good") == 0);
  CHECK(w.told(rules::Stage::ask) == 1);
  SUBCASE("yes") {
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.outcome() == "recovered");
    CHECK(w.count_performed("run freeze") == 1);
  }
  SUBCASE("no") {
    REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
    REQUIRE(w.run_until([&] { return w.closed(); }, 5min));
    CHECK(w.performed() == Words{"run freeze", "run thaw", "run tidy"});
  }
  SUBCASE("the mark is taken back") {
    w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::automatic);
    CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 1min));
  }
  SUBCASE("the rules are good again meanwhile") {
    w.reality["web"].sick = {};
    REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
    CHECK(w.performed() == Words{"run freeze", "run thaw", "run tidy"});
  }
  CHECK(w.violations.empty());
}

TEST_CASE("captures that follow each other may be made side by side, and each is asked for when its turn comes") {
  rules::CoreConfig config = usual();
  std::vector<rules::StepSpec>& steps = config.actions[0].steps;
  steps.insert(steps.begin(), {capture("a"), capture("b"), call(), capture("c")});
  World w(config);
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  std::vector<std::size_t> beside;
  for (const Done& one : w.deeds) {
    if (std::holds_alternative<rules::CaptureStep>(one.command.step.what)) beside.push_back(one.command.beside.size());
  }
  CHECK(beside == std::vector<std::size_t>{1, 0, 0});
}
