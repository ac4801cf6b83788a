#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC section 2, sentences 22 to 24: the point of no return, and what is switched to.

using namespace world;
using rules::Standing;

TEST_CASE("SPEC 2.22: a rule that clears before the point of no return ends the incident as cleared") {
  World w(armed_always([](rules::CoreConfig& config) {
    config.actions[0].steps = {notify("team"), capture("logs"), sleep(10min), switch_step()};
    config.actions[0].always = {notify("team"), run("tidy")};
  }));
  bring_up_v2(w);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 10min));
  errors_off(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "cleared"; }, 9min));
  CHECK(w.performed() == std::vector<std::string>{"capture logs: logs", "run tidy"});
  CHECK(w.told(rules::Stage::cleared) == 1);
}

TEST_CASE("SPEC 2.22: after the point of no return a rule that clears changes nothing") {
  World w(armed_always([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("pause-queue"), sleep(10min), switch_step()};
  }));
  bring_up_v2(w);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run pause-queue") == 1; }, 10min));
  errors_off(w);
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  CHECK(w.count_performed("switch last-good") == 1);
}

TEST_CASE("SPEC 2.23: another revision found right before the switch is not switched away from") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("backup"), switch_step()};
    config.actions[0].always = {run("tidy")};
  }));
  w.scripts["run backup"] = {rules::StepStatus::succeeded, 5s, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run backup") == 1; }, 10min));
  w.deploy("v3");
  REQUIRE(w.run_until([&] { return w.outcome() == "superseded"; }, 1min));
  CHECK(w.performed() == std::vector<std::string>{"run backup", "run tidy"});
}

TEST_CASE("SPEC 2.23: a new revision while verifying supersedes the incident and is judged on its own") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying" && w.service().revision.text == "v1"; }, 15min));
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.outcome() == "superseded"; }, 1min));
  REQUIRE(w.run_until([&] { return w.all().size() == 2 && w.outcome() == "recovered"; }, 40min));
  CHECK(w.last()->from.text == "bad2");
  CHECK(w.reality["web"].running.text == "v1");
}

TEST_CASE(
    "who takes over from us is told as a failure where something of ours is left, and else as the end that it is") {
  for (const bool is_left : {true, false}) {
    CAPTURE(is_left);
    World w(with([&](rules::CoreConfig& config) {
      if (is_left) config.actions[0].steps.insert(config.actions[0].steps.begin(), run("pause"));
      config.actions[0].always = {run("tidy")};
    }));
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
    w.run(10s);
    w.deploy("v3");
    REQUIRE(w.run_until([&] { return w.outcome() == "superseded"; }, 2min));
    CHECK(w.told(rules::Stage::failed) == (is_left ? 1 : 0));
    CHECK(w.told_text("People are needed: whether what it began has to be taken back.") == is_left);
    CHECK(w.told(rules::Stage::completed) == (is_left ? 0 : 1));
  }
}

TEST_CASE("SPEC 2.23: a revision that cannot be read does not keep the broken one running") {
  World w(usual());
  harm(w);
  w.run(1min);
  w.reality["web"].readable = false;
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
}

TEST_CASE("SPEC 2.24: last-good is the good revision that ran most recently, never a bad one") {
  World w(usual());
  w.settle_on_v2();
  CHECK(w.standing("v2") == Standing::good);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.last()->to.text == "v2");
  w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), Standing::bad});
  CHECK(w.service().last_good.text.empty());
}

TEST_CASE("SPEC 2.24: a plan that names its target does not go to a bad one, nor to what runs") {
  const auto to_v1 = [](rules::CoreConfig& config) {
    config.actions[0].steps[0].what = rules::SwitchStep{rules::SwitchTargetKind::revision, rules::Revision("v1")};
  };
  World quarantined(with(to_v1));
  quarantined.run(1min);
  quarantined.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), Standing::bad});
  harm(quarantined);
  REQUIRE(quarantined.run_until([&] { return quarantined.outcome() == "no_target"; }, 15min));
  CHECK(quarantined.last()->outcome_detail == "v1 is quarantined");
  CHECK(quarantined.deeds.empty());
  World running(with(to_v1));
  running.run(1min);
  errors_on(running);
  REQUIRE(running.run_until([&] { return running.outcome() == "no_target"; }, 15min));
  CHECK(running.last()->outcome_detail == "v1 runs already");
  CHECK(running.deeds.empty());
}

TEST_CASE("SPEC 2.24: a candidate is never a target, and without one people are told no_target") {
  World w(usual());
  w.deploy("bad");
  w.run(1min);
  w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("bad"), Standing::bad});
  REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 15min));
  CHECK(w.deeds.empty());
  CHECK(w.told(rules::Stage::failed) == 1);
}

