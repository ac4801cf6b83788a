#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"

// What an abort does to the step that runs.

using namespace world;

namespace {

constexpr Duration length = 2min;

// A restart that takes long, and something to be done after it.
rules::CoreConfig slow() {
  return with([](rules::CoreConfig& config) {
    config.rules[0].respond = {rules::ActionName("restart")};
    for (rules::ActionSpec& action : config.actions) {
      if (action.name.text == "restart") action.steps = {run("restart"), run("warm")};
      action.on_failure = {run("maintenance")};
      action.always = {run("tidy")};
    }
  });
}

rules::StepStatus status_of(const World& w, const std::string& text) {
  for (const auto& [id, step] : w.journal.steps) {
    if (step.text == text) return step.status;
  }
  return rules::StepStatus::skipped;
}

void restart_and_wait(World& w) {
  w.scripts["run restart"].takes = length;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run restart") == 1; }, 15min));
  w.run(10s);
}

}  // namespace

TEST_CASE("an abort lets a step finish that changes what runs, and begins no further one of the plan") {
  for (const bool dies : {false, true}) {
    CAPTURE(dies);
    World w(slow());
    w.steps_outlive = true;
    restart_and_wait(w);
    const rules::Answer answer = w.ask(rules::Abort{w.open()->id, "me"});
    REQUIRE(answer.accepted);
    CHECK(answer.text.find("finished first: run restart") != std::string::npos);
    CHECK(answer.text.find("rollbackd abort --kill") != std::string::npos);
    if (dies) w.crash();
    w.run(length - 20s);
    CHECK_FALSE(w.closed());
    REQUIRE(w.run_until([&] { return w.closed(); }, 1min));
    CHECK(w.outcome() == "aborted");
    if (!dies) CHECK(status_of(w, "run restart") == rules::StepStatus::succeeded);
    CHECK(w.count_performed("run warm") == 0);
    CHECK(w.count_performed("run maintenance") == 1);
    CHECK(w.count_performed("run tidy") == 1);
    CHECK(w.violations.empty());
  }
}

TEST_CASE("a switch that is aborted is finished, too, and not verified") {
  World w(usual());
  w.scripts["switch last-good"].takes = length;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.run(length + 1s);
  CHECK(w.reality["web"].running.text == "v1");
  CHECK(status_of(w, "switch last-good") == rules::StepStatus::succeeded);
  CHECK(w.outcome() == "aborted");
}

TEST_CASE("what an aborted switch came to is said, and no command that would be refused") {
  World w(usual());
  w.scripts["switch last-good"].takes = length;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
  const std::string id = w.open()->id.text;
  CHECK(w.situation()->message.text.find("`rollbackd abort " + id + "` stops it") != std::string::npos);
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.run(10s);
  const std::string stands = w.situation()->message.text;
  CHECK(stands.find("`rollbackd abort " + id + "`") == std::string::npos);
  CHECK(stands.find("`rollbackd abort --kill " + id + "` ends that") != std::string::npos);
  w.run(length);
  CHECK(w.last()->outcome_detail == "aborted by me; the switch completed: v1 runs now, and was not verified");
  CHECK_FALSE(w.told_text("`rollbackd rollback web` acts now"));
  CHECK(w.told_text("`rollbackd rollback web --to REVISION` acts now"));
}

TEST_CASE("that something else is in place than runs is no news in the middle of a switch") {
  World w(usual());
  w.scripts["switch last-good"].takes = length;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
  w.reality["web"].unfinished = "v1 is in place, but bad runs";
  w.run(1min);
  CHECK(w.phase() == "acting");
  CHECK(w.service().unfinished.empty());
  w.run(length);
  CHECK_FALSE(w.service().unfinished.empty());
}

TEST_CASE("an abort that kills ends the step at once, also after one that does not") {
  for (const bool second : {false, true}) {
    CAPTURE(second);
    World w(slow());
    restart_and_wait(w);
    const rules::IncidentId id = w.open()->id;
    if (second) {
      REQUIRE(w.ask(rules::Abort{id, "me"}).accepted);
      const rules::Answer again = w.ask(rules::Abort{id, "me"});
      CHECK_FALSE(again.accepted);
      CHECK(again.text.find("rollbackd abort --kill " + id.text) != std::string::npos);
    }
    REQUIRE(w.ask(rules::Abort{id, "me", true}).accepted);
    w.run(5s);
    CHECK(w.outcome() == "aborted");
    CHECK(status_of(w, "run restart") == rules::StepStatus::interrupted);
    CHECK(w.count_performed("run maintenance") == 1);
    CHECK(w.told_text("run restart (interrupted)"));
  }
}

TEST_CASE("an abort ends a step that changes nothing at once") {
  World w(with([](rules::CoreConfig& config) { config.actions[0].steps = {capture("x"), switch_step()}; }));
  w.scripts["capture x: logs"].takes = length;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("capture x: logs") == 1; }, 15min));
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.run(5s);
  CHECK(w.outcome() == "aborted");
  CHECK(w.count_performed("switch last-good") == 0);
}

TEST_CASE("that an aborted switch has stopped what ran is held against nobody when it has started it again") {
  World w(usual());
  w.scripts["switch last-good"].takes = length;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.reality["web"].unhealthy = {"bad"};
  w.run(length + 10min);
  CHECK(w.outcome() == "aborted");
  CHECK(w.all().size() == 1);
}
