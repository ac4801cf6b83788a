#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "rules/sustain/rule_spec.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/notify/notifiers.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr std::size_t slack_header_max = 150;  // characters: Slack refuses longer headers
constexpr std::size_t slack_text_max = 2900;   // of a section's 3000
constexpr std::size_t slack_field_max = 300;

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
  return number_text(*comparison->value.value, comparison->unit) + " (" + comparison->text + ")";
}

std::string body(const rules::Tell& tell, const std::string& watcher_name) {
  const rules::StepContext& context = tell.context;
  const std::string severity = context.rule.empty() ? "" : "[" + std::string(rules::to_string(context.severity)) + "] ";
  const std::string title = clean_line(severity + tell.title, slack_header_max - 3);
  json::array blocks;
  blocks.push_back(
      json::object{{"type", "header"}, {"text", slack_text("plain_text", title.empty() ? "rollbackd" : title)}});
  if (!tell.text.empty()) {
    const std::string body = slack_escaped(visible(tell.text.substr(0, slack_text_max)));
    blocks.push_back(json::object{{"type", "section"}, {"text", slack_text("mrkdwn", within(body, slack_text_max))}});
  }
  json::array fields;
  add_field(fields, "Service", context.service.text);
  add_field(fields, "Rule", context.rule.text);
  add_field(fields, "Measured", slack_value(tell));
  add_field(fields, "From", short_revision(context.from));
  add_field(fields, "To", short_revision(context.to));
  add_field(fields, "Outcome", tell.outcome ? enumerator_name(*tell.outcome) : "");
  add_field(fields, "Impact", tell.explanation.impact);
  add_field(fields, "Runbook", tell.explanation.runbook);
  add_field(fields, "Status page", tell.explanation.status_page);
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

std::string value_escaped(std::string_view bytes) { return slack_escaped(visible(bytes)); }

std::string from_text(const std::string& text) { return json::serialize(json::object{{"text", text}}); }

}  // namespace

constexpr NotifierType slack{"slack", "An incoming webhook of Slack.", body, value_escaped, from_text};

}  // namespace watcher