TEST_CASE("without a target people hear that one which they name is rolled back to, or only once somebody says yes") {
  const std::string promise = "A revision that `rollbackd deploy good` names is rolled back to";
  for (const bool armed : {true, false}) {
    CAPTURE(armed);
    World w(armed ? armed_always() : usual());
    w.run(1min);
    errors_on(w);
    const auto is_over = [&] { return w.outcome() == "no_target"; };
    REQUIRE(w.run_until(is_over, 15min));
    CHECK(w.told_text(promise + ".") == armed);
    CHECK(w.told_text(promise + " once somebody says yes, as the service is disarmed.") == !armed);
  }
}

TEST_CASE("SPEC 2.24: a rollback is not rolled back") {
  World w(armed_always());
  w.settle_on_v2();
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.service().revision.text == "v2");
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 40min));
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("SPEC 2.24: a deploy mark can forbid or ask, and a change of schema asks") {
  {
    World w(usual());
    w.run(5min);
    w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
    w.deploy("bad");
    CHECK(w.run_until([&] { return w.phase() == "telling"; }, 10min));
  }
  {
    World w(usual());
    w.run(5min);
    w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::ask);
    w.deploy("bad");
    CHECK(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  }
  for (const bool undoes : {false, true}) {
    World w(with([&](rules::CoreConfig& config) {
      if (undoes) config.actions[0].undoes.push_back("schema");
    }));
    w.run(5min);
    w.mark(rules::MarkKind::mark, "v1", "web", {}, "7");
    w.run(1min);
    w.mark(rules::MarkKind::mark, "bad", "web", {}, "8");
    w.deploy("bad");
    CHECK(w.run_until([&] { return w.phase() == (undoes ? "verifying" : "asking"); }, 10min));
  }
}

TEST_CASE("SPEC 2.24: that a schema is told of for the first time is no change of it") {
  World w(usual());
  w.run(5min);
  w.mark(rules::MarkKind::mark, "bad", "web", {}, "8");
  w.deploy("bad");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("SPEC 2.24: the schema read with each revision is recorded, and a switch across a change of it asks") {
  for (const bool migrates_first : {true, false}) {
    CAPTURE(migrates_first);
    World w(usual());
    w.reality["web"].schema = "7";
    w.run(5min);
    // A deployment migrates before the new revision runs, or the new revision migrates when it starts.
    if (migrates_first) {
      w.reality["web"].schema = "8";
      w.run(30s);
    }
    w.deploy("bad");
    w.run(30s);
    w.reality["web"].schema = "8";
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
    CHECK(w.journal.ledger.at({"web", "v1"}).schema == "7");
    CHECK(w.journal.ledger.at({"web", "bad"}).schema == "8");
    CHECK(w.told_text("the schema changes from 8 to 7"));
    CHECK(w.deeds.empty());
  }
}

TEST_CASE("SPEC 2.24: what is said of a schema holds, and where what is read contradicts it people are asked") {
  struct {
    std::string said, read_first, read_then, asked;
  } const cases[] = {
      {"8", "7", "8", "the schema changes from 8 to 7"},
      {"8", "7", "7", "the schema changes from 8 to 7"},
      {"7", "7", "8", "the schema of bad is 7, and 8 by what was read of it"},
      {"", "8", "7", "the schema of bad is 7, and 8 by what was read of it"},
      {"7", "7", "7", ""},
  };
  for (const auto& one : cases) {
    CAPTURE(one.said);
    CAPTURE(one.read_then);
    World w(usual());
    w.reality["web"].schema = "7";
    w.run(5min);
    w.mark(rules::MarkKind::begin, "bad", "web", {}, one.said);
    w.reality["web"].schema = one.read_first;
    w.deploy("bad");
    w.run(30s);
    w.mark(rules::MarkKind::end, "bad", "web");
    w.reality["web"].schema = one.read_then;
    w.run(30s);
    CHECK(w.run_until([&] { return one.asked.empty() ? w.outcome() == "recovered" : w.phase() == "asking"; }, 15min));
    CHECK((one.asked.empty() || w.told_text(one.asked)));
  }
}

TEST_CASE("what is deployed while a switch of ours hangs is judged on its own, and given its time to start") {
  World w(usual());
  w.scripts["switch last-good"] = {rules::StepStatus::timed_out, 30min, false};
  harm(w);
  REQUIRE(w.run_until([&] { return !w.performed().empty(); }, 10min));
  w.run(29min + 50s);
  w.deploy("crash");
  const rules::Instant deployed = w.now();
  REQUIRE(w.run_until([&] { return w.closed(); }, 1min));
  REQUIRE(w.run_until([&] { return w.all().size() == 2; }, 20min));
  CHECK(w.now() - deployed >= 5min);
  CHECK(w.last()->from.text == "crash");
}

TEST_CASE("what is deployed while a switch that changed nothing is verified is given its time to start") {
  World w(usual());
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 1s, false};
  harm(w);
  REQUIRE(w.run_until([&] { return !w.performed().empty(); }, 10min));
  // The way there is shorter than what verifying waits for the target.
  w.run(1min);
  REQUIRE_FALSE(w.closed());
  w.deploy("crash");
  const rules::Instant deployed = w.now();
  REQUIRE(w.run_until([&] { return w.closed(); }, 5min));
  REQUIRE(w.run_until([&] { return w.all().size() == 2; }, 20min));
  CHECK(w.now() - deployed >= 5min);
  CHECK(w.last()->from.text == "crash");
}

