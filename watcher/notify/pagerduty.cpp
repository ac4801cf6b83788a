#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "probes/key_rows.hpp"
#include "watcher/config/notifier.hpp"
#include "watcher/notify/fields.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/report/text.hpp"

// Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/

namespace watcher {

namespace {

namespace json = boost::json;
using probes::key;
using probes::Kind;

constexpr std::size_t summary_max = 1000;  // of 1,024
constexpr std::size_t key_max = 255;

// PagerDuty's words; P3 is what is only told.
const char* severity_of(rules::Severity severity) {
  switch (severity) {
    case rules::Severity::p0:
      return "critical";
    case rules::Severity::p1:
      return "error";
    case rules::Severity::p2:
      return "warning";
    case rules::Severity::p3:
      return "info";
  }
  return "error";
}

json::object details(const rules::Tell& tell, const std::string& watcher_name) {
  json::object out;
  for (const MessageField& field : message_fields()) {
    const std::string value = field.of(tell, watcher_name);
    if (!value.empty()) out[field.name] = message_text(value);
  }
  return out;
}

void add_link(json::array& links, const std::string& address, const char* text) {
  const bool is_link = address.starts_with("https://") || address.starts_with("http://");
  if (is_link) links.push_back(json::object{{"href", message_text(address)}, {"text", text}});
}

constexpr std::array keys{
    key<Kind::text, &PagerDutyNotifier::routing_key>("routing_key", "The integration key of an Events API v2 service.")
        .required("write routing_key = { file = \"PATH\" }, the integration key of an Events API v2 integration"),
};

void settle(void* object, probes::Given& given) {
  const std::string& routing_key = static_cast<const PagerDutyNotifier*>(object)->routing_key.value;
  if (given.has("routing_key") && routing_key.empty()) given.error("routing_key", "is empty");
}

}  // namespace

std::string PagerDutyNotifier::body(const Message& message) const {
  const rules::Tell& tell = message.tell;
  const std::string summary =
      message.text != nullptr ? clean_line(*message.text, summary_max) : headline(tell, summary_max);
  json::object out;
  out["routing_key"] = routing_key.value;
  out["event_action"] = is_over(tell) ? "resolve" : "trigger";
  out["dedup_key"] = within(alert_key(tell, message.watcher_name), key_max - 3);
  json::object payload;
  payload["summary"] = summary;
  payload["source"] = message.watcher_name;
  payload["severity"] = severity_of(tell.context.severity);
  payload["timestamp"] = iso_text(tell.at);
  if (!tell.context.service.empty()) payload["component"] = message_text(tell.context.service.text);
  if (!tell.context.rule.empty()) payload["class"] = message_text(tell.context.rule.text);
  payload["custom_details"] = details(tell, message.watcher_name);
  out["payload"] = std::move(payload);
  json::array links;
  add_link(links, tell.explanation.runbook, "Runbook");
  add_link(links, tell.explanation.status_page, "Status page");
  if (!links.empty()) out["links"] = std::move(links);
  out["client"] = "rollbackd";
  return json::serialize(out);
}

std::string PagerDutyNotifier::escaped(std::string_view value) { return std::string(message_text(value)); }

probes::Variety PagerDutyNotifier::variety() {
  return probes::variety<NotifierKind, PagerDutyNotifier>(
      "pagerduty", "Alerts of PagerDuty, triggered and resolved by Events API v2.", keys, settle);
}

}  // namespace watcher
