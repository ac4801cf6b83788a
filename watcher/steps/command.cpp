#include "watcher/steps/command.hpp"

#include <algorithm>
#include <utility>

#include "probes/parse/number.hpp"
#include "watcher/report/time_limits.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

// Replaces {to} and {from} in one pass, so that what a revision says is never expanded itself.
std::optional<std::string> expand(std::string_view text, const rules::Revision& from, const rules::Revision& to) {
  struct Placeholder {
    std::string_view name;
    const rules::Revision& revision;
  };
  const Placeholder placeholders[] = {{"{to}", to}, {"{from}", from}};
  std::string out;
  while (!text.empty()) {
    const auto here = std::find_if(std::begin(placeholders), std::end(placeholders),
                                   [text](const Placeholder& p) { return text.starts_with(p.name); });
    if (here == std::end(placeholders)) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (!rules::is_safe_in_argv(here->revision)) return std::nullopt;
    out += here->revision.text;
    text.remove_prefix(here->name.size());
  }
  return out;
}

// The last line that says something.
std::string_view last_line(std::string_view text) {
  text = probes::trimmed(text);
  return probes::trimmed(text.substr(text.rfind('\n') + 1));
}

// Why it failed, in its own words; commands that say it on standard output are met, too.
std::string said_last(const probes::ChildResult& child) {
  constexpr std::size_t shown_max = 200;  // bytes; a line of a message
  std::string_view line = last_line(child.stderr_end);
  if (line.empty()) line = last_line(child.output_stdout);
  if (line.empty()) return {};
  return ": " + visible(line.substr(0, shown_max)) + (line.size() > shown_max ? "..." : "");
}

std::string ending(const probes::ChildResult& child, rules::Duration limit) {
  switch (child.end) {
    case probes::ChildEnd::exited:
      return "exited with " + std::to_string(child.exit_code);
    case probes::ChildEnd::signalled:
      return "died of signal " + std::to_string(child.exit_code);
    case probes::ChildEnd::timed_out:
      return took_longer(limit) + " and was ended";
    case probes::ChildEnd::cancelled:
      return "was ended because the step was called off";
    case probes::ChildEnd::not_started:
      return child.error;
  }
  return {};
}

}  // namespace

std::map<std::string, std::string> step_environment(const rules::Perform& command, const std::string& evidence_dir) {
  const rules::StepContext& context = command.context;
  return {{"ROLLBACKD_SERVICE", context.service.text},
          {"ROLLBACKD_INCIDENT", context.incident.text},
          {"ROLLBACKD_RULE", context.rule.text},
          {"ROLLBACKD_SEVERITY", std::string(to_string(context.severity))},
          {"ROLLBACKD_FROM", context.from.text},
          {"ROLLBACKD_TO", context.to.text},
          {"ROLLBACKD_SCHEMA_FROM", context.schema_from},
          {"ROLLBACKD_SCHEMA_TO", context.schema_to},
          {"ROLLBACKD_BACKUP", context.backup},
          {"ROLLBACKD_EVIDENCE_DIR", evidence_dir},
          {"ROLLBACKD_STEP", std::string(to_string(command.id.section)) + "." + std::to_string(command.id.step + 1)},
          {"ROLLBACKD_ATTEMPT", std::to_string(command.id.attempt + 1)},
          {"ROLLBACKD_REASON", context.reason}};
}

std::optional<std::vector<std::string>> expand_argv(const std::vector<std::string>& argv, const rules::Revision& from,
                                                    const rules::Revision& to) {
  std::vector<std::string> expanded;
  for (const std::string& argument : argv) {
    std::optional<std::string> text = expand(argument, from, to);
    if (!text) return std::nullopt;
    expanded.push_back(std::move(*text));
  }
  return expanded;
}

std::string shown(const std::vector<std::string>& argv) {
  constexpr std::size_t shown_max = 200;  // bytes; a line of a report
  std::string out;
  for (const std::string& argument : argv) out += (out.empty() ? "" : " ") + argument;
  return out.size() <= shown_max ? out : out.substr(0, shown_max) + "...";
}

rules::StepResult result_of(const std::string& attempt, probes::ChildResult child, rules::Duration limit) {
  rules::StepResult result;
  const bool exited = child.end == probes::ChildEnd::exited;
  if (exited) result.exit_code = child.exit_code;
  result.nothing_begun = child.end == probes::ChildEnd::not_started;
  if (exited && child.exit_code == 0) {
    result.status = rules::StepStatus::succeeded;
  } else if (child.end == probes::ChildEnd::timed_out) {
    result.status = rules::StepStatus::timed_out;
  } else if (child.end == probes::ChildEnd::cancelled) {
    result.status = rules::StepStatus::interrupted;
  }
  if (result.status != rules::StepStatus::succeeded)
    result.detail = attempt + ": " + ending(child, limit) + said_last(child);
  result.output = std::move(child.output);
  result.output_dropped = child.output_dropped;
  return result;
}

}  // namespace watcher
