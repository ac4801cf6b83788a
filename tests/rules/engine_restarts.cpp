#include <doctest/doctest.h>

#include "engine_world.hpp"
#include "rules/signals/selector.hpp"

// What a start finds is not always what the end before it left: the configuration was changed in between, the clock was
// set, days have passed.

using namespace world;

namespace {

rules::CoreConfig renamed(rules::CoreConfig config, const std::string& from, const std::string& to) {
  for (rules::ActionSpec& action : config.actions) {
    if (action.name.text == from) action.name = rules::ActionName(to);
  }
  for (rules::RuleSpec& rule : config.rules) {
    for (rules::ActionName& action : rule.respond) {
      if (action.text == from) action = rules::ActionName(to);
    }
  }
  return config;
}

rules::CoreConfig ladder() {
  rules::CoreConfig config = usual();
  for (rules::RuleSpec& rule : config.rules) {
    rule.respond = restart_then_rollback();
  }
  for (rules::ActionSpec& action : config.actions) action.on_failure = {run("clean up")};
  return config;
}

}  // namespace

TEST_CASE("an incident found verifying an action that is no longer configured is verified all the same") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.crash_into(renamed(usual(), "rollback", "undo"));
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
}

TEST_CASE("an incident found settling after an action that is no longer configured ends with an outcome") {
  World w(ladder());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 15min));
  w.crash_into(renamed(ladder(), "restart", "reboot"));
  REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
}

TEST_CASE("an incident found between two rungs of which the first is no longer configured goes on with the next") {
  World w(ladder());
  w.scripts["run clean up"] = {rules::StepStatus::succeeded, 20s, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run clean up") == 1; }, 30min));
  REQUIRE(w.phase() == "finishing");
  w.crash_into(renamed(ladder(), "restart", "reboot"));
  REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
}

TEST_CASE("an incident whose service is no longer configured is closed and people are told") {
  rules::CoreConfig both = usual();
  add_service(both, "api");
  rules::CoreConfig api_only = both;
  std::erase_if(api_only.services.own(), [](const auto& service) { return service.name.text == "web"; });
  std::erase_if(api_only.rules.own(), [](const auto& rule) { return rule.service.text == "web"; });
  World w(both);
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.crash_into(api_only);
  w.run(1min);
  REQUIRE(w.closed());
  CHECK(w.outcome() == "action_failed");
  CHECK(w.told(rules::Stage::failed) == 1);
  // Configured again much later, it is not taken up again.
  w.run(24h);
  const std::size_t deeds = w.deeds.size();
  w.deploy("v1");
  w.crash_into(both);
  w.run(30min);
  CHECK(w.deeds.size() == deeds);
}

namespace {

// The same rule by its text, with what it is measured by changed.
rules::CoreConfig measured_otherwise(int change) {
  rules::CoreConfig config = usual();
  const auto selector = [](const char* text) { return std::get<rules::Selector>(rules::parse_selector(text)); };
  const rules::Selector all = selector("http_requests_total");
  if (change == 1)
    config.signals[0].of = std::vector<rules::RatioOf>{{selector(R"(http_requests_total{code="500"})"), all}};
  if (change == 2) config.signals[0].window = 90s;
  if (change == 3) config.probes[1].source = "url = another page";
  return config;
}

}  // namespace

TEST_CASE("SPEC 2.13: a rule whose signal or probe became another starts empty over a reload and over a restart") {
  for (const bool restart : {false, true}) {
    for (const int change : {0, 1, 2, 3}) {
      CAPTURE(restart);
      CAPTURE(change);
      World w(usual());
      harm(w);
      REQUIRE(w.run_until([&] { return w.rule("errors").progress.bad > 30s; }, 15min));
      if (restart) {
        w.crash_into(measured_otherwise(change));
      } else {
        w.reload(measured_otherwise(change));
      }
      CHECK((w.rule("errors").progress.bad > 20s) == (change == 0));
    }
  }
}

TEST_CASE("a start with the clock set back does not wait for what was written to lie in the past") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  REQUIRE(w.outcome() == "recovered");
  w.deploy("v2");
  w.run(5min);
  w.crash(-2h);
  w.run(1min);
  CHECK(w.rule("errors").judgement.verdict == rules::Verdict::good);
  w.run(15min);  // the cooldown
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 2; }, 15min));
  REQUIRE(w.run_until([&] { return !w.open(); }, 30min));
  CHECK(w.reality["web"].running.text == "v1");
}

TEST_CASE("SPEC 2.27: a crash right after an action does not bring back what was bad before it") {
  rules::CoreConfig config = usual();
  for (rules::RuleSpec& rule : config.rules) rule.respond = restart_then_rollback();
  World w(config);
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 15min));
  // The spans that are saved every few seconds are from before the restart's end.
  w.crash(1s);
  CHECK(w.rule("errors").progress.bad == 0s);
  CHECK(w.rule("errors").progress.state == rules::RuleState::idle);
}

TEST_CASE("SPEC 2.13: a crash right after a pause does not bring back what was bad in it") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.rule("errors").progress.bad > 30s; }, 15min));
  w.run(2s);
  REQUIRE(w.ask(rules::Pause{std::nullopt, 1h, "by a test"}).accepted);
  REQUIRE(w.ask(rules::Resume{}).accepted);
  w.crash(1s);
  CHECK(w.rule("errors").progress.bad == 0s);
}

TEST_CASE("a pause that ended while nobody was there is over at the start and forgets nothing later") {
  World w(usual());
  w.run(5min);
  REQUIRE(w.ask(rules::Pause{std::nullopt, 1min, "by a test"}).accepted);
  w.run(50s);
  w.crash(30s);
  CHECK_FALSE(w.service().paused_until);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(w.noted("resumed") == 1);
}
