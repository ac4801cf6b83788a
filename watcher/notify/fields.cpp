#include "watcher/notify/fields.hpp"

#include <algorithm>
#include <array>

#include "rules/sustain/rule_spec.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

using rules::Tell;
using Name = const std::string&;

std::string value_of(const Tell& tell, Name) {
  const rules::Comparison* comparison = decisive(tell);
  return comparison == nullptr ? "" : number_text(*comparison->value.value, comparison->unit);
}

std::string threshold_of(const Tell& tell, Name) {
  const rules::Comparison* comparison = decisive(tell);
  return comparison == nullptr || !comparison->threshold ? "" : number_text(*comparison->threshold, comparison->unit);
}

std::string condition_of(const Tell& tell, Name) {
  const rules::Comparison* comparison = decisive(tell);
  return comparison == nullptr ? "" : comparison->text;
}

std::string duration_of(const Tell& tell, Name) { return tell.opened ? duration_text(tell.at - *tell.opened) : ""; }

std::string percent_of(const Tell& tell, Name) {
  return tell.progress && tell.progress->percent ? std::to_string(*tell.progress->percent) : "";
}

std::string left_of(const Tell& tell, Name) {
  return tell.progress && tell.progress->left ? duration_text(*tell.progress->left) : "";
}

constexpr std::array fields{
    MessageField{"title", "one line: what happened", [](const Tell& t, Name) { return t.title; }},
    MessageField{"text", "a few lines: the evidence, what is done, the commands to type",
                 [](const Tell& t, Name) { return t.text; }},
    MessageField{"stage", "started, late, progress, ask, completed, failed, cleared, blind, seeing or fault",
                 [](const Tell& t, Name) { return enumerator_name(t.stage); }},
    MessageField{"outcome", "how the incident ended; empty while it is open",
                 [](const Tell& t, Name) { return t.outcome ? enumerator_name(*t.outcome) : ""; }},
    MessageField{"service", "the service", [](const Tell& t, Name) { return t.context.service.text; }},
    MessageField{"rule", "the most severe rule that fired", [](const Tell& t, Name) { return t.context.rule.text; }},
    MessageField{"severity", "P0 to P3, of that rule",
                 [](const Tell& t, Name) { return std::string(rules::to_string(t.context.severity)); }},
    MessageField{"condition", "the comparison that decided", condition_of},
    MessageField{"value", "what was measured, in the condition's unit", value_of},
    MessageField{"threshold", "what it was compared with", threshold_of},
    MessageField{"from", "the revision that ran when it began",
                 [](const Tell& t, Name) { return t.context.from.text; }},
    MessageField{"to", "the revision that is switched to", [](const Tell& t, Name) { return t.context.to.text; }},
    MessageField{"schema_from", "the schema's version with `from`",
                 [](const Tell& t, Name) { return t.context.schema_from; }},
    MessageField{"schema_to", "the schema's version with `to`",
                 [](const Tell& t, Name) { return t.context.schema_to; }},
    MessageField{"backup", "the backup that was named with `from`",
                 [](const Tell& t, Name) { return t.context.backup; }},
    MessageField{"reason", "what the rule watches for, or what a person gave as the reason",
                 [](const Tell& t, Name) { return t.context.reason; }},
    MessageField{"impact", "what users notice: `impact` of the step, the rule or the service",
                 [](const Tell& t, Name) { return t.explanation.impact; }},
    MessageField{"runbook", "where to read on: `runbook` of the step, the rule or the service",
                 [](const Tell& t, Name) { return t.explanation.runbook; }},
    MessageField{"status_page", "where users are told: `status_page` of the step, the rule or the service",
                 [](const Tell& t, Name) { return t.explanation.status_page; }},
    MessageField{"incident", "its id, as commands take it",
                 [](const Tell& t, Name) { return t.context.incident.text; }},
    MessageField{"opened", "when the incident opened",
                 [](const Tell& t, Name) { return t.opened ? iso_text(*t.opened) : ""; }},
    MessageField{"duration", "how long it has been open", duration_of},
    MessageField{"expected",
                 "how long what is begun or asked for usually takes, from past runs; empty where it is not known",
                 [](const Tell& t, Name) { return t.expected ? duration_text(*t.expected) : ""; }},
    MessageField{"progress",
                 "how far what is begun is: 40 % done, step 3 of 7, usually 2m more; without past runs: step 3 of 7",
                 [](const Tell& t, Name) { return t.progress ? told(*t.progress) : ""; }},
    MessageField{"percent", "the share of it alone, from past runs: 40; empty where it is not known", percent_of},
    MessageField{"left", "how long it usually takes from then on, from past runs; empty where it is not known",
                 left_of},
    MessageField{"time", "when this was so, as 2026-11-21T02:03:04.120Z",
                 [](const Tell& t, Name) { return iso_text(t.at); }},
    MessageField{"watcher", "`name` of [watcher]", [](const Tell&, Name watcher) { return watcher; }},
};

bool is_name(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

const MessageField* field_named(std::string_view name) {
  const auto* const found =
      std::find_if(fields.begin(), fields.end(), [&](const MessageField& field) { return field.name == name; });
  return found == fields.end() ? nullptr : found;
}

// What stands in the braces that open at `at`.
std::string_view in_braces(std::string_view pattern, std::size_t at) {
  const std::size_t end = pattern[at] == '{' ? pattern.find('}', at) : std::string_view::npos;
  return end == std::string_view::npos ? std::string_view() : pattern.substr(at + 1, end - at - 1);
}

}  // namespace

std::span<const MessageField> message_fields() { return fields; }

std::vector<std::string> unknown_fields(std::string_view pattern) {
  std::vector<std::string> unknown;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const std::string name(in_braces(pattern, at));
    const bool is_new = std::find(unknown.begin(), unknown.end(), name) == unknown.end();
    if (is_name(name) && field_named(name) == nullptr && is_new) unknown.push_back(name);
  }
  return unknown;
}

std::string from_template(std::string_view pattern, const Tell& tell, const std::string& watcher_name,
                          const std::function<std::string(std::string_view)>& escaped) {
  std::string result;
  std::size_t at = 0;
  while (at < pattern.size()) {
    const std::string_view name = in_braces(pattern, at);
    const MessageField* const field = field_named(name);
    if (field == nullptr) {
      result += pattern[at++];
      continue;
    }
    result += escaped(field->of(tell, watcher_name));
    at += name.size() + 2;
  }
  return result;
}

}  // namespace watcher
