#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"

// How long what people said holds, and when what was refused is looked at again (SPEC 2.22).

using namespace world;

namespace {

// A revision with nothing to roll back to fires errors; then its health goes, and people are asked what to do about
// that.
void refuse_and_ask(World& w) {
  w.run(5min);
  w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), rules::Standing::bad});
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 15min));
  w.reality["web"].unhealthy = {"bad"};
  REQUIRE(w.run_until([&] { return w.all().size() == 2 && w.phase() == "asking"; }, 15min));
}

rules::CoreConfig asks_to_restart() {
  return with([](rules::CoreConfig& config) {
    config.rules[1].respond = {rules::ActionName("restart")};
    config.rules[1].severity = rules::Severity::p2;
  });
}

void declare_good(World& w) {
  w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), rules::Standing::good});
}

}  // namespace

TEST_CASE("what a person aborted is left alone over a restart of any length, and not on another revision") {
  for (const Duration away : std::vector<Duration>{2s, 20min, 10h}) {
    CAPTURE(away.count());
    World w(asking());
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
    REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
    w.run(1min);
    REQUIRE(w.outcome() == "aborted");
    const auto incidents = w.all().size();
    w.crash(away);
    w.run(30min);
    CHECK(w.all().size() == incidents);
    w.deploy("bad2");
    CHECK(w.run_until([&] { return w.all().size() == incidents + 1; }, 15min));
  }
}

TEST_CASE("what a person aborts right after a restart, before its rule fired again, is left alone as well") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].severity = rules::Severity::p2;
    config.services[0].ask_timeout = 24h;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.crash(10h);
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.run(30min);
  CHECK(w.outcome() == "aborted");
  CHECK(w.all().size() == 1);
  w.reality["web"].sick.clear();
  w.run(10min);
  w.reality["web"].sick = {"bad"};
  CHECK(w.run_until([&] { return w.all().size() == 2; }, 15min));
}

TEST_CASE("two aborts of one service hold both over a restart") {
  World w(with([](rules::CoreConfig& config) {
    for (rules::RuleSpec& rule : config.rules) rule.severity = rules::Severity::p2;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.reality["web"].unhealthy = {"bad"};
  REQUIRE(w.run_until([&] { return w.all().size() == 2 && w.phase() == "asking"; }, 10min));
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.run(1s);
  w.crash(10h);
  w.run(30min);
  CHECK(w.all().size() == 2);
}

TEST_CASE("an abort that a clock set back left in the future does not hold on the next revision") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.run(1s);
  REQUIRE(w.journal.services.at("web").called_off_at);
  w.journal.services.at("web").called_off_at = w.now() + 10h;
  w.crash();
  w.run(1min);
  w.deploy("bad2");
  CHECK(w.run_until([&] { return w.all().size() == 2; }, 15min));
}

TEST_CASE("an abort does not hold on what is deployed right after it, before the next look") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  // When it came is known only to between two looks: it may have been before the abort.
  w.run(3s);
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.deploy("bad2");
  SUBCASE("seen to run") {}
  SUBCASE("while nobody looked") { w.crash(20s); }
  CHECK(w.run_until([&] { return w.all().size() == 2; }, 15min));
}

TEST_CASE("what a person aborts while an action has its time to help is not tried with the next one") {
  World w(with([](rules::CoreConfig& config) { config.rules[0].respond = restart_then_rollback(); }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 15min));
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.run(30min);
  CHECK(w.outcome() == "aborted");
  CHECK(w.all().size() == 1);
  CHECK(w.count_performed("switch last-good") == 0);
}

TEST_CASE("a target that is said to be good while another incident is open has what was refused looked at again") {
  World w(asks_to_restart());
  refuse_and_ask(w);
  declare_good(w);
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 30min));
}

TEST_CASE("what was refused one rule is looked at again though another one's incident ended since") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    World w(asks_to_restart());
    refuse_and_ask(w);
    w.reality["web"].unhealthy.clear();
    REQUIRE(w.run_until([&] { return w.outcome() == "cleared"; }, 30min));
    REQUIRE(w.all().size() == 2);
    if (restarts) w.crash();
    w.run(1min);
    declare_good(w);
    CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 30min));
  }
}

TEST_CASE("what a rule was refused for one reason is not looked at again for another one's reason to go") {
  World w(asks_to_restart());
  refuse_and_ask(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "aborted"; }, 1h));
  const auto incidents = w.all().size();
  w.reality["web"].sick.clear();
  w.run(10min);
  declare_good(w);
  w.run(30min);
  CHECK(w.all().size() == incidents);
}

