#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"

// How many messages an incident is: at most four for whoever did not ask for more, three when it goes well.

using namespace world;
using rules::CoreConfig;
using rules::Stage;
using Words = std::vector<std::string>;

namespace {

// What a notifier without `on` gets: no progress, and no notify step that repeats what it gets anyway.
std::vector<const rules::Tell*> heard(const World& w) {
  std::vector<const rules::Tell*> out;
  for (const rules::Tell& tell : w.tells) {
    const bool is_step = tell.notifier.has_value();
    if (!tell.context.incident.empty() && is_step == (tell.stage == Stage::progress)) out.push_back(&tell);
  }
  return out;
}

Words stages(const World& w) {
  Words out;
  for (const rules::Tell* tell : heard(w)) out.emplace_back(to_string(tell->stage));
  return out;
}

bool says(const rules::Tell& tell, const std::string& part) {
  const bool found = tell.text.find(part) != std::string::npos || tell.title.find(part) != std::string::npos;
  if (!found) MESSAGE(tell.title << "\n" << tell.text);
  return found;
}

long told_with(const World& w, const std::string& part) {
  return std::count_if(w.tells.begin(), w.tells.end(),
                       [&](const rules::Tell& tell) { return tell.text.find(part) != std::string::npos; });
}

void until_closed(World& w) {
  REQUIRE(w.run_until([&] { return w.closed(); }, 3h));
}

CoreConfig long_plan() {
  return with([](CoreConfig& config) {
    config.actions[0].steps = {notify("team"),
                               capture("logs"),
                               run("pause", rules::OnFailure::proceed),
                               run("backup"),
                               run("migrate", rules::OnFailure::abort),
                               switch_step(),
                               wait("web_health.up == 1", 15s, 5min),
                               run("warm"),
                               run("check")};
    config.actions[0].on_success = {run("resume"), run("clean")};
    config.actions[0].always = {run("tidy"), notify("team")};
  });
}

}  // namespace

TEST_CASE("a rollback that goes well is two messages, and the first says what is done") {
  World w(usual());
  harm(w);
  until_closed(w);
  REQUIRE(stages(w) == Words{"started", "completed"});
  CHECK(says(*heard(w)[0], "web: errors (P1) fires: web_errors > 5%, it is 30.0 %"));
  CHECK(says(*heard(w)[0], "Now: rolling back bad → v1"));
  CHECK(says(*heard(w)[1], "web: recovered: v1 runs and every rule is good again"));
}

TEST_CASE("however long the plan is, it is two messages when it goes well, and with progress each step is told") {
  World w(long_plan());
  harm(w);
  until_closed(w);
  REQUIRE(w.outcome() == "recovered");
  CHECK(stages(w) == Words{"started", "completed"});
  CHECK(w.told(Stage::progress) > 8);
}

TEST_CASE("a ladder that climbs is two messages, and the first names what comes next") {
  World w(with([](CoreConfig& config) { config.rules[0].respond = restart_then_rollback(); }));
  harm(w);
  until_closed(w);
  REQUIRE(w.outcome() == "recovered");
  REQUIRE(stages(w) == Words{"started", "completed"});
  CHECK(says(*heard(w)[0], "Now: running restart; if it does not help: rollback"));
}

TEST_CASE("an ask that is approved is three messages, one that nobody answers too") {
  for (const bool approved : {true, false}) {
    World w(asking());
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
    if (approved) w.ask(rules::Approve{w.open()->id, "me"});
    until_closed(w);
    REQUIRE(stages(w) == Words{"started", "ask", approved ? "completed" : "failed"});
    CHECK(says(*heard(w)[0], "Somebody is asked first: it is P2"));
  }
}

TEST_CASE("a plan that asks in the middle and another that waits are no longer") {
  World w(with([](CoreConfig& config) {
    config.actions[0].steps = {run("drain"), wait("web_health.up == 1", 15s, 5min), question("drained?"),
                               switch_step()};
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 20min));
  w.ask(rules::Approve{w.open()->id, "me"});
  until_closed(w);
  CHECK(stages(w) == Words{"started", "ask", "completed"});
}

TEST_CASE("the host's lock that is waited for is told once, then that it is asked about, then the end") {
  World w(usual());
  w.run(5min);
  w.lock_refused = true;
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 1h));
  w.lock_refused = false;
  w.ask(rules::Approve{w.open()->id, "me"});
  until_closed(w);
  CHECK(stages(w) == Words{"started", "late", "ask", "completed"});
  CHECK(says(*heard(w)[1], "waits: the host's lock"));
  CHECK(told_with(w, "waits: the host's lock") == 1);
}

TEST_CASE("what is waited for from the first moment on is told with the first message") {
  World w(usual());
  harm(w);
  until_closed(w);
  const std::size_t before = heard(w).size();
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.all().size() == 2 && w.closed(); }, 3h));
  const Words told = stages(w);
  CHECK(Words(told.begin() + static_cast<std::ptrdiff_t>(before), told.end()) == Words{"started", "completed"});
  CHECK(says(*heard(w)[before], "waits: cooldown until "));
}

