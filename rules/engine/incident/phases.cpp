#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/summary.hpp"
#include "rules/engine/told.hpp"

// What an incident does in each phase, and what ends the phase.

namespace rules {

namespace {

// After a start of ours everything is polled again within that, in most configurations.
constexpr Duration polled_again_within = std::chrono::seconds(30);
// What waits for that (gate.cpp).
constexpr std::string_view until_seen = "until its rules are ";

// Nothing: there is no record of what it is about.
std::optional<bool> mark_asks_of(const LedgerRecord* from) {
  return from == nullptr ? std::nullopt : std::optional(from->policy == RollbackPolicy::ask);
}

}  // namespace

bool Incident::rung_started() const {
  return record_.step > 0 || record_.in_flight || record_.section != PlanSection::steps;
}

bool Incident::is_waiting() const {
  if (record_.in_flight || record_.pending_outcome) return false;
  return record_.phase == IncidentPhase::held || record_.phase == IncidentPhase::asking ||
         record_.phase == IncidentPhase::telling;
}

bool Incident::is_changing() const {
  if (!record_.past_no_return) return false;
  return record_.phase == IncidentPhase::acting || record_.phase == IncidentPhase::settling ||
         record_.phase == IncidentPhase::verifying || record_.phase == IncidentPhase::finishing;
}

bool Incident::may_give_way() const {
  const bool is_idle = !record_.past_no_return || record_.phase == IncidentPhase::telling;
  return is_idle && !record_.in_flight;
}

void Incident::note_fired() {
  refired_ = true;
  fires_anew_ = false;
}

bool Incident::drive() {
  note_judged_again();
  if (looks_back_) return drive_looking_back();
  if (!opening_.empty()) tell_opening();
  note_late();
  note_sight();
  if (drive_unseen()) return true;
  // A crash may have come between the decision and what follows from it.
  const bool nothing_begun = record_.phase == IncidentPhase::held || record_.phase == IncidentPhase::asking ||
                             record_.phase == IncidentPhase::telling;
  if (nothing_begun && record_.pending_outcome && !record_.in_flight) return finish_now(), true;
  switch (record_.phase) {
    case IncidentPhase::held:
      return drive_held();
    case IncidentPhase::asking:
      return drive_asking();
    case IncidentPhase::acting:
      return drive_acting();
    case IncidentPhase::settling:
      return drive_settling();
    case IncidentPhase::verifying:
      return drive_verifying();
    case IncidentPhase::finishing:
      return drive_finishing();
    case IncidentPhase::telling:
      return drive_telling();
    case IncidentPhase::closed:
      return false;
  }
  return false;
}

void Incident::enter(IncidentPhase phase) {
  record_.phase = phase;
  record_.phase_since = now();
  record_.deadline.reset();
  record_.waiting_for.clear();
  record_.asked_in_trouble = false;
  hold_until_.reset();
  in_.effects.note("phase", {{"incident", record_.id.text}, {"phase", std::string(to_string(phase))}});
  save();
  in_.effects.emit(WriteReport{record_.id});
}

void Incident::hold(const std::string& why) {
  const bool is_new = std::exchange(record_.waiting_for, why) != why;
  const std::string text = waits_for(why);
  // A start of ours alone is nothing that people have to hear of: the next polls say what is so.
  const Instant polled_by = resumed_at_ + polled_again_within;
  const bool is_awaited = is_approved_by_person(record_);
  if (is_resumed_ && !is_awaited && why.starts_with(until_seen) && now() < polled_by) {
    hold_until_ = std::min(hold_until_.value_or(polled_by), polled_by);
    if (is_new) save();
    return;
  }
  // Each try to have the host's lock begins and waits anew: that is told once. Whoever approved hears that it waits,
  // and not each of the reasons in turn.
  if (is_approved_by_person(record_) && !has_said_since("approved", "held")) return tell(Stage::late, "held", text);
  if (!has_said("held", text)) return tell(late_once("held", text), "held", text);
  save();
}

bool Incident::drive_held() {
  skip_rungs();
  const Gate answer = gate(gate_view());
  switch (answer.kind) {
    case GateKind::go:
      begin_acting();
      return true;
    case GateKind::ask:
      ask(answer);
      return true;
    case GateKind::hold:
      hold_until_ = answer.until;
      if (record_.waiting_for == answer.why && has_said("held", waits_for(answer.why))) return false;
      hold(answer.why);
      return false;
    case GateKind::tell:
      if (!record_.by_hand) record_.approved_by.clear();
      only_tell(answer.why);
      return true;
    case GateKind::close:
      finish(answer.outcome, answer.why);
      return true;
  }
  return false;
}

void Incident::begin_acting() {
  const ActionSpec& action = *plan();
  if (const SwitchStep* step = action.switch_step()) record_.to = target(*step).revision.value_or(record_.to);
  record_.plan_fingerprint = action.fingerprint();
  const bool begins = !rung_started() && !lock_.was_asked();
  note_decided();
  enter(IncidentPhase::acting);
  if (!begins) return;
  const Stage stage = was_told_of_nothing() ? Stage::late : Stage::progress;
  tell(stage, "action_started",
       "action " + action.name.text + " begins: " + reason_now(record_, in_.evidence, now(), reason()) + takes() +
           take_skipped());
}

void Incident::ask(const Gate& gate) {
  const ActionSpec* action = plan();
  const SwitchStep* step = action == nullptr ? nullptr : action->switch_step();
  if (step != nullptr) record_.to = target(*step).revision.value_or(record_.to);
  enter(IncidentPhase::asking);
  record_.asked = gate.why;
  record_.asked_in_trouble = gate.in_trouble;
  record_.deadline = now() + in_.service.ask_timeout;
  const std::string then = ask_then() == AskThen::act ? "it is done" : "the incident is closed";
  // They heard that it begins.
  const bool takes_back = has_said("action_started") && !record_.past_no_return;
  const std::string so_far = takes_back ? " Nothing was changed yet." : "";
  const std::string joined = std::exchange(joined_, "");
  const std::string over = gate.in_trouble ? " When that is over it decides by itself." : "";
  tell(Stage::ask, "asked",
       "approve action " + (action == nullptr ? "" : action->name.text) + "? Asked because " + gate.why + takes() +
           take_skipped() + "." + so_far + joined + over + " Without an answer " + then + " in " +
           told(in_.service.ask_timeout) + ".");
}

bool Incident::drive_asking() {
  const bool overdue = record_.deadline && *record_.deadline <= now();
  if (record_.in_flight) {
    if (!record_.past_no_return) {
      if (const std::optional<Gate> end = ending()) return finish(end->outcome, end->why), true;
    }
    if (!overdue) return false;
    const bool act = ask_then() == AskThen::act;
    answer_ask_step(act ? StepStatus::succeeded : StepStatus::timed_out,
                    all_cleared() ? "nobody answered, and its rules are good again" : "nobody answered");
    return true;
  }
  if (const std::optional<Gate> end = ending()) return finish(end->outcome, end->why), true;
  const bool in_trouble = is_unattributed() || !in_.trouble.asks_because().empty();
  const bool for_another = record_.asked.find(on_which_it_depends) != std::string::npos;
  if (for_another && !in_.dependence.explains()) return withdraw_question("what it depends on is well again"), true;
  if (record_.asked_in_trouble && !for_another && !in_trouble) {
    return withdraw_question("rollbackd is well again"), true;
  }
  if (record_.asked.starts_with(not_started_again) && in_.revisions.stopped().empty()) {
    return withdraw_question("it is not stopped any more"), true;
  }
  if (record_.asked.starts_with(lock_is_missing) && lock_.have(cursor())) {
    return withdraw_question("the host's lock is free"), true;
  }
  // Asked in the middle of the plan, it is not done for what is over by now.
  if (rung_began_ && !record_.switched && all_cleared()) return call_off(), true;
  const bool asks = mark_asks_of(in_.revisions.find(record_.from)).value_or(true);
  if (record_.asked == mark_asks && !asks) return withdraw_question("its deploy mark does not ask any more"), true;
  return overdue && unanswered();
}

bool Incident::unanswered() {
  // Who was told that it is done without an answer has to hear why it is not.
  const std::string stopped = in_.revisions.stopped();
  if (in_.service.ask_then == AskThen::act && !stopped.empty() && !record_.asked.starts_with(not_started_again)) {
    return ask({GateKind::ask, std::string(not_started_again) + stopped}), true;
  }
  if (ask_then() == AskThen::close) return finish(Outcome::aborted, "nobody answered: " + record_.asked), true;
  note_approved(approved_by_nobody);
  record_.asked.clear();
  enter(IncidentPhase::held);
  story("approved", "nobody answered, ask.then is act");
  return true;
}

void Incident::note_approved(std::string_view by) {
  record_.approved_by = by;
  record_.approved_mark = mark_asks_of(in_.revisions.find(record_.from)).value_or(false);
  record_.approved_absent = in_.revisions.absent_until().has_value();
}

void Incident::withdraw_question(const std::string& why) {
  record_.asked.clear();
  enter(IncidentPhase::held);
  const std::string text = "nobody has to approve it any more: " + why;
  tell(late_once("question_withdrawn", text), "question_withdrawn", text);
}

// Something was changed, the switch is still to come, and the rules are good again.
bool Incident::is_for_nothing_by_now() const {
  const bool is_ahead = record_.section == PlanSection::steps && plan()->switches_from(record_.step);
  return is_ahead && record_.past_no_return && !record_.switched && all_cleared();
}

void Incident::answer_ask_step(StepStatus status, const std::string& detail) {
  enter(record_.section == PlanSection::steps ? IncidentPhase::acting : IncidentPhase::finishing);
  end_step({status, std::nullopt, detail, "", 0});
  if (status != StepStatus::succeeded || record_.section != PlanSection::steps) return;
  // What was said yes to is looked at again (SPEC 2.21): by now there may be no reason to switch any more.
  if (is_for_nothing_by_now()) return call_off();
  fires_anew_ = fires_anew_ || record_.past_no_return;
}

bool Incident::drive_acting() {
  if (record_.in_flight) return drive_in_flight();
  if (record_.pending_outcome) return finish_now(), true;
  const bool may_end = !record_.past_no_return || (!record_.switched && moved_on());
  if (may_end) {
    if (const std::optional<Gate> end = ending()) return finish(end->outcome, end->why), true;
  }
  const ActionSpec* action = plan();
  assert(action != nullptr);
  if (record_.step >= action->steps.size()) return section_done();
  return start_step(action->steps[record_.step]);
}

bool Incident::drive_finishing() {
  if (record_.in_flight) return drive_in_flight();
  const ActionSpec* action = plan();
  if (action == nullptr) {
    // Gone from the configuration over a restart: there is nothing left of this rung to be done.
    record_.pending_outcome ? close() : next_rung();
    return true;
  }
  if (record_.step >= steps_of(*action).size()) return section_done();
  return start_step(step_at_cursor());
}

bool Incident::section_done() {
  switch (record_.section) {
    case PlanSection::steps:
      after_steps();
      return true;
    case PlanSection::on_success:
    case PlanSection::on_failure:
      begin_finishing(PlanSection::always);
      return true;
    case PlanSection::always:
      record_.pending_outcome ? close() : next_rung();
      return true;
  }
  return false;
}

}  // namespace rules
