#include <doctest/doctest.h>

#include <set>

#include "engine_world.hpp"

// What `rollback` does when a person types it, and where it goes.

using namespace std::chrono_literals;
using namespace world;
using rules::ActionName;
using rules::Standing;

namespace {

rules::SwitchStep going_to(rules::SwitchTargetKind kind, const std::string& revision = "") {
  rules::SwitchStep out;
  out.kind = kind;
  out.revision = rules::Revision(revision);
  return out;
}

rules::ActionSpec losing(const std::string& name) {
  rules::ActionSpec out = action(name, {run("restore the database"), switch_step()});
  out.undoes = {"code", "data"};
  return out;
}

rules::RollbackByHand by_hand(const std::string& named = "") {
  rules::RollbackByHand out;
  out.service = rules::ServiceName("web");
  if (!named.empty()) out.action = ActionName(named);
  return out;
}

// A rule whose name comes first, and whose response restores.
rules::CoreConfig with_restore() {
  return with([](rules::CoreConfig& config) {
    config.rules.insert(config.rules.begin(), rule("corrupt", "web_errors > 90%", 1min, {"restore"}));
    config.actions.insert(config.actions.begin(), losing("restore"));
  });
}

// `rollback` is gone, the rules respond with others.
rules::CoreConfig responding(std::vector<rules::ActionSpec> actions) {
  return with([&](rules::CoreConfig& config) {
    config.actions = actions;
    for (rules::RuleSpec& one : config.rules) {
      one.respond.clear();
      for (const rules::ActionSpec& each : actions) one.respond.push_back(each.name);
    }
  });
}

void note_backup(World& w) {
  rules::DeployMark mark;
  mark.service = rules::ServiceName("web");
  mark.at = w.now();
  mark.backup = "/backups/before-v2.dump";
  w.observe(mark);
}

rules::ReadinessRead named(const World& w, const std::string& name, const std::string& revision,
                           const std::string& why_not = "") {
  rules::ReadinessRead read;
  read.service = rules::ServiceName("web");
  read.at = w.now();
  read.ready = true;
  read.names.push_back({name, rules::Revision(revision), why_not});
  return read;
}

void bad_release_has_no_target(World& w) {
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "no_target");
  CHECK(w.performed().empty());
}

}  // namespace

TEST_CASE("SPEC 4: rollback runs the action of that name, whatever the rules respond with and are called") {
  World w(with_restore());
  w.settle_on_v2();
  REQUIRE(w.ask(by_hand()).accepted);
  w.run(10s);
  CHECK(w.performed() == std::vector<std::string>{"switch last-good"});
}

TEST_CASE("SPEC 4: without an action of that name the only one that switches and undoes code alone is run") {
  World w(responding({losing("restore"), action("restart", {run("restart")}), action("back", {switch_step()})}));
  w.settle_on_v2();
  REQUIRE(w.ask(by_hand()).accepted);
  CHECK(w.open()->ladder == std::vector<ActionName>{ActionName("back")});
}

TEST_CASE("SPEC 4: what only rules without a response do is done by hand where the file defines nothing better") {
  rules::ActionSpec implied = action("rollback", {switch_step()});
  implied.implied = true;
  const auto ladder_of = [&](std::vector<rules::ActionSpec> actions, bool rules_take_implied) {
    rules::CoreConfig config = responding(std::move(actions));
    config.actions.push_back(implied);
    if (rules_take_implied) config.rules.front().respond = {ActionName("rollback")};
    World w(config);
    w.settle_on_v2();
    const rules::Answer answer = w.ask(by_hand());
    return answer.accepted ? w.open()->ladder.front().text : answer.text;
  };
  CHECK(ladder_of({action("code", {run("drain"), switch_step()})}, false) == "code");
  CHECK(ladder_of({losing("restore"), action("code", {switch_step()})}, true) == "code");
  CHECK(ladder_of({losing("restore")}, true) == "rollback");
  CHECK(ladder_of({action("restart", {run("restart")})}, false) == "rollback");
  CHECK(ladder_of({action("a", {switch_step()}), action("b", {switch_step()})}, false) ==
        "say with --action what is to be done: service web has a, b, which are several");
  CHECK(ladder_of({losing("restore")}, false).starts_with("say with --action what is to be done"));
  World unused(with([&](rules::CoreConfig& config) {
    for (rules::RuleSpec& one : config.rules) one.respond.clear();
    config.actions = {action("code", {run("drain"), switch_step()}), implied};
  }));
  unused.settle_on_v2();
  REQUIRE(unused.ask(by_hand()).accepted);
  CHECK(unused.open()->ladder.front().text == "code");
}

