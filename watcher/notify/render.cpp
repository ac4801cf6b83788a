#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <map>

#include "rules/sustain/rule_spec.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/notify/notifiers.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

namespace json = boost::json;
using rules::Stage;

constexpr int webhook_version = 1;
constexpr std::size_t slack_header_max = 150;  // characters: Slack refuses longer headers
constexpr std::size_t slack_text_max = 2900;   // of a section's 3000
constexpr std::size_t slack_field_max = 300;
constexpr std::size_t text_max = 16 * 1024;  // bytes of a message

std::string limited(std::string_view bytes) { return clean_text(bytes.substr(0, text_max)); }
json::string text(std::string_view bytes) { return json::string(limited(bytes)); }

// The leftmost comparison that decided: the first bad one, else the first with a value.
const rules::Comparison* decisive(const rules::Tell& tell) {
  const auto bad = [](const rules::Comparison& c) { return c.verdict == rules::Verdict::bad && c.value.value; };
  const auto measured = [](const rules::Comparison& c) { return c.value.value.has_value(); };
  auto found = std::find_if(tell.evidence.begin(), tell.evidence.end(), bad);
  if (found == tell.evidence.end()) found = std::find_if(tell.evidence.begin(), tell.evidence.end(), measured);
  return found == tell.evidence.end() ? nullptr : &*found;
}

std::map<std::string, std::string> fields(const rules::Tell& tell, const std::string& watcher_name) {
  const rules::Comparison* comparison = decisive(tell);
  const bool threshold = comparison != nullptr && comparison->threshold;
  return {{"service", tell.context.service.text},
          {"rule", tell.context.rule.text},
          {"severity", std::string(rules::to_string(tell.context.severity))},
          {"from", tell.context.from.text},
          {"to", tell.context.to.text},
          {"value", comparison != nullptr ? number_text(*comparison->value.value) : ""},
          {"threshold", threshold ? number_text(*comparison->threshold) : ""},
          {"stage", enumerator_name(tell.stage)},
          {"outcome", tell.outcome ? enumerator_name(*tell.outcome) : ""},
          {"incident", tell.context.incident.text},
          {"watcher", watcher_name},
          {"title", tell.title},
          {"text", tell.text},
          {"time", iso_text(tell.at)}};
}

// What stands between the quotes of a JSON string.
std::string json_escaped(std::string_view bytes) {
  const std::string quoted = json::serialize(json::value(text(bytes)));
  return quoted.substr(1, quoted.size() - 2);
}

std::string from_template(const std::string& pattern, const std::map<std::string, std::string>& values) {
  std::string result;
  std::size_t at = 0;
  while (at < pattern.size()) {
    const std::size_t end = pattern[at] == '{' ? pattern.find('}', at) : std::string::npos;
    const auto value = end == std::string::npos ? values.end() : values.find(pattern.substr(at + 1, end - at - 1));
    if (value == values.end()) {
      result += pattern[at++];
      continue;
    }
    result += json_escaped(value->second);
    at = end + 1;
  }
  return result;
}

json::value number(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return *value;
}

json::value evidence_json(const rules::Comparison& comparison) {
  json::object object;
  object["condition"] = text(comparison.text);
  object["verdict"] = enumerator_name(comparison.verdict);
  object["value"] = number(comparison.value.value);
  object["threshold"] = number(comparison.threshold);
  object["count"] = number(comparison.value.count);
  object["errors"] = number(comparison.value.errors);
  object["unknown"] =
      comparison.value.value ? json::value(nullptr) : json::value(enumerator_name(comparison.value.cause));
  return object;
}

std::string webhook(const rules::Tell& tell, const std::string& watcher_name) {
  const rules::Comparison* comparison = decisive(tell);
  json::object object;
  object["version"] = webhook_version;
  for (const auto& [name, value] : fields(tell, watcher_name)) object[name] = text(value);
  object["outcome"] = tell.outcome ? json::value(enumerator_name(*tell.outcome)) : json::value(nullptr);
  object["reason"] = text(tell.context.reason);
  object["value"] = comparison != nullptr ? number(comparison->value.value) : json::value(nullptr);
  object["threshold"] = comparison != nullptr ? number(comparison->threshold) : json::value(nullptr);
  json::array evidence;
  for (const rules::Comparison& each : tell.evidence) evidence.push_back(evidence_json(each));
  object["evidence"] = std::move(evidence);
  return json::serialize(object);
}

