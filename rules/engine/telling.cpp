#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "rules/base/parse.hpp"
#include "rules/engine/core.hpp"
#include "rules/engine/titles.hpp"

// What is kept, told and logged of every decision.

namespace rules {

namespace {

// Lines of an incident's story that are kept; a plan that goes round in circles must not grow it for ever.
constexpr std::size_t timeline_max = 1000;

}  // namespace

std::string told(Duration d) {
  using namespace std::chrono;
  const bool is_long = abs(d) >= std::chrono::seconds(10);
  return to_string(is_long ? Duration(round<std::chrono::seconds>(d)) : Duration(round<milliseconds>(d)));
}

std::string told(Instant t) {
  using namespace std::chrono;
  const sys_seconds utc{floor<std::chrono::seconds>(t.time_since_epoch())};
  const auto day = floor<days>(utc);
  const year_month_day date{day};
  const hh_mm_ss time{utc - day};
  char out[48];
  std::snprintf(out, sizeof out, "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out;
}

std::string told(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.4g", value);
  return out;
}

StepContext Core::context(const LiveIncident& incident) const {
  const IncidentRecord& record = incident.record;
  StepContext out;
  out.service = record.service;
  out.incident = record.id;
  if (!record.rules.empty()) out.rule = record.rules.front().rule;
  out.severity = record.severity;
  out.from = record.from;
  out.to = record.to;
  if (const LedgerRecord* from = ledger_.find(record.service, record.from)) {
    out.schema_from = from->schema;
    out.backup = from->backup;
  }
  if (const LedgerRecord* to = ledger_.find(record.service, record.to)) out.schema_to = to->schema;
  out.reason = record.reason;
  if (out.reason.empty() && !record.rules.empty()) {
    const RuleSpec* rule = spec_of(record.rules.front().rule);
    out.reason = rule == nullptr ? record.rules.front().rule.text : rule->when.text();
  }
  return out;
}

void Core::emit(Command command) { commands_.push_back(std::move(command)); }

void Core::save(const LiveIncident& incident) { emit(Save{incident.record}); }
void Core::save(const WatchedService& service) { emit(Save{service.record}); }
void Core::save(const LedgerRecord& record) { emit(Save{record}); }

void Core::story(LiveIncident& incident, const std::string& event, const std::string& text) {
  if (incident.record.timeline.size() < timeline_max) incident.record.timeline.push_back({now_, event, text});
  save(incident);
}

void Core::tell(LiveIncident& incident, Stage stage, const std::string& event, const std::string& text) {
  story(incident, event, text);
  const IncidentRecord& record = incident.record;
  Tell message;
  message.stage = stage;
  message.context = context(incident);
  message.outcome = record.outcome;
  const ActionSpec* action = plan(incident);
  const std::string name = action == nullptr ? "the action" : action->name.text;
  message.title = title_of(record, event, text, name, action != nullptr && action->switches());
  message.text = text;
  if (!record.from.empty()) message.text += "\nRan when it began: " + record.from.text;
  if (!record.to.empty()) message.text += "\nTarget: " + record.to.text;
  if (stage == Stage::ask) {
    message.text += "\nYes: rollbackd approve " + record.id.text + "\nNo: rollbackd abort " + record.id.text;
  }
  message.text += "\nIncident: " + record.id.text;
  if (!record.rules.empty()) message.evidence = record.rules.front().evidence;
  message.at = now_;
  emit(std::move(message));
  emit(WriteReport{record.id});
}

// What it is done for.
std::string Core::reason_of(const LiveIncident& incident) const {
  const IncidentRecord& record = incident.record;
  if (record.rules.empty()) return record.reason.empty() ? "asked for by hand" : record.reason;
  const JoinedRule& first = record.rules.front();
  return evidence_of(first) + " for " + told(Duration(first.bad_ns));
}

void Core::note(std::string event, std::vector<std::pair<std::string, std::string>> fields) {
  emit(Note{std::move(event), std::move(fields)});
}

}  // namespace rules