TEST_CASE("SPEC 4: where several would do, or none that undoes code alone, the person has to say which") {
  World several(responding({action("back", {switch_step()}), action("away", {switch_step()})}));
  several.settle_on_v2();
  const rules::Answer which = several.ask(by_hand());
  CHECK_FALSE(which.accepted);
  CHECK(which.text == "say with --action what is to be done: service web has back, away, which are several");
  World one(responding({losing("restore")}));
  one.settle_on_v2();
  const rules::Answer none = one.ask(by_hand());
  CHECK_FALSE(none.accepted);
  CHECK(none.text ==
        "say with --action what is to be done: service web has restore (undoes data), none of which undoes code alone");
  World usual_loses(responding({losing("rollback")}));
  usual_loses.settle_on_v2();
  CHECK(usual_loses.ask(by_hand()).text ==
        "action rollback (undoes data), which is done by hand only when it is named: --action rollback");
}

TEST_CASE("SPEC 4: another service's rollback is not this one's") {
  World w(with([](rules::CoreConfig& config) {
    add_service(config, "api");
    for (rules::RuleSpec& one : config.rules) one.service = rules::ServiceName("api");
    config.rules.push_back(rule("slow", "web_errors > 50%", 1min, {"back"}));
    config.actions.push_back(action("back", {run("tell the balancer"), switch_step()}));
  }));
  w.settle_on_v2();
  REQUIRE(w.ask(by_hand()).accepted);
  CHECK(w.open()->ladder == std::vector<ActionName>{ActionName("back")});
}

TEST_CASE("SPEC 4: what loses data is done by hand when it is named and agreed to") {
  World w(with_restore());
  w.settle_on_v2();
  const rules::Answer refused = w.ask(by_hand("restore"));
  CHECK_FALSE(refused.accepted);
  CHECK(refused.text.starts_with("action restore undoes data: "));
  CHECK(refused.text.find("--yes") != std::string::npos);
  rules::RollbackByHand agreed = by_hand("restore");
  agreed.yes = true;
  CHECK(w.ask(agreed).accepted);
  CHECK(w.ask(by_hand("resotre")).text == "no action resotre; there are restore (undoes data), rollback, restart");
}

TEST_CASE("SPEC 3: at-backup goes to what ran when the backup was made, and nowhere without one") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("pause"), switch_step()};
    config.actions[0].steps[1].what = going_to(rules::SwitchTargetKind::at_backup);
  }));
  w.settle_on_v2();
  const rules::Answer refused = w.ask(by_hand());
  CHECK_FALSE(refused.accepted);
  CHECK(refused.text.starts_with("no backup is known that was made before v2 came"));
  bad_release_has_no_target(w);
  note_backup(w);
  w.run(15s);  // a look
  REQUIRE(w.ask(by_hand()).accepted);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.last()->to.text == "v2");
}

TEST_CASE("SPEC 3: a plan that uses a backup is not begun without one") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("pause"), run("restore"), switch_step()};
    config.actions[0].steps[1].uses_backup = true;
  }));
  w.settle_on_v2();
  CHECK(w.ask(by_hand()).text.starts_with("action rollback uses ROLLBACKD_BACKUP, and no backup is known"));
  bad_release_has_no_target(w);
  note_backup(w);
  w.run(15s);  // a look
  CHECK(w.ask(by_hand()).accepted);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.performed().size() == 3);
}

TEST_CASE("SPEC 4: a person names the backup, and what belongs to it where that is not known") {
  const auto going = [](rules::SwitchTargetKind kind) {
    return with([=](rules::CoreConfig& config) {
      config.actions[0].steps = {run("pause"), run("restore"), switch_step()};
      config.actions[0].steps[1].uses_backup = true;
      config.actions[0].steps[2].what = going_to(kind);
    });
  };
  rules::RollbackByHand with_backup = by_hand();
  with_backup.backup = "/backups/old.dump";
  World w(going(rules::SwitchTargetKind::at_backup));
  w.settle_on_v2();
  CHECK(w.ask(with_backup).text ==
        "nobody knows which revision belongs to backup /backups/old.dump; name it with --to");
  with_backup.to = rules::Revision("v1");
  REQUIRE(w.ask(with_backup).accepted);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.last()->backup == "/backups/old.dump");
  CHECK(w.last()->to.text == "v1");

  World of_last_good(going(rules::SwitchTargetKind::last_good));
  of_last_good.settle_on_v2();
  with_backup.to.reset();
  CHECK(of_last_good.ask(with_backup).accepted);

  World without(with_restore());
  without.settle_on_v2();
  CHECK(without.ask(with_backup).text ==
        "action rollback uses no backup; leave out --backup, or name with --action one that does");
}

TEST_CASE("SPEC 2.24: a name in a plan is what the driver says it is, and nothing is begun when it is nothing") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("pause"), switch_step()};
    config.actions[0].steps[1].what = going_to(rules::SwitchTargetKind::revision, "stable");
  }));
  w.settle_on_v2();
  w.observe(named(w, "stable", "", "stable is no commit"));
  w.run(1s);
  CHECK(w.ask(by_hand()).text == "stable is no commit; name one with --to");
  w.observe(named(w, "stable", "v1"));
  w.run(1s);
  rules::Answer answer = w.ask(by_hand());
  REQUIRE(answer.accepted);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.last()->to.text == "v1");
  CHECK(w.reality["web"].running.text == "v1");
}

