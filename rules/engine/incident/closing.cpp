#include <algorithm>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/later.hpp"
#include "rules/engine/incident/outcomes.hpp"
#include "rules/engine/incident/summary.hpp"
#include "rules/engine/told.hpp"
#include "rules/incidents/story.hpp"

// How a rung and an incident end: steps -> verify -> on_success or on_failure -> always.

namespace rules {

// The rung did not help; the next one is tried, if there is one.
void Incident::climb(const std::string& why) {
  const ActionSpec* action = plan();
  const bool mutated = action != nullptr && action->mutates();
  if (mutated && record_.rung + 1 >= record_.ladder.size()) return finish(Outcome::not_recovered, why);
  begin_finishing(mutated && !never_switched_ ? PlanSection::on_failure : PlanSection::always);
  story(story::rung_over, why);
}

void Incident::next_rung() {
  lock_.start_over();
  record_.changed_earlier = static_cast<std::int64_t>(record_.changed.size());
  ++record_.rung;
  record_.section = PlanSection::steps;
  record_.step = 0;
  record_.attempt = 0;
  record_.approved_by.clear();
  record_.settle_extensions = 0;
  rung_began_.reset();
  never_switched_ = false;
  is_switch_refused_ = false;
  look_.start_over();
  if (record_.rung < record_.ladder.size()) {
    enter(IncidentPhase::held);
    tell(Stage::progress, story::next_rung, "next: " + record_.ladder[record_.rung].text);
  } else {
    only_tell("no action is left to be taken");
  }
}

// Decides the outcome. A step in flight is waited for; then what has to follow is done and the incident is closed.
void Incident::finish(Outcome outcome, const std::string& why) {
  record_.pending_outcome = outcome;
  record_.decided = now();
  for (JoinedRule& joined : record_.rules) {
    const WatchedRule* rule = in_.evidence.find(joined.rule);
    // After a restart of ours it may not have fired again yet.
    const bool fires_still = rule != nullptr && is_resumed_ && !rule->has_cleared(now());
    joined.fired_when_decided = fires_still || (rule != nullptr && rule->is_firing());
  }
  record_.outcome_detail = why;
  if (outcome == Outcome::recovered) learn_verifying();
  note_decided();
  note_recovered();
  if (switch_unseen_)
    record_.outcome_detail += "; the watcher ended in the switch, and whether that was done is not known";
  story(story::decided, std::string(to_string(outcome)) + ": " + why);
  if (!record_.in_flight) return finish_now();
  if (!is_done_by_us(step_at_cursor())) {
    if (!sees_step_out()) in_.effects.emit(CancelStep{step_.id});
    return save();
  }
  if (record_.phase == IncidentPhase::asking) enter(IncidentPhase::acting);
  end_step({StepStatus::interrupted, std::nullopt, why, "", 0});
}

void Incident::finish_now() {
  const Outcome outcome = *record_.pending_outcome;
  if (look_back()) return;
  judge_revisions(outcome);
  const bool began = plan() != nullptr && (rung_started() || rung_began_ || never_switched_);
  if (!began || record_.phase == IncidentPhase::telling) return close();
  if (outcome == Outcome::recovered) return begin_finishing(PlanSection::on_success);
  // Before anything was changed, and when others have taken over, there is nothing to make good.
  const bool makes_good = is_failure(outcome) && record_.past_no_return && !never_switched_;
  begin_finishing(makes_good ? PlanSection::on_failure : PlanSection::always);
}

void Incident::begin_finishing(PlanSection section) {
  record_.section = section;
  record_.step = 0;
  record_.attempt = 0;
  enter(IncidentPhase::finishing);
}

// What verification said of the revision that was left.
void Incident::judge_revisions(Outcome outcome) {
  const bool is_left = record_.switched && record_.from != record_.to;
  if (!is_left || (record_.forward && record_.rules.empty())) return;
  if (outcome == Outcome::recovered) {
    in_.revisions.judge_left(record_.from, Standing::bad);
  } else if (is_failure(outcome)) {
    in_.revisions.judge_left(record_.from, Standing::suspect);
  }
}

// SPEC 2.27: a rule that fires again on the same revision starts one rung higher.
void Incident::remember_rungs() {
  if (!record_.past_no_return || record_.switched || record_.rung >= record_.ladder.size()) return;
  for (const JoinedRule& joined : record_.rules) {
    const WatchedRule* rule = in_.evidence.find(joined.rule);
    if (rule == nullptr) continue;
    const std::vector<ActionName>& respond = rule->spec().respond;
    const auto place = std::find(respond.begin(), respond.end(), record_.ladder[record_.rung]);
    if (place == respond.end()) continue;
    in_.limits.start_higher(joined.rule, static_cast<int>(place - respond.begin()) + 1);
  }
}

// What the rules say now, and how long it was; of what began nothing there is no such end.
static std::string how_it_ended(const IncidentRecord& incident, const Evidence& evidence, Instant now) {
  if (!incident.past_no_return || incident.rules.empty()) return "";
  return "\nIt lasted " + told(*incident.closed - incident.opened) + "." + rules_now(incident, evidence, now);
}

void Incident::close() {
  count_time();
  remember_rungs();
  record_.outcome = record_.pending_outcome;
  record_.closed = now();
  plan_later();
  record_.phase = IncidentPhase::closed;
  record_.phase_since = now();
  record_.deadline.reset();
  record_.waiting_for.clear();
  in_.evidence.forget_before();
  const bool is_allowed_now = is_refusal_gone();
  for (const JoinedRule& joined : record_.rules) {
    WatchedRule* rule = in_.evidence.find(joined.rule);
    if (rule != nullptr) rule->mark_answered(!is_allowed_now && !has_fired_since_decided(*rule));
  }
  const Outcome outcome = *record_.outcome;
  if (outcome == Outcome::unverifiable) forget_unseen();
  if (outcome != Outcome::recovered) record_.outcome_detail += what_it_did();
  in_.effects.note(
      "incident_closed",
      {{"incident", record_.id.text}, {"outcome", std::string(to_string(outcome))}, {"why", record_.outcome_detail}});
  tell(stage_of(record_), "closed",
       std::string(to_string(outcome)) + ": " + record_.outcome_detail + ". " + what_is_left_to_do() +
           what_went_wrong() + how_it_ended(record_, in_.evidence, now()));
  lock_.release();
}

// Steps that the plan went on without, or tried again: nobody was told of them but who wants to hear of every step.
std::string Incident::what_went_wrong() const {
  constexpr std::size_t named_max = 3;
  std::string text;
  std::size_t count = 0;
  for (const TimelineEntry& line : record_.timeline) {
    // The first message says what was passed over then.
    const bool is_passed_over = line.event == "rung_skipped" && line.at != record_.opened;
    const bool is_wrong = line.event == "step_failed" || line.event == "step_left_out" || is_passed_over;
    if (!is_wrong || record_.outcome_detail.find(line.text) != std::string::npos) continue;
    if (++count <= named_max) text += (count == 1 ? "\nWent wrong on the way: " : "; ") + line.text;
  }
  if (count > named_max) text += "; and " + std::to_string(count - named_max) + " more";
  return text;
}

// What was refused for a limit or for want of a target may have been allowed while the last steps were done.
bool Incident::is_refusal_gone() const {
  // What forbids it now is looked at whenever something else is said.
  if (record_.starts_anew || is_forbidden_midway()) return true;
  if (record_.outcome != Outcome::fused && record_.outcome != Outcome::no_target) return false;
  const GateView view = gate_view();
  if (record_.outcome == Outcome::no_target) return view.target.revision.has_value() && view.no_backup.empty();
  return view.blown.empty() && !view.acted_unidentified;
}

bool Incident::is_forbidden_midway() const {
  return record_.outcome == Outcome::aborted && !record_.aborted && record_.outcome_detail.starts_with(mark_forbids);
}

// What fires while the last steps are done is judged on its own, also where it fired before: another revision may run.
bool Incident::has_fired_since_decided(const WatchedRule& rule) const {
  if (!record_.decided || !rule.is_firing()) return false;
  const RuleProgress fired = rule.progress(now());
  const auto joined = std::find_if(record_.rules.begin(), record_.rules.end(),
                                   [&](const JoinedRule& one) { return one.rule == rule.name(); });
  // After a restart of ours it may fire again for what it fired before: then what counts is since when it was bad.
  const bool is_again = is_resumed_ && joined != record_.rules.end() && joined->fired_when_decided;
  return fired.since.value_or(now()) - (is_again ? fired.observed : Duration::zero()) > *record_.decided;
}

// With what the driver left: a stash is something to do, though nothing is urgent.
std::string Incident::what_is_left_to_do() const {
  std::string text = what_the_end_leaves();
  if (!record_.switched || record_.left_behind.empty()) return text;
  if (text == what_now(Outcome::recovered, record_.service, "")) text = "Nothing is urgent.";
  // Who deployed since may have done some of it: what the driver left was true of its own switch.
  const bool is_past = record_.outcome == Outcome::superseded;
  return text + (is_past ? "\nLeft by the switch, before another revision came: " : "\nLeft to do: ") +
         record_.left_behind;
}

std::string Incident::what_the_end_leaves() const {
  if (gave_way(record_)) return "What comes of that is told of itself; `rollbackd incidents` shows it.";
  if (is_only_told(record_)) return what_now(Outcome::notified, record_.service, "");
  if (record_.outcome == Outcome::recovered && record_.failed) return std::string(left_undone);
  // What helped in the end takes nothing back that was tried before it.
  const std::string earlier = record_.outcome == Outcome::recovered ? left_in_place(record_, true) : "";
  const std::string is_left = earlier.empty() ? "" : "Done by earlier actions, and not taken back: " + earlier + ".";
  if (!record_.later.empty()) return to_be_done_later(record_) + (is_left.empty() ? "" : " " + is_left);
  if (!is_left.empty()) return is_left;
  if (record_.outcome == Outcome::action_failed && is_switch_refused_) {
    if (!record_.rules.empty()) return left_by_refusal(record_.severity);
    return "People are needed: what kept the switch from beginning has to go first.";
  }
  const bool lacks_backup = record_.outcome == Outcome::no_target && !gate_view().no_backup.empty();
  if (lacks_backup) return "People are needed: a backup has to be named, or another action taken by hand.";
  if (record_.outcome == Outcome::superseded && stage_of(record_) == Stage::failed) {
    return "People are needed: whether what it began has to be taken back. " +
           what_now(Outcome::superseded, record_.service, "");
  }
  if (is_forbidden_midway()) {
    return "People are needed: `rollbackd deploy mark " + record_.from.text + " --service " + record_.service.text +
           " --rollback auto` allows it, " + by_hand() + ".";
  }
  const std::string text = what_now(*record_.outcome, record_.service, by_hand());
  const bool takes_a_target = record_.outcome == Outcome::no_target && !in_.revisions.was_rolled_back();
  if (!takes_a_target) return text;
  return text + " A revision that `rollbackd deploy good` names is rolled back to" +
         (in_.revisions.is_armed() ? "." : " once somebody says yes, as the service is disarmed.");
}

// A switch that was aborted is finished first, or was already, as it is where a later step failed: then its target
// runs, though no look has seen it yet.
bool Incident::is_left_switched() const {
  const bool stops_after_it =
      record_.aborted || record_.outcome == Outcome::action_failed ||
      (record_.outcome == Outcome::not_recovered && in_.revisions.stopped_at_last_look().empty());
  return stops_after_it && record_.switched && looks_elsewhere_ == 0 && has_said("switched");
}

// What was begun and is handed over: nobody must have to find out what is still in place (SPEC 2.22).
std::string Incident::what_it_did() const {
  const std::string text = record_.past_no_return ? left_in_place(record_, false) : "";
  const std::string stays = text.empty() ? "" : std::string(stays_as_it_is) + text;
  if (!is_left_switched()) return stays;
  const std::string runs = record_.to.empty() ? "" : ": " + record_.to.text + " runs now";
  const bool has_not_helped = record_.outcome == Outcome::not_recovered;
  return "; the switch completed" + runs + (was_verified(record_) || has_not_helped ? "" : ", and was not verified") +
         stays;
}

void Incident::close_without_service() {
  const Outcome nothing_said = record_.past_no_return ? Outcome::action_failed : Outcome::aborted;
  record_.outcome = record_.pending_outcome.value_or(nothing_said);
  record_.outcome_detail = "service " + record_.service.text + " is no longer in the configuration" + what_it_did();
  record_.closed = now();
  record_.phase = IncidentPhase::closed;
  record_.phase_since = now();
  record_.in_flight = false;
  record_.deadline.reset();
  in_.effects.note("incident_closed", {{"incident", record_.id.text},
                                       {"outcome", std::string(to_string(*record_.outcome))},
                                       {"why", record_.outcome_detail}});
  tell(is_only_told(record_) ? Stage::completed : Stage::failed, "closed",
       std::string(to_string(*record_.outcome)) + ": " + record_.outcome_detail);
}

}  // namespace rules
