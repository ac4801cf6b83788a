#include <algorithm>
#include <utility>

#include "rules/engine/acting/by_hand.hpp"
#include "rules/engine/incident/incident.hpp"

// Nothing is done by itself: people are told so, with the reason and the command that changes it (SPEC 2.22).

namespace rules {

// Who is woken by a rule that fires must not wait for an action that is not going to come. That a P3 is told of and no
// more is known without saying so.
void Incident::only_tell(const std::string& why) {
  if (record_.past_no_return && all_cleared()) return call_off();
  enter(IncidentPhase::telling);
  if (record_.severity == Severity::p3) return story("telling", why);
  const std::string text = nothing_is_done(why_only_told(why));
  // The first message has just said so.
  const bool is_new = !record_.timeline.empty() && record_.timeline.back().at == now();
  if (is_new && record_.timeline.back().event == "telling" && record_.timeline.back().text == text) return;
  tell(has_said_since("asked", "telling", text) ? Stage::progress : Stage::late, "telling", text);
}

std::string Incident::why_only_told(const std::string& why) const {
  return record_.ladder.empty() ? std::string(only_telling) : why;
}

// By whose word nothing is done; of the first rule that says so.
static std::string by_whose_word(const IncidentRecord& incident, const Evidence& evidence) {
  for (const JoinedRule& joined : incident.rules) {
    const WatchedRule* rule = evidence.find(joined.rule);
    if (rule == nullptr || joined.severity == Severity::p3) continue;
    const std::string& name = joined.rule.text;
    if (rule->spec().respond.empty()) return "rule " + name + " responds with no action (respond = [])";
    if (rule->spec().mode == Mode::notify) return "rule " + name + " only tells (mode = \"notify\")";
  }
  return std::string(only_telling);
}

// With what changes it.
std::string Incident::nothing_is_done(const std::string& why) {
  note_would_have_done();
  const std::string& service = record_.service.text;
  const std::string observes = in_.trouble.observes_because();
  std::string reason = why == only_telling ? by_whose_word(record_, in_.evidence) : why;
  const std::string& would = record_.would_have_done;
  if (why == only_telling && in_.trouble.cap() == Mode::observe) reason = "it only observes (mode observe)";
  if (why == only_telling && !would.empty()) reason = "it " + would + " (mode observe)";
  if (why == only_telling && !observes.empty()) reason = observes;
  if (why == mark_forbids) {
    reason += "; `rollbackd deploy mark " + record_.from.text + " --service " + service + " --rollback auto` allows it";
  }
  return "nothing is done by itself: " + reason + "; " + by_hand() + what_it_did();
}

std::string Incident::by_hand() const {
  const bool is_old_known = in_.revisions.running() == record_.from;
  const Revision& running = is_left_switched() && is_old_known ? record_.to : in_.revisions.running();
  return way_by_hand(in_.service, in_.config, in_.revisions, running);
}

// Once for all that fires: later its rules may be good, or something else be a target.
void Incident::note_would_have_done() {
  if (!record_.would_have_done.empty()) return;
  record_.would_have_done = would_have_done();
  if (record_.would_have_done.empty()) return;
  in_.effects.note("observed", {{"incident", record_.id.text}, {"it", record_.would_have_done}});
}

bool Incident::drive_telling() {
  if (moved_on()) return finish(Outcome::superseded, "another revision runs now"), true;
  if (std::exchange(refired_, false) || may_do_more()) return enter(IncidentPhase::held), true;
  if (!all_cleared()) return false;
  if (record_.past_no_return) return call_off(), true;
  if (const std::string gone = left(); !gone.empty()) return finish(Outcome::aborted, gone), true;
  const Mode cap = in_.trouble.cap();
  const bool only_observed = std::all_of(record_.rules.begin(), record_.rules.end(), [&](const JoinedRule& one) {
    const WatchedRule* rule = in_.evidence.find(one.rule);
    return rule != nullptr && std::min(cap, rule->spec().mode.value_or(Mode::act)) == Mode::observe;
  });
  const std::string& kept_from = record_.would_have_done;
  finish(only_observed ? Outcome::observed : Outcome::notified,
         "the rules are good again" + (kept_from.empty() ? "" : "; without mode observe it " + kept_from));
  return true;
}

// What only telling was allowed for may be acted on now: another mode, an accepted state, a mark that forbids no more
// (SPEC 2.22).
bool Incident::may_do_more() {
  const Mode cap = in_.trouble.cap();
  const bool has_reason = std::any_of(record_.rules.begin(), record_.rules.end(), [&](const JoinedRule& one) {
    const WatchedRule* rule = in_.evidence.find(one.rule);
    return rule != nullptr && rule->is_firing() && rule->is(Verdict::bad) && mode_of(rule->spec(), cap) >= Mode::ask;
  });
  if (!has_reason) return false;
  for (const JoinedRule& one : record_.rules) {
    if (const WatchedRule* rule = in_.evidence.find(one.rule)) add_rungs(rule->spec(), false);
  }
  skip_rungs();
  return gate(gate_view()).kind != GateKind::tell;
}

// Its reason has gone after a rung changed something: that is neither "only told" nor "cleared" (SPEC 2.22).
void Incident::call_off() {
  if (plan() == nullptr) return finish(Outcome::not_recovered, "the rules became good only when no action was left");
  finish(Outcome::aborted, "the rules are good again; action " + plan()->name.text + " is not taken any more");
}

}  // namespace rules
