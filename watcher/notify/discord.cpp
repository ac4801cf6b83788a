#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include "probes/key_rows.hpp"
#include "watcher/config/notifier.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/visible.hpp"

// https://discord.com/developers/docs/resources/webhook#execute-webhook

namespace watcher {

namespace {

namespace json = boost::json;

// Discord counts characters and refuses what is longer; bytes are never fewer. Title, text and nine facts together stay
// below its 6,000 for an embed.
constexpr std::size_t content_max = 2000;
constexpr std::size_t title_max = 250;
constexpr std::size_t text_max = 2500;
constexpr std::size_t value_max = 300;

enum Colour { red = 0xD03B3B, amber = 0xE0A030, green = 0x3BA55D, grey = 0x8A8F98 };

int colour_of(const rules::Tell& tell) {
  switch (tell.stage) {
    case rules::Stage::started:
    case rules::Stage::failed:
      return red;
    case rules::Stage::completed:
    case rules::Stage::cleared:
    case rules::Stage::seeing:
      return green;
    case rules::Stage::progress:
      return grey;
    case rules::Stage::late:
    case rules::Stage::ask:
    case rules::Stage::blind:
    case rules::Stage::fault:
      return amber;
  }
  return grey;
}

// A cut must not leave a lone backslash, which would escape what is put behind it.
std::string within_escapes(const std::string& escaped, std::size_t bytes_max) {
  if (escaped.size() <= bytes_max) return escaped;
  std::size_t backslashes = 0;
  while (backslashes < bytes_max && escaped[bytes_max - 1 - backslashes] == '\\') ++backslashes;
  return within(escaped, bytes_max - backslashes % 2);
}

}  // namespace

std::string DiscordNotifier::body(const Message& message) const {
  json::object out;
  if (message.text != nullptr) {
    out["content"] = within_escapes(*message.text, content_max - 3);
    return json::serialize(out);
  }
  const rules::Tell& tell = message.tell;
  json::object embed;
  embed["title"] = within_escapes(escaped(headline(tell, title_max)), title_max);
  if (!tell.text.empty()) embed["description"] = within_escapes(escaped(tell.text.substr(0, text_max)), text_max);
  embed["color"] = colour_of(tell);
  embed["timestamp"] = iso_text(tell.at);
  json::array fields;
  for (const Fact& fact : facts(tell)) {
    fields.push_back(
        json::object{{"name", fact.name}, {"value", within_escapes(escaped(fact.value), value_max)}, {"inline", true}});
  }
  if (!fields.empty()) embed["fields"] = std::move(fields);
  embed["footer"] = json::object{{"text", origin_line(tell, message.watcher_name)}};
  out["embeds"] = json::array{std::move(embed)};
  return json::serialize(out);
}

// Whatever a target said, nobody is pinged by it, unless a template that is the body says otherwise.
void DiscordNotifier::complete(Outgoing& out, const Attempt&) const {
  boost::system::error_code failure;
  json::value body = json::parse(out.body, failure);
  if (failure || !body.is_object()) return;
  body.as_object().emplace("allowed_mentions", json::object{{"parse", json::array{}}});
  out.body = json::serialize(body);
}

std::string DiscordNotifier::escaped(std::string_view value) {
  constexpr std::string_view markup = "\\`*_~|>#[]()<@-";
  std::string out;
  for (const char c : visible(value)) {
    if (markup.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

probes::Variety DiscordNotifier::variety() {
  return probes::variety<NotifierKind, DiscordNotifier>("discord", "A webhook of a Discord channel.", {});
}

}  // namespace watcher
