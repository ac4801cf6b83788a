#include <cassert>
#include <utility>

#include "rules/engine/core.hpp"

// The plan's cursor: one step after the other, each saved before it is done.

namespace rules {

namespace {

// A wait whose configuration gives no limit.
constexpr Duration wait_limit_default = std::chrono::minutes(5);

StepResult succeeded(std::string detail = "") {
  return {StepStatus::succeeded, std::nullopt, std::move(detail), "", 0};
}

}  // namespace

const ActionSpec* Core::plan(const LiveIncident& incident) const {
  const IncidentRecord& record = incident.record;
  if (record.rung >= record.ladder.size()) return nullptr;
  const auto found = incident.plans.find(record.ladder[record.rung]);
  return found == incident.plans.end() ? nullptr : &found->second;
}

const std::vector<StepSpec>& Core::steps_of(const ActionSpec& action, PlanSection section) const {
  switch (section) {
    case PlanSection::steps:
      return action.steps;
    case PlanSection::on_success:
      return action.on_success;
    case PlanSection::on_failure:
      return action.on_failure;
    case PlanSection::always:
      return action.always;
  }
  return action.steps;
}

// Starts the step, or what has to come before it.
bool Core::start_step(LiveIncident& incident, const StepSpec& step) {
  if (holding_) return false;
  IncidentRecord& record = incident.record;
  const bool in_steps = record.section == PlanSection::steps;
  if (is_mutating(step)) {
    if (in_steps && !incident.rung_began) {
      const Gate answer = gate(incident);
      if (answer.kind != GateKind::go) {
        release_host(incident);
        enter(incident, IncidentPhase::held);
        return true;
      }
    }
    if (!in_steps && lock_given_up(incident)) {
      leave_out(incident, step, "the host's lock cannot be had: " + incident.lock_holder);
      return true;
    }
    if (!have_lock(incident)) return false;
  }
  if (const auto* to = std::get_if<SwitchStep>(&step.what)) {
    switch (look_before_switch(incident)) {
      case Look::pending:
        return false;
      case Look::superseded:
        finish(incident, Outcome::superseded, "revision " + incident.look->revision->text + " runs now");
        return true;
      case Look::go:
        break;
    }
    std::string why;
    const std::optional<Revision> chosen = target(incident, *to, why);
    if (!chosen) return finish(incident, Outcome::no_target, why), true;
    record.to = *chosen;
  }
  begin_step(incident, step);
  return true;
}

void Core::begin_step(LiveIncident& incident, const StepSpec& step) {
  IncidentRecord& record = incident.record;
  count_step(incident, step);
  record.in_flight = true;
  incident.step = StepRecord{};
  incident.step.id = {record.id, record.rung, record.section, record.step, record.attempt};
  incident.step.kind = std::string(kind_of(step));
  // By hand it goes where the person said, whatever the plan would have chosen.
  const bool goes_elsewhere = record.by_hand && std::holds_alternative<SwitchStep>(step.what);
  incident.step.text = goes_elsewhere ? "switch " + record.to.text : describe(step);
  incident.step.started = now_;
  emit(Save{incident.step});
  story(incident, "step_started", incident.step.text);
  note("step_started", {{"incident", record.id.text},
                        {"section", std::string(to_string(record.section))},
                        {"step", std::to_string(record.step)},
                        {"kind", incident.step.kind}});
  carry_out(incident, step);
}

// What the fuse and the point of no return must know before the deed.
void Core::count_step(LiveIncident& incident, const StepSpec& step) {
  IncidentRecord& record = incident.record;
  if (!is_mutating(step) || record.section != PlanSection::steps) return;
  WatchedService& service = service_of(incident);
  record.past_no_return = true;
  if (!incident.rung_began) {
    incident.rung_began = now_;
    const FuseUse use = record.by_hand ? FuseUse::by_hand : FuseUse::mutated;
    FuseRecord counted{record.service, now_, use, record.from, record.id};
    fuse_.put(counted);
    emit(Save{counted});
    if (!service.spec.has_identity) {
      service.record.acted_without_identity = true;
      save(service);
    }
  }
  if (!std::holds_alternative<SwitchStep>(step.what)) return;
  record.switched = true;
  service.record.switching_to = record.to;
  save(service);
  // Begun again after a crash it is still the same switch.
  const StepId id{record.id, record.rung, record.section, record.step, record.attempt};
  if (incident.step.id == id) return;
  FuseRecord counted{record.service, now_, FuseUse::switched, record.from, record.id};
  fuse_.put(counted);
  emit(Save{counted});
  if (LedgerRecord* from = ledger_.find(record.service, record.from)) {
    ++from->switches_away;
    save(*from);
  }
}

void Core::carry_out(LiveIncident& incident, const StepSpec& step) {
  IncidentRecord& record = incident.record;
  if (const auto* notify = std::get_if<NotifyStep>(&step.what)) {
    Tell message;
    message.stage = Stage::progress;
    message.notifier = notify->notifier;
    message.context = context(incident);
    message.outcome = record.pending_outcome;
    message.title = record.service.text + ": incident " + record.id.text;
    message.text = record.timeline.empty() ? "" : record.outcome_detail;
    message.at = now_;
    if (!record.rules.empty()) message.evidence = record.rules.front().evidence;
    emit(std::move(message));
    return end_step(incident, succeeded());
  }
  if (const auto* sleep = std::get_if<SleepStep>(&step.what)) {
    record.deadline = now_ + sleep->length;
    return save(incident);
  }
  if (std::holds_alternative<WaitStep>(step.what)) {
    incident.wait_since.reset();
    record.deadline = now_ + (step.timeout > Duration::zero() ? step.timeout : wait_limit_default);
    return save(incident);
  }
  if (const auto* question = std::get_if<AskStep>(&step.what)) {
    enter(incident, IncidentPhase::asking);
    record.asked = question->question;
    const Duration limit = step.timeout > Duration::zero() ? step.timeout : service_of(incident).spec.ask_timeout;
    record.deadline = now_ + limit;
    return tell(incident, Stage::ask, "asked", question->question);
  }
  emit(Perform{incident.step.id, step, context(incident), is_mutating(step)});
}

bool Core::drive_in_flight(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  if (incident.look_settles_switch) return settle_interrupted_switch(incident);
  const bool may_end = !record.past_no_return && !record.pending_outcome && record.section == PlanSection::steps;
  if (may_end) {
    if (const std::optional<Gate> end = gate_end(incident)) return finish(incident, end->outcome, end->why), true;
  }
  const ActionSpec* action = plan(incident);
  assert(action != nullptr);
  const StepSpec& step = steps_of(*action, record.section)[record.step];
  if (std::holds_alternative<SleepStep>(step.what)) {
    if (record.deadline && now_ < *record.deadline) return false;
    return end_step(incident, succeeded()), true;
  }
  if (const auto* wait = std::get_if<WaitStep>(&step.what)) return drive_wait(incident, step, *wait);
  return false;
}

// Only what was measured since the step began counts: what ran before it says nothing of what it waits for.
bool Core::drive_wait(LiveIncident& incident, const StepSpec& step, const WaitStep& wait) {
  Scope in = scope(service_of(incident), std::nullopt);
  in.not_before = std::max(in.not_before, incident.step.started);
  const Judgement now = measurements_.judge(wait.until, in, now_);
  if (now.verdict == Verdict::bad) {
    if (!incident.wait_since) incident.wait_since = now_;
    if (now_ >= *incident.wait_since + wait.hold) return end_step(incident, succeeded()), true;
    incident.hold_until = std::min(*incident.wait_since + wait.hold, now.valid_until);
  } else {
    incident.wait_since.reset();
    incident.hold_until.reset();
  }
  if (!incident.record.deadline || now_ < *incident.record.deadline) return false;
  end_step(incident,
           {StepStatus::timed_out, std::nullopt,
            wait.until.text() + " was not true for " + told(wait.hold) + " within " + told(step.timeout), "", 0});
  return true;
}

void Core::end_step(LiveIncident& incident, const StepResult& result) {
  IncidentRecord& record = incident.record;
  const ActionSpec* action = plan(incident);
  assert(action != nullptr && record.in_flight);
  const StepSpec& step = steps_of(*action, record.section)[record.step];
  incident.step.ended = now_;
  incident.step.status = result.status;
  incident.step.exit_code = result.exit_code;
  incident.step.detail = result.detail;
  incident.step.output = result.output;
  incident.step.output_dropped = result.output_dropped;
  record.in_flight = false;
  record.deadline.reset();
  incident.hold_until.reset();
  emit(Save{incident.step});
  if (is_mutating(step)) {
    service_of(incident).record.mutation_ended = now_;
    save(service_of(incident));
  }
  note("step_ended", {{"incident", record.id.text},
                      {"step", std::to_string(record.step)},
                      {"kind", incident.step.kind},
                      {"status", std::string(to_string(result.status))}});
  if (result.status != StepStatus::succeeded) return step_failed(incident, step, result);
  // The cursor moves before anything is saved: a crash in between must not find the step to be done again.
  ++record.step;
  record.attempt = 0;
  if (std::holds_alternative<SwitchStep>(step.what)) switched(incident);
  if (is_mutating(step) && !std::holds_alternative<SwitchStep>(step.what)) {
    tell(incident, Stage::progress, "step_succeeded", incident.step.text + ": done");
  } else {
    story(incident, "step_succeeded", incident.step.text);
  }
}

void Core::step_failed(LiveIncident& incident, const StepSpec& step, const StepResult& result) {
  IncidentRecord& record = incident.record;
  const std::string what = incident.step.text + ": " + std::string(to_string(result.status)) +
                           (result.detail.empty() ? "" : ", " + result.detail);
  const bool in_steps = record.section == PlanSection::steps;
  const bool is_over = in_steps && record.pending_outcome;
  // A switch is never repeated blindly, and what the end of our own process broke off is not this plan's to repeat.
  const bool again = !is_over && record.attempt < step.retry && !std::holds_alternative<SwitchStep>(step.what) &&
                     result.status != StepStatus::interrupted;
  // on_success, on_failure and always go on to their end: one broken step must not keep the others from being done.
  const bool goes_on = !in_steps || step.on_failure == OnFailure::proceed;
  if (again) {
    ++record.attempt;
  } else if (!is_over && goes_on) {
    ++record.step;
    record.attempt = 0;
  } else if (!is_over) {
    abandon(incident, step, result, what);
  }
  // Told last: a crash in between must not find the step to be done again.
  tell(incident, Stage::progress, "step_failed", what);
}

// A step that the plan cannot do without failed.
void Core::abandon(LiveIncident& incident, const StepSpec& step, const StepResult& result, const std::string& why) {
  IncidentRecord& record = incident.record;
  record.failed = true;
  record.attempt = 0;
  const bool another_rung = !record.switched && record.rung + 1 < record.ladder.size();
  const bool refused = std::holds_alternative<AskStep>(step.what);
  if (another_rung && !refused && result.status != StepStatus::interrupted) return climb(incident, why);
  finish(incident, refused ? Outcome::aborted : Outcome::action_failed, why);
}

}  // namespace rules