TEST_CASE("a plan that fails is two messages, and the last says what failed on the way as well") {
  World w(long_plan());
  w.scripts["run pause"] = {rules::StepStatus::failed, 1s, false};
  w.scripts["run migrate"] = {rules::StepStatus::failed, 1s, false};
  harm(w);
  until_closed(w);
  REQUIRE(w.outcome() == "action_failed");
  REQUIRE(stages(w) == Words{"started", "failed"});
  CHECK(says(*heard(w)[1], "run migrate: failed, exit 1"));
  CHECK(says(*heard(w)[1], "Went wrong on the way: run pause: failed, exit 1"));
  CHECK(told_with(w, "; run migrate") == 0);
}

TEST_CASE("a finishing step that is left out is told with the end and not before it") {
  World w(with([](CoreConfig& config) { config.actions[0].always = {run("tidy")}; }));
  w.run(5min);
  w.deploy("v2");
  w.run(2min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 20min));
  w.lock_refused = true;
  until_closed(w);
  CHECK(heard(w).size() <= 4);
  CHECK(w.told(Stage::failed) + w.told(Stage::completed) == 1);
}

TEST_CASE("a fuse that is blown, and a target that is missing, are two messages") {
  for (const bool fused : {true, false}) {
    World w(with([&](CoreConfig& config) {
      if (fused) config.services[0].fuse.switches_per_day = 0;
    }));
    if (!fused) w.reality["web"].running = rules::Revision("bad");
    if (fused) harm(w);
    until_closed(w);
    CHECK(w.outcome() == (fused ? "fused" : "no_target"));
    CHECK(stages(w) == Words{"started", "failed"});
  }
}

TEST_CASE("that nothing is done is told with the first message, and that it is over") {
  World w(with([](CoreConfig& config) { config.rules[0].mode = rules::Mode::notify; }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 10min));
  REQUIRE(stages(w) == Words{"started"});
  CHECK(says(*heard(w)[0], "nothing is done by itself: rule errors only tells (mode = \"notify\"); "));
  CHECK(says(*heard(w)[0], "`rollbackd rollback web` acts now"));
  w.deploy("v3");
  until_closed(w);
  CHECK(stages(w) == Words{"started", "completed"});
}

TEST_CASE("two rules are one story, named after the more severe one, and told to be worse when that one joins") {
  World w(with([](CoreConfig& config) {
    config.rules[0].severity = rules::Severity::p1;
    config.rules[1].severity = rules::Severity::p0;
    config.rules[1].sustain = 3min;
    config.rules[0].explanation.own().impact = "some cannot buy";
    config.rules[1].explanation.own().impact = "nobody can buy";
    config.actions[0].steps = {capture("logs"), sleep(10min), switch_step()};
  }));
  w.reality["web"].unhealthy = {"bad"};
  harm(w);
  until_closed(w);
  REQUIRE(w.last()->rules.size() == 2);
  REQUIRE(stages(w) == Words{"started", "late", "completed"});
  CHECK(says(*heard(w)[1], "web: down (P0) fires too"));
  CHECK(heard(w)[1]->context.rule == rules::RuleName("down"));
  CHECK(heard(w)[2]->context.rule == rules::RuleName("down"));
  CHECK(heard(w)[2]->context.severity == rules::Severity::p0);
  CHECK(heard(w)[0]->explanation.impact == "some cannot buy");
  CHECK(heard(w)[2]->explanation.impact == "nobody can buy");
}

TEST_CASE("rules that fire at the same moment are in the first message, and no message besides") {
  World w(with([](CoreConfig& config) {
    config.rules.push_back(rule("more-errors", "web_errors > 10%", config.rules[0].sustain));
  }));
  harm(w);
  until_closed(w);
  REQUIRE(w.last()->rules.size() == 2);
  CHECK(stages(w) == Words{"started", "completed"});
  CHECK(says(*heard(w)[0], "Fires too: more-errors"));
  CHECK(told_with(w, "fired too: ") == 0);
}

TEST_CASE("a crash in the middle tells nothing twice") {
  for (int commands = 5; commands <= 60; commands += 5) {
    World w(long_plan());
    harm(w);
    REQUIRE(w.run_until([&] { return w.open().has_value(); }, 10min));
    w.crash_after(commands);
    until_closed(w);
    CHECK(heard(w).size() <= 4);
    CHECK(w.told(Stage::started) == 1);
  }
}

