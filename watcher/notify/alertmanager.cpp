#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "probes/key_rows.hpp"
#include "rules/sustain/rule_spec.hpp"
#include "watcher/config/notifier.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/report/text.hpp"

// API v2 (https://github.com/prometheus/alertmanager, api/v2/openapi.yaml): the url is Alertmanager's own, such as
// http://127.0.0.1:9093.

namespace watcher {

namespace {

namespace json = boost::json;

// Alertmanager ends what is not told again by itself: a day, and what a reminder of once a day may be late.
constexpr rules::Duration told_again_within = std::chrono::hours(25);
constexpr std::array severities{rules::Severity::p0, rules::Severity::p1, rules::Severity::p2, rules::Severity::p3};

json::object alert(const Message& message, rules::Severity severity, rules::Instant ends) {
  const rules::Tell& tell = message.tell;
  json::object labels;
  labels["alertname"] = tell.context.incident.empty() ? "RollbackdBlind" : "RollbackdIncident";
  labels["severity"] = std::string(rules::to_string(severity));
  labels["watcher"] = message.watcher_name;
  if (!tell.context.service.empty()) labels["service"] = tell.context.service.text;
  if (!tell.context.incident.empty()) labels["incident"] = tell.context.incident.text;
  json::object annotations;
  annotations["summary"] = message_text(tell.title);
  annotations["description"] = message_text(message.text != nullptr ? *message.text : tell.text);
  for (const Fact& fact : facts(tell)) {
    if (fact.name == "Runbook") annotations["runbook_url"] = fact.value;
    if (fact.name == "Rule") annotations["rule"] = fact.value;
    if (fact.name == "Measured") annotations["measured"] = fact.value;
    if (fact.name == "Outcome") annotations["outcome"] = fact.value;
    if (fact.name == "Impact") annotations["impact"] = fact.value;
  }
  json::object out;
  out["labels"] = std::move(labels);
  out["annotations"] = std::move(annotations);
  out["startsAt"] = iso_text(tell.opened.value_or(tell.at));
  out["endsAt"] = iso_text(ends);
  return out;
}

}  // namespace

// An incident that becomes more severe, which is told as `late`, is another alert to Alertmanager: those that it was
// before end with the same message.
std::string AlertmanagerNotifier::body(const Message& message) const {
  const rules::Tell& tell = message.tell;
  const rules::Severity now = tell.context.severity;
  json::array alerts;
  alerts.push_back(alert(message, now, is_over(tell) ? tell.at : tell.at + told_again_within));
  for (const rules::Severity severity : severities) {
    if (tell.stage == rules::Stage::late && severity > now) alerts.push_back(alert(message, severity, tell.at));
  }
  return json::serialize(alerts);
}

std::string AlertmanagerNotifier::escaped(std::string_view value) { return std::string(message_text(value)); }

void AlertmanagerNotifier::complete(Outgoing& out, const Attempt&) const {
  while (out.url.ends_with('/')) out.url.pop_back();
  if (!out.url.ends_with("/api/v2/alerts")) out.url += "/api/v2/alerts";
}

probes::Variety AlertmanagerNotifier::variety() {
  return probes::variety<NotifierKind, AlertmanagerNotifier>("alertmanager", "Alerts of Prometheus' Alertmanager.", {});
}

}  // namespace watcher
