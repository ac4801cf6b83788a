#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/outcomes.hpp"

// What people say to an open incident.

namespace rules {

Answer Incident::approve(const std::string& by) {
  const std::string& id = record_.id.text;
  if (record_.phase != IncidentPhase::asking) {
    return {false, "incident " + id + " asks nothing, it is " + std::string(to_string(record_.phase)), {}};
  }
  story("approved", "by " + by);
  in_.effects.note("approved", {{"incident", id}, {"by", by}});
  if (record_.in_flight) {
    note_approved(by.empty() ? "somebody" : by);
    record_.asked.clear();
    answer_ask_step(StepStatus::succeeded, "approved by " + by);
    if (record_.pending_outcome) return {true, "approved, but " + record_.outcome_detail, record_.id};
  } else {
    // That nothing is known is what was said yes to.
    if (record_.asked.ends_with(helped_is_unknown)) judged_again_by_.reset();
    note_approved(by.empty() ? "somebody" : by);
    record_.asked.clear();
    lock_.be_patient_again();
    enter(IncidentPhase::held);
  }
  return {true, "approved; it is checked again and goes on", record_.id};
}

Answer Incident::abort(const Abort& request) {
  const std::string& id = record_.id.text;
  const std::string& by = request.by;
  if (sees_step_out()) return abort_again(request.kill);
  const bool asks_at_the_end = record_.phase == IncidentPhase::asking && record_.section != PlanSection::steps;
  if (asks_at_the_end && record_.in_flight) {
    in_.effects.note("answered_no", {{"incident", id}, {"by", by}});
    answer_ask_step(StepStatus::failed, "answered no by " + (by.empty() ? "somebody" : by));
    return {true, "answered no; what follows it in its section is left out", record_.id};
  }
  if (record_.pending_outcome || record_.phase == IncidentPhase::finishing) {
    return {false, "incident " + id + " is finishing already", {}};
  }
  in_.effects.note("abort", {{"incident", id}, {"by", by}});
  const std::string left = left_by_abort(request.kill);
  record_.aborted = true;
  finish(Outcome::aborted, "aborted by " + (by.empty() ? "somebody" : by));
  if (request.kill && sees_step_out()) kill_step();
  return {true, "aborted; " + left, record_.id};
}

Answer Incident::acknowledge(const std::string& by) {
  const std::string& id = record_.id.text;
  const bool needs_people = record_.phase == IncidentPhase::asking || record_.phase == IncidentPhase::telling;
  if (!needs_people)
    return {false, "incident " + id + " waits for nobody, it is " + std::string(to_string(record_.phase)), {}};
  record_.acknowledged = now();
  story("acknowledged", "by " + by);
  in_.effects.note("acknowledged", {{"incident", id}, {"by", by}});
  return {true, "noted; nobody is reminded of it as it stands now", record_.id};
}

// A restart that is broken off between its stop and its start leaves nothing running.
bool Incident::sees_step_out() const {
  const bool in_steps = record_.in_flight && record_.section == PlanSection::steps;
  return in_steps && record_.aborted && record_.pending_outcome && is_mutating(step_at_cursor());
}

Answer Incident::abort_again(bool kill) {
  const std::string& id = record_.id.text;
  if (!kill) {
    return {false,
            "incident " + id + " is aborted already, and the step that runs is finished first: " + step_.text +
                "; `rollbackd abort --kill " + id + "` ends it",
            {}};
  }
  if (killed_ == step_.id) return {false, "incident " + id + ": " + step_.text + " is being ended already", {}};
  kill_step();
  return {true, "ended: " + step_.text + "; what must follow (on_failure, always) is done", record_.id};
}

void Incident::kill_step() {
  killed_ = step_.id;
  story("step_killed", step_.text);
  in_.effects.note("step_killed", {{"incident", record_.id.text}, {"step", step_.text}});
  in_.effects.emit(CancelStep{step_.id});
}

// Whoever aborts must know what he is left with.
std::string Incident::left_by_abort(bool kills) const {
  const bool changes = record_.in_flight && is_mutating(step_at_cursor());
  if (changes && !kills) {
    return "no further step is begun; the one that runs changes what runs and is finished first: " + step_.text +
           "; `rollbackd abort --kill " + record_.id.text +
           "` ends it; then what must follow (on_failure, always) is done";
  }
  if (!rung_started()) return record_.past_no_return ? "what was changed before stays" : "nothing was changed";
  const std::string follows = "what must follow (on_failure, always) is done";
  if (record_.switched) return "what was switched is not switched back; " + follows;
  return (record_.past_no_return ? "what was changed stays; " : "nothing was changed; ") + follows;
}

// What it ends with was decided before that was said.
void Incident::limits_started_anew() {
  if (is_closed() || !record_.pending_outcome) return;
  record_.starts_anew = true;
  save();
}

void Incident::give_way(const std::string& to) { finish(Outcome::aborted, to + std::string(takes_its_place)); }

}  // namespace rules