TEST_CASE("a fuse reset while another incident is open has what was refused looked at again") {
  World w(asks_to_restart());
  w.run(5min);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::ask);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
  REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  w.reality["web"].unhealthy = {"bad"};
  REQUIRE(w.run_until([&] { return w.all().size() == 2 && w.phase() == "asking"; }, 15min));
  const int asked = w.told(rules::Stage::ask);
  REQUIRE(w.ask(rules::FuseReset{rules::ServiceName("web")}).accepted);
  CHECK(w.run_until([&] { return w.told(rules::Stage::ask) > asked; }, 30min));
}

TEST_CASE("whoever was asked hears that nothing is done after all, also where that was said before the question") {
  World w(usual());
  const auto heard = [&] {
    return std::count_if(w.tells.begin(), w.tells.end(), [](const rules::Tell& tell) {
      return tell.stage != rules::Stage::progress && tell.text.find("nothing is done by itself") != std::string::npos;
    });
  };
  w.run(5min);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 10min));
  CHECK(heard() == 1);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::ask);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 5min));
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 5min));
  CHECK(heard() == 2);
}

TEST_CASE(
    "a fuse reset while an aborted incident still tidies up has what fires looked at again, over a restart as well") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    World w(with([](rules::CoreConfig& config) {
      config.actions[0].always = {run("tidy")};
      config.actions[0].steps = {run("freeze"), wait("web_errors < 1%", 1min, 1h), switch_step()};
    }));
    w.scripts["run tidy"].takes = 2min;
    harm(w);
    REQUIRE(w.run_until([&] { return w.count_performed("run freeze") == 1; }, 10min));
    w.run(10s);
    REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
    w.run(1s);
    REQUIRE(w.phase() == "finishing");
    REQUIRE(w.ask(rules::FuseReset{rules::ServiceName("web")}).accepted);
    if (restarts) w.crash(1s);
    REQUIRE(w.run_until([&] { return w.all().front().closed.has_value(); }, 10min));
    CHECK(w.run_until([&] { return w.all().size() == 2; }, 15min));
    CHECK(w.violations.empty());
  }
}

namespace {

// Restarts, which does not help.
rules::CoreConfig only_restarts() {
  return with([](rules::CoreConfig& config) { config.rules[0].respond = {rules::ActionName("restart")}; });
}

}  // namespace

TEST_CASE("what did not help is not done again before the rule was good, over a restart of ours as well") {
  for (const Duration away : std::vector<Duration>{0s, 20min}) {
    CAPTURE(away.count());
    World w(only_restarts());
    harm(w);
    REQUIRE(w.run_until([&] { return w.outcome() == "not_recovered"; }, 30min));
    CHECK(w.told_text("nothing more is done by itself until its rules were good"));
    if (away > 0s) w.crash(away);
    w.run(3h);
    CHECK(w.rule("errors").progress.state == rules::RuleState::firing);
    CHECK(w.all().size() == 1);
    CHECK(w.count_performed("run restart") == 1);
    REQUIRE(w.situation());
    CHECK(w.situation()->needs_people);
    w.reality["web"].sick.clear();
    w.run(10min);
    w.reality["web"].sick = {"bad"};
    CHECK(w.run_until([&] { return w.count_performed("run restart") == 2; }, 30min));
    CHECK(w.violations.empty());
  }
}

TEST_CASE("what did not help is looked at again after a fuse reset, on another revision, and not while it is paused") {
  World w(only_restarts());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "not_recovered"; }, 30min));
  w.run(1h);
  SUBCASE("a fuse reset") { w.ask(rules::FuseReset{rules::ServiceName("web")}); }
  SUBCASE("another revision") { w.deploy("bad2"); }
  SUBCASE("a pause that ends") {
    w.ask(rules::Pause{rules::ServiceName("web"), 10min, "looking"});
    w.run(1h);
    CHECK(w.all().size() == 1);
    return;
  }
  CHECK(w.run_until([&] { return w.count_performed("run restart") == 2; }, 30min));
}

TEST_CASE("what could not be judged after a restart of the application is not restarted once more") {
  World w(only_restarts());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 30min));
  w.reality["web"].probes_work = false;
  REQUIRE(w.run_until([&] { return w.outcome() == "unverifiable"; }, 2h));
  w.reality["web"].probes_work = true;
  w.run(3h);
  CHECK(w.count_performed("run restart") == 1);
  REQUIRE(w.situation());
  CHECK(w.situation()->needs_people);
}

TEST_CASE("a target that is named after a restart did not help is rolled back to") {
  World w(with([](rules::CoreConfig& config) { config.rules[0].respond = restart_then_rollback(); }));
  w.run(5min);
  w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), rules::Standing::bad});
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.closed() && w.count_performed("run restart") == 1; }, 60min));
  INFO(w.outcome());
  w.run(1h);
  CHECK(w.count_performed("run restart") == 1);
  declare_good(w);
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 30min));
  CHECK(w.count_performed("run restart") == 1);
}
