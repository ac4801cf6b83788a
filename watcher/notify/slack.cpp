#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "probes/key_rows.hpp"
#include "watcher/config/notifier.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr std::size_t slack_header_max = 150;  // characters: Slack refuses longer headers
constexpr std::size_t slack_text_max = 2900;   // of a section's 3000

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
std::string within_escapes(const std::string& escaped, std::size_t bytes_max) {
  if (escaped.size() <= bytes_max) return escaped;
  const std::size_t open = escaped.rfind('&', bytes_max);
  const bool cuts = open != std::string::npos && escaped.find(';', open) >= bytes_max;
  return within(escaped, cuts ? open : bytes_max);
}

json::object slack_text(const char* type, const std::string& content) { return {{"type", type}, {"text", content}}; }

}  // namespace

std::string SlackNotifier::body(const Message& message) const {
  if (message.text != nullptr) return json::serialize(json::object{{"text", *message.text}});
  const rules::Tell& tell = message.tell;
  const std::string title = headline(tell, slack_header_max - 3);
  json::array blocks;
  blocks.push_back(json::object{{"type", "header"}, {"text", slack_text("plain_text", title)}});
  if (!tell.text.empty()) {
    const std::string text = escaped(tell.text.substr(0, slack_text_max));
    blocks.push_back(
        json::object{{"type", "section"}, {"text", slack_text("mrkdwn", within_escapes(text, slack_text_max))}});
  }
  json::array fields;
  for (const Fact& fact : facts(tell))
    fields.push_back(slack_text("mrkdwn", "*" + fact.name + "*\n" + slack_escaped(fact.value)));
  if (!fields.empty()) blocks.push_back(json::object{{"type", "section"}, {"fields", std::move(fields)}});
  const std::string origin = slack_escaped(origin_line(tell, message.watcher_name));
  blocks.push_back(json::object{{"type", "context"}, {"elements", json::array{slack_text("mrkdwn", origin)}}});
  json::object out;
  out["text"] = slack_escaped(title);
  out["blocks"] = std::move(blocks);
  return json::serialize(out);
}

std::string SlackNotifier::escaped(std::string_view value) { return slack_escaped(visible(value)); }

probes::Variety SlackNotifier::variety() {
  return probes::variety<NotifierKind, SlackNotifier>("slack", "An incoming webhook of Slack.", {});
}

}  // namespace watcher
