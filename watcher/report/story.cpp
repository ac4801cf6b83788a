#include "watcher/report/story.hpp"

#include <algorithm>

#include "rules/engine/incident/outcomes.hpp"
#include "rules/incidents/story.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

using rules::Outcome;

std::string code(std::string_view text) { return markdown_code(text, Place::paragraph); }

std::string command(const std::string& text) { return code("rollbackd " + text); }

// ": `error_rate > 5%` measured 0.3125 (410 of 1312)"
std::string measured(const rules::Comparison& comparison) {
  std::string text =
      ": " + code(comparison.text) + " measured " + number_text(*comparison.value.value, comparison.unit);
  if (comparison.value.errors > 0)
    text += " (" + number_text(comparison.value.errors) + " of " + number_text(comparison.value.count) + ")";
  return text;
}

std::string why(const rules::IncidentRecord& incident) {
  if (incident.rules.empty()) {
    const std::string reason = incident.reason.empty() ? "" : " (" + markdown_text(incident.reason) + ")";
    return "A rollback of " + code(incident.service.text) + " was asked for by hand" + reason + " at " +
           utc_text(incident.opened) + " UTC.";
  }
  const rules::JoinedRule& first = incident.rules.front();
  std::string text = "Rule " + code(first.rule.text) + " of service " + code(incident.service.text) + " fired at " +
                     utc_text(first.joined) + " UTC";
  if (first.bad_ns > 0) text += " after " + duration_text(rules::Duration(first.bad_ns)) + " of observed bad time";
  for (const rules::Comparison& comparison : first.evidence) {
    if (comparison.verdict != rules::Verdict::bad || !comparison.value.value) continue;
    text += measured(comparison);
    break;  // the leftmost; the others are in the table
  }
  text += ".";
  if (incident.rules.size() > 1) text += " " + std::to_string(incident.rules.size() - 1) + " more joined it.";
  return text;
}

// " `4f2a9c1d7e8b` ran, which had appeared 10m before."
std::string suspicion(const ReportInput& input) {
  const rules::IncidentRecord& incident = input.incident;
  const rules::LedgerRecord* from = ledger_entry(input, incident.from);
  if (from == nullptr || incident.rules.empty() || from->appeared > incident.opened) return "";
  return " " + code(from_of(incident)) + " ran, which had appeared " + duration_text(incident.opened - from->appeared) +
         " before.";
}

std::string deed(const rules::IncidentRecord& incident) {
  if (incident.switched && !incident.to.empty()) {
    const bool done = incident.outcome == Outcome::recovered || incident.outcome == Outcome::not_recovered ||
                      incident.outcome == Outcome::unverifiable;
    return std::string(done ? " It was switched" : " A switch was begun") + " from " + code(from_of(incident)) +
           " to " + code(to_of(incident)) + ".";
  }
  if (incident.switched)
    return " Its command was run to switch it; without an identity nobody can say from what to what.";
  if (incident.past_no_return) return " Steps that change something were run, but no revision was switched.";
  return " Nothing was changed.";
}

std::string ending(const rules::IncidentRecord& incident) {
  if (!incident.outcome) {
    std::string text = " It is still open: " + enumerator_name(incident.phase);
    if (!incident.waiting_for.empty()) text += ", waiting for " + markdown_text(incident.waiting_for);
    return text + ".";
  }
  std::string text = " Outcome: **" + enumerator_name(*incident.outcome) + "**, " + outcome_meaning(incident);
  if (!incident.outcome_detail.empty()) text += " (" + markdown_text(first_line(incident.outcome_detail)) + ")";
  if (incident.closed) text += "; closed after " + duration_text(*incident.closed - incident.opened);
  return text + ".";
}

bool has_failed(const rules::StepRecord& step) {
  return step.status == rules::StepStatus::failed || step.status == rules::StepStatus::timed_out ||
         step.status == rules::StepStatus::interrupted;
}

// The last one of the plan's steps, or of those that finish it; empty: none.
std::string failed_step(const ReportInput& input, bool finishing) {
  for (auto step = input.steps.rbegin(); step != input.steps.rend(); ++step) {
    if (has_failed(*step) && (step->id.section != rules::PlanSection::steps) == finishing)
      return code(step->text) + " (" + enumerator_name(step->status) + ")";
  }
  return "";
}

std::string failed_step(const ReportInput& input) {
  const std::string step = failed_step(input, false);
  return step.empty() ? "a step" : step;
}

// What was to follow once it worked again did not.
bool works_but_is_unfinished(const ReportInput& input) {
  const rules::IncidentRecord& incident = input.incident;
  const bool was_verified = std::any_of(incident.timeline.begin(), incident.timeline.end(), [](const auto& line) {
    return line.event == rules::story::decided && line.text.starts_with(rules::to_string(Outcome::recovered));
  });
  return was_verified && incident.failed && !failed_step(input, true).empty();
}

