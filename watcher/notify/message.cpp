#include "watcher/notify/message.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "rules/sustain/rule_spec.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

constexpr std::size_t text_max = 16 * 1024;  // bytes of a message
constexpr std::size_t fact_max = 300;

std::string measured(const rules::Tell& tell) {
  const rules::Comparison* comparison = decisive(tell);
  if (comparison == nullptr) return "";
  return number_text(*comparison->value.value, comparison->unit) + " (" + comparison->text + ")";
}

}  // namespace

boost::json::string message_text(std::string_view bytes) {
  return boost::json::string(visible(bytes.substr(0, text_max)));
}

std::string json_escaped(std::string_view bytes) {
  const std::string quoted = boost::json::serialize(boost::json::value(message_text(bytes)));
  return quoted.substr(1, quoted.size() - 2);
}

const rules::Comparison* decisive(const rules::Tell& tell) {
  const auto bad = [](const rules::Comparison& c) { return c.verdict == rules::Verdict::bad && c.value.value; };
  const auto measured = [](const rules::Comparison& c) { return c.value.value.has_value(); };
  auto found = std::find_if(tell.evidence.begin(), tell.evidence.end(), bad);
  if (found == tell.evidence.end()) found = std::find_if(tell.evidence.begin(), tell.evidence.end(), measured);
  return found == tell.evidence.end() ? nullptr : &*found;
}

std::vector<Fact> facts(const rules::Tell& tell) {
  const rules::StepContext& context = tell.context;
  std::vector<Fact> out;
  const auto add = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out.push_back({name, clean_line(value, fact_max)});
  };
  add("Service", context.service.text);
  add("Rule", context.rule.text);
  add("Measured", measured(tell));
  add("From", short_revision(context.from, context.from_label));
  add("To", short_revision(context.to, context.to_label));
  add("Outcome", tell.outcome ? enumerator_name(*tell.outcome) : "");
  add("Impact", tell.explanation.impact);
  add("Runbook", tell.explanation.runbook);
  add("Status page", tell.explanation.status_page);
  return out;
}

std::string headline(const rules::Tell& tell, std::size_t bytes_max) {
  const rules::StepContext& context = tell.context;
  const std::string severity = context.rule.empty() ? "" : "[" + std::string(rules::to_string(context.severity)) + "] ";
  const std::string title = clean_line(severity + tell.title, bytes_max);
  return title.empty() ? "rollbackd" : title;
}

std::string origin_line(const rules::Tell& tell, const std::string& watcher_name) {
  const std::string& incident = tell.context.incident.text;
  const std::string line =
      watcher_name + (incident.empty() ? "" : " · " + incident) + " · " + utc_text(tell.at) + " UTC";
  return clean_line(line, fact_max);
}

std::string within(const std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

bool is_over(const rules::Tell& tell) {
  using rules::Stage;
  // Whoever aborted it knows, and so does who took its rules out of the configuration.
  const bool is_aborted = tell.stage == Stage::failed && tell.outcome == rules::Outcome::aborted;
  const bool is_end = tell.stage == Stage::completed || tell.stage == Stage::cleared || tell.stage == Stage::seeing;
  return (is_end || is_aborted) && !tell.is_news;
}

std::string alert_key(const rules::Tell& tell, const std::string& watcher_name) {
  const rules::StepContext& context = tell.context;
  return watcher_name + "/" + (context.incident.empty() ? "blind-" + context.service.text : context.incident.text);
}

}  // namespace watcher
