#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "watcher/report/times.hpp"
#include "watcher/serve/api.hpp"
#include "watcher/serve/evidence_json.hpp"
#include "watcher/serve/explain.hpp"
#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

constexpr double ns_per_second = 1e9;

double seconds_of(std::int64_t ns) { return static_cast<double>(ns) / ns_per_second; }

json::object summary_of(const rules::IncidentRecord& incident) {
  json::object object;
  object["id"] = incident.id.text;
  object["service"] = incident.service.text;
  object["rule"] = nullptr;
  if (const rules::JoinedRule* rule = rules::leading_rule(incident)) object["rule"] = rule->rule.text;
  object["severity"] = rules::to_string(incident.severity);
  object["opened"] = to_rfc3339(incident.opened);
  object["closed"] = to_json(incident.closed);
  object["from"] = text_or_null(incident.from.text);
  object["to"] = text_or_null(incident.to.text);
  object["from_label"] = text_or_null(incident.from_label);
  object["to_label"] = text_or_null(incident.to_label);
  object["outcome"] = nullptr;
  if (incident.outcome) object["outcome"] = rules::to_string(*incident.outcome);
  object["phase"] = rules::to_string(incident.phase);
  return object;
}

json::object to_object(const rules::JoinedRule& joined) {
  json::object object;
  object["rule"] = joined.rule.text;
  object["severity"] = rules::to_string(joined.severity);
  object["joined"] = to_rfc3339(joined.joined);
  object["bad_seconds"] = seconds_of(joined.bad_ns);
  object["for_seconds"] = seconds_of(joined.for_ns);
  object["samples"] = joined.samples;
  object["comparisons"] = to_json(joined.evidence);
  return object;
}

json::object to_object(const rules::TimelineEntry& entry) {
  json::object object;
  object["at"] = to_rfc3339(entry.at);
  object["event"] = entry.event;
  object["text"] = entry.text;
  return object;
}

json::object to_object(const rules::LaterCheck& check) {
  json::object object;
  object["due"] = to_rfc3339(check.due);
  object["when"] = text_or_null(check.when);
  object["text"] = text_or_null(check.text);
  object["end"] = rules::to_string(check.end);
  object["ended"] = to_json(check.ended);
  return object;
}

json::object to_object(const rules::StepRecord& step) {
  json::object object;
  object["rung"] = step.id.rung;
  object["section"] = rules::to_string(step.id.section);
  object["step"] = step.id.step;
  object["attempt"] = step.id.attempt;
  object["kind"] = step.kind;
  object["text"] = step.text;
  object["started"] = to_rfc3339(step.started);
  object["ended"] = to_json(step.ended);
  object["seconds"] = nullptr;
  if (step.ended) object["seconds"] = rules::seconds(*step.ended - step.started);
  object["status"] = rules::to_string(step.status);
  object["exit_code"] = nullptr;
  if (step.exit_code) object["exit_code"] = *step.exit_code;
  object["detail"] = text_or_null(step.detail);
  object["output"] = step.output;
  object["output_dropped"] = step.output_dropped;
  return object;
}

template <class T>
json::array array_of(const std::vector<T>& items) {
  json::array array;
  for (const T& item : items) array.push_back(to_object(item));
  return array;
}

json::array ladder_of(const rules::IncidentRecord& incident) {
  json::array ladder;
  for (const rules::ActionName& action : incident.ladder) ladder.push_back(json::value(action.text));
  return ladder;
}

}  // namespace

std::string incidents_json(const std::vector<rules::IncidentRecord>& incidents) {
  json::array array;
  for (const rules::IncidentRecord& incident : incidents) array.push_back(summary_of(incident));
  json::object object;
  object["incidents"] = std::move(array);
  return to_text(object);
}

std::optional<rules::Progress> progress_in(const rules::EngineView& view, const rules::IncidentId& incident) {
  for (const rules::ServiceView& service : view.services) {
    if (service.incident == incident) return service.progress;
  }
  return std::nullopt;
}

std::string incident_json(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps,
                          const std::optional<rules::Progress>& progress) {
  json::object object = summary_of(incident);
  object["outcome_detail"] = text_or_null(incident.outcome_detail);
  object["by_hand"] = incident.by_hand;
  object["reason"] = text_or_null(incident.reason);
  object["rules"] = array_of(incident.rules);
  object["phase_since"] = to_rfc3339(incident.phase_since);
  object["deadline"] = to_json(incident.deadline);
  object["next"] = text_or_null(incident.outcome ? "" : next_step(incident));
  object["waiting_for"] = text_or_null(incident.waiting_for);
  object["would_have_done"] = text_or_null(incident.would_have_done);
  object["asked"] = text_or_null(incident.asked);
  object["approved_by"] = text_or_null(incident.approved_by);
  object["progress"] = to_json(progress);
  object["ladder"] = ladder_of(incident);
  object["rung"] = incident.rung;
  object["past_no_return"] = incident.past_no_return;
  object["switched"] = incident.switched;
  object["timeline"] = array_of(incident.timeline);
  object["times"] = times_json(incident, steps);
  object["later"] = array_of(incident.later);
  object["steps"] = array_of(steps);
  return to_text(object);
}

}  // namespace watcher
