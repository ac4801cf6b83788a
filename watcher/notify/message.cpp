#include "watcher/notify/message.hpp"

#include <algorithm>

#include "rules/sustain/rule_spec.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

constexpr std::size_t text_max = 16 * 1024;  // bytes of a message

}  // namespace

boost::json::string message_text(std::string_view bytes) {
  return boost::json::string(visible(bytes.substr(0, text_max)));
}

const rules::Comparison* decisive(const rules::Tell& tell) {
  const auto bad = [](const rules::Comparison& c) { return c.verdict == rules::Verdict::bad && c.value.value; };
  const auto measured = [](const rules::Comparison& c) { return c.value.value.has_value(); };
  auto found = std::find_if(tell.evidence.begin(), tell.evidence.end(), bad);
  if (found == tell.evidence.end()) found = std::find_if(tell.evidence.begin(), tell.evidence.end(), measured);
  return found == tell.evidence.end() ? nullptr : &*found;
}

std::map<std::string, std::string> message_fields(const rules::Tell& tell, const std::string& watcher_name) {
  const rules::Comparison* comparison = decisive(tell);
  const bool threshold = comparison != nullptr && comparison->threshold;
  return {{"service", tell.context.service.text},
          {"rule", tell.context.rule.text},
          {"severity", std::string(rules::to_string(tell.context.severity))},
          {"from", tell.context.from.text},
          {"to", tell.context.to.text},
          {"value", comparison != nullptr ? number_text(*comparison->value.value, comparison->unit) : ""},
          {"threshold", threshold ? number_text(*comparison->threshold, comparison->unit) : ""},
          {"stage", enumerator_name(tell.stage)},
          {"outcome", tell.outcome ? enumerator_name(*tell.outcome) : ""},
          {"incident", tell.context.incident.text},
          {"watcher", watcher_name},
          {"title", tell.title},
          {"text", tell.text},
          {"time", iso_text(tell.at)}};
}

}  // namespace watcher
