#include <algorithm>
#include <cassert>
#include <utility>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/outcomes.hpp"

// How a step ends, and where the cursor goes then.

namespace rules {

namespace {

// Steps that are named to whoever takes over; a plan is rarely longer.
constexpr std::size_t changed_max = 50;

void note_result(StepRecord& step, const StepResult& result, Instant now) {
  step.ended = now;
  step.status = result.status;
  step.exit_code = result.exit_code;
  step.detail = result.detail;
  step.output = result.output;
  step.output_dropped = result.output_dropped;
}

// What follows a switch that was refused, or by hand never reached, delays no later one.
bool spares_cooldown(const IncidentRecord& incident, bool is_refused) {
  return incident.section != PlanSection::steps && (incident.by_hand || is_refused);
}

}  // namespace

void Incident::move_on() {
  ++record_.step;
  record_.attempt = 0;
}

void Incident::end_step(const StepResult& result) {
  assert(record_.in_flight);
  const StepSpec& step = step_at_cursor();
  const bool is_seen_out = sees_step_out();
  note_result(step_, result, now());
  record_.in_flight = false;
  record_.deadline.reset();
  hold_until_.reset();
  in_.effects.save(step_);
  in_.usual.learn(step_);
  if (is_seen_out) measure_anew();
  const bool is_switch = std::holds_alternative<SwitchStep>(step.what);
  // What a switch did is told as such.
  if (is_mutating(step) && !is_switch && !result.nothing_begun) note_changed(result);
  if (is_switch && result.nothing_begun) {
    never_switched();
  } else if (is_mutating(step) && record_.past_no_return &&
             !(never_switched_ && spares_cooldown(record_, is_switch_refused_))) {
    in_.limits.mutation_ended();
  }
  in_.effects.note("step_ended", {{"incident", record_.id.text},
                                  {"step", std::to_string(record_.step)},
                                  {"kind", step_.kind},
                                  {"status", std::string(to_string(result.status))}});
  if (is_switch && switch_unseen_) return go_on_unseen();
  if (result.status != StepStatus::succeeded) return step_failed(step, result);
  // The cursor moves before anything is saved: a crash in between must not find the step to be done again.
  move_on();
  if (is_switch) note_left_behind();
  if (is_switch) switched();
  if (is_mutating(step) && !is_switch) {
    tell(Stage::progress, "step_succeeded", step_.text + ": done");
  } else {
    story("step_succeeded", step_.text);
  }
}

// What follows the first line of a switch's result is for people: a stash, the way back to the branch.
void Incident::note_left_behind() {
  constexpr std::size_t kept_max = 2000;  // bytes; the whole of it is in the step
  const std::size_t line = step_.detail.find('\n');
  record_.left_behind = line == std::string::npos ? "" : step_.detail.substr(line + 1, kept_max);
  while (record_.left_behind.ends_with('\n')) record_.left_behind.pop_back();
}

// For whoever takes over: what stays as it is when the incident ends.
void Incident::note_changed(const StepResult& result) {
  std::string text = step_.text;
  if (record_.section != PlanSection::steps) text += " (" + std::string(to_string(record_.section)) + ")";
  if (result.status != StepStatus::succeeded) text += " (" + std::string(to_string(result.status)) + ")";
  std::vector<std::string>& changed = record_.changed;
  if (changed.size() < changed_max && std::find(changed.begin(), changed.end(), text) == changed.end()) {
    changed.push_back(std::move(text));
  }
}

// The plan goes on as if the switch had been done: whatever runs now is verified, and what was not done shows there.
void Incident::go_on_unseen() {
  move_on();
  look_.forget();
  in_.revisions.own_switch_unseen();
  tell(Stage::progress, "switch_unseen",
       step_.text + ": the watcher ended while it ran, so nobody knows whether it was done; it is not run again, and " +
           "the rules say whether it helped");
}

// SPEC 2.24: what fails before the switch's own command began marks no revision and counts nowhere. What the plan did
// before it is told. Where one of those steps failed a cooldown follows unless a person began it: a rule that comes and
// goes must not repeat that without end.
void Incident::never_switched() {
  never_switched_ = true;
  const bool is_counted = rung_began_.has_value();
  const StepSpec& step = step_at_cursor();
  const bool is_switch = std::holds_alternative<SwitchStep>(step.what);
  is_switch_refused_ = is_switch;
  if (is_switch) take_back_step(step);
  const bool is_taken_back = is_switch && opened_rung_;
  // What its driver refused is tried again when that is gone.
  if (is_counted && !is_taken_back) in_.limits.take_back_action(record_.id, record_.by_hand || is_switch);
}

void Incident::step_failed(const StepSpec& step, const StepResult& result) {
  const std::string what =
      step_.text + ": " + std::string(to_string(result.status)) + (result.detail.empty() ? "" : ", " + result.detail);
  const bool in_steps = record_.section == PlanSection::steps;
  const bool is_over = in_steps && record_.pending_outcome;
  // A switch is never repeated blindly, and what the end of our own process broke off is not this plan's to repeat.
  const bool is_answer = !in_steps && std::holds_alternative<AskStep>(step.what);
  const bool again = !is_over && record_.attempt < step.retry && !std::holds_alternative<SwitchStep>(step.what) &&
                     !is_answer && result.status != StepStatus::interrupted;
  std::string left;
  if (again) {
    ++record_.attempt;
  } else if (!in_steps) {
    left = finishing_step_failed(step, what);
  } else if (!is_over && step.on_failure == OnFailure::proceed) {
    move_on();
  } else if (!is_over) {
    abandon(step, result, what);
  }
  // Told last: a crash in between must not find the step to be done again.
  tell(Stage::progress, "step_failed", what + left);
}

// In on_success, on_failure and always one broken step does not keep the others from being done, unless it says so: a
// wait does (SPEC 3). Either way it is not as if nothing were left to do. Returns what is left out.
std::string Incident::finishing_step_failed(const StepSpec& step, const std::string& what) {
  // Where a person was asked and did not say yes, what follows is not done; what was verified stays so.
  const bool asked = std::holds_alternative<AskStep>(step.what);
  const bool breaks_off = step.on_failure == OnFailure::abort || asked;
  const std::vector<StepSpec>& steps = steps_of(*plan());
  std::string left;
  for (std::size_t next = record_.step + 1; breaks_off && next < steps.size(); ++next) {
    left += (left.empty() ? "; not done, and left as it is: " : ", ") + describe(steps[next]);
  }
  move_on();
  if (breaks_off) record_.step = steps.size();
  // What was waited for in vain is left to do, whatever followed.
  const bool is_wait = std::holds_alternative<WaitStep>(step.what);
  if (!breaks_off && !is_mutating(step) && !is_wait) return left;
  record_.failed = true;
  if (!record_.pending_outcome) return left;
  if (breaks_off && !asked && record_.pending_outcome == Outcome::recovered)
    record_.pending_outcome = Outcome::action_failed;
  record_.outcome_detail += "; then " + what + left;
  return left;
}

// A step that the plan cannot do without failed.
void Incident::abandon(const StepSpec& step, const StepResult& result, const std::string& why) {
  record_.attempt = 0;
  // What our own end broke off may have done anything, and who says no wants what was begun made good.
  const bool is_failure = result.status != StepStatus::interrupted && !std::holds_alternative<AskStep>(step.what);
  if (is_failure && !record_.switched && !never_switched_ && plan()->switches_from(record_.step)) never_switched();
  const bool another_rung = !record_.switched && record_.rung + 1 < record_.ladder.size();
  const bool refused = std::holds_alternative<AskStep>(step.what);
  const std::string& unreadable = in_.revisions.readability().why_not();
  if (never_switched_ && !another_rung && !unreadable.empty()) return finish(Outcome::unverifiable, unreadable);
  if (another_rung && !refused && result.status != StepStatus::interrupted) return climb(why);
  finish(refused ? Outcome::aborted : Outcome::action_failed, why);
}

// A finishing step that could not be begun: the incident ends all the same, and not as if all had been done.
void Incident::leave_out(const StepSpec& step, const std::string& why) {
  step_ = StepRecord{};
  step_.id = cursor();
  step_.kind = std::string(kind_of(step));
  step_.text = describe(step);
  step_.started = now();
  step_.ended = now();
  step_.status = StepStatus::skipped;
  step_.detail = why;
  in_.effects.save(step_);
  const std::string what = step_.text + " was not done: " + why;
  if (record_.pending_outcome) {
    if (!is_failure(*record_.pending_outcome)) record_.pending_outcome = Outcome::action_failed;
    record_.outcome_detail += "; " + what;
  }
  move_on();
  in_.effects.note("step_left_out", {{"incident", record_.id.text}, {"step", step_.text}, {"why", why}});
  // The end tells of it.
  tell(Stage::progress, "step_left_out", what);
}

}  // namespace rules
