#include "rules/engine/incident/incident.hpp"
#include "rules/engine/titles.hpp"
#include "rules/engine/told.hpp"

// What is kept and told of an incident.

namespace rules {

namespace {

// Lines of an incident's story that are kept; a plan that goes round in circles must not grow it for ever.
constexpr std::size_t timeline_max = 1000;

}  // namespace

StepContext Incident::context() const {
  StepContext out;
  out.service = record_.service;
  out.incident = record_.id;
  if (!record_.rules.empty()) out.rule = record_.rules.front().rule;
  out.severity = record_.severity;
  out.from = record_.from;
  out.to = record_.to;
  if (const LedgerRecord* from = in_.revisions.find(record_.from)) {
    out.schema_from = from->schema;
    out.backup = from->backup;
  }
  if (const LedgerRecord* to = in_.revisions.find(record_.to)) out.schema_to = to->schema;
  out.reason = record_.reason;
  if (out.reason.empty() && !record_.rules.empty()) {
    const WatchedRule* rule = in_.evidence.find(record_.rules.front().rule);
    out.reason = rule == nullptr ? record_.rules.front().rule.text : rule->spec().when.text();
  }
  return out;
}

void Incident::story(std::string_view event, const std::string& text) {
  if (record_.timeline.size() < timeline_max) record_.timeline.push_back({now(), std::string(event), text});
  save();
}

void Incident::tell(Stage stage, std::string_view event, const std::string& text) {
  story(event, text);
  Tell message;
  message.stage = stage;
  message.context = context();
  message.outcome = record_.outcome;
  const ActionSpec* action = plan();
  const std::string name = action == nullptr ? "the action" : action->name.text;
  message.title = title_of(record_, event, text, name, action != nullptr && action->switches());
  message.text = text;
  if (!record_.from.empty()) message.text += "\nRan when it began: " + record_.from.text;
  if (!record_.to.empty()) message.text += "\nTarget: " + record_.to.text;
  if (stage == Stage::ask) {
    message.text += "\nYes: rollbackd approve " + record_.id.text + "\nNo: rollbackd abort " + record_.id.text;
  }
  message.text += "\nIncident: " + record_.id.text;
  if (!record_.rules.empty()) message.evidence = record_.rules.front().evidence;
  message.at = now();
  in_.effects.emit(std::move(message));
  in_.effects.emit(WriteReport{record_.id});
}

void Incident::send_notice(const NotifyStep& step) {
  Tell message;
  message.stage = Stage::progress;
  message.notifier = step.notifier;
  message.context = context();
  message.outcome = record_.pending_outcome;
  message.title = record_.service.text + ": incident " + record_.id.text;
  message.text = record_.timeline.empty() ? "" : record_.outcome_detail;
  message.at = now();
  if (!record_.rules.empty()) message.evidence = record_.rules.front().evidence;
  in_.effects.emit(std::move(message));
  end_step({StepStatus::succeeded, std::nullopt, "", "", 0});
}

// What it is done for.
std::string Incident::reason() const {
  if (record_.rules.empty()) return record_.reason.empty() ? "asked for by hand" : record_.reason;
  const JoinedRule& first = record_.rules.front();
  return evidence_of(first) + " for " + told(Duration(first.bad_ns));
}

void Incident::add_deadlines(std::vector<Instant>& out) const {
  if (record_.deadline) out.push_back(*record_.deadline);
  if (record_.deadline && record_.phase == IncidentPhase::verifying) {
    out.push_back(*record_.deadline + identity_wait_max);
    out.push_back(record_.phase_since + lock_kept_max);
  }
  if (intent_retry_at_) out.push_back(*intent_retry_at_);
  if (hold_until_) out.push_back(*hold_until_);
  lock_.add_deadlines(in_.service.deploy_timeout, out);
  look_.add_deadlines(out);
  verification().add_deadlines(out);
}

}  // namespace rules
