#include <cassert>
#include <utility>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/last_seen.hpp"
#include "rules/engine/told.hpp"

// The plan's cursor: one step after the other, each saved before it is done.

namespace rules {

namespace {

// A wait whose configuration gives no limit.
constexpr Duration wait_limit_default = std::chrono::minutes(5);
// Between two attempts to write down what is to be done.
constexpr Duration intent_retry = std::chrono::seconds(5);

// What a plan captures is not waited for one after the other: nothing is done for the service meanwhile.
std::vector<StepSpec> captures_beside(const std::vector<StepSpec>& steps, std::size_t which) {
  std::vector<StepSpec> out;
  if (!std::holds_alternative<CaptureStep>(steps[which].what)) return out;
  for (std::size_t next = which + 1; next < steps.size() && out.size() < captures_beside_max; ++next) {
    if (!std::holds_alternative<CaptureStep>(steps[next].what)) break;
    out.push_back(steps[next]);
  }
  return out;
}

StepResult succeeded() { return {StepStatus::succeeded, std::nullopt, "", "", 0}; }

}  // namespace

const ActionSpec* Incident::plan() const {
  if (record_.rung >= record_.ladder.size()) return nullptr;
  const auto found = plans_.find(record_.ladder[record_.rung]);
  return found == plans_.end() ? nullptr : &found->second;
}

const std::vector<StepSpec>& Incident::steps_of(const ActionSpec& action) const {
  switch (record_.section) {
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

const StepSpec& Incident::step_at_cursor() const {
  const ActionSpec* action = plan();
  assert(action != nullptr && record_.step < steps_of(*action).size());
  return steps_of(*action)[record_.step];
}

StepId Incident::cursor() const { return {record_.id, record_.rung, record_.section, record_.step, record_.attempt}; }

// Starts the step, or what has to come before it.
bool Incident::start_step(const StepSpec& step) {
  if (in_.steps_held || (intent_retry_at_ && now() < *intent_retry_at_)) return false;
  if (is_mutating(step)) {
    const bool opens_rung = record_.section == PlanSection::steps && !rung_began_;
    if (opens_rung && gate(gate_view()).kind != GateKind::go) {
      lock_.release();
      enter(IncidentPhase::held);
      return true;
    }
    if (record_.section != PlanSection::steps && lock_.is_given_up(in_.service.deploy_timeout)) {
      leave_out(step, "the host's lock cannot be had: " + lock_.holder());
      return true;
    }
    if (!lock_.have(cursor())) return false;
  }
  if (const auto* to = std::get_if<SwitchStep>(&step.what)) {
    switch (look_before_switch()) {
      case Look::pending:
        return false;
      case Look::superseded:
        // What was begun before our end may have gone on by itself.
        if (step_.id == cursor() && look_.running() == record_.to) return begin_step(step), true;
        finish(Outcome::superseded, look_.running() ? "revision " + look_.running()->text + " runs now"
                                                    : "another revision was seen to run, and then none could be read");
        return true;
      case Look::unread:
        finish(Outcome::unverifiable, unread());
        return true;
      case Look::go:
        break;
    }
    if (const std::optional<Gate> said = gate_mark(gate_view())) return heed_mark(*said), true;
    const Target chosen = target(*to);
    if (!chosen.revision) return finish(Outcome::no_target, chosen.why_not), true;
    record_.to = *chosen.revision;
  }
  begin_step(step);
  return true;
}

// Said while the plan ran: what was begun is made good, or waits for the answer.
void Incident::heed_mark(const Gate& said) {
  look_.forget();
  if (said.kind == GateKind::ask) {
    lock_.release();
    return ask(said);
  }
  const bool another_rung = record_.rung + 1 < record_.ladder.size();
  another_rung ? climb(said.why) : finish(said.outcome, said.why);
}

void Incident::begin_step(const StepSpec& step) {
  count_step(step);
  record_.in_flight = true;
  record_.waiting_for.clear();
  intent_retry_at_.reset();
  step_ = StepRecord{};
  step_.id = cursor();
  step_.kind = std::string(kind_of(step));
  // By hand it goes where the person said, whatever the plan would have chosen.
  const bool goes_elsewhere = record_.by_hand && std::holds_alternative<SwitchStep>(step.what);
  step_.text = goes_elsewhere ? "switch " + record_.to.text : describe(step);
  step_.started = now();
  in_.effects.save(step_);
  story("step_started", step_.text);
  in_.effects.note("step_started", {{"incident", record_.id.text},
                                    {"section", std::string(to_string(record_.section))},
                                    {"step", std::to_string(record_.step)},
                                    {"kind", step_.kind}});
  const bool is_switch = std::holds_alternative<SwitchStep>(step.what);
  const bool is_done = is_switch && look_.running() == record_.to && record_.from != record_.to;
  if (!is_done) return carry_out(step);
  in_.revisions.own_switch_seen(record_.to);
  end_step({StepStatus::succeeded, std::nullopt, "found done after a restart", "", 0});
}

// What the fuse and the point of no return must know before the deed.
void Incident::count_step(const StepSpec& step) {
  if (!is_mutating(step) || record_.section != PlanSection::steps) return;
  changed_before_ = std::exchange(record_.past_no_return, true);
  opened_rung_ = !rung_began_;
  if (opened_rung_) {
    rung_began_ = now();
    in_.limits.action_begins(record_.id, record_.by_hand, record_.from);
  }
  if (!std::holds_alternative<SwitchStep>(step.what)) return;
  switched_before_ = std::exchange(record_.switched, true);
  // Begun again after a crash it is still the same switch.
  const bool again = step_.id == cursor();
  in_.revisions.switch_begins(record_.to, record_.from, again);
  if (!again) in_.limits.switch_begins(record_.id, record_.from);
}

void Incident::carry_out(const StepSpec& step) {
  if (const auto* notice = std::get_if<NotifyStep>(&step.what)) return send_notice(*notice);
  if (const auto* sleep = std::get_if<SleepStep>(&step.what)) {
    record_.deadline = now() + sleep->length;
    return save();
  }
  if (std::holds_alternative<WaitStep>(step.what)) return wait_anew(step);
  if (const auto* question = std::get_if<AskStep>(&step.what)) {
    enter(IncidentPhase::asking);
    record_.asked = question->question;
    const Duration limit = step.timeout > Duration::zero() ? step.timeout : in_.service.ask_timeout;
    record_.deadline = now() + limit;
    const std::string then = ask_then() == AskThen::act ? "the plan goes on" : "the plan ends there";
    return tell(Stage::ask, "asked", question->question + " Without an answer " + then + " in " + told(limit) + ".");
  }
  StepContext around = context();
  // What has been said of revisions that nobody can read is not passed on as if it had been read (SPEC 2.18).
  if (!in_.service.has_identity) around.from = around.to = Revision();
  std::vector<StepSpec> beside;
  if (record_.attempt == 0) beside = captures_beside(steps_of(*plan()), record_.step);
  in_.effects.emit(Perform{step_.id, step, std::move(around), is_mutating(step), std::move(beside), plan()->name,
                           record_.plan_fingerprint});
}

// Also after a crash: nothing was measured meanwhile, which says nothing of what it waits for.
void Incident::wait_anew(const StepSpec& step) {
  wait_since_.reset();
  record_.deadline = now() + (step.timeout > Duration::zero() ? step.timeout : wait_limit_default);
  save();
}

bool Incident::drive_in_flight() {
  if (look_settles_switch_) return settle_interrupted_switch();
  const bool may_end = !record_.past_no_return && !record_.pending_outcome && record_.section == PlanSection::steps;
  if (may_end) {
    if (const std::optional<Gate> end = ending()) return finish(end->outcome, end->why), true;
  }
  const StepSpec& step = step_at_cursor();
  if (std::holds_alternative<SleepStep>(step.what)) {
    if (record_.deadline && now() < *record_.deadline) return false;
    return end_step(succeeded()), true;
  }
  if (const auto* wait = std::get_if<WaitStep>(&step.what)) return drive_wait(step, *wait);
  return false;
}

// Only what was measured since the step began counts: what ran before it says nothing of what it waits for.
bool Incident::drive_wait(const StepSpec& step, const WaitStep& wait) {
  const Judgement seen = in_.evidence.judge(wait.until, step_.started);
  if (seen.verdict == Verdict::bad) {
    if (!wait_since_) wait_since_ = now();
    if (now() >= *wait_since_ + wait.hold) return end_step(succeeded()), true;
    hold_until_ = std::min(*wait_since_ + wait.hold, seen.valid_until);
  } else {
    wait_since_.reset();
    hold_until_.reset();
  }
  if (!record_.deadline || now() < *record_.deadline) return false;
  end_step(
      {StepStatus::timed_out, std::nullopt,
       wait.until.text() + " was not true for " + told(wait.hold) + " within " + told(step.timeout) + last_seen(seen),
       "", 0});
  return true;
}

void Incident::step_completed(const StepId& id, const StepResult& result) {
  if (!record_.in_flight || step_.id != id) return;
  if (result.status == StepStatus::skipped) return intent_unsaved(result);
  intent_unsaved_since_.reset();
  const bool is_unseen = result.unseen || (left_at_work_ && result.status == StepStatus::interrupted);
  if (is_unseen) return work_ended(result.detail);
  left_at_work_ = false;
  end_step(result);
}

// What is not on disk is not done, but a journal that cannot be written for a while ends no incident either. Until the
// step can be begun it is as if it had not been: a rule that clears ends what has changed nothing.
void Incident::intent_unsaved(const StepResult& result) {
  const bool is_news = !intent_unsaved_since_;
  if (is_news) intent_unsaved_since_ = now();
  const bool is_over = record_.pending_outcome && record_.section == PlanSection::steps;
  if (is_over || now() >= *intent_unsaved_since_ + in_.service.deploy_timeout) {
    intent_unsaved_since_.reset();
    StepResult failed = result;
    failed.status = StepStatus::failed;
    failed.nothing_begun = true;
    return end_step(failed);
  }
  step_.ended = now();
  step_.status = StepStatus::skipped;
  step_.detail = result.detail;
  in_.effects.save(std::exchange(step_, StepRecord{}));
  record_.in_flight = false;
  record_.waiting_for = result.detail;
  intent_retry_at_ = now() + intent_retry;
  look_.forget();
  take_back_step(step_at_cursor());
  if (!is_news) return save();
  tell(late_once("held", waits_for(result.detail)), "held", waits_for(result.detail));
}

// What was counted before the deed, which never came.
void Incident::take_back_step(const StepSpec& step) {
  if (!is_mutating(step) || record_.section != PlanSection::steps) return;
  record_.past_no_return = changed_before_;
  const bool is_switch = std::holds_alternative<SwitchStep>(step.what);
  if (is_switch) record_.switched = switched_before_;
  in_.limits.take_back(record_.id, is_switch, opened_rung_);
  if (is_switch) in_.revisions.switch_changed_nothing(record_.from);
  if (opened_rung_) rung_began_.reset();
}

void Incident::lock_answered(const StepResult& result) {
  const bool had_been_refused = lock_.is_refused();
  lock_.answered(result);
  if (lock_.is_refused() && !had_been_refused && record_.phase == IncidentPhase::acting) enter(IncidentPhase::held);
}

}  // namespace rules
