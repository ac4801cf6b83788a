#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"
#include "rules/incidents/usual_lengths.hpp"

// How long what is begun usually takes is said where it is known, and told once where it takes much longer.

using namespace world;
using rules::Stage;

namespace {

// Has rolled back in a minute before, and restarted in ten seconds.
void experience(World& w) {
  w.run(1min);
  auto& usual = w.journal.services.at("web").usual;
  usual["switch"] = {std::chrono::nanoseconds(2min).count(), std::chrono::nanoseconds(1min).count(),
                     std::chrono::nanoseconds(1s).count()};
  usual["run restart"] = {std::chrono::nanoseconds(10s).count()};
  w.crash();
}

const std::string minute = "; that usually takes 1m, and then it is verified";

long told_late(const World& w) {
  return std::count_if(w.tells.begin(), w.tells.end(), [](const rules::Tell& tell) {
    return tell.stage == Stage::late && tell.title.find("action rollback takes longer than usual") != std::string::npos;
  });
}

rules::StepRecord took(const std::string& text, Duration length,
                       rules::StepStatus status = rules::StepStatus::succeeded) {
  rules::StepRecord out;
  out.kind = text.substr(0, text.find(' '));
  out.text = text;
  out.started = Instant(100h);
  out.ended = out.started + length;
  out.status = status;
  return out;
}

}  // namespace

TEST_CASE("what a step usually takes is the median of its newest runs that succeeded, a switch wherever it goes") {
  rules::UsualLengths usual;
  CHECK_FALSE(usual.of(run("backup")));
  usual.learn(took("run backup", 10s));
  usual.learn(took("run backup", 30s));
  usual.learn(took("run backup", 20s));
  usual.learn(took("run backup", 1s, rules::StepStatus::failed));
  usual.learn(took("switch v1", 1min));
  CHECK(usual.of(run("backup")) == Duration(20s));
  CHECK(usual.of(switch_step()) == Duration(1min));
  CHECK(usual.of(action("rollback", {run("backup"), switch_step()})) == Duration(80s));
  CHECK_FALSE(usual.of(action("rollback", {run("backup"), run("pause"), switch_step()})));
  for (int i = 0; i < 9; ++i) usual.learn(took("run backup", 5s));
  CHECK(usual.of(run("backup")) == Duration(5s));
  for (int i = 0; i < 1000; ++i) usual.learn(took("run " + std::to_string(i), 5s));
  CHECK(usual.records().size() <= 200);
  CHECK(usual.of(run("999")) == Duration(5s));
}

TEST_CASE("nothing is said of what was never done before, and of the second time what the first one took") {
  World w(with([](rules::CoreConfig& config) { config.actions[0].steps = {run("backup"), switch_step()}; }));
  w.scripts["switch last-good"].takes = 40s;
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  CHECK_FALSE(w.told_text("usually takes"));
  CHECK_FALSE(w.tells.front().expected);
  SUBCASE("at once") {}
  SUBCASE("after a restart") { w.crash(); }
  w.run(15min);
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.all().size() == 2 && w.outcome() == "recovered"; }, 30min));
  CHECK(w.told_text("Now: rolling back bad2 → v1; that usually takes 41s, and then it is verified"));
  CHECK(w.told_text("action rollback begins: web_errors > 5%"));
  CHECK_FALSE(w.tells.back().expected);
}

TEST_CASE("how long it usually takes is said where it begins, where it is asked for, and where a person begins it") {
  SUBCASE("it begins") {
    World w(usual());
    experience(w);
    harm(w);
    REQUIRE(w.run_until([&] { return w.open().has_value(); }, 10min));
    w.run(1s);
    CHECK(w.told_text("Now: rolling back bad → v1" + minute));
    CHECK(w.tells.front().expected == Duration(1min));
  }
  SUBCASE("it is asked for") {
    World w(asking());
    experience(w);
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
    CHECK(w.told_text("approve action rollback? Asked because it is P2, of which people are asked" + minute + "."));
  }
  SUBCASE("by hand") {
    World w(usual());
    experience(w);
    w.settle_on_v2();
    REQUIRE(w.ask(rules::RollbackByHand{rules::ServiceName("web"), {}, {}, "", "", false}).accepted);
    w.run(1s);
    CHECK(w.told_text("Now: rolling back v2 → v1" + minute));
  }
  SUBCASE("a ladder") {
    World w(with([](rules::CoreConfig& config) { config.rules[0].respond = restart_then_rollback(); }));
    experience(w);
    harm(w);
    REQUIRE(w.run_until([&] { return w.open().has_value(); }, 10min));
    w.run(1s);
    CHECK(
        w.told_text("Now: running restart; that usually takes 10s, and then it is seen whether it helped; if it does "
                    "not help: rollback"));
  }
}

