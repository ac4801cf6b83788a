#include "rules/engine/incident/summary.hpp"

#include <algorithm>

#include "rules/engine/incident/last_seen.hpp"
#include "rules/engine/incident/outcomes.hpp"
#include "rules/engine/titles.hpp"
#include "rules/engine/told.hpp"

namespace rules {

namespace {

constexpr std::size_t rules_named_max = 5;
constexpr Duration moment = std::chrono::seconds(1);  // what fired less than that ago is as it was measured then

const TimelineEntry* newest(const IncidentRecord& incident, std::string_view event) {
  const auto& lines = incident.timeline;
  const auto found =
      std::find_if(lines.rbegin(), lines.rend(), [&](const TimelineEntry& line) { return line.event == event; });
  return found == lines.rend() ? nullptr : &*found;
}

std::string said_last(const IncidentRecord& incident, std::string_view event, std::string_view otherwise) {
  const TimelineEntry* line = newest(incident, event);
  return line == nullptr ? std::string(otherwise) : line->text;
}

std::string with(std::string_view what, const std::string& more) {
  return std::string(what) + (more.empty() ? "" : ": " + more);
}

// What it does now.
std::string does(const IncidentRecord& incident) {
  switch (incident.phase) {
    case IncidentPhase::held:
      return with("it waits", incident.waiting_for);
    case IncidentPhase::asking:
      return with("somebody is asked", incident.asked);
    case IncidentPhase::acting:
      return with("at work", incident.in_flight ? said_last(incident, "step_started", "") : incident.waiting_for);
    case IncidentPhase::settling:
      return "what was done has its time to help";
    case IncidentPhase::verifying:
      return "what runs is verified";
    case IncidentPhase::finishing:
      return with("its last steps run", incident.waiting_for);
    case IncidentPhase::telling:
      return said_last(incident, "telling", "nothing is done by itself");
    case IncidentPhase::closed:
      return "nothing is done any more";
  }
  return "";
}

// Who must act next, and how.
std::string next(const IncidentRecord& incident, const std::string& by_hand) {
  const std::string& id = incident.id.text;
  const std::string until = incident.deadline ? ", at most until " + told(*incident.deadline) : "";
  if (is_seen_out(incident)) {
    return "nobody has to do anything, it is aborted and the step that runs is finished first" + until +
           "; `rollbackd abort --kill " + id + "` ends that";
  }
  switch (incident.phase) {
    case IncidentPhase::asking:
      return "somebody says yes (`rollbackd approve " + id + "`) or no (`rollbackd abort " + id + "`)" + until;
    case IncidentPhase::telling:
      return "somebody acts: " + by_hand + ", `rollbackd abort " + id + "` closes it";
    case IncidentPhase::held:
    case IncidentPhase::acting:
    case IncidentPhase::settling:
    case IncidentPhase::verifying:
    case IncidentPhase::finishing:
      return "nobody has to do anything, it goes on by itself" + until + "; `rollbackd abort " + id + "` stops it";
    case IncidentPhase::closed:
      return "";
  }
  return "";
}

std::string seen_now(const WatchedRule& rule, Instant now) {
  const Judgement& seen = rule.when();
  const std::string& name = rule.name().text;
  if (seen.verdict == Verdict::unknown) {
    return name + " cannot be measured: " + std::string(to_string(seen.cause)) +
           (seen.detail.empty() ? "" : ", " + seen.detail);
  }
  if (seen.verdict == Verdict::good)
    return name + " is good" + (rule.has_cleared(now) ? "" : ", not yet for long") + values_of(seen);
  JoinedRule as_now;
  as_now.rule = rule.name();
  as_now.evidence = seen.comparisons;
  const std::string evidence = evidence_of(as_now);
  return name + " is bad" + (evidence == name ? "" : ": " + evidence);
}

// As it is measured now; empty where it is not bad now.
std::string bad_now(const JoinedRule& joined, const Evidence& evidence, Instant now) {
  const WatchedRule* rule = evidence.find(joined.rule);
  if (rule == nullptr || !rule->is(Verdict::bad)) return "";
  JoinedRule as_now = joined;
  as_now.evidence = rule->when().comparisons;
  return evidence_of(as_now) + " now, " + told(now - joined.joined) + " after it fired";
}

std::string open_text(const IncidentRecord& incident, Instant now) {
  return "Open for " + about(now - incident.opened) + ", since " + told(incident.opened) + ". Now, since " +
         told(incident.phase_since) + ": " + does(incident);
}

std::string ended_text(const IncidentRecord& incident, Instant now) {
  return "It ended " + about(now - *incident.closed) + " ago, at " + told(*incident.closed) + ", as " +
         std::string(to_string(*incident.outcome)) + ": " + incident.outcome_detail +
         ". Its rules have not been good since";
}

// Nobody more need hear of what helps.
bool goes_well(const IncidentRecord& incident, const Evidence& evidence) {
  if (incident.pending_outcome && is_failure(*incident.pending_outcome)) return false;
  return std::all_of(incident.rules.begin(), incident.rules.end(), [&](const JoinedRule& joined) {
    const WatchedRule* rule = evidence.find(joined.rule);
    return rule != nullptr && rule->is(Verdict::good);
  });
}

// As which event its title is made.
std::string_view event_of(const IncidentRecord& incident) {
  const bool in_steps = incident.section == PlanSection::steps;
  if (incident.phase == IncidentPhase::asking && !incident.in_flight) return "asked";
  if (incident.phase == IncidentPhase::acting && in_steps) return "action_started";
  return incident.phase == IncidentPhase::verifying ? "verifying" : "";
}

Stage stage_of(const IncidentRecord& incident, bool needs_people) {
  if (!needs_people) return Stage::progress;
  if (incident.closed) return Stage::failed;
  return incident.phase == IncidentPhase::asking ? Stage::ask : Stage::late;
}

std::string title_now(const IncidentRecord& incident, const ActionSpec* action) {
  const std::string name = action == nullptr ? "the action" : action->name.text;
  const std::string text = incident.closed ? "not good since it ended as " + std::string(to_string(*incident.outcome)) +
                                                 ", people are needed"
                                           : does(incident);
  return title_of(incident, event_of(incident), text, name, action != nullptr && action->switches());
}

}  // namespace

std::string rules_now(const IncidentRecord& incident, const Evidence& evidence, Instant now) {
  std::string text;
  for (std::size_t i = 0; i < std::min(incident.rules.size(), rules_named_max); ++i) {
    const WatchedRule* rule = evidence.find(incident.rules[i].rule);
    if (rule != nullptr) text += "\nNow " + seen_now(*rule, now);
  }
  return text;
}

StepContext context_of(const IncidentRecord& incident, const Evidence& evidence, const Revisions& revisions) {
  StepContext out;
  out.service = incident.service;
  out.incident = incident.id;
  const JoinedRule* leading = leading_rule(incident);
  if (leading != nullptr) out.rule = leading->rule;
  out.severity = incident.severity;
  out.from = incident.from;
  out.to = incident.to;
  out.from_label = incident.from_label;
  out.to_label = incident.to_label;
  if (const LedgerRecord* from = revisions.find(incident.from)) {
    out.schema_from = from->schema;
    out.backup = from->backup;
  }
  if (!incident.backup.empty()) out.backup = incident.backup;
  if (const LedgerRecord* to = revisions.find(incident.to)) out.schema_to = to->schema;
  out.reason = incident.reason;
  if (out.reason.empty() && leading != nullptr) {
    const WatchedRule* rule = evidence.find(leading->rule);
    out.reason = rule == nullptr ? leading->rule.text : rule->spec().when.text();
  }
  return out;
}

namespace {

std::string switch_so_far(const IncidentRecord& incident) {
  const std::string to = with_short_commits(named(incident.to, incident.to_label));
  const bool is_past = incident.phase == IncidentPhase::verifying || incident.phase == IncidentPhase::settling;
  const bool is_done = is_past || newest(incident, "switched") != nullptr;
  return is_done ? "it was switched to " + to : "a switch to " + to + " was begun";
}

}  // namespace

std::string done_so_far(const IncidentRecord& incident) {
  if (!incident.past_no_return) return "Nothing was changed.";
  std::string text = left_in_place(incident, false);
  if (incident.switched) {
    text += (text.empty() ? "" : ", ") +
            (incident.to.empty() ? std::string("its command to switch was run") : switch_so_far(incident));
  }
  return "Done so far: " + (text.empty() ? "its first step was begun" : text) + ".";
}

Situation situation_of(const IncidentRecord& incident, const ActionSpec* action, const Evidence& evidence,
                       const Revisions& revisions, const std::string& by_hand, Instant now, const std::string& left,
                       const std::optional<Progress>& far) {
  Situation out;
  const bool waits_for_people = incident.phase == IncidentPhase::asking ||
                                (incident.phase == IncidentPhase::telling && incident.severity != Severity::p3) ||
                                incident.closed.has_value();
  out.since = incident.closed.value_or(incident.phase_since);
  out.acknowledged = waits_for_people && incident.acknowledged.value_or(Instant::min()) >= out.since;
  out.needs_people = waits_for_people && !out.acknowledged;
  out.goes_well = !waits_for_people && incident.phase != IncidentPhase::telling && goes_well(incident, evidence);
  Tell& tell = out.message;
  tell.stage = stage_of(incident, waits_for_people);
  tell.context = context_of(incident, evidence, revisions);
  tell.outcome = incident.outcome;
  tell.title = title_now(incident, action);
  tell.progress = far;
  if (far && far->percent) tell.title += ", " + std::to_string(*far->percent) + " % done";
  tell.text = incident.closed ? ended_text(incident, now) : open_text(incident, now);
  tell.text += far ? "; " + told(*far) + "." : ".";
  tell.text += rules_now(incident, evidence, now) + "\n" + done_so_far(incident);
  const std::string ended =
      incident.closed && left.empty() ? what_now(*incident.outcome, incident.service, by_hand) : left;
  tell.text += "\nNext: " + (incident.closed ? ended : next(incident, by_hand) + ".");
  if (out.needs_people)
    tell.text += "\nWho knows of it says so, and ends these reminders: rollbackd ack " + incident.id.text;
  if (!incident.explanation.text.empty()) tell.text += "\n" + incident.explanation.text;
  tell.text += "\nIncident: " + incident.id.text;
  tell.explanation = incident.explanation;
  tell.opened = incident.opened;
  const JoinedRule* leading = leading_rule(incident);
  const WatchedRule* rule = leading == nullptr ? nullptr : evidence.find(leading->rule);
  if (rule != nullptr) tell.evidence = rule->when().comparisons;
  tell.at = now;
  return out;
}

std::string reason_now(const IncidentRecord& incident, const Evidence& evidence, Instant now,
                       const std::string& when_fired) {
  const bool fired_just_now = incident.rules.empty() || now - leading_rule(incident)->joined < moment;
  if (fired_just_now) return when_fired;
  const std::string leading = bad_now(*leading_rule(incident), evidence, now);
  if (!leading.empty()) return leading;
  for (const JoinedRule& joined : incident.rules) {
    const std::string other = bad_now(joined, evidence, now);
    if (!other.empty()) return other;
  }
  return when_fired + " when it fired";
}

}  // namespace rules
