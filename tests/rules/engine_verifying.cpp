#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC section 2, sentences 26 and 27, and section 3 on the order of a plan.

using namespace world;
using rules::Standing;

namespace {

rules::CoreConfig restart_first() {
  return with([](rules::CoreConfig& config) {
    config.rules[0].respond = restart_then_rollback();
    config.actions[1].settle = 2min;
  });
}

// What the restart did can then not be seen.
void settle_unmeasured(World& w) {
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 15min));
  w.reality["web"].probes_work = false;
}

void let_a_restart_help_v2(World& w) {
  bring_up_v2(w);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run restart") == 1; }, 15min));
  errors_off(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

}  // namespace

TEST_CASE("SPEC 2.26: recovered when the target runs and the rule has been good for its for, the left one is bad") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(*w.last()->closed >= w.deeds.front().at + 1min);
  CHECK(w.standing("bad") == Standing::bad);
}

TEST_CASE("SPEC 2.26: not recovered within the time limit: the left one is suspect, people are told, nothing more") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  errors_on(w);
  const Instant begun = w.now();
  REQUIRE(w.run_until([&] { return w.outcome() == "not_recovered"; }, 30min));
  // start_deadline + window_max + 2 x for
  CHECK(w.now() - begun >= 5min + 5min + 2min - 2s);
  CHECK(w.now() - begun <= 5min + 5min + 2min + 2s);
  CHECK(w.standing("bad") == Standing::suspect);
  CHECK(w.told(rules::Stage::failed) == 1);
  w.run(2h);
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("SPEC 2.26: a switch that says it worked and did not is wrong_revision") {
  World w(usual());
  w.scripts["switch last-good"] = {rules::StepStatus::succeeded, 1s, false};
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "wrong_revision"; }, 15min));
  const std::string why = w.last()->outcome_detail;
  CHECK(why.find(w.last()->to.text + ", which was wanted, but bad, as found by `cat /run/web`") != std::string::npos);
  CHECK(why.find("that ran before, too: nothing was switched, or that does not see what") != std::string::npos);
}

TEST_CASE("SPEC 2.26: another rule that became bad keeps it from being recovered") {
  World w(with([](rules::CoreConfig& config) {
    config.rules.push_back(rule("host", "other_health.up == 0", 30min));
    rules::ProbeShape probe;
    probe.name = rules::ProbeName("other_health");
    config.probes.push_back(probe);
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.run(10s);
  w.deploy("crash", "other");
  CHECK(w.run_until([&] { return w.outcome() == "not_recovered"; }, 40min));
}

TEST_CASE("SPEC 2.26: another rule that became bad keeps a rung without a switch from having helped") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = {rules::ActionName("restart")};
    config.actions[1].settle = 10min;
    config.rules.push_back(rule("host", "other_health.up == 0", 30min));
    rules::ProbeShape probe;
    probe.name = rules::ProbeName("other_health");
    config.probes.push_back(probe);
  }));
  bring_up_v2(w);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 15min));
  errors_off(w);
  w.run(10s);
  w.deploy("crash", "other");
  REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
  CHECK(w.outcome() == "not_recovered");
}

TEST_CASE("SPEC 2.26: with too little traffic to decide, up does") {
  for (const bool is_up : {true, false}) {
    CAPTURE(is_up);
    World w(usual());
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
    w.reality["web"].requests_per_second = 0;
    w.run(3min);
    CHECK(w.phase() == "verifying");
    if (!is_up) w.reality["web"].crashing.insert("v1");
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.outcome() == (is_up ? "recovered" : "not_recovered"));
    CHECK((w.last()->outcome_detail.find("too little traffic") != std::string::npos) == is_up);
  }
}

TEST_CASE("SPEC 2.26: where nobody is let in before it is verified, the plan's own condition decides") {
  for (const bool has_counters : {true, false}) {
    for (const bool has_condition : {true, false}) {
      CAPTURE(has_counters);
      CAPTURE(has_condition);
      World w(with([&](rules::CoreConfig& config) {
        if (has_condition) config.actions[0].verify = {condition("web_health.up == 1"), 30s, {}};
      }));
      harm(w);
      w.reality["web"].on_switch = [&](world::Reality& reality) {
        reality.requests_per_second = 0;
        reality.has_counters = has_counters;
      };
      REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
      const Instant begun = w.now();
      REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
      CHECK(w.outcome() == "recovered");
      CHECK((w.now() - begun < 3min) == has_condition);
      CHECK((w.last()->outcome_detail.find("no request was counted") != std::string::npos) == has_condition);
    }
  }
}

