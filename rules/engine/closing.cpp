#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"
#include "rules/incidents/story.hpp"

// How a rung and an incident end: steps -> verify -> on_success or on_failure -> always.

namespace rules {

namespace {

bool is_failure(Outcome outcome) {
  switch (outcome) {
    case Outcome::not_recovered:
    case Outcome::wrong_revision:
    case Outcome::unverifiable:
    case Outcome::action_failed:
    case Outcome::no_target:
    case Outcome::fused:
    case Outcome::aborted:
      return true;
    case Outcome::recovered:
    case Outcome::superseded:
    case Outcome::observed:
    case Outcome::notified:
    case Outcome::cleared:
      return false;
  }
  return false;
}

Stage stage_of(Outcome outcome) {
  if (outcome == Outcome::cleared) return Stage::cleared;
  return is_failure(outcome) ? Stage::failed : Stage::completed;
}

std::string_view what_now(Outcome outcome) {
  switch (outcome) {
    case Outcome::recovered:
      return "Nothing is left to do.";
    case Outcome::not_recovered:
    case Outcome::wrong_revision:
    case Outcome::unverifiable:
    case Outcome::action_failed:
      return "People are needed: nothing more is done by itself.";
    case Outcome::no_target:
      return "People are needed: there is nothing to roll back to.";
    case Outcome::fused:
      return "People are needed: `rollbackd fuse reset SERVICE` allows more, `rollbackd rollback SERVICE` acts now.";
    case Outcome::aborted:
      return "Nothing more is done by itself until a rule fires again.";
    case Outcome::superseded:
      return "The revision that runs now is judged on its own.";
    case Outcome::observed:
    case Outcome::notified:
    case Outcome::cleared:
      return "Nothing was changed.";
  }
  return "";
}

std::string with_service(std::string_view text, const ServiceName& service) {
  constexpr std::string_view placeholder = "SERVICE";
  std::string out(text);
  for (std::size_t at = out.find(placeholder); at != std::string::npos; at = out.find(placeholder, at)) {
    out.replace(at, placeholder.size(), service.text);
    at += service.text.size();
  }
  return out;
}

}  // namespace

// The rung did not help; the next one is tried, if there is one.
void Core::climb(LiveIncident& incident, const std::string& why) {
  const IncidentRecord& record = incident.record;
  incident.climb_now = false;
  const ActionSpec* action = plan(incident);
  const bool mutated = action != nullptr && action->mutates();
  if (mutated && record.rung + 1 >= record.ladder.size()) return finish(incident, Outcome::not_recovered, why);
  begin_finishing(incident, mutated ? PlanSection::on_failure : PlanSection::always);
  story(incident, std::string(story::rung_over), why);
}

void Core::next_rung(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  release_host(incident);
  ++record.rung;
  record.section = PlanSection::steps;
  record.step = 0;
  record.attempt = 0;
  record.failed = false;
  record.approved_by.clear();
  record.settle_extensions = 0;
  incident.rung_began.reset();
  incident.lock_refusals = 0;
  incident.lock_wanted_since.reset();
  incident.lock_retry_at.reset();
  incident.look_asked.reset();
  incident.looks_failed = 0;
  if (record.rung < record.ladder.size()) {
    enter(incident, IncidentPhase::held);
    tell(incident, Stage::progress, std::string(story::next_rung), "next: " + record.ladder[record.rung].text);
  } else {
    enter(incident, IncidentPhase::telling);
  }
}

// Decides the outcome. A step in flight is waited for; then what has to follow is done and the incident is closed.
void Core::finish(LiveIncident& incident, Outcome outcome, const std::string& why) {
  IncidentRecord& record = incident.record;
  record.pending_outcome = outcome;
  record.outcome_detail = why;
  judge_revisions(incident, outcome);
  story(incident, std::string(story::decided), std::string(to_string(outcome)) + ": " + why);
  const ActionSpec* action = plan(incident);
  if (!record.in_flight) return finish_now(incident);
  const StepSpec& step = steps_of(*action, record.section)[record.step];
  const bool is_ours = std::holds_alternative<WaitStep>(step.what) || std::holds_alternative<SleepStep>(step.what) ||
                       std::holds_alternative<AskStep>(step.what);
  if (!is_ours) {
    emit(CancelStep{incident.step.id});
    return save(incident);
  }
  if (record.phase == IncidentPhase::asking) enter(incident, IncidentPhase::acting);
  end_step(incident, {StepStatus::interrupted, std::nullopt, why, "", 0});
}

void Core::finish_now(LiveIncident& incident) {
  const IncidentRecord& record = incident.record;
  const Outcome outcome = *record.pending_outcome;
  const bool began = plan(incident) != nullptr && (rung_started(incident) || incident.rung_began);
  const bool was_begun = began && record.phase != IncidentPhase::telling;
  if (!was_begun) return close(incident);
  // Before anything was changed, and when others have taken over, there is nothing to make good.
  const bool makes_good = is_failure(outcome) && record.past_no_return;
  if (outcome == Outcome::recovered) return begin_finishing(incident, PlanSection::on_success);
  begin_finishing(incident, makes_good ? PlanSection::on_failure : PlanSection::always);
}

void Core::begin_finishing(LiveIncident& incident, PlanSection section) {
  IncidentRecord& record = incident.record;
  record.section = section;
  record.step = 0;
  record.attempt = 0;
  enter(incident, IncidentPhase::finishing);
}

// A finishing step that could not be begun: the incident ends all the same, and not as if all had been done.
void Core::leave_out(LiveIncident& incident, const StepSpec& step, const std::string& why) {
  IncidentRecord& record = incident.record;
  incident.step = StepRecord{};
  incident.step.id = {record.id, record.rung, record.section, record.step, record.attempt};
  incident.step.kind = std::string(kind_of(step));
  incident.step.text = describe(step);
  incident.step.started = now_;
  incident.step.ended = now_;
  incident.step.status = StepStatus::skipped;
  incident.step.detail = why;
  emit(Save{incident.step});
  const std::string what = incident.step.text + " was not done: " + why;
  if (record.pending_outcome) {
    if (!is_failure(*record.pending_outcome)) record.pending_outcome = Outcome::action_failed;
    record.outcome_detail += "; " + what;
  }
  ++record.step;
  record.attempt = 0;
  note("step_left_out", {{"incident", record.id.text}, {"step", incident.step.text}, {"why", why}});
  tell(incident, Stage::failed, "step_left_out", what);
}

// What verification said of the revision that was left.
void Core::judge_revisions(LiveIncident& incident, Outcome outcome) {
  const IncidentRecord& record = incident.record;
  if (!record.switched) return;
  LedgerRecord* from = ledger_.find(record.service, record.from);
  if (from == nullptr) return;
  if (outcome == Outcome::recovered) {
    from->standing = Standing::bad;
  } else if (is_failure(outcome) && from->standing != Standing::bad) {
    from->standing = Standing::suspect;
  }
  save(*from);
}

// SPEC 2.27: a rule that fires again on the same revision starts one rung higher.
void Core::remember_rungs(LiveIncident& incident) {
  const IncidentRecord& record = incident.record;
  if (!record.past_no_return || record.switched || record.rung >= record.ladder.size()) return;
  ServiceRecord& service = service_of(incident).record;
  for (const JoinedRule& joined : record.rules) {
    const RuleSpec* rule = spec_of(joined.rule);
    if (rule == nullptr) continue;
    const auto place = std::find(rule->respond.begin(), rule->respond.end(), record.ladder[record.rung]);
    if (place == rule->respond.end()) continue;
    service.next_rung[joined.rule.text] = static_cast<int>(place - rule->respond.begin()) + 1;
  }
}

void Core::close(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  WatchedService& service = service_of(incident);
  remember_rungs(incident);
  save(service);
  record.outcome = record.pending_outcome;
  record.closed = now_;
  record.phase = IncidentPhase::closed;
  record.phase_since = now_;
  record.deadline.reset();
  record.waiting_for.clear();
  service.incident.reset();
  for (const JoinedRule& joined : record.rules) {
    if (WatchedRule* rule = watched(joined.rule)) rule->answered = true;
  }
  const Outcome outcome = *record.outcome;
  note("incident_closed",
       {{"incident", record.id.text}, {"outcome", std::string(to_string(outcome))}, {"why", record.outcome_detail}});
  tell(incident, stage_of(outcome), "closed",
       std::string(to_string(outcome)) + ": " + record.outcome_detail + ". " +
           with_service(what_now(outcome), record.service));
  release_host(incident);
}

}  // namespace rules
