#include <doctest/doctest.h>

#include "engine_world.hpp"

// Where an incident stands, for who joins late and for those who are told again, and until when people are reminded
// of what an incident left bad (SPEC 2.22).

using namespace world;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The fuse lets nothing happen.
rules::CoreConfig fused(const std::function<void(rules::CoreConfig&)>& change = [](rules::CoreConfig&) {}) {
  return with([&](rules::CoreConfig& config) {
    config.services[0].fuse.switches_per_day = 0;
    change(config);
  });
}

// And errors fires on.
void leave_bad(World& w) {
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "fused"; }, 20min));
  w.run(10min);
  REQUIRE(w.situation());
  REQUIRE(w.situation()->needs_people);
}

bool has_told_good(const World& w) { return w.told_text("Its rules are good again, "); }

}  // namespace

TEST_CASE("an incident that ended and left its rules bad stands until those are good, and then that is told") {
  World w(fused());
  leave_bad(w);
  w.run(30min);
  const rules::Situation stands = *w.situation();
  CHECK(stands.needs_people);
  CHECK(stands.since == *w.last()->closed);
  CHECK(stands.message.stage == rules::Stage::failed);
  CHECK(stands.message.title == "web: not good since it ended as fused, people are needed (errors, P1)");
  CHECK(has(stands.message.text, "It ended 40m ago, at "));
  CHECK(has(stands.message.text, "\nNow errors is bad: web_errors > 5%, it is "));
  CHECK(has(stands.message.text, "\nNothing was changed.\nNext: People are needed: `rollbackd fuse reset web` allows"));
  CHECK(has(stands.message.text, "rollbackd ack " + w.last()->id.text));
  w.reality["web"].sick.clear();
  REQUIRE(w.run_until([&] { return has_told_good(w); }, 10min));
  CHECK_FALSE(w.situation());
  CHECK(w.tells.back().stage == rules::Stage::cleared);
}

TEST_CASE("what is good again before anybody was reminded needs no message of its own") {
  World w(fused());
  leave_bad(w);
  w.reality["web"].sick.clear();
  w.run(10min);
  CHECK_FALSE(w.situation());
  CHECK_FALSE(has_told_good(w));
}

TEST_CASE("an alert of what failed ends with its reason, and who heard that it failed hears nothing of that") {
  World w(fused());
  leave_bad(w);
  const rules::IncidentId id = w.last()->id;
  const auto end = [&](const std::string& why) {
    const rules::Tell& last = w.tells.back();
    CHECK(last.context.incident == id);
    CHECK(last.stage == rules::Stage::cleared);
    CHECK(has(last.title, "web: " + why));
    REQUIRE(last.said_by.size() == 1);
    CHECK(last.said_by.front().stage == rules::Stage::failed);
    CHECK(last.said_by.front().severity == last.context.severity);
  };
  SUBCASE("its rules are good") {
    w.reality["web"].sick.clear();
    w.run(10min);
    end("its rules are good again, ");
  }
  SUBCASE("somebody knows of it") {
    REQUIRE(w.ask(rules::Acknowledge{id, "me"}).accepted);
    end("it was acknowledged by me, ");
  }
  SUBCASE("another revision runs") {
    w.deploy("v3");
    REQUIRE(w.run_until([&] { return !w.situation(); }, 5min));
    end("another revision runs, which is judged on its own, ");
  }
}

TEST_CASE(
    "where its own switch led to is no other revision, and an incident that failed behind it stands until its rules "
    "are good") {
  World w(with([](rules::CoreConfig& config) {
    config.actions.front().steps.push_back(run("smoke", rules::OnFailure::abort));
  }));
  w.scripts["run smoke"] = {rules::StepStatus::failed, 1ms, false, false};
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 20min));
  REQUIRE(w.last()->switched);
  w.run(20s);
  CHECK(w.situation());
  CHECK_FALSE(w.told_text("web: another revision runs"));
  REQUIRE(w.run_until([&] { return !w.situation(); }, 10min));
  CHECK(has(w.tells.back().title, "web: its rules are good again, "));
}

