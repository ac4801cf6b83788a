#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC section 2, sentences 19 to 25: what a firing rule may do, and when.

using namespace world;
using rules::Standing;

namespace {

rules::CoreConfig always(const std::function<void(rules::CoreConfig&)>& change = [](rules::CoreConfig&) {}) {
  return with([&](rules::CoreConfig& config) {
    config.services[0].arm = rules::Arm::always;
    config.services[0].cooldown = 10min;
    change(config);
  });
}

}  // namespace

TEST_CASE("SPEC 2.19: unless delays firing while something else explains the trouble, at most unless_max") {
  World w(with([](rules::CoreConfig& config) {
    explain_by_pg(config);
    config.rules[0].unless_max = 10min;
  }));
  harm_explained_by_pg(w);
  w.run(8min);
  CHECK(w.outcome() == "none");
  REQUIRE(w.run_until([&] { return w.outcome() != "none"; }, 10min));
  CHECK(w.last()->opened >= w.last()->rules.front().joined);
  CHECK(w.since_start() > 15min);
}

TEST_CASE("SPEC 2.19: when the other trouble is over the rule fires at once") {
  World w(with(explain_by_pg));
  harm_explained_by_pg(w);
  w.run(5min);
  CHECK(w.outcome() == "none");
  w.deploy("v1", "pg");
  CHECK(w.run_until([&] { return w.outcome() != "none"; }, 10s));
}

TEST_CASE("SPEC 2.19: two services that fire within one for ask, unless one depends on the other") {
  for (const bool depends : {false, true}) {
    CAPTURE(depends);
    World w(with([&](rules::CoreConfig& config) {
      add_api(config);
      config.actions[0].steps.insert(config.actions[0].steps.begin(), sleep(20s));
      if (depends) config.services[0].depends_on = {rules::ServiceName("api")};
    }));
    w.run(5min);
    w.deploy("bad");
    w.deploy("bad", "api");
    w.run(5min);
    if (depends) {
      CHECK(w.deeds.size() >= 1);
    } else {
      CHECK(w.phase("web") == "asking");
      CHECK(w.phase("api") == "asking");
      CHECK(w.deeds.empty());
    }
  }
}

TEST_CASE("SPEC 2.20: a second rule joins the open incident and its verification") {
  World w(with([](rules::CoreConfig& config) {
    config.rules.push_back(rule("more-errors", "web_errors > 10%", 2min));
    config.actions[0].steps.insert(config.actions[0].steps.begin(), sleep(2min));
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(w.all().size() == 1);
  CHECK(w.last()->rules.size() == 2);
}

TEST_CASE("SPEC 2.20: a joining rule of higher severity starts its own response at once") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = {rules::ActionName("restart")};
    config.rules.push_back(rule("worse", "web_errors > 10%", 2min));
    config.rules.back().severity = rules::Severity::p0;
    config.actions[1].settle = 30min;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 25min));
  CHECK(w.performed() == std::vector<std::string>{"run restart", "switch last-good"});
  CHECK(w.last()->severity == rules::Severity::p0);
  CHECK(w.since_start() < 25min);
}

TEST_CASE("SPEC 2.20: the response of a joining rule of higher severity comes before untried rungs") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = restart_then_rollback();
    config.rules.push_back(rule("worse", "web_errors > 10%", 2min, {"drain"}));
    config.rules.back().severity = rules::Severity::p0;
    config.actions[1].settle = 30min;
    config.actions.push_back(action("drain", {run("drain")}));
    config.actions.back().settle = 1min;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 40min));
  CHECK(w.performed() == std::vector<std::string>{"run restart", "run drain", "switch last-good"});
}

TEST_CASE("SPEC 2.20: untried rungs of a joining rule are appended") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = {rules::ActionName("restart")};
    config.rules.push_back(rule("slower", "web_errors > 10%", 70s));
    config.actions[1].settle = 4min;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 25min));
  CHECK(w.performed() == std::vector<std::string>{"run restart", "switch last-good"});
}