bool is_switched(const ReportInput& input) {
  return std::any_of(input.steps.begin(), input.steps.end(), [](const rules::StepRecord& step) {
    return step.kind == "switch" && step.status == rules::StepStatus::succeeded;
  });
}

// Never one that would be refused: what was switched to runs already, and what is quarantined is no target.
std::string by_hand(const ReportInput& input) {
  const rules::IncidentRecord& incident = input.incident;
  if (incident.switched && incident.to.empty()) return command("rollback " + incident.service.text);
  const rules::LedgerRecord* const known = ledger_entry(input, incident.to);
  const bool is_bad = known != nullptr && known->standing == rules::Standing::bad;
  const bool is_there = incident.outcome != Outcome::wrong_revision && is_switched(input);
  const std::string to = incident.to.empty() || is_bad || is_there ? "REVISION" : incident.to.text;
  return command("rollback " + incident.service.text + " --to " + to);
}

std::string not_taken_back(const rules::IncidentRecord& incident) {
  const std::string earlier = rules::left_in_place(incident, true);
  return earlier.empty() ? "" : " Earlier actions did, and nothing took back: " + earlier + ".";
}

std::string kept_from(const rules::IncidentRecord& incident) {
  return incident.would_have_done.empty() ? "" : "; without that it " + markdown_text(incident.would_have_done);
}

std::string aborted_thing(const ReportInput& input) {
  const std::string no_more = "Nothing was done further. If it is still bad: ";
  if (!is_switched(input)) return no_more + command("rollback " + input.incident.service.text) + ".";
  const rules::Revision& to = input.incident.to;
  const std::string runs = to.empty() ? "" : ": " + code(short_revision(to)) + " runs now";
  return "The switch completed" + runs + ", and was not verified. " + no_more + by_hand(input) + ".";
}

// The urgent part: what the outcome leaves to people.
std::string first_thing(const ReportInput& input, Outcome outcome) {
  const std::string& service = input.incident.service.text;
  if (rules::is_only_told(input.incident) && outcome != Outcome::observed) outcome = Outcome::notified;
  switch (outcome) {
    case Outcome::recovered:
      return "Nothing is urgent: it works again." + not_taken_back(input.incident);
    case Outcome::not_recovered:
      return "**Look at it now.** The plan went through and the trouble is still there, so the revision is probably "
             "not its cause. Nothing more is done by itself. " +
             command("status") + " says what is bad.";
    case Outcome::wrong_revision:
      return "**Look at it now.** What runs is not what was switched to. Compare " + command("status") +
             " with the service itself, then " + by_hand(input) + ".";
    case Outcome::unverifiable:
      if (!input.incident.past_no_return) {
        return "**Look at it now.** What has to be known cannot be read or measured, so nothing was changed. " +
               command("check --online") + " says why; then " + by_hand(input) + ".";
      }
      return "**Check it by hand now.** Nothing could be measured after the switch; " + command("check --online") +
             " says which probes fail and why.";
    case Outcome::action_failed:
      if (!input.incident.past_no_return) {
        return "**Look at it now.** The plan stopped at " + failed_step(input) +
               " before it had changed anything. Why is below. Then " + by_hand(input) + ".";
      }
      return "**Look at it now.** The plan stopped at " + failed_step(input) +
             "; the service may be half changed. Its output is below. Then " + by_hand(input) + ".";
    case Outcome::no_target:
      return "**Look at it now.** There is no good revision to go back to. " + command("deploys") +
             " lists what is known; " + by_hand(input) + " goes to one of them, and what " +
             command("deploy good REVISION") + " names is gone back to.";
    case Outcome::fused:
      return "**Look at it now.** The fuse has blown: it was switched too often lately. When the cause is "
             "understood, " +
             command("fuse reset " + service) + " lets rollbackd act again.";
    case Outcome::superseded:
      return "Nothing: another revision came meanwhile and is judged on its own.";
    case Outcome::aborted:
      return aborted_thing(input);
    case Outcome::observed:
      return "Mode observe: this was only watched" + kept_from(input.incident) + ". " + command("rollback " + service) +
             " rolls back by hand.";
    case Outcome::notified:
      return "This rule only tells. If it is still bad: " + command("explain") + ".";
    case Outcome::cleared:
      return "Nothing: the rule cleared before anything was changed.";
  }
  return "";
}

std::string unfinished_thing(const ReportInput& input) {
  return "**Look at it now.** It works again, but " + failed_step(input, true) +
         " after that did not go well. What it was to do, and what was left out after it, has to be done by hand.";
}

