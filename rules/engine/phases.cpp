#include <algorithm>
#include <cassert>
#include <utility>

#include "rules/engine/core.hpp"

// What an incident does in each phase, and what ends the phase.

namespace rules {

bool Core::rung_started(const LiveIncident& incident) const {
  const IncidentRecord& record = incident.record;
  return record.step > 0 || record.in_flight || record.section != PlanSection::steps;
}

// Returns whether anything changed.
bool Core::drive(LiveIncident& incident) {
  // A crash may have come between the decision and what follows from it.
  const IncidentRecord& record = incident.record;
  const bool nothing_begun = record.phase == IncidentPhase::held || record.phase == IncidentPhase::asking ||
                             record.phase == IncidentPhase::telling;
  if (nothing_begun && record.pending_outcome && !record.in_flight) return finish_now(incident), true;
  switch (incident.record.phase) {
    case IncidentPhase::held:
      return drive_held(incident);
    case IncidentPhase::asking:
      return drive_asking(incident);
    case IncidentPhase::acting:
      return drive_acting(incident);
    case IncidentPhase::settling:
      return drive_settling(incident);
    case IncidentPhase::verifying:
      return drive_verifying(incident);
    case IncidentPhase::finishing:
      return drive_finishing(incident);
    case IncidentPhase::telling:
      return drive_telling(incident);
    case IncidentPhase::closed:
      return false;
  }
  return false;
}

void Core::enter(LiveIncident& incident, IncidentPhase phase) {
  incident.record.phase = phase;
  incident.record.phase_since = now_;
  incident.record.deadline.reset();
  incident.record.waiting_for.clear();
  incident.record.asked_in_trouble = false;
  incident.hold_until.reset();
  note("phase", {{"incident", incident.record.id.text}, {"phase", std::string(to_string(phase))}});
  save(incident);
  emit(WriteReport{incident.record.id});
}

bool Core::drive_held(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  const Gate answer = gate(incident);
  switch (answer.kind) {
    case GateKind::go: {
      const ActionSpec& action = *plan(incident);
      std::string ignored;
      if (const SwitchStep* step = switch_of(action)) record.to = target(incident, *step, ignored).value_or(record.to);
      record.plan_fingerprint = action.fingerprint();
      const bool begins = !rung_started(incident) && incident.lock_refusals == 0;
      enter(incident, IncidentPhase::acting);
      if (begins) {
        tell(incident, Stage::progress, "action_started",
             "action " + action.name.text + " begins: " + reason_of(incident));
      }
      return true;
    }
    case GateKind::ask:
      ask(incident, answer);
      return true;
    case GateKind::hold:
      incident.hold_until = answer.until;
      if (record.waiting_for == answer.why) return false;
      record.waiting_for = answer.why;
      tell(incident, Stage::progress, "held", "waits: " + answer.why);
      return false;
    case GateKind::tell:
      if (!record.by_hand) record.approved_by.clear();
      enter(incident, IncidentPhase::telling);
      story(incident, "telling", answer.why);
      return true;
    case GateKind::close:
      finish(incident, answer.outcome, answer.why);
      return true;
  }
  return false;
}

void Core::ask(LiveIncident& incident, const Gate& gate) {
  IncidentRecord& record = incident.record;
  const WatchedService& service = service_of(incident);
  const ActionSpec* action = plan(incident);
  std::string ignored;
  const SwitchStep* step = action == nullptr ? nullptr : switch_of(*action);
  if (step != nullptr) record.to = target(incident, *step, ignored).value_or(record.to);
  enter(incident, IncidentPhase::asking);
  record.asked = gate.why;
  record.asked_in_trouble = gate.in_trouble;
  record.deadline = now_ + service.spec.ask_timeout;
  const std::string then = ask_then(service) == AskThen::act ? "it is done" : "the incident is closed";
  const std::string over = gate.in_trouble ? " When that is over it decides by itself." : "";
  tell(incident, Stage::ask, "asked",
       "approve action " + (action == nullptr ? "" : action->name.text) + "? Asked because " + gate.why + "." + over +
           " Without an answer " + then + " in " + told(service.spec.ask_timeout) + ".");
}

bool Core::drive_asking(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  const AskThen then = ask_then(service_of(incident));
  const bool overdue = record.deadline && *record.deadline <= now_;
  if (record.in_flight) {
    if (!record.past_no_return) {
      if (const std::optional<Gate> end = gate_end(incident)) return finish(incident, end->outcome, end->why), true;
    }
    if (!overdue) return false;
    const bool act = then == AskThen::act;
    answer_ask_step(incident, act ? StepStatus::succeeded : StepStatus::timed_out, "nobody answered");
    return true;
  }
  if (const std::optional<Gate> end = gate_end(incident)) return finish(incident, end->outcome, end->why), true;
  if (record.asked_in_trouble && own_trouble().empty()) {
    record.asked.clear();
    enter(incident, IncidentPhase::held);
    tell(incident, Stage::progress, "question_withdrawn", "nobody has to approve it any more: rollbackd is well again");
    return true;
  }
  if (!overdue) return false;
  if (then == AskThen::close) return finish(incident, Outcome::aborted, "nobody answered: " + record.asked), true;
  record.approved_by = approved_by_nobody;
  record.asked.clear();
  enter(incident, IncidentPhase::held);
  story(incident, "approved", "nobody answered, ask.then is act");
  return true;
}

void Core::answer_ask_step(LiveIncident& incident, StepStatus status, const std::string& detail) {
  const bool in_steps = incident.record.section == PlanSection::steps;
  enter(incident, in_steps ? IncidentPhase::acting : IncidentPhase::finishing);
  end_step(incident, {status, std::nullopt, detail, "", 0});
}

bool Core::drive_telling(LiveIncident& incident) {
  if (moved_on(incident)) return finish(incident, Outcome::superseded, "another revision runs now"), true;
  if (std::exchange(incident.refired, false)) return enter(incident, IncidentPhase::held), true;
  if (!all_cleared(incident)) return false;
  const auto& joined = incident.record.rules;
  const bool only_observed = std::all_of(joined.begin(), joined.end(), [&](const JoinedRule& one) {
    const RuleSpec* rule = spec_of(one.rule);
    return rule != nullptr && std::min(cap(), rule->mode.value_or(Mode::act)) == Mode::observe;
  });
  finish(incident, only_observed ? Outcome::observed : Outcome::notified, "the rules are good again");
  return true;
}

bool Core::drive_acting(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  if (record.in_flight) return drive_in_flight(incident);
  if (record.pending_outcome) return finish_now(incident), true;
  const bool may_end = !record.past_no_return || (!record.switched && moved_on(incident));
  if (may_end) {
    if (const std::optional<Gate> end = gate_end(incident)) return finish(incident, end->outcome, end->why), true;
  }
  const ActionSpec* action = plan(incident);
  assert(action != nullptr);
  if (record.step >= action->steps.size()) return section_done(incident);
  return start_step(incident, action->steps[record.step]);
}

bool Core::drive_finishing(LiveIncident& incident) {
  const IncidentRecord& record = incident.record;
  if (record.in_flight) return drive_in_flight(incident);
  const ActionSpec* action = plan(incident);
  if (action == nullptr) {
    // Gone from the configuration over a restart: there is nothing left of this rung to be done.
    record.pending_outcome ? close(incident) : next_rung(incident);
    return true;
  }
  const std::vector<StepSpec>& steps = steps_of(*action, record.section);
  if (record.step >= steps.size()) return section_done(incident);
  return start_step(incident, steps[record.step]);
}

bool Core::section_done(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  switch (record.section) {
    case PlanSection::steps:
      after_steps(incident);
      return true;
    case PlanSection::on_success:
    case PlanSection::on_failure:
      begin_finishing(incident, PlanSection::always);
      return true;
    case PlanSection::always:
      if (record.pending_outcome) {
        close(incident);
      } else {
        next_rung(incident);
      }
      return true;
  }
  return false;
}

}  // namespace rules