TEST_CASE("SPEC 2.26: what the plan's own condition asks for and nobody can find proves nothing") {
  World w(with([](rules::CoreConfig& config) { config.actions[0].verify.when = condition("web_app.nowhere == 1"); }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
  CHECK(w.outcome() == "unverifiable");
}

TEST_CASE("SPEC 2.26: when nothing can be measured afterwards it is unverifiable") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.reality["web"].probes_work = false;
  CHECK(w.run_until([&] { return w.outcome() == "unverifiable"; }, 30min));
  CHECK(w.standing("bad") == Standing::suspect);
}

TEST_CASE("SPEC 2.26: a plan's own verify.when and its time limit are kept to") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].verify.when = condition("web_errors < 1%");
    config.actions[0].verify.hold = 2min;
    config.actions[0].verify.timeout = 8min;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.reality["web"].extra_errors = 0.03;  // good for the rule, not for the verification
  const Instant begun = w.now();
  REQUIRE(w.run_until([&] { return w.outcome() == "not_recovered"; }, 30min));
  CHECK(w.now() - begun == 8min);
}

TEST_CASE("SPEC 2.27: a rung that did not help within its settle gives way to the next") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0].respond = restart_then_rollback();
    config.actions[1].settle = 3min;
    config.actions[1].on_failure = {run("restart-failed")};
    config.actions[1].always = {run("restart-always")};
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 15min));
  const Instant settled = w.now();
  // Spans start empty at the end of an action.
  CHECK(w.rule("errors").progress.bad < 5s);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  const std::vector<std::string> expected{"run restart", "run restart-failed", "run restart-always",
                                          "switch last-good"};
  CHECK(w.performed() == expected);
  CHECK(w.deeds[1].at - settled >= 3min - 1s);
  CHECK(w.deeds[1].at - settled <= 3min + 1s);
  CHECK(w.all().size() == 1);
}

TEST_CASE("SPEC 2.27: a rung that helped is the end of it") {
  World w(restart_first());
  let_a_restart_help_v2(w);
  CHECK(w.deeds.size() == 1);
  // A restart condemns no revision.
  CHECK(w.standing("v2") == Standing::candidate);
}

TEST_CASE("SPEC 2.27: unknown at the end of settle waits once more, then climbs if up is 0") {
  rules::CoreConfig config = restart_first();
  std::erase_if(config.rules.own(), [](const rules::RuleSpec& one) { return one.name.text == "down"; });
  World w(config);
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 15min));
  const Instant settled = w.now();
  w.reality["web"].crashing.insert("bad");
  REQUIRE(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 20min));
  CHECK(w.deeds.back().at - settled >= 4min - 1s);
}

TEST_CASE("SPEC 2.27: unknown at the end of settle waits once more, then asks if up is not 0") {
  World w(restart_first());
  settle_unmeasured(w);
  w.run(5min);
  CHECK(w.phase() == "asking");
  CHECK(w.count_performed("switch last-good") == 0);
}

TEST_CASE("SPEC 2.22: a rule that clears while the next rung is asked about is not cleared, something was done") {
  World w(restart_first());
  settle_unmeasured(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.reality["web"].probes_work = true;
  w.reality["web"].sick.clear();
  w.run(15min);
  CHECK(w.phase() == "asking");
  CHECK(w.performed() == std::vector<std::string>{"run restart"});
}

TEST_CASE("SPEC 2.27: a rule that fires again on the same revision starts one rung higher") {
  World w(restart_first());
  let_a_restart_help_v2(w);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.deeds.size() == 2; }, 30min));
  CHECK(w.performed().back() == "switch last-good");
}

TEST_CASE("the order of a plan is steps, verify, on_success or on_failure, always") {
  for (const bool works : {true, false}) {
    CAPTURE(works);
    World w(with([](rules::CoreConfig& config) {
      config.actions[0].steps = {notify("team"), capture("logs"), run("pause"), switch_step(),
                                 wait("web_health.up == 1", 15s, 5min)};
      config.actions[0].on_success = {run("resume")};
      config.actions[0].on_failure = {run("maintenance")};
      config.actions[0].always = {run("tidy"), notify("team")};
    }));
    if (!works) w.scripts["switch last-good"] = {rules::StepStatus::failed, 1s, false};
    harm(w);
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.outcome() == (works ? "recovered" : "action_failed"));
    const std::vector<std::string> expected{"capture logs: logs", "run pause", "switch last-good",
                                            works ? "run resume" : "run maintenance", "run tidy"};
    CHECK(w.performed() == expected);
    CHECK(w.violations.empty());
  }
}

