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

// With what changes it.
std::string Incident::nothing_is_done(const std::string& why) {
  note_would_have_done();
  const std::string& service = record_.service.text;
  const std::string observes = in_.trouble.observes_because();
  std::string reason = why;
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

// Its reason has gone after a rung changed something: that is neither "only told" nor "cleared" (SPEC 2.22).
void Incident::call_off() {
  if (plan() == nullptr) return finish(Outcome::not_recovered, "the rules became good only when no action was left");
  finish(Outcome::aborted, "the rules are good again; action " + plan()->name.text + " is not taken any more");
}

}  // namespace rules
