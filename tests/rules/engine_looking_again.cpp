#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC 2.22: a rule that fires is acted on, asked about, or people are told that it will not be; and what changes the
// reason has it looked at again.

using namespace world;
using rules::Standing;

namespace {

void declare(World& w, const std::string& revision, Standing standing) {
  CHECK(w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision(revision), standing}).accepted);
}

// v1 is bad, people say, and so nothing is known to go back to.
void harm_without_target(World& w) {
  w.run(5min);
  declare(w, "v1", Standing::bad);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 15min));
}

rules::CoreConfig only_notifying() {
  return with([](rules::CoreConfig& config) { config.rules[0].mode = rules::Mode::notify; });
}

}  // namespace

TEST_CASE("SPEC 2.22: what fires without a target is looked at again when people name one, also after a restart") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    World w(usual());
    harm_without_target(w);
    w.run(5min);
    if (restarts) w.crash();
    w.run(1min);
    CHECK(w.all().size() == 1);
    CHECK(w.told_text("`rollbackd deploy good`"));
    declare(w, "v1", Standing::good);
    CHECK(w.run_until([&] { return w.deeds.size() == 1; }, 2min));
    CHECK(w.last()->to.text == "v1");
  }
}

TEST_CASE("SPEC 2.22: also when the target was missed by the second rung, and by hand nothing could be done") {
  World w(with([](rules::CoreConfig& config) { config.rules[0].respond = restart_then_rollback(); }));
  harm_without_target(w);
  REQUIRE(w.count_performed("run restart") == 1);
  w.scripts["run restart"] = {rules::StepStatus::failed, 1s, true};
  w.run(15min);
  declare(w, "v1", Standing::good);
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 15min));
}

TEST_CASE("SPEC 2.22: a target that people name while the incident still ends is not forgotten") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {sleep(1min), switch_step()};
    config.actions[0].always = {run("tidy")};
  }));
  w.scripts["run tidy"] = {rules::StepStatus::succeeded, 1min, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 10min));
  declare(w, "v1", Standing::bad);
  REQUIRE(w.run_until([&] { return w.count_performed("run tidy") == 1; }, 5min));
  declare(w, "v1", Standing::good);
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 5min));
}

TEST_CASE("what people aborted, and what a rollback brought, is not acted on for a new target") {
  World aborted(usual());
  harm(aborted);
  REQUIRE(aborted.run_until([&] { return aborted.open().has_value(); }, 10min));
  REQUIRE(aborted.ask(rules::Abort{aborted.open()->id, "me"}).accepted);
  declare(aborted, "v1", Standing::good);
  aborted.run(2min);
  CHECK(aborted.told_text("`rollbackd rollback web` acts now"));
  CHECK(aborted.all().size() == 1);

  World brought(armed_always());
  brought.settle_on_v2();
  brought.deploy("bad");
  REQUIRE(brought.run_until([&] { return brought.outcome() == "recovered"; }, 15min));
  errors_on(brought);
  REQUIRE(brought.run_until([&] { return brought.outcome() == "no_target"; }, 40min));
  declare(brought, "v1", Standing::good);
  brought.run(2min);
  CHECK(brought.all().size() == 2);
  CHECK(brought.deeds.size() == 1);
}

TEST_CASE("SPEC 2.22: what was only observed of a damaged journal is acted on when its state is accepted") {
  World w(usual());
  w.observe(rules::SelfDegraded{w.now(), "the database was damaged", false, true});
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 15min));
  w.run(2min);
  REQUIRE(w.deeds.empty());
  CHECK(w.told_text("nothing is done by itself: the database was damaged;"));
  CHECK(w.ask(rules::AcceptState{}).accepted);
  CHECK(w.run_until([&] { return w.deeds.size() == 1; }, 1min));
}

TEST_CASE("SPEC 2.22: what was only told is acted on when a reload allows that") {
  World w(only_notifying());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 15min));
  w.reload(only_notifying());
  w.run(1min);
  CHECK(w.phase() == "telling");
  w.reload(usual());
  CHECK(w.run_until([&] { return w.deeds.size() == 1; }, 3min));
}

TEST_CASE("SPEC 2.22: what a deploy mark had asked about is acted on when another one allows it") {
  for (const auto policy : {rules::RollbackPolicy::automatic, rules::RollbackPolicy::ask}) {
    World w(usual());
    w.run(5min);
    w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::ask);
    w.deploy("bad");
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
    w.mark(rules::MarkKind::mark, "bad", "web", policy);
    const bool acts = w.run_until([&] { return w.deeds.size() == 1; }, 5min);
    CHECK(acts == (policy == rules::RollbackPolicy::automatic));
    CHECK(w.told(rules::Stage::ask) == 1);
  }
}

TEST_CASE("SPEC 2.23: what one look reads by mistake right before the switch does not leave a bad revision running") {
  World w(with([](rules::CoreConfig& config) { config.actions[0].steps = {run("backup"), switch_step()}; }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.noted("step_ended") == 1; }, 15min));
  w.reality["web"].misread = rules::Revision("v3");
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.all().size() == 1);
}

TEST_CASE("SPEC 2.22: a bad release that comes while the last steps of an incident are done is acted on") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    World w(with([](rules::CoreConfig& config) { config.actions[0].always = {run("tidy")}; }));
    w.scripts["run tidy"] = {rules::StepStatus::succeeded, 4min, true};
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "verifying" && w.service().revision.text == "v1"; }, 15min));
    w.deploy("bad2");
    REQUIRE(w.run_until([&] { return w.phase() == "finishing"; }, 1min));
    REQUIRE(w.run_until([&] { return w.rule("errors").progress.state == rules::RuleState::firing; }, 3min));
    REQUIRE(w.phase() == "finishing");
    CHECK(w.told_text("rule errors (P1) fired too: it is answered when this incident has ended"));
    w.run(6s);
    if (restarts) w.crash();
    REQUIRE(w.run_until([&] { return w.all().size() == 2; }, 10min));
    CHECK(w.all().front().outcome == rules::Outcome::superseded);
    CHECK(w.last()->from.text == "bad2");
    CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  }
}

TEST_CASE("SPEC 2.20: a rung that only a rule wanted which has cleared is passed over, not told to be impossible") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = restart_then_rollback();
    config.rules.push_back(rule("some-errors", "web_errors > 2%", 2min));
    config.services[0].cooldown = 20min;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
  w.deploy("v2");
  w.run(30s);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "held" && w.last()->rules.size() == 2; }, 10min));
  w.reality["web"].extra_errors = 0.03;
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 2; }, 25min));
  CHECK_FALSE(w.told_text("nothing is done by itself"));
}

TEST_CASE("SPEC 2.15: what a switch brought is given time to start also while the plan waits for it") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {switch_step(), wait("web_health.up == 1", 5s, 5min)};
  }));
  w.reality["web"].on_switch = [](Reality& real) { real.unhealthy.insert("v1"); };
  harm(w);
  REQUIRE(w.run_until([&] { return w.service().revision.text == "v1"; }, 15min));
  w.run(100s);
  CHECK(w.phase() == "acting");
  w.reality["web"].unhealthy.clear();
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.last()->rules.size() == 1);
}