TEST_CASE("of each end that leaves a rule bad people are reminded, whether something was changed or not") {
  SUBCASE("not recovered") {
    World w(usual());
    bring_up_v2(w);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.outcome() == "not_recovered"; }, 60min));
    REQUIRE(w.situation());
    CHECK(w.situation()->needs_people);
    CHECK(has(w.situation()->message.text, "\nDone so far: it was switched to v1.\nNext: People are needed"));
  }
  SUBCASE("no target") {
    World w(armed_always());
    w.run(5min);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 20min));
    CHECK(w.situation()->needs_people);
  }
  SUBCASE("a step failed") {
    World w(usual());
    w.scripts["switch last-good"] = {rules::StepStatus::failed, 1s, false, false};
    harm(w);
    REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 20min));
    CHECK(w.situation()->needs_people);
  }
  SUBCASE("nobody answered") {
    World w(asking());
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 20min));
    CHECK(w.situation()->needs_people);
    CHECK(w.situation()->message.stage == rules::Stage::ask);
    REQUIRE(w.run_until([&] { return w.outcome() == "aborted"; }, 60min));
    CHECK(w.situation()->needs_people);
  }
}

TEST_CASE("who knows of it, acts, or has another revision run is not reminded") {
  World w(fused());
  leave_bad(w);
  const rules::IncidentId id = w.last()->id;
  SUBCASE("somebody knows of it") {
    REQUIRE(w.ask(rules::Acknowledge{id, "me"}).accepted);
    CHECK(w.last()->timeline.back().event == "acknowledged");
    CHECK_FALSE(w.ask(rules::Acknowledge{id, "me"}).accepted);
  }
  SUBCASE("another revision runs") {
    w.deploy("v3");
    w.run(1min);
  }
  SUBCASE("it is rolled back by hand") {
    w.reality["web"].sick.clear();
    REQUIRE(w.ask(rules::RollbackByHand{rules::ServiceName("web"), {}, {}, "", "me", true}).accepted);
    REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  }
  SUBCASE("another incident is about it") {
    w.ask(rules::FuseReset{rules::ServiceName("web")});
    w.run(1min);
    REQUIRE(w.last()->id != id);
    w.crash();
    CHECK(w.journal.services["web"].unsettled.size() <= 1);
    CHECK(w.last()->id != id);
    return;
  }
  CHECK_FALSE(w.situation());
  w.run(2h);
  CHECK_FALSE(has_told_good(w));
  CHECK(w.journal.services["web"].unsettled.empty());
}

TEST_CASE("people are reminded over a restart, and not of what a person aborted, a P3, or while it is paused") {
  World w(fused());
  leave_bad(w);
  w.crash();
  w.run(1min);
  REQUIRE(w.situation());
  CHECK(w.situation()->needs_people);
  w.ask(rules::Pause{{}, 1h, "me"});
  CHECK_FALSE(w.situation()->needs_people);
  World aborted(asking());
  harm(aborted);
  REQUIRE(aborted.run_until([&] { return aborted.phase() == "asking"; }, 20min));
  REQUIRE(aborted.ask(rules::Abort{aborted.open()->id, "me"}).accepted);
  aborted.run(1min);
  CHECK_FALSE(aborted.situation());
  World light(with([](rules::CoreConfig& config) { config.rules[0].severity = rules::Severity::p3; }));
  harm(light);
  REQUIRE(light.run_until([&] { return light.phase() == "telling"; }, 20min));
  CHECK_FALSE(light.situation()->needs_people);
}

TEST_CASE("what is said of an open incident is what is so then, and who must act next") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps.insert(config.actions[0].steps.begin(), {run("freeze"), sleep(3min)});
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run freeze") == 1; }, 20min));
  w.run(1min);
  const rules::Situation stands = *w.situation();
  CHECK_FALSE(stands.needs_people);
  CHECK(stands.message.stage == rules::Stage::progress);
  CHECK(has(stands.message.title, "web: rolling back bad → v1 (errors, P1)"));
  CHECK(has(stands.message.text, "at work: sleep"));
  CHECK(has(stands.message.text, "\nDone so far: run freeze.\nNext: nobody has to do anything, it goes on by itself"));
}

TEST_CASE("who says that he knows of a question is not reminded of it, but of what it comes to") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 20min));
  REQUIRE(w.ask(rules::Acknowledge{w.open()->id, "me"}).accepted);
  CHECK_FALSE(w.situation()->needs_people);
  REQUIRE(w.run_until([&] { return w.outcome() == "aborted"; }, 60min));
  CHECK(w.situation()->needs_people);
}
