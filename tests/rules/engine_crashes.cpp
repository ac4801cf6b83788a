#include <doctest/doctest.h>

#include <set>

#include "engine_world.hpp"

// SPEC section 6: after a crash the watcher looks at what runs before it acts.

using namespace world;

namespace {

rules::CoreConfig long_plan() {
  rules::CoreConfig config = usual();
  config.actions[0].steps = {notify("team"),
                             capture("logs"),
                             run("pause"),
                             switch_step(),
                             wait("web_health.up == 1", 15s, 5min),
                             run("warm", rules::OnFailure::abort)};
  config.actions[0].on_success = {run("resume")};
  config.actions[0].on_failure = {run("maintenance")};
  config.actions[0].always = {run("tidy"), notify("team")};
  return config;
}

// Dies while the switch is in flight, and comes back when that is over; `happens`: whether it did anything.
void die_in_the_switch(World& w, bool happens) {
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 20s, happens};
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
  w.run(5s);
  w.crash(30s);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
}

// The step before the switch is in flight.
void reach_a_long_pause(World& w) {
  w.scripts["run pause"] = {rules::StepStatus::succeeded, 20s, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run pause") == 1; }, 15min));
}

}  // namespace

TEST_CASE("a watcher that dies at any command: at most one switch, every always step, an outcome") {
  World whole(long_plan());
  harm(whole);
  REQUIRE(whole.run_until([&] { return whole.closed(); }, 30min));
  int crashed = 0;
  for (int commands = 1; commands < 400; ++commands) {
    CAPTURE(commands);
    World w(long_plan());
    harm(w);
    w.crash_after(commands);
    REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
    if (!w.crashed()) break;
    ++crashed;
    w.run(2min);
    CHECK(w.count_performed("switch last-good") <= 1);
    CHECK(w.count_performed("run tidy") >= 1);
    CHECK(w.all().size() == 1);
    CHECK(w.violations.empty());
    const std::set<std::string> possible{"recovered", "action_failed"};
    INFO(w.outcome() << ": " << w.last()->outcome_detail);
    CHECK(possible.contains(w.outcome()));
  }
  CHECK(crashed > 60);
}

TEST_CASE("a switch found in flight that happened counts as done") {
  World w(long_plan());
  die_in_the_switch(w, true);
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
}

TEST_CASE("a switch found in flight that did not happen is not repeated") {
  World w(long_plan());
  die_in_the_switch(w, false);
  CHECK(w.outcome() == "action_failed");
  CHECK(w.count_performed("switch last-good") == 1);
  CHECK(w.count_performed("run maintenance") == 1);
  CHECK(w.count_performed("run tidy") == 1);
}

TEST_CASE("a watcher that is killed at any time while its steps' commands live on: never two at once") {
  int waited_for = 0;
  for (Duration after = 0s;; after += 3s) {
    CAPTURE(after / 1s);
    World w(long_plan());
    w.steps_outlive = true;
    for (const char* step :
         {"switch last-good", "run pause", "run warm", "run resume", "run maintenance", "run tidy"}) {
      w.scripts[step].takes = 20s;
    }
    harm(w);
    REQUIRE(w.run_until([&] { return w.last().has_value(); }, 15min));
    w.run(after);
    if (w.closed()) break;
    w.crash();
    REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
    CHECK(w.violations.empty());
    CHECK(w.count_performed("switch last-good") <= 1);
    CHECK(w.count_performed("run tidy") >= 1);
    const rules::IncidentRecord ended = *w.last();
    for (const rules::TimelineEntry& entry : ended.timeline) waited_for += entry.event == "work_ended" ? 1 : 0;
  }
  CHECK(waited_for > 10);
}

TEST_CASE("a switch whose command is still at work after a restart is looked at once that has ended") {
  World w(long_plan());
  w.steps_outlive = true;
  w.scripts["switch last-good"].takes = 2min;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
  w.run(5s);
  w.crash();
  const std::size_t done = w.deeds.size();
  w.run(1min + 50s);
  CHECK(w.deeds.size() == done);
  CHECK(w.phase() == "acting");
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
}

TEST_CASE("a step that went on without its watcher, and whose end somebody saw, has that end") {
  for (const char* step : {"run pause", "switch last-good", "run warm"}) {
    CAPTURE(step);
    World w(long_plan());
    w.steps_outlive = w.ends_are_seen = true;
    w.scripts[step].takes = 2min;
    harm(w);
    REQUIRE(w.run_until([&] { return w.count_performed(step) == 1; }, 15min));
    w.run(5s);
    w.crash();
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.outcome() == "recovered");
    CHECK(w.count_performed(step) == 1);
    const auto last = w.last();
    REQUIRE(last.has_value());
    for (const rules::TimelineEntry& entry : last->timeline) CHECK(entry.event != "work_ended");
    CHECK(w.violations.empty());
  }
}

TEST_CASE("a step whose end nobody saw is looked at, though the watcher that began it is alive") {
  World w(long_plan());
  w.scripts["switch last-good"] = {rules::StepStatus::interrupted, 20s, true};
  w.scripts["switch last-good"].unseen = true;
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
  CHECK(w.noted("work_ended") == 1);
  CHECK(w.violations.empty());
}

TEST_CASE("what follows a step that fails by a restart begins once its command has ended") {
  rules::CoreConfig config = long_plan();
  config.actions[0].steps[2].on_failure = rules::OnFailure::abort;
  World w(config);
  w.steps_outlive = true;
  w.scripts["run pause"].takes = 2min;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run pause") == 1; }, 15min));
  const Instant ends = w.now() + 2min;
  w.run(5s);
  w.crash();
  REQUIRE(w.run_until([&] { return w.count_performed("run maintenance") == 1; }, 15min));
  CHECK(w.now() >= ends);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "action_failed");
  CHECK(w.violations.empty());
}