TEST_CASE("where commits run, a name in a plan that nobody knows the meaning of is no target") {
  const std::string commit(40, 'c');
  const auto asked_to_go_to = [&](const std::string& name, const std::string& runs) {
    World w(with([&](rules::CoreConfig& config) {
      config.actions[0].steps[0].what = going_to(rules::SwitchTargetKind::revision, name);
    }));
    w.run(5min);
    w.deploy(runs);
    w.run(1min);
    return w.ask(by_hand());
  };
  const rules::Answer refused = asked_to_go_to("stable", commit);
  CHECK_FALSE(refused.accepted);
  CHECK(refused.text.find("\"stable\" is none; do name it in `switch` as `identify` prints it") != std::string::npos);
  CHECK(asked_to_go_to(std::string(40, 'd'), commit).accepted);
  CHECK(asked_to_go_to("v1", commit).accepted);
  CHECK(asked_to_go_to("stable", "v2").accepted);
}

TEST_CASE("SPEC 2.22: that a plan's name means something again has it looked at again") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps[0].what = going_to(rules::SwitchTargetKind::revision, "stable");
  }));
  w.settle_on_v2();
  rules::ReadinessRead nothing = named(w, "stable", "", "stable is no commit");
  nothing.ready = false;
  nothing.reason = "stable is no commit";
  w.observe(nothing);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 30min));
  CHECK(w.last()->outcome_detail == "stable is no commit");
  CHECK_FALSE(w.service().rollback_ready);
  w.observe(named(w, "stable", "v1"));
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  CHECK(w.last()->to.text == "v1");
}

TEST_CASE("SPEC 2.24: a revision that never ran and is said to be good is gone to when nothing better is known") {
  World w(usual());
  w.run(1min);
  w.deploy("bad");
  w.run(30s);
  rules::Declare tag{rules::ServiceName("web"), rules::Revision("tagged"), Standing::good, false};
  CHECK_FALSE(w.ask(tag).accepted);
  tag.exists = true;
  CHECK(w.ask(tag).accepted);
  w.run(1s);
  CHECK(w.standing("tagged") == Standing::good);
  CHECK(w.service().last_good.text == "v1");
  CHECK(w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), Standing::bad, false}).accepted);
  w.run(1s);
  CHECK(w.service().last_good.text == "tagged");
}

TEST_CASE("what a rollback by hand would do can be asked, and asking changes nothing") {
  World w(with_restore());
  w.settle_on_v2();
  const auto before = w.notes.size();
  rules::Engine engine(with_restore(), w.journal.read_back(w.now()), w.now());
  const rules::PlanByHand plan = engine.plan(by_hand());
  CHECK(plan.refused.empty());
  CHECK(plan.action.name == ActionName("rollback"));
  CHECK(plan.from.text == "v2");
  CHECK(plan.to.text == "v1");
  CHECK(engine.plan(by_hand("restore")).action.loses() == std::vector<std::string>{"data"});
  CHECK_FALSE(engine.plan(by_hand("nope")).refused.empty());
  CHECK(w.notes.size() == before);
}

TEST_CASE("what is begun by hand several times in a second, over a restart too, is each saved for itself") {
  World w(with_restore());
  w.settle_on_v2();
  w.lock_refused = true;
  std::set<rules::IncidentId> ids;
  for (int i = 0; i < 4; ++i) {
    if (i == 3) w.crash(Duration::zero());
    const rules::Answer begun = w.ask(by_hand());
    REQUIRE(begun.accepted);
    ids.insert(begun.incident);
    REQUIRE(w.ask(rules::Abort{begun.incident, "me"}).accepted);
    w.run(1ms);
    CHECK(w.outcome() == "aborted");
  }
  CHECK(ids.size() == 4);
  CHECK(w.all().size() == 4);
}

TEST_CASE("who goes forward by hand leaves what is good as it is, and who goes back does not") {
  World w(usual());
  w.settle_on_v2();
  REQUIRE(w.standing("v2") == Standing::good);
  rules::RollbackByHand back = by_hand();
  back.to = rules::Revision("v1");
  REQUIRE(w.ask(back).accepted);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(w.standing("v2") == Standing::bad);
  w.run(20min);
  rules::RollbackByHand forward = by_hand();
  forward.to = rules::Revision("v2");
  forward.force = true;
  SUBCASE("nothing was bad") {
    REQUIRE(w.ask(forward).accepted);
    REQUIRE(w.run_until([&] { return w.closed() && w.service().revision.text == "v2"; }, 20min));
    CHECK(w.standing("v1") == Standing::good);
  }
  SUBCASE("a rule fired on it") {
    w.reality["web"].sick = {"v1"};
    REQUIRE(w.run_until([&] { return w.rule("errors").progress.state == rules::RuleState::firing; }, 20min));
    w.run(1min);
    REQUIRE(w.ask(forward).accepted);
    REQUIRE(w.run_until([&] { return w.closed() && w.service().revision.text == "v2"; }, 20min));
    INFO(w.outcome() << ": " << w.last()->outcome_detail);
    CHECK_FALSE(w.last()->forward);
    CHECK(w.standing("v1") == Standing::bad);
  }
}