TEST_CASE("a notify step says what it was given, besides the story") {
  World w(with([](CoreConfig& config) {
    rules::StepSpec step = notify("team");
    std::get<rules::NotifyStep>(step.what).explanation.text = "Queue is paused, do not retry by hand.";
    config.rules[0].explanation = rules::Explanation{"", "checkout fails", "https://wiki/errors", ""};
    config.services[0].explanation = rules::Explanation{"The shop.", "all is down", "", "https://status"};
    config.actions[0].steps.insert(config.actions[0].steps.begin(), step);
  }));
  harm(w);
  until_closed(w);
  REQUIRE(stages(w) == Words{"started", "progress", "completed"});
  CHECK(says(*heard(w)[1], "Queue is paused, do not retry by hand."));
  CHECK(says(*heard(w)[1], "web: rolling back bad → v1 (errors, P1)"));
  CHECK(says(*heard(w)[0], "\nThe shop."));
  for (const rules::Tell* tell : heard(w)) {
    CHECK(tell->explanation.impact == "checkout fails");
    CHECK(tell->explanation.runbook == "https://wiki/errors");
    CHECK(tell->explanation.status_page == "https://status");
  }
}

TEST_CASE("a more severe rule that joins a question is told with what is done for it: four messages in all") {
  World w(with([](CoreConfig& config) {
    config.rules[0].severity = rules::Severity::p2;
    config.rules[1].severity = rules::Severity::p0;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(1min);
  w.reality["web"].unhealthy = {"bad"};
  until_closed(w);
  REQUIRE(w.outcome() == "recovered");
  REQUIRE(stages(w) == Words{"started", "ask", "late", "completed"});
  CHECK(says(*heard(w)[2], "rule down (P0) fired too"));
  CHECK(says(*heard(w)[2], "Now: rolling back bad → v1"));
}

TEST_CASE("a more severe rule that has to be asked about joins with its question") {
  World w(with([](CoreConfig& config) {
    config.rules[0].severity = rules::Severity::p2;
    config.rules[1].severity = rules::Severity::p1;
  }));
  w.run(5min);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::ask);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(1min);
  w.reality["web"].unhealthy = {"bad"};
  REQUIRE(w.run_until([&] { return stages(w).size() == 3; }, 10min));
  CHECK(stages(w) == Words{"started", "ask", "ask"});
  CHECK(says(*heard(w)[2], "rule down (P1) fired too"));
  REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
  until_closed(w);
  CHECK(stages(w) == Words{"started", "ask", "ask", "completed"});
}

TEST_CASE("what is done instead of an action that cannot be is told with what that lacks") {
  for (const bool asks : {false, true}) {
    CAPTURE(asks);
    World w(with([&](CoreConfig& config) {
      rules::ActionSpec restore = action("restore", {run("restore"), switch_step()});
      restore.steps[0].uses_backup = true;
      config.actions.push_back(restore);
      config.rules[0].respond = {rules::ActionName("restore"), rules::ActionName("rollback")};
      if (asks) config.rules[0].severity = rules::Severity::p2;
    }));
    harm(w);
    REQUIRE(w.run_until([&] { return stages(w).size() == (asks ? 2 : 1); }, 10min));
    CHECK(says(*heard(w).back(), "restore is passed over: action restore uses ROLLBACKD_BACKUP"));
  }
}

TEST_CASE("a rollback by hand that takes the place of a question is no failure") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(1min);
  rules::RollbackByHand request;
  request.service = rules::ServiceName("web");
  REQUIRE(w.ask(request).accepted);
  w.run(10s);
  const auto first = w.all().front();
  CHECK(first.outcome == rules::Outcome::aborted);
  CHECK(w.told(Stage::failed) == 0);
  CHECK(w.told_text("What comes of that is told of itself; `rollbackd incidents` shows it."));
  until_closed(w);
  CHECK(w.outcome() == "recovered");
  CHECK(w.told(Stage::failed) == 0);
}

TEST_CASE("advice is never what would be refused") {
  SUBCASE("no target") {
    World w(usual());
    w.run(5min);
    w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), rules::Standing::bad});
    w.deploy("bad");
    REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 15min));
    CHECK(w.told_text("`rollbackd rollback web --to REVISION` acts now"));
    CHECK_FALSE(w.told_text("`rollbackd rollback web` acts now"));
  }
  SUBCASE("several actions") {
    World w(with([](CoreConfig& config) {
      config.actions[0].name = rules::ActionName("one");
      config.actions.push_back(action("two", {switch_step()}));
      config.rules[0].respond = {rules::ActionName("one"), rules::ActionName("two")};
      config.rules[0].mode = rules::Mode::notify;
      config.rules[1].respond = {rules::ActionName("restart")};
    }));
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 15min));
    CHECK(w.told_text("`rollbackd rollback web --action NAME` acts now"));
  }
  SUBCASE("an incident that changed something and does nothing more gives way") {
    World w(with([](CoreConfig& config) { config.rules[0].respond = restart_then_rollback(); }));
    w.run(5min);
    w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
    w.deploy("bad");
    REQUIRE(w.run_until([&] { return w.phase() == "telling" && w.count_performed("run restart") == 1; }, 30min));
    CHECK(w.told_text("`rollbackd rollback web` acts now"));
    rules::RollbackByHand request;
    request.service = rules::ServiceName("web");
    CHECK(w.ask(request).accepted);
    CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  }
}
