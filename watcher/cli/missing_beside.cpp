#include <algorithm>
#include <filesystem>
#include <system_error>

#include "watcher/cli/check_online.hpp"
#include "watcher/drivers/shell_commands.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

bool is_relative(const std::string& name) { return name.front() != '/' && name.find('/') != std::string::npos; }

bool is_there(const fs::path& path) {
  std::error_code failure;
  return fs::exists(path, failure) || failure;
}

// Whether `name` is missing wherever the script may start it; where `cd` led to nobody knows, it is not.
bool is_missing(const std::string& name, const std::vector<ShellCommand>& lines, const std::string& dir) {
  bool is_started = false;
  for (const ShellCommand& line : lines) {
    if (std::find(line.words.begin(), line.words.end(), name) == line.words.end()) continue;
    if (!line.dir || is_there(fs::path(dir) / *line.dir / name)) return false;
    is_started = true;
  }
  return is_started;
}

void look_at(const std::string& owner, const std::vector<std::string>& argv, const std::string& dir,
             std::vector<OnlineFinding>& out) {
  const std::string script = script_of(argv);
  // That the folder is gone is told by itself.
  if (script.empty() || dir.empty() || !is_there(dir)) return;
  const std::vector<ShellCommand> lines = lines_in_shell(script);
  std::string missing;
  for (const std::string& name : commands_in_shell(script)) {
    if (is_relative(name) && is_missing(name, lines, dir)) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (missing.empty()) return;
  out.push_back({OnlineFinding::Kind::advice, owner, "its script starts what is not in " + dir + ": " + missing});
}

const std::vector<std::string>* argv_of(const rules::StepSpec& step) {
  if (const auto* const run = std::get_if<rules::RunStep>(&step.what)) return &run->argv;
  if (const auto* const capture = std::get_if<rules::CaptureStep>(&step.what)) return &capture->argv;
  return nullptr;
}

bool responds_with(const Config& config, const rules::ServiceName& service, const rules::ActionSpec& action) {
  return std::any_of(config.core.rules.begin(), config.core.rules.end(), [&](const rules::RuleSpec& rule) {
    return rule.service == service &&
           std::find(rule.respond.begin(), rule.respond.end(), action.name) != rule.respond.end();
  });
}

}  // namespace

std::vector<OnlineFinding> missing_beside(const Config& config) {
  std::vector<OnlineFinding> out;
  for (const rules::ActionSpec& action : config.core.actions) {
    for (const auto* const steps : {&action.steps, &action.on_success, &action.on_failure, &action.always}) {
      for (const rules::StepSpec& step : *steps) {
        const std::vector<std::string>* const argv = argv_of(step);
        if (argv == nullptr) continue;
        const std::string owner = "action." + action.name.text + ": " + describe(step);
        if (!step.dir.empty()) look_at(owner, *argv, step.dir, out);
        for (const DriverSection& section : config.drivers) {
          const bool is_its = step.dir.empty() && responds_with(config, section.service, action);
          if (is_its) look_at(owner, *argv, section.dir.empty() ? config.dir : section.dir, out);
        }
      }
    }
  }
  return out;
}

}  // namespace watcher