TEST_CASE("SPEC 2.20: one mutating action on the host at a time") {
  World w(with([&](rules::CoreConfig& config) {
    add_api(config);
    config.services[0].depends_on = {rules::ServiceName("api")};
  }));
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 3min, true};
  harm(w);
  w.deploy("bad", "api");
  CHECK(w.run_until([&] { return w.outcome("web") == "recovered" && w.outcome("api") == "recovered"; }, 40min));
  CHECK(w.violations.empty());
  CHECK(w.deeds.size() == 2);
}

TEST_CASE("SPEC 2.20: who cannot have the host's lock waits, and asks after deploy_timeout") {
  World w(usual());
  w.lock_refused = true;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 10min));
  CHECK(w.open()->waiting_for.find("deploy begin has it") != std::string::npos);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 20min));
  w.lock_refused = false;
  CHECK(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
}

TEST_CASE("SPEC 2.21: P0 and P1 act, P2 asks, P3 notifies, a rule's mode overrides, watcher.mode caps") {
  struct Case {
    rules::Severity severity;
    std::optional<rules::Mode> mode;
    rules::Mode cap;
    std::string expected;
  };
  using rules::Mode;
  using rules::Severity;
  const std::vector<Case> cases{
      {Severity::p0, {}, Mode::act, "verifying"},
      {Severity::p1, {}, Mode::act, "verifying"},
      {Severity::p2, {}, Mode::act, "asking"},
      {Severity::p3, {}, Mode::act, "telling"},
      {Severity::p3, Mode::act, Mode::act, "verifying"},
      {Severity::p1, Mode::ask, Mode::act, "asking"},
      {Severity::p1, {}, Mode::ask, "asking"},
      {Severity::p0, {}, Mode::observe, "telling"},
      {Severity::p1, Mode::notify, Mode::act, "telling"},
  };
  for (const Case& one : cases) {
    CAPTURE(to_string(one.severity));
    CAPTURE(one.expected);
    World w(with([&](rules::CoreConfig& config) {
      config.mode = one.cap;
      config.rules[0].severity = one.severity;
      config.rules[0].mode = one.mode;
    }));
    harm(w);
    CHECK(w.run_until([&] { return w.phase() == one.expected; }, 10min));
    const bool acts = one.expected == "verifying";
    CHECK(w.deeds.size() == (acts ? 1U : 0U));
  }
}

TEST_CASE("SPEC 2.21: what was only told or observed is closed as such when the rules clear") {
  for (const rules::Mode mode : {rules::Mode::notify, rules::Mode::observe}) {
    World w(with([&](rules::CoreConfig& config) { config.rules[0].mode = mode; }));
    w.run(5min);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 10min));
    errors_off(w);
    CHECK(w.run_until([&] { return w.outcome() == (mode == rules::Mode::notify ? "notified" : "observed"); }, 10min));
  }
}

TEST_CASE("SPEC 2.21: an ask ends after its timeout by closing") {
  World w(usual());
  w.settle_on_v2();
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(29min);
  CHECK(w.phase() == "asking");
  w.run(2min);
  CHECK(w.outcome() == "aborted");
  CHECK(w.deeds.empty());
}

