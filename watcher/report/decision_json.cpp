#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "rules/engine/commands.hpp"
#include "rules/sustain/rule_spec.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/report.hpp"
#include "watcher/report/story.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/times.hpp"
#include "watcher/report/visible.hpp"
#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

// Raised when a member changes its meaning or goes; new members do not raise it.
constexpr int decision_format = 1;

json::value text(std::string_view bytes) { return json::string(visible(bytes)); }
json::value text_or_null(std::string_view bytes) {
  if (bytes.empty()) return nullptr;
  return text(bytes);
}
// JSON has no NaN and no infinity.
json::value number(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return *value;
}
json::value time(std::optional<rules::Instant> at) {
  if (!at) return nullptr;
  return json::string(iso_text(*at));
}
double seconds_of(std::int64_t nanoseconds) { return rules::seconds(rules::Duration(nanoseconds)); }

template <class Range, class Convert>
json::array array_of(const Range& range, Convert convert) {
  json::array array;
  for (const auto& each : range) array.push_back(convert(each));
  return array;
}

json::value comparison_json(const rules::Comparison& comparison) {
  const rules::Measured& value = comparison.value;
  json::object object;
  object["text"] = text(comparison.text);
  object["verdict"] = enumerator_name(comparison.verdict);
  object["value"] = number(value.value);
  object["unknown"] = value.value ? json::value(nullptr) : json::value(enumerator_name(value.cause));
  object["threshold"] = number(comparison.threshold);
  object["unit"] = text_or_null(comparison.unit);
  object["count"] = number(value.count);
  object["errors"] = number(value.errors);
  object["window_seconds"] = rules::seconds(value.window);
  object["approximate"] = value.approximate;
  object["left_out"] = comparison.left_out;
  object["detail"] = text_or_null(value.detail);
  return object;
}

json::value rule_json(const rules::JoinedRule& rule) {
  json::object object;
  object["rule"] = text(rule.rule.text);
  object["severity"] = rules::to_string(rule.severity);
  object["joined"] = time(rule.joined);
  object["bad_seconds"] = seconds_of(rule.bad_ns);
  object["for_seconds"] = seconds_of(rule.for_ns);
  object["bad_samples"] = rule.samples;
  object["comparisons"] = array_of(rule.evidence, comparison_json);
  return object;
}

json::value step_json(const rules::StepRecord& step) {
  json::object object;
  object["rung"] = step.id.rung;
  object["section"] = enumerator_name(step.id.section);
  object["step"] = step.id.step == rules::lock_step ? json::value(nullptr) : json::value(step.id.step);
  object["attempt"] = step.id.attempt;
  object["kind"] = text(step.kind);
  object["text"] = text(step.text);
  object["started"] = time(step.started);
  object["ended"] = time(step.ended);
  object["status"] = enumerator_name(step.status);
  object["exit_code"] = step.exit_code ? json::value(*step.exit_code) : json::value(nullptr);
  object["detail"] = text_or_null(step.detail);
  object["output"] = text_or_null(step.output);
  object["output_dropped"] = step.output_dropped;
  return object;
}

json::value revision_json(const ReportInput& input, const rules::Revision& revision) {
  if (revision.empty()) return nullptr;
  const rules::LedgerRecord* entry = ledger_entry(input, revision);
  json::object object;
  object["revision"] = text(revision.text);
  object["standing"] = entry == nullptr ? json::value(nullptr) : json::value(enumerator_name(entry->standing));
  object["appeared"] = entry == nullptr ? json::value(nullptr) : time(entry->appeared);
  object["schema"] = entry == nullptr ? json::value(nullptr) : text_or_null(entry->schema);
  return object;
}

json::value later_json(const rules::LaterCheck& check) {
  json::object object;
  object["due"] = time(check.due);
  object["when"] = text_or_null(check.when);
  object["text"] = text_or_null(check.text);
  object["end"] = enumerator_name(check.end);
  object["ended"] = time(check.ended);
  return object;
}

json::value timeline_json(const rules::TimelineEntry& entry) {
  json::object object;
  object["at"] = time(entry.at);
  object["event"] = text(entry.event);
  object["text"] = text(entry.text);
  return object;
}

void add_incident(const rules::IncidentRecord& incident, json::object& object) {
  object["id"] = text(incident.id.text);
  object["service"] = text(incident.service.text);
  object["severity"] = rules::to_string(incident.severity);
  object["by_hand"] = incident.by_hand;
  object["reason"] = text_or_null(incident.reason);
  object["approved_by"] = text_or_null(incident.approved_by);
  object["opened"] = time(incident.opened);
  object["closed"] = time(incident.closed);
  object["phase"] = enumerator_name(incident.phase);
  object["outcome"] = incident.outcome ? json::value(enumerator_name(*incident.outcome)) : json::value(nullptr);
  object["outcome_detail"] = text_or_null(incident.outcome_detail);
  object["needs_people"] = needs_people(incident);
  object["switched"] = incident.switched;
  object["past_point_of_no_return"] = incident.past_no_return;
  object["ladder"] = array_of(incident.ladder, [](const rules::ActionName& name) { return text(name.text); });
  object["rung"] = incident.rung;
}

}  // namespace

std::string decision_json(const ReportInput& input) {
  json::object object;
  object["format"] = decision_format;
  object["watcher"] = json::object{{"name", text(input.watcher_name)}, {"version", text(input.version)}};
  add_incident(input.incident, object);
  object["from"] = revision_json(input, input.incident.from);
  object["to"] = revision_json(input, input.incident.to);
  object["rules"] = array_of(input.incident.rules, rule_json);
  json::object before;
  for (const auto& [name, value] : input.incident.before) before[visible(name)] = number(value);
  object["before"] = std::move(before);
  object["times"] = times_json(input.incident, input.steps);
  object["steps"] = array_of(input.steps, step_json);
  object["later"] = array_of(input.incident.later, later_json);
  object["timeline"] = array_of(input.incident.timeline, timeline_json);
  object["left_to_do"] = array_of(left_to_do(input), [](const std::string& thing) { return text(thing); });
  object["notes"] = array_of(input.notes, [](const std::string& note) { return text(note); });
  object["evidence_files"] =
      array_of(input.evidence_files, [](const auto& file) { return text("evidence/" + file.name); });
  return to_text(object) + "\n";
}

}  // namespace watcher
