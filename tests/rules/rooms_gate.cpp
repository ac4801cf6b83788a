#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "engine_world.hpp"
#include "rules/engine/acting/gate.hpp"

// The gate alone: a view is filled in by hand, and answered.

using namespace std::chrono_literals;
using rules::GateKind;
using rules::Instant;
using rules::Mode;
using rules::Verdict;

namespace {

const Instant noon = Instant(std::chrono::hours(24 * 365 * 50));

// A rule that fires, on a revision that is judged, with a good one to go to: nothing is in the way.
struct Open {
  rules::RuleSpec rule = world::rule("errors", "web_errors > 5%", 1min);
  rules::ActionSpec rollback = world::action("rollback", {world::switch_step()});
  rules::ActionSpec tell_only = world::action("tell", {});
  rules::ServiceSpec service;
  rules::IncidentRecord incident;
  rules::LedgerRecord from;
  rules::LedgerRecord to;
  rules::GateView view;

  Open() : view{noon, incident, service} {
    incident.id = rules::IncidentId("one");
    view.rules.push_back({&rule, true, false, false, Verdict::bad});
    view.armed = true;
    view.action = &rollback;
    view.from = &from;
    view.target.revision = rules::Revision("v1");
    view.target_record = &to;
  }
};

struct Case {
  std::string what;
  std::function<void(Open&)> change;
  GateKind expected;
  std::string why;  // a part of it
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"nothing is in the way", [](Open&) {}, GateKind::go, ""},
      {"another revision runs", [](Open& o) { o.view.moved_on = true; }, GateKind::close, "runs now"},
      {"every rule cleared", [](Open& o) { o.view.all_cleared = true; }, GateKind::close, "cleared"},
      {"cleared after the point of no return",
       [](Open& o) { o.view.all_cleared = o.incident.past_no_return = o.view.rung_began = true; }, GateKind::go, ""},
      {"no rung is left", [](Open& o) { o.view.action = nullptr; }, GateKind::tell, "no action"},
      {"mode observe", [](Open& o) { o.view.cap = o.view.cap_once_well = Mode::observe; }, GateKind::tell, "telling"},
      {"no rule that may act responds with it", [](Open& o) { o.rule.respond = {rules::ActionName("restart")}; },
       GateKind::tell, "telling"},
      {"the mark forbids it", [](Open& o) { o.from.policy = rules::RollbackPolicy::forbidden; }, GateKind::tell,
       "forbids"},
      {"the mark forbids it, and a person wants it",
       [](Open& o) { o.from.policy = rules::RollbackPolicy::forbidden, o.incident.by_hand = true; }, GateKind::go, ""},
      {"no target",
       [](Open& o) {
         o.view.target = {std::nullopt, "no good revision"};
       },
       GateKind::close, "no good revision"},
      {"no target, but no switch either", [](Open& o) { o.rollback.steps = {world::run("x")}, o.view.target = {}; },
       GateKind::go, ""},
      {"it acted once without an identity", [](Open& o) { o.view.acted_unidentified = true; }, GateKind::close, "once"},
      {"it uses a backup and there is none", [](Open& o) { o.view.no_backup = "no backup is known"; }, GateKind::close,
       "no backup"},
      {"the fuse has blown", [](Open& o) { o.view.blown = "3 switches"; }, GateKind::close, "3 switches"},
      {"a person is not held by the fuse", [](Open& o) { o.view.blown = "3", o.incident.by_hand = true; }, GateKind::go,
       ""},
      {"a deployment is under way", [](Open& o) { o.view.deploying = true, o.view.deploying_ends = noon + 1h; },
       GateKind::hold, "` ends, or time at "},
      {"nor does a person act in a deployment",
       [](Open& o) {
         o.view.deploying = o.incident.by_hand = true;
         o.view.deploying_ends = noon + 1h;
       },
       GateKind::hold, "deployment"},
      {"nothing runs between two instances", [](Open& o) { o.view.deploying = true; }, GateKind::hold, "has stopped"},
      {"a person does not wait for what comes after it", [](Open& o) { o.view.deploying = o.incident.by_hand = true; },
       GateKind::go, ""},
      {"who approved waits for what comes after it",
       [](Open& o) { o.view.deploying = true, o.view.absent_until = noon + 1h, o.incident.approved_by = "anna"; },
       GateKind::hold, "` waits for nothing"},
      {"unless it had stopped already when that was approved",
       [](Open& o) { o.view.deploying = o.incident.approved_absent = true, o.incident.approved_by = "anna"; },
       GateKind::go, ""},
      {"nor does who approves act in a deployment",
       [](Open& o) {
         o.view.deploying = o.incident.approved_absent = true, o.incident.approved_by = "anna";
         o.view.deploying_ends = noon + 1h;
       },
       GateKind::hold, "deployment"},
      {"paused", [](Open& o) { o.view.paused_until = noon + 1h; }, GateKind::hold, "paused until"},
      {"cooldown", [](Open& o) { o.view.cooling_until = noon + 1min; }, GateKind::hold, "cooldown"},
      {"no cooldown between rungs",
       [](Open& o) { o.view.cooling_until = noon + 1min, o.incident.past_no_return = true; }, GateKind::go, ""},
      {"its rule cannot be measured now", [](Open& o) { o.view.rules[0].verdict = Verdict::unknown; }, GateKind::hold,
       "seen bad again"},
      {"nor can it after a person approved",
       [](Open& o) { o.view.rules[0].verdict = Verdict::unknown, o.incident.approved_by = "anna"; }, GateKind::go, ""},
      {"its rule is good at this moment", [](Open& o) { o.view.rules[0].verdict = Verdict::good; }, GateKind::hold,
       "seen bad again"},
      {"a P2 rule", [](Open& o) { o.rule.severity = rules::Severity::p2; }, GateKind::ask, "it is P2"},
      {"a P2 rule that was approved",
       [](Open& o) { o.rule.severity = rules::Severity::p2, o.incident.approved_by = "anna"; }, GateKind::go, ""},
      {"nobody answered a P2 rule, ask.then is act",
       [](Open& o) { o.rule.severity = rules::Severity::p2, o.incident.approved_by = rules::approved_by_nobody; },
       GateKind::go, ""},
      {"nor does time answer where the mode is ask",
       [](Open& o) {
         o.view.cap = o.view.cap_once_well = Mode::ask, o.incident.approved_by = rules::approved_by_nobody;
       },
       GateKind::ask, "mode is ask"},
      {"disarmed", [](Open& o) { o.view.armed = false; }, GateKind::ask, "disarmed"},
      {"a neighbour is in trouble", [](Open& o) { o.view.neighbour = "api"; }, GateKind::ask, "api"},
      {"its rule was bad before", [](Open& o) { o.view.rules[0].preexisting = true; }, GateKind::ask,
       "before this revision"},
      {"the mark says ask", [](Open& o) { o.from.policy = rules::RollbackPolicy::ask; }, GateKind::ask,
       "mark says ask"},
      {"the mark says ask since it was approved",
       [](Open& o) { o.from.policy = rules::RollbackPolicy::ask, o.incident.approved_by = "me"; }, GateKind::ask,
       "mark says ask"},
      {"the mark said ask already when it was approved",
       [](Open& o) {
         o.from.policy = rules::RollbackPolicy::ask, o.incident.approved_by = "me", o.incident.approved_mark = true;
       },
       GateKind::go, ""},
      {"the schema changes", [](Open& o) { o.from.schema = "7"; }, GateKind::ask, "schema changes from 7 to unknown"},
      {"a schema is known for the first time", [](Open& o) { o.from.schema = "7", o.view.first_schema = true; },
       GateKind::go, ""},
      {"the schema changes, and the action undoes it",
       [](Open& o) {
         o.from.schema = "7", o.rollback.undoes = {"code", "schema"};
       },
       GateKind::go, ""},
      {"our own trouble", [](Open& o) { o.view.own_trouble = "disk full", o.view.cap = Mode::ask; }, GateKind::ask,
       "disk full"},
      {"another incident has the host", [](Open& o) { o.view.lock_owner = rules::IncidentId("two"); }, GateKind::hold,
       "two"},
      {"the lock was refused a moment ago", [](Open& o) { o.view.lock_retry_at = noon + 1s; }, GateKind::hold,
       "host's lock"},
      {"the lock is given up in mid-plan", [](Open& o) { o.view.rung_began = o.view.lock_given_up = true; },
       GateKind::close, "cannot be had"},
      {"what only tells needs no lock",
       [](Open& o) {
         o.view.action = &o.tell_only, o.rule.respond = {o.tell_only.name},
         o.view.lock_owner = rules::IncidentId("two");
       },
       GateKind::go, ""},
  };
  return all;
}

}  // namespace

TEST_CASE("the gate says whether a rung may begin, and why not") {
  for (const Case& one : cases()) {
    CAPTURE(one.what);
    Open open;
    one.change(open);
    const rules::Gate answer = rules::gate(open.view);
    CHECK(answer.kind == one.expected);
    CHECK(answer.why.find(one.why) != std::string::npos);
  }
}

TEST_CASE("a question asked for our own trouble alone says so") {
  Open open;
  open.view.own_trouble = "disk full";
  open.view.cap = Mode::ask;
  CHECK(rules::gate(open.view).in_trouble);
  open.view.armed = false;
  CHECK_FALSE(rules::gate(open.view).in_trouble);
}
