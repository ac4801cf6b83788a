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

template <const NotifierType& Type>
Variety one() {
  return {Type.word,
          Type.doc,
          {},
          nullptr,
          [](void* section) {
            static_cast<NotifierSection*>(section)->type = &Type;
            return section;
          },
          [](const void* section) {
            return static_cast<const NotifierSection*>(section)->type == &Type ? section : nullptr;
          }};
}

// What stands between the quotes of a JSON string.
std::string json_escaped(std::string_view bytes) {
  const std::string quoted = boost::json::serialize(boost::json::value(message_text(bytes)));
  return quoted.substr(1, quoted.size() - 2);
}

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
  if (notifier.on.empty()) return stage != Stage::progress;
  return has(stage) || (stage == Stage::cleared && has(Stage::completed)) ||
         (stage == Stage::seeing && has(Stage::blind)) || (stage == Stage::late && has(Stage::started));
}

std::vector<const NotifierSection*> recipients(const rules::Tell& tell, const std::vector<NotifierSection>& notifiers) {
  std::vector<const NotifierSection*> result;
  const auto has_heard = [&tell](const NotifierSection& notifier) {
    return std::any_of(tell.said_by.begin(), tell.said_by.end(), [&](const rules::SaidBy& said) {
      return is_of(notifier, said.severity) && lets_through(notifier, said.stage);
    });
  };
  for (const NotifierSection& notifier : notifiers) {
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
      one<slack>(),
      one<webhook>(),
      probes::later_variety("discord"),
      probes::later_variety("teams"),
      probes::later_variety("email"),
      probes::later_variety("pagerduty"),
      probes::later_variety("alertmanager"),
  };
  return types;
}

std::string render(const rules::Tell& tell, const NotifierSection& notifier, const std::string& watcher_name) {
  const NotifierType& type = *notifier.type;
  const std::string& pattern = notifier.template_text;
  if (pattern.empty()) return type.body(tell, watcher_name);
  std::string as_json = from_template(pattern, tell, watcher_name, json_escaped);
  if (type.from_text == nullptr || is_json_object(as_json)) return as_json;
  return type.from_text(from_template(pattern, tell, watcher_name, type.escaped));
}

}  // namespace watcher
