#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC 2.18: a service whose revision nobody can read.

using namespace world;

namespace {

rules::CoreConfig unidentified() {
  return with([](rules::CoreConfig& config) {
    config.services[0].has_identity = false;
    config.services[0].arm = rules::Arm::always;
  });
}

// Its command mends it, whatever ran.
void mended_by_the_switch(World& w) {
  w.reality["web"].on_switch = [](Reality& real) { real.extra_errors = 0; };
}

void goes_bad_and_is_mended(World& w) {
  w.run(5min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.deeds.size() == 1; }, 10min));
  w.run(2s);
  errors_off(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
}

}  // namespace

TEST_CASE(
    "SPEC 2.18: without an identity the switch is told of no revision, and the outcome rests on the rules alone") {
  World w(unidentified());
  goes_bad_and_is_mended(w);
  CHECK(w.outcome() == "recovered");
  CHECK(w.last()->outcome_detail.find("the rules alone say so") != std::string::npos);
  CHECK(w.deeds.front().command.context.from.empty());
  CHECK(w.deeds.front().command.context.to.empty());
  CHECK_FALSE(w.told_text("unknown revision"));
  CHECK_FALSE(w.told_text("the target"));
  CHECK(w.violations.empty());
}

TEST_CASE("SPEC 2.18: what a mark named is not passed on, and does not run any more after the switch") {
  World w(unidentified());
  w.run(5min);
  w.mark(rules::MarkKind::mark, "v7");
  w.run(5min);
  goes_bad_and_is_mended(w);
  CHECK(w.outcome() == "recovered");
  CHECK(w.deeds.front().command.context.from.empty());
  CHECK(w.standing("v7") == rules::Standing::bad);
  CHECK(w.service().revision.empty());
}

TEST_CASE("SPEC 2.18: an identity's want is said in status and explain, and spent until the next deployment") {
  World w(unidentified());
  goes_bad_and_is_mended(w);
  w.run(30min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "fused"; }, 10min));
  CHECK(w.service().fused);
  bool is_explained = false;
  for (const std::string& missing : w.rule("errors").missing) {
    is_explained = is_explained || missing.find("without an identity it acts once") != std::string::npos;
  }
  CHECK(is_explained);
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("SPEC 2.22: what fires on when the fuse is reset is looked at again") {
  World w(unidentified());
  goes_bad_and_is_mended(w);
  w.run(30min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "fused"; }, 10min));
  w.run(2min);
  w.ask(rules::FuseReset{rules::ServiceName("web")});
  CHECK(w.run_until([&] { return w.deeds.size() == 2; }, 2min));
}

TEST_CASE("a fuse that was reset stays so over a restart") {
  World w(unidentified());
  goes_bad_and_is_mended(w);
  w.ask(rules::FuseReset{rules::ServiceName("web")});
  w.crash();
  w.run(1s);
  CHECK_FALSE(w.service().fused);
}

TEST_CASE("SPEC 2.18: it acts once also over a restart, and a crash in the switch is never a second one") {
  for (int commands = 1; commands < 40; ++commands) {
    CAPTURE(commands);
    World w(unidentified());
    mended_by_the_switch(w);
    w.run(5min);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.outcome() != "none"; }, 10min));
    w.crash_after(commands);
    w.run(2h);
    CHECK(w.count_performed("switch last-good") <= 1);
    CHECK(w.violations.empty());
  }
}