// Slack's markup knows three characters that must not stand for themselves.
std::string slack_escaped(std::string_view bytes) {
  std::string result;
  for (const char c : bytes) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else
      result += c;
  }
  return result;
}

// Cut where no character and no escape is cut through.
std::string within(const std::string& escaped, std::size_t bytes_max) {
  if (escaped.size() <= bytes_max) return escaped;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(escaped[end]) & 0xC0) == 0x80) --end;
  const std::size_t open = escaped.rfind('&', end);
  if (open != std::string::npos && escaped.find(';', open) >= end) end = std::min(end, open);
  return escaped.substr(0, end) + "…";
}

json::object slack_text(const char* type, const std::string& content) { return {{"type", type}, {"text", content}}; }

void add_field(json::array& fields, const char* name, const std::string& value) {
  if (!value.empty())
    fields.push_back(
        slack_text("mrkdwn", std::string("*") + name + "*\n" + slack_escaped(clean_line(value, slack_field_max))));
}

std::string slack_value(const rules::Tell& tell) {
  const rules::Comparison* comparison = decisive(tell);
  if (comparison == nullptr) return "";
  return number_text(*comparison->value.value) + " (" + comparison->text + ")";
}

std::string slack(const rules::Tell& tell, const std::string& watcher_name) {
  const rules::StepContext& context = tell.context;
  const std::string severity = context.rule.empty() ? "" : "[" + std::string(rules::to_string(context.severity)) + "] ";
  const std::string title = clean_line(severity + tell.title, slack_header_max - 3);
  json::array blocks;
  blocks.push_back(
      json::object{{"type", "header"}, {"text", slack_text("plain_text", title.empty() ? "rollbackd" : title)}});
  if (!tell.text.empty()) {
    const std::string body = slack_escaped(clean_text(tell.text.substr(0, slack_text_max)));
    blocks.push_back(json::object{{"type", "section"}, {"text", slack_text("mrkdwn", within(body, slack_text_max))}});
  }
  json::array fields;
  add_field(fields, "Service", context.service.text);
  add_field(fields, "Rule", context.rule.text);
  add_field(fields, "Measured", slack_value(tell));
  add_field(fields, "From", short_revision(context.from));
  add_field(fields, "To", short_revision(context.to));
  add_field(fields, "Outcome", tell.outcome ? enumerator_name(*tell.outcome) : "");
  if (!fields.empty()) blocks.push_back(json::object{{"type", "section"}, {"fields", std::move(fields)}});
  const std::string origin = watcher_name + (context.incident.empty() ? "" : " · " + context.incident.text) + " · " +
                             utc_text(tell.at) + " UTC";
  blocks.push_back(json::object{
      {"type", "context"},
      {"elements", json::array{slack_text("mrkdwn", slack_escaped(clean_line(origin, slack_field_max)))}}});
  json::object message;
  message["text"] = slack_escaped(title);
  message["blocks"] = std::move(blocks);
  return json::serialize(message);
}

bool lets_through(const NotifierSection& notifier, Stage stage) {
  const auto has = [&](Stage each) {
    return std::find(notifier.on.begin(), notifier.on.end(), enumerator_name(each)) != notifier.on.end();
  };
  if (notifier.on.empty() || has(stage)) return true;
  return (stage == Stage::cleared && has(Stage::completed)) || (stage == Stage::seeing && has(Stage::blind));
}

}  // namespace

std::vector<const NotifierSection*> recipients(const rules::Tell& tell, const std::vector<NotifierSection>& notifiers) {
  std::vector<const NotifierSection*> result;
  for (const NotifierSection& notifier : notifiers) {
    const auto& severities = notifier.severities;
    const bool severe = severities.empty() ||
                        std::find(severities.begin(), severities.end(), tell.context.severity) != severities.end();
    const bool told = tell.notifier ? *tell.notifier == notifier.name : severe && lets_through(notifier, tell.stage);
    if (told) result.push_back(&notifier);
  }
  return result;
}

std::string render(const rules::Tell& tell, const NotifierSection& notifier, const std::string& watcher_name) {
  if (!notifier.template_text.empty()) return from_template(notifier.template_text, fields(tell, watcher_name));
  switch (notifier.type) {
    case NotifierType::slack:
      return slack(tell, watcher_name);
    case NotifierType::webhook:
      return webhook(tell, watcher_name);
  }
  return "";
}

}  // namespace watcher
