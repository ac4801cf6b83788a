#include <algorithm>
#include <utility>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/outcomes.hpp"

// An incident that was found open at a start: a plan goes on at the first step not started; a step in flight is run
// again only when it bears that (SPEC section 6).

namespace rules {

namespace {

// After nothing is given time to start any more: windows fill.
constexpr Duration judging_max = std::chrono::minutes(5);

// Ours, of an earlier start.
bool is_interrupted_switch(const StepRecord& step) {
  return step.id.section == PlanSection::steps && step.kind == "switch" && step.status == StepStatus::interrupted;
}

bool is_mutating_step(const StepSpec& step) { return is_mutating(step); }

}  // namespace

void Incident::resume(const std::vector<StepRecord>& steps, const std::optional<StepId>& at_work) {
  for (const StepRecord& step : steps) {
    if (step.id == cursor()) step_ = step;
    // What was decided in the meantime does not wait for what the rules say of it.
    const bool rules_say = !in_.service.has_identity && !record_.pending_outcome;
    if (rules_say && is_interrupted_switch(step)) switch_unseen_ = true;
  }
  is_resumed_ = true;
  resumed_at_ = now();
  judged_again_by_ = now() + in_.service.start_deadline + judging_max;
  note_absence();
  give_time_again();
  in_.evidence.remember_before(record_.before);
  story("restarted", "found open at a start, " + std::string(to_string(record_.phase)));
  const ActionSpec* action = plan();
  const bool in_steps = record_.section == PlanSection::steps;
  if (action != nullptr && in_steps && in_.limits.was_counted(record_.id, record_.opened)) {
    const std::size_t done = std::min(action->steps.size(), record_.step + (record_.in_flight ? 1 : 0));
    const auto begun_end = action->steps.begin() + static_cast<std::ptrdiff_t>(done);
    if (std::any_of(action->steps.begin(), begun_end, is_mutating_step)) rung_began_ = record_.phase_since;
  }
  const bool was_running =
      record_.phase == IncidentPhase::acting || record_.phase == IncidentPhase::finishing || record_.in_flight;
  if (!was_running) return;
  const bool has_its_plan = action != nullptr && action->fingerprint() == record_.plan_fingerprint;
  if (!has_its_plan) return go_on_without_plan();
  if (!record_.in_flight) return;
  if (record_.step >= steps_of(*action).size()) {
    record_.in_flight = false;
    return;
  }
  if (at_work != step_.id) return take_up_step();
  // What runs is not looked at, and nothing else begun, before it has ended.
  left_at_work_ = true;
  story("left_at_work", step_.text + ": its command still runs and is waited for");
  in_.effects.note("left_at_work", {{"incident", record_.id.text}, {"step", std::to_string(record_.step)}});
  // What follows the outcome is finished.
  const bool is_ended = !sees_step_out() || has_said("step_killed", step_.text);
  if (record_.pending_outcome && in_steps && is_ended) in_.effects.emit(CancelStep{step_.id});
}

void Incident::note_absence() {
  failed_before_ = record_.times.failed;
  requests_before_ = record_.times.requests;
  // Nobody measured while we were away.
  if (std::optional<Instant>& counted = record_.times.counted_until) {
    record_.times.unmeasured_ns[std::string(to_string(Cause::no_data))] +=
        (now() - std::exchange(*counted, now())).count();
  }
}

// What was seen until our end counts for less than it would have, and nothing was seen since. Not for ever, where
// starts follow each other.
void Incident::give_time_again() {
  const bool looks_on = record_.phase == IncidentPhase::verifying || record_.phase == IncidentPhase::settling;
  if (!looks_on || !record_.deadline) return;
  constexpr int times_most = 4;
  const Duration whole = record_.phase == IncidentPhase::verifying ? verification().limit() : verification().settle();
  const Instant latest = record_.phase_since + times_most * whole;
  record_.deadline = std::max(*record_.deadline, std::min(now() + whole, latest));
}

void Incident::note_judged_again() {
  if (!judged_again_by_) return;
  const bool is_seen_bad = std::any_of(record_.rules.begin(), record_.rules.end(), [&](const JoinedRule& joined) {
    const WatchedRule* rule = in_.evidence.find(joined.rule);
    return rule != nullptr && (rule->is(Verdict::bad) || (rule->is_firing() && rule->is(Verdict::good)));
  });
  if (is_seen_bad || in_.evidence.worst_up() == Up::down) judged_again_by_.reset();
}

void Incident::go_on_without_plan() {
  if (std::exchange(record_.in_flight, false)) ++record_.step;
  if (record_.phase == IncidentPhase::finishing) {
    record_.step = 0;
    return;
  }
  finish(Outcome::action_failed, "the plan that it began with is no longer in the configuration");
}

void Incident::work_ended(const std::string& how) {
  left_at_work_ = false;
  story("work_ended", step_.text + ": " + how);
  in_.effects.note("work_ended", {{"incident", record_.id.text}, {"how", how}});
  take_up_step();
}

// What becomes of a step that was in flight when the watcher ended, and is no more.
void Incident::take_up_step() {
  const StepSpec& step = step_at_cursor();
  if (std::holds_alternative<WaitStep>(step.what)) return wait_anew(step);
  if (is_done_by_us(step)) return;
  if (step_.ended && step_.status != StepStatus::started) {
    const StepRecord ended = step_;
    return end_step({ended.status, ended.exit_code, ended.detail, ended.output, ended.output_dropped});
  }
  const bool is_switch = std::holds_alternative<SwitchStep>(step.what);
  if (is_switch && in_.service.has_identity) {
    look_settles_switch_ = true;
    return ask_look();
  }
  const bool bears_repetition = step.idempotent || record_.section == PlanSection::on_failure ||
                                record_.section == PlanSection::always || std::holds_alternative<NotifyStep>(step.what);
  if (bears_repetition && !is_switch) {
    // Begun anew rather than commanded at once: the host's lock has to be had again first.
    record_.in_flight = false;
    return save();
  }
  // Nobody can be asked whether it was done: what the rules say of it is waited for (SPEC 2.18).
  const bool in_steps = record_.section == PlanSection::steps;
  switch_unseen_ = switch_unseen_ || (is_switch && in_steps && !record_.pending_outcome);
  end_step({StepStatus::interrupted, std::nullopt, "the watcher ended while it ran; it is not run again", "", 0});
}

}  // namespace rules
