#include "watcher/report/story.hpp"

#include <algorithm>

#include "watcher/journal/codec.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

using rules::Outcome;

std::string code(std::string_view text) { return markdown_code(text, Place::paragraph); }

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

}  // namespace watcher