TEST_CASE("SPEC 2.14: a mark while an incident waits has it superseded, and the new revision is judged on its own") {
  rules::CoreConfig config = unidentified();
  config.rules[0].severity = rules::Severity::p2;
  World w(config);
  w.run(5min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(10s);
  w.mark(rules::MarkKind::mark);
  w.run(1s);
  CHECK(w.outcome() == "superseded");
}

TEST_CASE("SPEC 2.16: of a second mark too, what was bad when it was said is held against what ran before") {
  World w(unidentified());
  w.run(5min);
  w.mark(rules::MarkKind::mark);
  w.run(30min);
  // Bad while it is paused, so that nothing is done about it before the mark.
  w.ask(rules::Pause{
      rules::ServiceName("web"),
      10min,
      "",
  });
  errors_on(w);
  w.run(5min);
  w.mark(rules::MarkKind::mark);
  w.run(1s);
  CHECK(w.rule("errors").preexisting);
}

TEST_CASE("SPEC 2.14: what deploy begin said of undoing holds for what deploy end brings") {
  World w(unidentified());
  w.run(5min);
  w.mark(rules::MarkKind::begin, {}, "web", rules::RollbackPolicy::forbidden);
  w.run(10s);
  w.mark(rules::MarkKind::end);
  w.run(5min);
  errors_on(w);
  w.run(30min);
  CHECK(w.deeds.empty());
}

TEST_CASE("by hand a service without an identity switches, and a target cannot be named") {
  World w(unidentified());
  w.run(1min);
  rules::RollbackByHand request;
  request.service = rules::ServiceName("web");
  request.to = rules::Revision("v1");
  const rules::Answer refused = w.ask(request);
  CHECK_FALSE(refused.accepted);
  CHECK(refused.text.find("leave out --to") != std::string::npos);
  request.to.reset();
  CHECK(w.ask(request).accepted);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
}

namespace {

// Dies while the switch is in flight, and comes back when that is over.
void dies_in_the_switch(World& w, bool happens) {
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 20s, happens};
  if (happens) mended_by_the_switch(w);
  w.run(5min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
  w.run(5s);
  w.crash(30s);
}

rules::CoreConfig unidentified_with_a_plan() {
  rules::CoreConfig config = unidentified();
  config.actions[0].steps = {run("pause"), switch_step(), run("warm", rules::OnFailure::abort)};
  config.actions[0].on_success = {run("resume")};
  config.actions[0].on_failure = {run("maintenance")};
  config.actions[0].always = {run("tidy")};
  return config;
}

constexpr const char* not_known = "the watcher ended in the switch, and whether that was done is not known";

}  // namespace

TEST_CASE("SPEC 2.18: of a switch in which the watcher died the rules say whether it helped, and it did") {
  World w(unidentified_with_a_plan());
  dies_in_the_switch(w, true);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 5min));
  CHECK(w.told_text("nobody knows whether it was done"));
  REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.last()->outcome_detail.find(not_known) != std::string::npos);
  CHECK(w.count_performed("switch last-good") == 1);
  CHECK(w.count_performed("run pause") == 1);
  CHECK(w.count_performed("run warm") == 1);
  CHECK(w.count_performed("run resume") == 1);
  CHECK(w.count_performed("run maintenance") == 0);
  CHECK(w.violations.empty());
}

TEST_CASE("SPEC 2.18: of a switch in which the watcher died the rules say whether it helped, and it did not") {
  World w(unidentified_with_a_plan());
  dies_in_the_switch(w, false);
  REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
  CHECK(w.outcome() == "not_recovered");
  CHECK(w.last()->outcome_detail.find(not_known) != std::string::npos);
  CHECK(w.count_performed("run maintenance") == 1);
  CHECK(w.count_performed("run tidy") == 1);
  // What fires on is told, and nothing is done about it by itself.
  w.run(3h);
  CHECK(w.count_performed("switch last-good") == 1);
  CHECK(w.violations.empty());
}

TEST_CASE("SPEC 2.18: that nobody knows whether the switch was done is said also after a second crash") {
  World w(unidentified_with_a_plan());
  dies_in_the_switch(w, true);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 5min));
  w.run(10s);
  w.crash(30s);
  REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.last()->outcome_detail.find(not_known) != std::string::npos);
  CHECK(w.count_performed("switch last-good") == 1);
}

TEST_CASE("SPEC 2.18: a switch that is still at work after a crash is waited for, and then verified by the rules") {
  World w(unidentified_with_a_plan());
  mended_by_the_switch(w);
  w.steps_outlive = true;
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 2min, true};
  w.run(5min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
  w.run(5s);
  w.crash(5s);
  w.run(30s);
  CHECK(w.phase() == "acting");
  CHECK(w.count_performed("run warm") == 0);
  REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
  CHECK(w.violations.empty());
}

TEST_CASE(
    "SPEC 2.18: what was decided while the switch ran stands, also when the watcher dies at any point thereafter") {
  for (int commands = 1; commands < 25; ++commands) {
    CAPTURE(commands);
    World w(unidentified_with_a_plan());
    w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 20s, false};
    w.run(5min);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
    w.run(5s);
    REQUIRE(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
    w.crash_after(commands);
    w.crash(30s);
    REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
    CHECK(w.outcome() == "aborted");
    CHECK_FALSE(w.told_text("nobody knows whether it was done"));
    CHECK(w.last()->outcome_detail.find(not_known) == std::string::npos);
    CHECK(w.count_performed("run warm") == 0);
    CHECK(w.violations.empty());
  }
}