TEST_CASE(
    "what takes twice as long as usual is told once, also over a restart, and what takes a little longer is not") {
  World w(usual());
  experience(w);
  w.steps_outlive = true;
  w.scripts["switch last-good"].takes = 119s;
  SUBCASE("a little longer") {}
  SUBCASE("much longer") { w.scripts["switch last-good"].takes = 10min; }
  SUBCASE("with a restart") { w.scripts["switch last-good"].takes = 11min; }
  const Duration takes = w.scripts["switch last-good"].takes;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 10min));
  w.run(takes < 3min ? 118s : Duration(119s));
  CHECK(told_late(w) == 0);
  w.run(5s);
  CHECK(told_late(w) == (takes < 3min ? 0 : 1));
  if (takes == 11min) w.crash();
  REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
  CHECK(told_late(w) == (takes < 3min ? 0 : 1));
  if (takes > 3min) CHECK(w.told_text("began 2m ago and usually takes 1m; at work: switch last-good"));
}

TEST_CASE("what takes too long when three messages were told is news to who follows each step alone") {
  World w(asking());
  experience(w);
  w.scripts["switch last-good"].takes = 10min;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.journal_locked = true;
  REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
  w.run(10s);
  w.journal_locked = false;
  REQUIRE(w.run_until([&] { return w.told_text("takes longer than usual"); }, 20min));
  CHECK(told_late(w) == 0);
}

TEST_CASE("how far an action is follows what its steps and its verification took before") {
  rules::UsualLengths usual;
  const rules::ActionSpec plan = action("rollback", {run("backup"), switch_step()});
  const auto at = [&](std::size_t step, Duration worked) {
    return told(rules::progress_of(plan, usual, {step, worked, false}));
  };
  CHECK(at(0, 5s) == "step 1 of 2");
  usual.learn(took("run backup", 20s));
  usual.learn(took("switch v1", 1min));
  // How long it is verified is not known yet: no share is invented.
  CHECK(at(1, 5s) == "step 2 of 2");
  usual.learn_verifying(plan, false, 2min);
  CHECK(at(0, 0s) == "0 % done, step 1 of 2, usually 3m20s more");
  CHECK(at(0, 10s) == "5 % done, step 1 of 2, usually 3m10s more");
  // What takes longer than usual is not done for that.
  CHECK(at(0, 10min) == "10 % done, step 1 of 2, usually 3m more");
  CHECK(at(1, 30s) == "25 % done, step 2 of 2, usually 2m30s more");
  CHECK(at(2, 1min) == "70 % done, its 2 steps are done, usually 1m more");
  CHECK(at(2, 1h) == "99 % done, its 2 steps are done, usually less than a second more");
  CHECK(at(2, -1h) == "40 % done, its 2 steps are done, usually 2m more");
  // By hand nothing has to become good: that is another length.
  CHECK(told(rules::progress_of(plan, usual, {1, 5s, true})) == "step 2 of 2");
}

TEST_CASE("of the first run it is said which step it is at, of the second how far it is, after a restart too") {
  World w(with([](rules::CoreConfig& config) { config.actions[0].steps = {run("backup"), switch_step()}; }));
  w.scripts["run backup"].takes = 20s;
  w.scripts["switch last-good"].takes = 40s;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 10min));
  w.run(30s);
  const auto progress = [&] { return w.view().services.front().progress; };
  REQUIRE(progress());
  CHECK(told(*progress()) == "step 2 of 2");
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  CHECK_FALSE(progress());
  CHECK_FALSE(w.told_text("% done"));
  CHECK(w.told_text("How far it is: step 2 of 2."));
  SUBCASE("at once") {}
  SUBCASE("after a restart") { w.crash(); }
  w.run(15min);
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.all().size() == 2 && w.phase() == "verifying"; }, 30min));
  REQUIRE(progress());
  REQUIRE(progress()->percent);
  CHECK(*progress()->percent > 0);
  CHECK(*progress()->percent < 100);
  CHECK(progress()->left > Duration(0s));
  CHECK(w.told_text("% done, its 2 steps are done, usually "));
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  CHECK_FALSE(w.tells.back().progress);
}
