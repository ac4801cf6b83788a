#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC 2.22: past the point of no return nothing ends as if it had only been told: what was begun is finished, or
// handed over with what is left in place.

using namespace world;

namespace {

// A rung that freezes the site, then a rollback that asks, for the mark says so.
rules::CoreConfig freezing() {
  return with([](rules::CoreConfig& config) {
    config.rules[0].respond = {rules::ActionName("freeze"), rules::ActionName("rollback")};
    config.actions.push_back(action("freeze", {run("freeze")}));
    config.services[0].ask_timeout = 20min;
  });
}

rules::CoreConfig with_time_to_answer() {
  rules::CoreConfig config = freezing();
  config.services[0].ask_timeout = 24h;
  return config;
}

// Frozen, and a person is asked for the next rung; then the errors end by themselves.
void freeze_and_ask(World& w) {
  w.run(5min);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::ask);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.count_performed("run freeze") == 1; }, 10min));
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
}

void get_well(World& w) {
  w.reality["web"].sick.clear();
  w.run(8min);
}

void check_handed_over(World& w, const std::string& outcome) {
  CHECK(w.outcome() == outcome);
  CHECK(w.last()->outcome_detail.find("what it did stays as it is: run freeze") != std::string::npos);
  CHECK(w.told_text("what it did stays as it is: run freeze"));
  CHECK_FALSE(w.told_text("Nothing was changed"));
  CHECK(w.violations.empty());
}

}  // namespace

TEST_CASE("SPEC 2.22: approved when its reason has gone, a ladder that changed something is called off, not notified") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    World w(freezing());
    freeze_and_ask(w);
    get_well(w);
    CHECK(w.phase() == "asking");
    if (restarts) w.crash();
    w.run(5min);
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    REQUIRE(w.run_until([&] { return w.closed(); }, 10min));
    CHECK(w.count_performed("switch last-good") == 0);
    check_handed_over(w, "aborted");
  }
}

TEST_CASE("SPEC 2.22: an approval right after a restart acts on what is seen then, not on what was seen before it") {
  World w(with_time_to_answer());
  freeze_and_ask(w);
  SUBCASE("still bad: it goes on once that is seen") {
    w.crash(10h);
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    w.run(1s);
    CHECK(w.phase() == "held");
    CHECK(w.told_text("waits: until its rules are judged again after a restart of rollbackd"));
    CHECK(w.count_performed("switch last-good") == 0);
    CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 2min));
  }
  SUBCASE("good meanwhile: it is called off") {
    w.reality["web"].sick.clear();
    w.crash(10h);
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
    CHECK(w.count_performed("switch last-good") == 0);
    check_handed_over(w, "aborted");
  }
  SUBCASE("nothing can be measured: people are told that it is not done, and it is once it is seen bad") {
    w.reality["web"].probes_work = false;
    w.crash(10h);
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    CHECK(w.run_until([&] { return w.phase() == "telling"; }, 15min));
    CHECK(w.told_text("its rules were not seen bad since a restart of rollbackd; `rollbackd rollback web` acts now"));
    CHECK(w.count_performed("switch last-good") == 0);
    w.reality["web"].probes_work = true;
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 1min));
  }
}

TEST_CASE("SPEC 2.22: who says yes to what nobody can measure is not made to wait for a measurement") {
  World w(with_time_to_answer());
  w.run(5min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.count_performed("run freeze") == 1; }, 10min));
  w.reality["web"].probes_work = false;
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 30min));
  CHECK(w.told_text("whether action freeze helped cannot be told"));
  w.crash(10h);
  REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 1min));
}

TEST_CASE("SPEC 2.22: what is left in place is named however an incident ends that changed something") {
  SUBCASE("nobody answers") {
    World w(freezing());
    freeze_and_ask(w);
    REQUIRE(w.run_until([&] { return w.closed(); }, 25min));
    check_handed_over(w, "aborted");
  }
  SUBCASE("a person aborts it") {
    World w(freezing());
    freeze_and_ask(w);
    REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
    w.run(1s);
    check_handed_over(w, "aborted");
  }
  SUBCASE("a pause outlasts the trouble") {
    World w(freezing());
    freeze_and_ask(w);
    REQUIRE(w.ask(rules::Pause{{}, 15min, ""}).accepted);
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    w.run(1s);
    CHECK(w.phase() == "held");
    get_well(w);
    REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
    check_handed_over(w, "aborted");
  }
  SUBCASE("another revision comes") {
    World w(freezing());
    freeze_and_ask(w);
    w.deploy("v3");
    REQUIRE(w.run_until([&] { return w.closed(); }, 5min));
    check_handed_over(w, "superseded");
  }
  SUBCASE("a mark forbids what is asked") {
    World w(freezing());
    freeze_and_ask(w);
    w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
    w.run(1min);
    CHECK(w.phase() == "telling");
    CHECK(w.told_text("nothing is done by itself"));
    get_well(w);
    REQUIRE(w.run_until([&] { return w.closed(); }, 10min));
    check_handed_over(w, "aborted");
  }
}

