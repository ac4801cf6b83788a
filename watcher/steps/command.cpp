#include "watcher/steps/command.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "probes/net/runnable.hpp"
#include "rules/base/parse.hpp"

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

std::string ending(const probes::ChildResult& child, rules::Duration limit) {
  switch (child.end) {
    case probes::ChildEnd::exited:
      return "exited with " + std::to_string(child.exit_code);
    case probes::ChildEnd::signalled:
      return "died of signal " + std::to_string(child.exit_code);
    case probes::ChildEnd::timed_out:
      return "took longer than " + rules::to_string(limit) + " and was ended";
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

std::optional<std::string> why_not_runnable(const std::string& command, const std::string& dir) {
  if (command.find('/') == std::string::npos) {
    if (probes::is_in_path(command)) return std::nullopt;
    return command + ": no such command in PATH; do install it, or give its full path";
  }
  const bool relative = command.front() != '/' && !dir.empty();
  const std::string path = relative ? dir + "/" + command : command;
  if (probes::is_runnable(path)) return std::nullopt;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return path + ": no such command; do install it, or correct the path";
  if (!S_ISREG(info.st_mode)) return path + " is no file that could be run; do correct the path";
  return path + " may not be run; do chmod +x " + path;
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
  if (result.status != rules::StepStatus::succeeded) result.detail = attempt + ": " + ending(child, limit);
  result.output = std::move(child.output);
  result.output_dropped = child.output_dropped;
  return result;
}

}  // namespace watcher
