#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include "probes/key.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/notify/fields.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/notify/notifiers.hpp"

namespace watcher {

namespace {

using probes::Variety;
using rules::Stage;

bool is_of(const NotifierSection& notifier, rules::Severity severity) {
  const auto& severities = notifier.severities;
  return severities.empty() || std::find(severities.begin(), severities.end(), severity) != severities.end();
}

bool is_json_object(const std::string& text) {
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(text, error);
  return !error && parsed.is_object();
}

}  // namespace

bool is_severe_enough(const rules::Tell& tell, const NotifierSection& notifier) {
  return is_of(notifier, tell.context.severity);
}

bool lets_through(const NotifierSection& notifier, Stage stage) {
  const auto has = [&](Stage each) {
    return std::find(notifier.on.begin(), notifier.on.end(), enumerator_name(each)) != notifier.on.end();
  };
  if (notifier.on.empty() && is_alert(notifier))
    return stage != Stage::progress && stage != Stage::fault && stage != Stage::blind && stage != Stage::seeing;
  if (notifier.on.empty()) return stage != Stage::progress;
  return has(stage) || (stage == Stage::cleared && has(Stage::completed)) ||
         (stage == Stage::seeing && has(Stage::blind)) || (stage == Stage::late && has(Stage::started));
}

// That an alert is over is told whoever may have heard of it, whatever his filters: to resolve what never was does
// nothing.
static bool ends_alert(const rules::Tell& tell, const NotifierSection& notifier) {
  if (!is_alert(notifier) || !is_over(tell) || tell.notifier) return false;
  return tell.stage != Stage::seeing || lets_through(notifier, Stage::blind);
}

std::vector<const NotifierSection*> recipients(const rules::Tell& tell, const std::vector<NotifierSection>& notifiers) {
  std::vector<const NotifierSection*> result;
  const auto has_heard = [&tell](const NotifierSection& notifier) {
    return std::any_of(tell.said_by.begin(), tell.said_by.end(), [&](const rules::SaidBy& said) {
      return is_of(notifier, said.severity) && lets_through(notifier, said.stage);
    });
  };
  for (const NotifierSection& notifier : notifiers) {
    // What is looked at later, and is well, neither begins nor ends anything.
    if (is_alert(notifier) && tell.is_news && tell.stage == Stage::completed) continue;
    if (ends_alert(tell, notifier)) {
      result.push_back(&notifier);
      continue;
    }
    const bool by_itself = is_severe_enough(tell, notifier) && lets_through(notifier, tell.stage);
    const bool is_addressee = tell.notifier == notifier.name;
    const bool is_repetition = !tell.is_news && tell.stage != Stage::progress && by_itself && !notifier.after;
    if (tell.notifier ? is_addressee && !is_repetition : by_itself && !has_heard(notifier)) result.push_back(&notifier);
  }
  return result;
}

std::span<const Variety> notifier_types() {
  // In the order in which they are told; a type has one line here.
  static const std::array types{
      SlackNotifier::variety(), WebhookNotifier::variety(),   DiscordNotifier::variety(),      TeamsNotifier::variety(),
      EmailNotifier::variety(), PagerDutyNotifier::variety(), AlertmanagerNotifier::variety(),
  };
  return types;
}

std::string_view usual_url(const NotifierSection& notifier) {
  return std::visit(
      [](const auto& kind) -> std::string_view {
        if constexpr (requires { kind.usual_url; }) return kind.usual_url;
        return {};
      },
      notifier.kind);
}

bool is_alert(const NotifierSection& notifier) {
  return std::visit(
      [](const auto& kind) {
        return requires { kind.is_alert; };
      },
      notifier.kind);
}

std::string render(const rules::Tell& tell, const NotifierSection& notifier, const std::string& watcher_name) {
  const std::string& pattern = notifier.template_text;
  const auto body = [&](const auto& kind) {
    if (pattern.empty()) return kind.body({tell, watcher_name});
    const bool is_text = std::holds_alternative<EmailNotifier>(notifier.kind) || is_alert(notifier);
    const bool is_json_itself = std::holds_alternative<WebhookNotifier>(notifier.kind);
    const auto in_json = [&](std::string_view value) {
      return is_json_itself ? kind.escaped(value) : json_escaped(kind.escaped(value));
    };
    const std::string as_json = is_text ? "" : from_template(pattern, tell, watcher_name, in_json);
    if (is_json_object(as_json)) return as_json;
    const std::string text = from_template(pattern, tell, watcher_name, kind.escaped);
    return kind.body({tell, watcher_name, &text});
  };
  return std::visit(body, notifier.kind);
}

}  // namespace watcher
