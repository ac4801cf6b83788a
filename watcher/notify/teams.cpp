#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "probes/key_rows.hpp"
#include "watcher/config/notifier.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/visible.hpp"

// An Adaptive Card, as the webhooks of Teams' Workflows take it, and the incoming webhooks before them:
// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using

namespace watcher {

namespace {

namespace json = boost::json;

constexpr std::size_t title_max = 250;
constexpr std::size_t text_max = 8000;  // bytes; a card may have 28 KiB with all that belongs to it

json::object block(const std::string& text) { return {{"type", "TextBlock"}, {"text", text}, {"wrap", true}}; }

std::string card(json::array body) {
  json::object content{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                       {"type", "AdaptiveCard"},
                       {"version", "1.4"},
                       {"msteams", json::object{{"width", "Full"}}},
                       {"body", std::move(body)}};
  json::object attachment{{"contentType", "application/vnd.microsoft.card.adaptive"},
                          {"contentUrl", nullptr},
                          {"content", std::move(content)}};
  return json::serialize(json::object{{"type", "message"}, {"attachments", json::array{std::move(attachment)}}});
}

std::string colour_of(const rules::Tell& tell) {
  if (is_over(tell)) return "Good";
  const bool is_bad = tell.stage == rules::Stage::started || tell.stage == rules::Stage::failed;
  return is_bad ? "Attention" : "Warning";
}

// In a text block a single line feed is a space.
std::string in_lines(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\n';
    out += c;
  }
  return out;
}

}  // namespace

std::string TeamsNotifier::body(const Message& message) const {
  if (message.text != nullptr) return card({block(in_lines(within(*message.text, text_max)))});
  const rules::Tell& tell = message.tell;
  json::array body;
  json::object title = block(escaped(headline(tell, title_max)));
  title["size"] = "Large";
  title["weight"] = "Bolder";
  title["color"] = colour_of(tell);
  body.push_back(std::move(title));
  if (!tell.text.empty()) body.push_back(block(in_lines(escaped(within(tell.text, text_max)))));
  json::array rows;
  for (const Fact& fact : facts(tell))
    rows.push_back(json::object{{"title", fact.name}, {"value", escaped(fact.value)}});
  if (!rows.empty()) body.push_back(json::object{{"type", "FactSet"}, {"facts", std::move(rows)}});
  json::object origin = block(escaped(origin_line(tell, message.watcher_name)));
  origin["isSubtle"] = true;
  origin["size"] = "Small";
  body.push_back(std::move(origin));
  return card(std::move(body));
}

// Of Markdown a card knows bold, italics, lists and links; {{DATE()}} is a function of its own.
std::string TeamsNotifier::escaped(std::string_view value) {
  constexpr std::string_view markup = "\\*_[]`#";
  std::string out;
  for (const char c : visible(value)) {
    if (markup.find(c) != std::string_view::npos) out += '\\';
    out += c;
    if (c == '{') out += "\u200B";
  }
  return out;
}

probes::Variety TeamsNotifier::variety() {
  return probes::variety<NotifierKind, TeamsNotifier>("teams", "A webhook of a Microsoft Teams channel or chat.", {});
}

}  // namespace watcher