TEST_CASE("SPEC 2.15: a plan that makes HTTP calls alone brings no new instance, so that nothing warms up anew") {
  for (const bool restarts : {true, false}) {
    CAPTURE(restarts);
    World w(with([&](rules::CoreConfig& config) {
      rules::StepSpec call;
      call.what = rules::HttpStep{};
      call.timeout = 10s;
      config.actions.push_back(action("calm", {restarts ? run("restart") : call}));
      for (rules::RuleSpec& rule : config.rules)
        rule.respond = {rules::ActionName("calm"), rules::ActionName("rollback")};
    }));
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "settling"; }, 15min));
    CHECK(w.service().warming_up == restarts);
    CHECK(w.service().warming_until.has_value() == restarts);
  }
}

TEST_CASE("a wait that fails ends its section, and what was left out is said") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].on_success = {run("resume orders"), wait("web_health.up == 0", 15s, 1min), run("resume mails"),
                                    notify("team")};
    config.actions[0].always = {run("tidy")};
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.performed() == std::vector<std::string>{"switch last-good", "run resume orders", "run tidy"});
  CHECK(w.outcome() == "action_failed");
  const rules::Tell& last = w.tells.back();
  CHECK(last.stage == rules::Stage::failed);
  CHECK(last.text.find("was not true for 15s within 1m; at last web_health.up == 0 was 1; not done, and left as it is: "
                       "run resume mails, notify team") != std::string::npos);
  CHECK(last.text.find("Nothing is left to do") == std::string::npos);
  // It worked: what it left is quarantined all the same.
  CHECK(w.standing(w.last()->from.text) == rules::Standing::bad);
  CHECK(w.violations.empty());
}

TEST_CASE("a wait in whose middle the watcher died for longer than its timeout is waited for anew") {
  for (const bool in_steps : {true, false}) {
    CAPTURE(in_steps);
    World w(with([&](rules::CoreConfig& config) {
      rules::ActionSpec& rollback = config.actions[0];
      std::vector<rules::StepSpec>& section = in_steps ? rollback.steps : rollback.on_success;
      section.push_back(wait("web_health.up == 1", 30s, 1min));
      section.push_back(run("resume"));
    }));
    harm(w);
    const auto waits = [&] {
      return w.open() && w.open()->in_flight && w.open()->deadline &&
             w.open()->section == (in_steps ? rules::PlanSection::steps : rules::PlanSection::on_success) &&
             w.open()->step == (in_steps ? 1U : 0U);
    };
    REQUIRE(w.run_until(waits, 30min));
    w.crash(3min);
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.outcome() == "recovered");
    CHECK(w.count_performed("run resume") == 1);
  }
}

TEST_CASE("a finishing step that fails does not rename what others ended") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].always = {wait("web_health.up == 0", 15s, 1min), run("tidy")};
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 30min));
  w.run(25s);  // the target is seen to run
  w.deploy("v9");
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "superseded");
  CHECK(w.count_performed("run tidy") == 0);
}

TEST_CASE("a finishing step that fails and is passed over is left to people") {
  for (const bool in_always : {false, true}) {
    CAPTURE(in_always);
    World w(with([&](rules::CoreConfig& config) {
      rules::ActionSpec& rollback = config.actions[0];
      std::vector<rules::StepSpec>& section = in_always ? rollback.always : rollback.on_success;
      section.push_back(run("maintenance off"));
      section.push_back(run("resume"));
    }));
    w.scripts["run maintenance off"] = {rules::StepStatus::failed, 1s, false};
    harm(w);
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.performed() == std::vector<std::string>{"switch last-good", "run maintenance off", "run resume"});
    CHECK(w.outcome() == "recovered");
    CHECK(w.tells.back().text.find("run maintenance off: failed") != std::string::npos);
    CHECK(w.tells.back().text.find("Nothing is left to do") == std::string::npos);
  }
}

TEST_CASE("what runs before the switch and fails is passed over, a failed wait aborts") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("backup"), switch_step(), wait("web_health.up == 0", 15s, 1min)};
    config.actions[0].on_failure = {run("maintenance")};
  }));
  w.scripts["run backup"] = {rules::StepStatus::failed, 1s, false};
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "action_failed");
  CHECK(w.performed() == std::vector<std::string>{"run backup", "switch last-good", "run maintenance"});
}