TEST_CASE("SPEC 2.22: a ladder whose last rung only tells has not recovered what its first did not help") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = {rules::ActionName("freeze"), rules::ActionName("say")};
    config.actions.push_back(action("freeze", {run("freeze")}));
    config.actions.push_back(action("say", {notify("team")}));
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 20min));
  get_well(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 10min));
  check_handed_over(w, "not_recovered");
}

TEST_CASE(
    "a question after the end is answered no by a person or by time: the rest is left out, what was verified stays") {
  for (const bool answered : {true, false}) {
    CAPTURE(answered);
    World w(with([](rules::CoreConfig& config) {
      config.actions[0].on_success = {question("open the shop again?"), run("open")};
      config.actions[0].always = {run("tidy")};
    }));
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 30min));
    if (answered) REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
    REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
    CHECK(w.outcome() == "recovered");
    CHECK(w.count_performed("run open") == 0);
    CHECK(w.count_performed("run tidy") == 1);
    CHECK(w.told_text("not done, and left as it is: run open"));
    CHECK(w.last()->outcome_detail.find("left as it is: run open") != std::string::npos);
  }
}

TEST_CASE(
    "SPEC 2.21: a yes to what a plan asks after it changed something is checked again before anything is switched") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = {rules::ActionName("thaw")};
    config.actions.push_back(action("thaw", {run("freeze"), question("go on?"), switch_step()}));
    config.actions.back().always = {run("tidy")};
    config.services[0].ask_timeout = 20min;
    config.services[0].ask_then = rules::AskThen::act;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run freeze") == 1 && w.phase() == "asking"; }, 15min));
  SUBCASE("a person says it while it is bad") {
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 1min));
  }
  SUBCASE("nobody says anything while it is bad") {
    CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 25min));
  }
  SUBCASE("a person says it when it is good again") {
    get_well(w);
    CHECK(w.phase() == "asking");
    const rules::Answer answer = w.ask(rules::Approve{w.open()->id, "me"});
    CHECK(answer.accepted);
    CHECK(answer.text.find("approved, but the rules are good again") == 0);
    w.run(1min);
    CHECK(w.count_performed("switch last-good") == 0);
    CHECK(w.count_performed("run tidy") == 1);
    check_handed_over(w, "aborted");
  }
  SUBCASE("nobody says anything and it is good again") {
    get_well(w);
    REQUIRE(w.run_until([&] { return w.closed(); }, 25min));
    CHECK(w.count_performed("switch last-good") == 0);
    CHECK(w.count_performed("run tidy") == 1);
    check_handed_over(w, "aborted");
  }
}

TEST_CASE(
    "what a later action asks first is asked once, and a yes while it is good waits until it is bad again or over") {
  for (const bool gets_well : {false, true}) {
    CAPTURE(gets_well);
    World w(with([](rules::CoreConfig& config) {
      config.services[0].cooldown = 0s;
      config.actions[0].steps.insert(config.actions[0].steps.begin(), question("really?"));
      config.actions.push_back(action("freeze", {run("freeze")}));
      config.actions.back().settle = 10s;
      config.rules[0].respond = {rules::ActionName("freeze"), rules::ActionName("rollback")};
    }));
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
    if (gets_well) w.reality["web"].sick.erase("bad");
    if (gets_well)
      REQUIRE(w.run_until([&] { return w.rule("errors").judgement.verdict == rules::Verdict::good; }, 5min));
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    REQUIRE(w.run_until([&] { return w.closed(); }, 15min));
    CHECK(w.outcome() == (gets_well ? "aborted" : "recovered"));
    CHECK(w.count_performed("switch last-good") == (gets_well ? 0 : 1));
    CHECK(w.told(rules::Stage::ask) == 1);
    CHECK_FALSE(w.told_text("nobody answered"));
  }
}

TEST_CASE("what an earlier rung did and nothing took back is named also when the next one helped") {
  World w(freezing());
  w.run(5min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
  REQUIRE(w.outcome() == "recovered");
  CHECK(w.tells.back().text.find("Done by earlier actions, and not taken back: run freeze.") != std::string::npos);
  CHECK_FALSE(w.told_text("Nothing is left to do"));
}

TEST_CASE("whoever heard that nothing is done hears when something is done after all") {
  World w(usual());
  w.run(5min);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 15min));
  const int late = w.told(rules::Stage::late);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::automatic);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 2min));
  CHECK(w.told(rules::Stage::late) == late + 1);
}

TEST_CASE("what an incident leaves stands in the text of its last message, and not once more in the title") {
  World w(freezing());
  freeze_and_ask(w);
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.run(1s);
  CHECK(w.tells.back().title == "web: aborted: aborted by me");
  CHECK(w.tells.back().text.find("what it did stays as it is: run freeze") != std::string::npos);
}