std::string open_thing(const rules::IncidentRecord& incident) {
  if (incident.phase == rules::IncidentPhase::asking)
    return "**Decide:** " + markdown_text(incident.asked.empty() ? "may it act?" : incident.asked) + " " +
           command("approve " + incident.id.text) + " or " + command("abort " + incident.id.text) +
           (incident.deadline ? ", until " + utc_text(*incident.deadline) + " UTC" : "") + ".";
  if (incident.phase == rules::IncidentPhase::telling) {
    return "**Act:** nothing is done by itself" + kept_from(incident) + ". " +
           command("rollback " + incident.service.text) + " acts now, " + command("abort " + incident.id.text) +
           " closes it.";
  }
  const std::string kill = command("abort --kill " + incident.id.text);
  if (rules::is_seen_out(incident))
    return "Nothing yet: it is aborted, and the step that runs is finished first. " + kill + " ends that.";
  return "Nothing yet: it is being worked on. " + command("abort " + incident.id.text) + " stops it.";
}

void add_revisions(const ReportInput& input, std::vector<std::string>& things) {
  const rules::IncidentRecord& incident = input.incident;
  const rules::LedgerRecord* from = ledger_entry(input, incident.from);
  if (from != nullptr && from->standing == rules::Standing::bad)
    things.push_back("Fix " + code(from_of(incident)) +
                     " before it is deployed again: it is quarantined and no target. " +
                     command("deploy good " + incident.from.text) + " lifts that.");
  if (from != nullptr && from->standing == rules::Standing::suspect)
    things.push_back(code(from_of(incident)) +
                     " is suspect. Say what it is: " + command("deploy good " + incident.from.text) + " or " +
                     command("deploy bad " + incident.from.text) + ".");
  const rules::LedgerRecord* to = ledger_entry(input, incident.to);
  if (incident.switched && from != nullptr && to != nullptr && from->schema != to->schema)
    things.push_back("The schema was " + code(from->schema) + " with " + code(from_of(incident)) + " and " +
                     code(to->schema) + " with " + code(to_of(incident)) +
                     ": check that what runs now can read what was written.");
}

}  // namespace

const rules::LedgerRecord* ledger_entry(const ReportInput& input, const rules::Revision& revision) {
  const auto found = std::find_if(input.ledger.begin(), input.ledger.end(), [&](const rules::LedgerRecord& record) {
    return record.service == input.incident.service && record.revision == revision;
  });
  return found == input.ledger.end() || revision.empty() ? nullptr : &*found;
}

std::string outcome_name(const rules::IncidentRecord& incident) {
  return incident.outcome ? enumerator_name(*incident.outcome) : "open, " + enumerator_name(incident.phase);
}

std::string outcome_meaning(const rules::IncidentRecord& incident) {
  if (!incident.outcome) return "";
  switch (*incident.outcome) {
    case Outcome::recovered:
      // Without an identity the rules alone say it.
      return incident.to.empty() ? "the rules are good again" : "the target runs and the rules are good again";
    case Outcome::not_recovered:
      return "the plan went through, but the rules did not become good";
    case Outcome::wrong_revision:
      return "what runs after the switch is not the target";
    case Outcome::unverifiable:
      return incident.past_no_return ? "nothing could be measured afterwards"
                                     : "what had to be known could not be read or measured, so nothing was changed";
    case Outcome::action_failed:
      return "a step failed, or the plan could not go on after a crash";
    case Outcome::no_target:
      return "there is no good revision to go back to";
    case Outcome::fused:
      return "a limit of the fuse was reached";
    case Outcome::superseded:
      return "another revision appeared meanwhile";
    case Outcome::aborted:
      return "a person ended it, or nobody answered";
    case Outcome::observed:
      return "in mode observe nothing is done";
    case Outcome::notified:
      return "people were told, nothing else was to be done";
    case Outcome::cleared:
      return "the rule cleared before anything was changed";
  }
  return "";
}

std::string summary(const ReportInput& input) {
  return why(input.incident) + suspicion(input) + deed(input.incident) + ending(input.incident);
}

std::vector<std::string> left_to_do(const ReportInput& input) {
  std::vector<std::string> things;
  if (works_but_is_unfinished(input))
    things.push_back(unfinished_thing(input));
  else
    things.push_back(input.incident.outcome ? first_thing(input, *input.incident.outcome) : open_thing(input.incident));
  add_revisions(input, things);
  for (const rules::LaterCheck& check : input.incident.later) {
    if (check.end == rules::LaterEnd::waits && !check.text.empty())
      things.push_back("Until " + utc_text(check.due) + " UTC: " + markdown_text(check.text));
  }
  return things;
}

}  // namespace watcher
