#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "probes/key.hpp"
#include "watcher/journal/codec.hpp"
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
  if (!notifier.template_text.empty()) return from_template(notifier.template_text, message_fields(tell, watcher_name));
  return notifier.type->body(tell, watcher_name);
}

}  // namespace watcher
