#include <algorithm>
#include <cassert>
#include <utility>

#include "rules/engine/core.hpp"

// The plan's cursor: one step after the other, each saved before it is done.

namespace rules {

namespace {

// A wait whose configuration gives no limit.
constexpr Duration wait_limit_default = std::chrono::minutes(5);
// Between two attempts to get the host's lock: 1 s, doubled up to this.
constexpr Duration lock_backoff_max = std::chrono::seconds(30);

Duration lock_backoff(int refusals) {
  const int doublings = std::min(refusals, 5);
  return std::min<Duration>(std::chrono::seconds(1) * (1 << doublings), lock_backoff_max);
}

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
      ask(incident, answer.why);
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

void Core::ask(LiveIncident& incident, const std::string& why) {
  IncidentRecord& record = incident.record;
  const WatchedService& service = service_of(incident);
  const ActionSpec* action = plan(incident);
  std::string ignored;
  const SwitchStep* step = action == nullptr ? nullptr : switch_of(*action);
  if (step != nullptr) record.to = target(incident, *step, ignored).value_or(record.to);
  enter(incident, IncidentPhase::asking);
  record.asked = why;
  record.deadline = now_ + service.spec.ask_timeout;
  const std::string then = service.spec.ask_then == AskThen::act ? "it is done" : "the incident is closed";
  tell(incident, Stage::ask, "asked",
       "approve action " + (action == nullptr ? "" : action->name.text) + "? Asked because " + why +
           ". Without an answer " + then + " in " + told(service.spec.ask_timeout) + ".");
}

bool Core::drive_asking(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  const AskThen then = service_of(incident).spec.ask_then;
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
  if (action == nullptr) return close(incident), true;
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

std::optional<Instant> Core::lock_patience_ends(const LiveIncident& incident) const {
  if (!incident.lock_wanted_since) return std::nullopt;
  return *incident.lock_wanted_since + service_of(incident).spec.deploy_timeout;
}

bool Core::have_lock(LiveIncident& incident) {
  if (incident.lock == HostLockState::held) return true;
  if (incident.lock == HostLockState::asked) return false;
  if (incident.lock_retry_at && now_ < *incident.lock_retry_at) return false;
  if (host_owner_) return false;
  if (!incident.lock_wanted_since) incident.lock_wanted_since = now_;
  incident.lock = HostLockState::asked;
  host_owner_ = incident.record.id;
  const IncidentRecord& record = incident.record;
  emit(LockHost{StepId{record.id, record.rung, record.section, lock_step, incident.lock_refusals}});
  return false;
}

void Core::locked(LiveIncident& incident, const StepResult& result) {
  if (incident.lock != HostLockState::asked) return;
  if (result.status == StepStatus::succeeded) {
    incident.lock = HostLockState::held;
    incident.lock_retry_at.reset();
    incident.lock_wanted_since.reset();
    return;
  }
  incident.lock = HostLockState::none;
  host_owner_.reset();
  incident.lock_holder = result.detail.empty() ? "somebody else has it" : result.detail;
  incident.lock_retry_at = now_ + lock_backoff(incident.lock_refusals++);
  if (incident.record.phase == IncidentPhase::acting) enter(incident, IncidentPhase::held);
}

void Core::release_host(LiveIncident& incident) {
  if (incident.lock == HostLockState::none) return;
  incident.lock = HostLockState::none;
  host_owner_.reset();
  emit(ReleaseHost{incident.record.id});
}

void Core::begin_step(LiveIncident& incident, const StepSpec& step) {
  IncidentRecord& record = incident.record;
  count_step(incident, step);
  record.in_flight = true;
  incident.step = StepRecord{};
  incident.step.id = {record.id, record.rung, record.section, record.step, record.attempt};
  incident.step.kind = std::string(kind_of(step));
  incident.step.text = describe(step);
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