TEST_CASE("a step is tried again as often as retry says") {
  World w(with([](rules::CoreConfig& config) {
    rules::StepSpec step = run("backup", rules::OnFailure::abort);
    step.retry = 2;
    config.actions[0].steps = {step, switch_step()};
  }));
  w.scripts["run backup"] = {rules::StepStatus::failed, 1s, false};
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 30min));
  CHECK(w.count_performed("run backup") == 3);
  CHECK(w.count_performed("switch last-good") == 0);
}

TEST_CASE("an ask step waits for a person, and aborts when nobody answers") {
  for (const bool approved : {true, false}) {
    World w(with([](rules::CoreConfig& config) {
      config.actions[0].steps = {run("backup"), question("really?"), switch_step()};
      config.actions[0].always = {run("tidy")};
    }));
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
    if (approved) w.ask(rules::Approve{w.open()->id, "me"});
    REQUIRE(w.run_until([&] { return w.closed(); }, 50min));
    CHECK(w.outcome() == (approved ? "recovered" : "aborted"));
    CHECK(w.count_performed("switch last-good") == (approved ? 1 : 0));
    CHECK(w.count_performed("run tidy") == 1);
  }
}

TEST_CASE("a person aborts and kills: the step in flight is ended, what must follow is done") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("backup"), switch_step()};
    config.actions[0].on_failure = {run("maintenance")};
    config.actions[0].always = {run("tidy")};
  }));
  w.scripts["run backup"] = {rules::StepStatus::succeeded, 4min, true};
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run backup") == 1; }, 15min));
  CHECK(w.ask(rules::Abort{w.open()->id, "me", true}).accepted);
  REQUIRE(w.run_until([&] { return w.outcome() == "aborted"; }, 1min));
  CHECK(w.performed() == std::vector<std::string>{"run backup", "run maintenance", "run tidy"});
}

TEST_CASE("by hand runs the same plan with every probe down and is unverifiable then") {
  World w(usual());
  bring_up_v2(w);
  w.reality["web"].probes_work = false;
  w.run(1min);
  rules::RollbackByHand request;
  request.service = rules::ServiceName("web");
  request.reason = "customers call";
  const rules::Answer answer = w.ask(request);
  CHECK(answer.accepted);
  REQUIRE(w.run_until([&] { return w.outcome() == "unverifiable"; }, 40min));
  CHECK(w.last()->by_hand);
  CHECK(w.last()->id == answer.incident);
  CHECK(w.journal.steps.begin()->second.text == "switch v1");
  CHECK(w.reality["web"].running.text == "v1");
}

TEST_CASE("by hand works for a service without rules") {
  World w(with([](rules::CoreConfig& config) { config.rules.clear(); }));
  w.run(1min);
  w.deploy("v2");
  w.run(1min);
  rules::RollbackByHand request;
  request.service = rules::ServiceName("web");
  CHECK(w.ask(request).accepted);
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 40min));
  CHECK(w.reality["web"].running.text == "v1");
  CHECK(w.last()->outcome_detail == "v1 runs; no rule says how well");
}

TEST_CASE("one look that saw another revision keeps the incident open until a second says what runs") {
  World undisturbed(usual());
  harm(undisturbed);
  REQUIRE(undisturbed.run_until([&] { return undisturbed.outcome() == "recovered"; }, 20min));
  const Instant recovers = *undisturbed.last()->closed;
  // A look every 10 s: at least one has seen it by then.
  for (Duration before = 11s; before <= 20s; before += 1s) {
    CAPTURE(before.count());
    World w(usual());
    harm(w);
    w.run(recovers - before - w.now());
    w.deploy("v7");
    REQUIRE(w.run_until([&] { return w.closed(); }, 15min));
    CHECK(w.outcome() == "superseded");
  }
}

TEST_CASE("a verification that must hold for longer than its time limit would be has longer") {
  World w(with([](rules::CoreConfig& config) { config.actions[0].verify.hold = 30min; }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 90min));
  CHECK(w.outcome() == "recovered");
}

TEST_CASE("our own absence takes nothing from the time of a verification") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].verify.timeout = 3min;
    config.actions[0].verify.hold = 2min;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.run(90s);
  w.crash(60s);
  REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
  CHECK(w.outcome() == "recovered");
}