TEST_CASE("SPEC 2.24: what has the content of a quarantined revision is no target, unless it proved itself since") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(70min);
  w.deploy("v3");
  w.run(1min);
  const auto quarantine = [&w](const std::string& revision) {
    w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision(revision), Standing::bad, false});
  };
  const auto alike = [&w](const std::string& one, const std::string& other) {
    rules::ReadinessRead read;
    read.service = rules::ServiceName("web");
    read.at = w.now();
    read.ready = true;
    read.alike = {{rules::Revision(one), rules::Revision(other)}};
    w.observe(read);
  };
  rules::RollbackByHand by_hand;
  by_hand.service = rules::ServiceName("web");
  SUBCASE("of two names the good one ran before the bad one was left") {
    // v1 is v2 under another name.
    quarantine("v1");
    alike("v1", "v2");
    REQUIRE(w.service().last_good.text == "v2");
    w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v2"), Standing::bad, false});
    CHECK(w.service().last_good.empty());
  }
  SUBCASE("the bad one ran last") {
    quarantine("v2");
    alike("v1", "v2");
    CHECK(w.service().last_good.empty());
    by_hand.to = rules::Revision("v1");
    const rules::Answer refused = w.ask(by_hand);
    CHECK_FALSE(refused.accepted);
    CHECK(refused.text.starts_with("v1 has the same content as v2, which is quarantined; --force"));
    by_hand.force = true;
    CHECK(w.ask(by_hand).accepted);
  }
  SUBCASE("a name that nobody has seen yet") {
    quarantine("v2");
    by_hand.to = rules::Revision("v2-again");
    by_hand.alike = {rules::Revision("v2")};
    CHECK_FALSE(w.ask(by_hand).accepted);
  }
  SUBCASE("what is said of one is said of both") {
    alike("v1", "v2");
    quarantine("v2");
    CHECK(w.standing("v1") == Standing::bad);
    w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), Standing::good, false});
    CHECK(w.standing("v2") == Standing::good);
  }
}

TEST_CASE("an action that lacks a backup or a target gives way to the next one") {
  for (const bool lacks_backup : {true, false}) {
    CAPTURE(lacks_backup);
    World w(with([&](rules::CoreConfig& config) {
      rules::ActionSpec restore = action("restore", {run("restore"), switch_step()});
      restore.steps[0].uses_backup = lacks_backup;
      if (!lacks_backup) restore.steps[1].what = rules::SwitchStep{rules::SwitchTargetKind::at_backup, {}};
      config.actions.push_back(restore);
      config.rules[0].respond = {rules::ActionName("restore"), rules::ActionName("rollback")};
    }));
    harm(w);
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.outcome() == "recovered");
    CHECK(w.performed() == std::vector<std::string>{"switch last-good"});
    CHECK(w.told_text("Now: rolling back bad"));
    CHECK(w.violations.empty());
  }
}

TEST_CASE(
    "where rolling back is forbidden, or nothing is known to go back to, the ladder goes on with what else it has") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = {rules::ActionName("rollback"), rules::ActionName("restart")};
  }));
  w.run(5min);
  w.deploy("bad");
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
  REQUIRE(w.run_until([&] { return w.count_performed("run restart") == 1; }, 15min));
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.performed() == std::vector<std::string>{"run restart"});
  CHECK(w.violations.empty());
}

TEST_CASE("where commits run, what is none is no last good revision") {
  const std::string first(40, 'a');
  const std::string bad(40, 'b');
  World w(usual());
  w.reality["web"].running = rules::Revision(first);
  w.reality["web"].sick = {bad};
  w.run(5min);
  w.deploy(first + "-paths-0b1e");
  w.run(2h);
  REQUIRE(w.standing(first + "-paths-0b1e") == Standing::good);
  w.deploy(bad);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  CHECK(w.reality["web"].running.text == first);
}