TEST_CASE("SPEC 2.21: an ask ends after its timeout by acting where ask.then says so") {
  World w(with([](rules::CoreConfig& config) {
    config.services[0].ask_then = rules::AskThen::act;
    config.rules[0].severity = rules::Severity::p2;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(29min);
  CHECK(w.deeds.empty());
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("SPEC 2.21: an ask is bound to its revision") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  const rules::IncidentId id = w.open()->id;
  w.deploy("v3");
  w.run(1min);
  CHECK(w.outcome() == "superseded");
  CHECK_FALSE(w.ask(rules::Approve{id, "me"}).accepted);
  CHECK(w.deeds.empty());
}

TEST_CASE("SPEC 2.21: an approved ask is rechecked: a deployment that began meanwhile makes it wait") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.mark(rules::MarkKind::begin);
  w.ask(rules::Approve{w.open()->id, "me"});
  w.run(30s);
  CHECK(w.phase() == "held");
  CHECK(w.deeds.empty());
}

TEST_CASE("SPEC 2.22: a rule that clears before the point of no return ends the incident as cleared") {
  World w(always([](rules::CoreConfig& config) {
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
  World w(always([](rules::CoreConfig& config) {
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

TEST_CASE("SPEC 2.24: a rollback is not rolled back") {
  World w(always());
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

TEST_CASE("SPEC 2.25: a service is not called fused while its own incident switches it") {
  World w(usual());
  harm(w);
  bool was_acting = false;
  REQUIRE(w.run_until(
      [&] {
        if (!w.deeds.empty() && w.service().incident.has_value()) {
          was_acting = true;
          CHECK_FALSE(w.service().fused);
        }
        return w.outcome() == "recovered";
      },
      15min));
  CHECK(was_acting);
}

TEST_CASE("SPEC 2.25: at most one switch per revision, also when it is deployed again, fuse reset allows it") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  w.run(30min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "fused"; }, 15min));
  CHECK(w.deeds.size() == 1);
  CHECK(w.told(rules::Stage::failed) == 1);
  w.crash();
  w.run(1min);
  CHECK(w.service().fused);
  CHECK(w.ask(rules::FuseReset{rules::ServiceName("web")}).accepted);
  CHECK_FALSE(w.service().fused);
}

TEST_CASE("SPEC 2.25: at most three switches in 24 hours") {
  World w(with([](rules::CoreConfig& config) { config.services[0].fuse.mutations_per_hour = 100; }));
  w.run(5min);
  for (int deploy = 0; deploy < 4; ++deploy) {
    const std::string revision = "bad-" + std::to_string(deploy);
    w.reality["web"].sick.insert(revision);
    w.deploy(revision);
    REQUIRE(w.run_until([&] { return w.last() && w.last()->from.text == revision && w.last()->closed; }, 40min));
    CHECK(w.outcome() == (deploy < 3 ? "recovered" : "fused"));
    w.run(20min);
  }
  CHECK(w.deeds.size() == 3);
  w.run(24h);
  w.deploy("v1");
  w.run(10min);
  w.reality["web"].sick.insert("bad-5");
  w.deploy("bad-5");
  CHECK(w.run_until([&] { return w.outcome() == "recovered" && w.deeds.size() == 4; }, 40min));
}

TEST_CASE("SPEC 2.25: at most three actions an hour") {
  World w(always([](rules::CoreConfig& config) {
    config.services[0].cooldown = 1min;
    config.rules[0].respond = {rules::ActionName("restart")};
  }));
  w.run(5min);
  for (int time = 0; time < 4; ++time) {
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.open().has_value() || w.outcome() == "fused"; }, 10min));
    w.run_until([&] { return w.phase() == "settling" || w.outcome() == "fused"; }, 3min);
    errors_off(w);
    REQUIRE(w.run_until([&] { return !w.open().has_value(); }, 20min));
  }
  CHECK(w.outcome() == "fused");
  CHECK(w.deeds.size() == 3);
}

TEST_CASE("SPEC 2.25: firings wait for the cooldown after the last mutating action and are rechecked") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  const Instant ended = *w.journal.services.at("web").mutation_ended;
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 10min));
  CHECK(w.open()->waiting_for.find("cooldown") != std::string::npos);
  REQUIRE(w.run_until([&] { return w.deeds.size() == 2; }, 15min));
  CHECK(w.deeds[1].at >= ended + 10min);
}

TEST_CASE("SPEC 2.25: a rule that clears during the cooldown starts nothing") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  w.deploy("v3");
  w.run(1min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 10min));
  errors_off(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "cleared"; }, 15min));
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("SPEC 2.25: by hand is counted, never refused, and needs force for a quarantined target") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  rules::RollbackByHand by_hand;
  by_hand.service = rules::ServiceName("web");
  by_hand.to = rules::Revision("bad");
  CHECK_FALSE(w.ask(by_hand).accepted);
  by_hand.force = true;
  CHECK(w.ask(by_hand).accepted);
  w.run(5s);
  CHECK(w.reality["web"].running.text == "bad");
  w.run(40min);
  int by_hand_uses = 0;
  for (const rules::FuseRecord& use : w.journal.fuse) by_hand_uses += use.use == rules::FuseUse::by_hand ? 1 : 0;
  CHECK(by_hand_uses == 1);
}
