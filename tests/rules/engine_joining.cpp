#include <doctest/doctest.h>

#include <functional>

#include <algorithm>

#include "engine_world.hpp"

// SPEC section 2, sentences 19 and 20: what explains the trouble, what joins an incident, and one action at a time.

using namespace world;

TEST_CASE("SPEC 2.19: unless delays firing while something else explains the trouble, at most unless_max") {
  World w(with([](rules::CoreConfig& config) {
    explain_by_pg(config);
    config.rules[0].unless_max = 10min;
  }));
  harm_explained_by_pg(w);
  w.run(8min);
  CHECK(w.outcome() == "none");
  CHECK(w.told_text("pg_health.up == 0 explains it; if it still does, it is acted on at "));
  CHECK(w.told(rules::Stage::fault) == 1);
  REQUIRE(w.run_until([&] { return w.outcome() != "none"; }, 10min));
  CHECK(w.last()->opened >= w.last()->rules.front().joined);
  CHECK(w.since_start() > 15min);
}

TEST_CASE("SPEC 2.19: when the other trouble is over, what it explained is no evidence") {
  World w(with(explain_by_pg));
  harm_explained_by_pg(w);
  w.run(5min);
  CHECK(w.outcome() == "none");
  w.deploy("v1", "pg");
  SUBCASE("still bad: it fires when it was bad for the whole of its time") {
    w.run(50s);
    CHECK(w.outcome() == "none");
    CHECK(w.run_until([&] { return w.outcome() != "none"; }, 3min));
  }
  SUBCASE("good from then on: nothing fires") {
    w.reality["web"].sick.clear();
    w.run(30min);
    CHECK(w.outcome() == "none");
  }
  SUBCASE("it comes again just then: it explains for unless_max all in all") {
    for (int i = 0; i < 3; ++i) {
      w.run(45s);
      w.deploy("crash", "pg");
      w.run(2min);
      w.deploy("v1", "pg");
    }
    CHECK(w.run_until([&] { return w.outcome() != "none"; }, 6min));
  }
}

TEST_CASE("SPEC 2.19: two services that fire within one for ask, unless one depends on the other") {
  for (const bool depends : {false, true}) {
    CAPTURE(depends);
    World w(with([&](rules::CoreConfig& config) {
      add_api(config);
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

TEST_CASE("SPEC 2.19: whoever fires first waits for a neighbour that is bad and may fire yet, and for no other") {
  World w(with([](rules::CoreConfig& config) {
    add_api(config);
    config.rules.back().sustain = 3min;
  }));
  w.run(5min);
  w.deploy("bad");
  w.deploy("bad", "api");
  REQUIRE(w.run_until([&] { return w.phase("web") == "held"; }, 5min));
  CHECK(w.told_text("service api is bad as well"));
  SUBCASE("it is good again") {
    w.reality["api"].sick.clear();
    CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 3min));
    CHECK(w.phase("api") != "asking");
  }
  SUBCASE("it fires") {
    CHECK(w.run_until([&] { return w.phase("web") == "asking"; }, 3min));
    CHECK(w.deeds.empty());
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

namespace {

// errors has a restart tried for ten minutes before it rolls back; a minute later a P0 rule joins.
rules::CoreConfig joined_by_worse(const std::function<void(rules::RuleSpec&)>& change) {
  return with([&](rules::CoreConfig& config) {
    config.rules[0].respond = restart_then_rollback();
    config.rules.push_back(rule("worse", "web_errors > 10%", 2min));
    config.rules.back().severity = rules::Severity::p0;
    change(config.rules.back());
    config.actions[1].settle = 10min;
  });
}

}  // namespace

TEST_CASE(
    "SPEC 2.20: it does so also where what it responds with is the next rung already, unless what is under way is") {
  for (const bool restarts_too : {false, true}) {
    CAPTURE(restarts_too);
    World w(joined_by_worse([&](rules::RuleSpec& worse) {
      if (restarts_too) worse.respond = restart_then_rollback();
    }));
    harm(w);
    REQUIRE(w.run_until([&] { return w.count_performed("run restart") == 1; }, 15min));
    CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 5min) == !restarts_too);
    CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 25min));
  }
}

TEST_CASE(
    "SPEC 2.20: nor does it start when it is good again before what is under way has ended, nor for who may only ask") {
  for (const bool only_asks : {false, true}) {
    CAPTURE(only_asks);
    World w(joined_by_worse([&](rules::RuleSpec& worse) {
      if (only_asks) worse.mode = rules::Mode::ask;
    }));
    w.scripts["run restart"].takes = 4min;
    harm(w);
    REQUIRE(w.run_until([&] { return w.open() && w.open()->rules.size() == 2; }, 15min));
    REQUIRE(w.count_performed("run restart") == 1);
    if (!only_asks) w.reality["web"].sick.erase("bad");
    w.run(8min);
    CHECK(w.count_performed("switch last-good") == 0);
    if (only_asks) continue;
    REQUIRE(w.run_until([&] { return w.closed(); }, 15min));
    CHECK(w.outcome() == "recovered");
    CHECK(w.count_performed("switch last-good") == 0);
  }
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

namespace {

// Asks first, and then two more severe rules join, one after the other.
rules::CoreConfig worse_and_worse() {
  return with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("freeze"), switch_step()};
    config.rules[0].severity = rules::Severity::p2;
    config.rules[1].severity = rules::Severity::p1;
    config.rules[1].sustain = 2min;
    config.rules.push_back(rule("dead", "web_health.up == 0", 2min + 10s));
    config.rules[2].severity = rules::Severity::p0;
  });
}

}  // namespace

TEST_CASE("who heard of an incident hears at most four messages of it, however many rules join") {
  World w(worse_and_worse());
  w.scripts["run freeze"].takes = 1min;
  w.run(5min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.reality["web"].unhealthy = {"bad"};
  REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
  REQUIRE(w.last()->rules.size() == 3);
  const auto count = [&](bool heard_before) {
    return std::count_if(w.tells.begin(), w.tells.end(), [&](const rules::Tell& tell) {
      return tell.stage != rules::Stage::progress && !tell.context.incident.empty() &&
             (!heard_before || tell.said_by.empty());
    });
  };
  CHECK(count(true) == 4);
  // It is the first that those hear who are told of P0 alone.
  REQUIRE(count(false) == 5);
  const auto dead =
      std::find_if(w.tells.begin(), w.tells.end(), [](const auto& tell) { return !tell.said_by.empty(); });
  CHECK(dead->said_by.front().severity == rules::Severity::p1);
  CHECK(dead->text.find("Under way already: rolling back bad → v1") != std::string::npos);
}