TEST_CASE("an abort ends what a killed watcher left at work") {
  World w(long_plan());
  w.steps_outlive = true;
  w.scripts["run pause"].takes = 2h;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run pause") == 1; }, 15min));
  w.run(5s);
  w.crash();
  CHECK(w.ask(rules::Abort{w.last()->id, "me", true}).accepted);
  // Killed before it could end it: the next one does.
  w.crash();
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "aborted");
  CHECK(w.count_performed("run tidy") == 1);
}

TEST_CASE("a step in flight is run again only when it is idempotent") {
  for (const bool idempotent : {false, true}) {
    CAPTURE(idempotent);
    rules::CoreConfig config = long_plan();
    config.actions[0].steps[2].on_failure = rules::OnFailure::abort;
    config.actions[0].steps[2].idempotent = idempotent;
    World w(config);
    reach_a_long_pause(w);
    w.run(5s);
    w.crash();
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.count_performed("run pause") == (idempotent ? 2 : 1));
    CHECK(w.outcome() == (idempotent ? "recovered" : "action_failed"));
  }
}

TEST_CASE("an incident found while verifying goes on") {
  World w(long_plan());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.crash(1min);
  CHECK(w.phase() == "verifying");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("an incident found while asking goes on asking until its time is up") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
  const std::optional<Instant> deadline = w.open()->deadline;
  w.crash(1min);
  CHECK(w.phase() == "asking");
  CHECK(w.open()->deadline == deadline);
  CHECK(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
}

TEST_CASE("a plan that is no longer the configured one does not go on") {
  World w(long_plan());
  reach_a_long_pause(w);
  // Read back with another plan: as a configuration that was changed while nobody ran.
  rules::CoreConfig other = long_plan();
  other.actions[0].steps.erase(other.actions[0].steps.begin());
  w.crash_into(other);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "action_failed");
  CHECK(w.count_performed("switch last-good") == 0);
  CHECK(w.count_performed("run tidy") == 1);
}

TEST_CASE("an open incident keeps the plan it began with over a reload") {
  World w(long_plan());
  reach_a_long_pause(w);
  rules::CoreConfig other = long_plan();
  other.actions[0].steps = {run("nonsense")};
  w.reload(other);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("run nonsense") == 0);
}

TEST_CASE("what follows the outcome and is still at work after a restart is waited for, and not ended") {
  World w(long_plan());
  w.steps_outlive = true;
  w.scripts["run tidy"].takes = 1min;
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run tidy") == 1; }, 40min));
  w.run(5s);
  w.crash();
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.violations.empty());
}

TEST_CASE("a switch that our end broke off is done again where its driver bears that, once its rules are seen bad") {
  const auto resuming = [](bool always) {
    rules::CoreConfig config = long_plan();
    config.services[0].resumes_switch = true;
    if (always) config.services[0].arm = rules::Arm::always;
    return config;
  };
  SUBCASE("they are bad still") {
    World w(resuming(false));
    die_in_the_switch(w, false);
    CHECK(w.outcome() == "wrong_revision");  // it changes nothing the second time either
    CHECK(w.count_performed("switch last-good") == 2);
  }
  SUBCASE("it goes on by itself, and is over when it would be done again") {
    World w(resuming(false));
    w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 20s, false};
    harm(w);
    REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
    w.run(5s);
    w.crash(30s);
    REQUIRE(w.run_until([&] { return w.open() && w.open()->timeline.back().event == "switch_resumed"; }, 15min));
    w.reality["web"].running = rules::Revision("v1");
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.outcome() == "recovered");
    CHECK(w.count_performed("switch last-good") == 1);
    CHECK(w.count_performed("run resume") == 1);
  }
  SUBCASE("nobody can tell what runs, whatever the rules say meanwhile") {
    const std::vector<bool> verdicts{false, true};
    for (const bool good : verdicts) {
      CAPTURE(good);
      World w(resuming(false));
      w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 20s, false};
      harm(w);
      REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
      w.run(5s);
      w.reality["web"].broken_off = rules::Revision("v1");
      if (good) w.reality["web"].sick.clear();
      w.crash(30s);
      REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 2; }, 15min));
      w.reality["web"].broken_off.reset();
      w.reality["web"].running = rules::Revision("v1");
      REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
      CHECK(w.outcome() == "recovered");
      CHECK(w.count_performed("switch last-good") == 2);
      CHECK(w.violations.empty());
    }
  }
  SUBCASE("it was another switch that was broken off") {
    World w(resuming(false));
    w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 20s, false};
    harm(w);
    REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
    w.run(5s);
    w.reality["web"].broken_off = rules::Revision("v0");
    w.crash(30s);
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.outcome() == "action_failed");
    CHECK(w.count_performed("switch last-good") == 1);
  }
  SUBCASE("they became good meanwhile, and what is in place is not what runs") {
    World w(resuming(true));
    w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 20s, false};
    harm(w);
    REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
    w.run(5s);
    w.reality["web"].sick.clear();
    w.reality["web"].unfinished = "v1 is in place, but bad runs";
    w.crash(30s);
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.outcome() == "action_failed");
    CHECK(w.count_performed("switch last-good") == 1);
    CHECK(w.last()->outcome_detail.find("v1 is in place, but bad runs") != std::string::npos);
    w.run(1min);
    CHECK(w.service().unfinished == "v1 is in place, but bad runs");
    CHECK(w.told_text("v1 is in place, but bad runs"));
    w.reality["web"].unfinished.clear();
    w.run(1min);
    CHECK(w.service().unfinished.empty());
    CHECK(w.tells.back().title == "web: what is in place is what runs");
  }
}
