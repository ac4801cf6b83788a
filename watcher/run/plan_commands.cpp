#include "watcher/run/plan_commands.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "watcher/drivers/why_not.hpp"
#include "watcher/journal/lock_place.hpp"

namespace watcher {

namespace {

const std::vector<std::string>* argv_of(const rules::StepSpec& step) {
  if (const auto* const run = std::get_if<rules::RunStep>(&step.what)) return &run->argv;
  if (const auto* const capture = std::get_if<rules::CaptureStep>(&step.what)) return &capture->argv;
  return nullptr;
}

bool responds_with(const Config& config, const rules::ServiceName& service, const rules::ActionName& action) {
  return std::any_of(config.core.rules.begin(), config.core.rules.end(), [&](const rules::RuleSpec& rule) {
    return rule.service == service && std::find(rule.respond.begin(), rule.respond.end(), action) != rule.respond.end();
  });
}

std::string why_not(const std::string& owner, const std::vector<rules::StepSpec>& steps, const std::string& dir) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::vector<std::string>* const argv = argv_of(steps[i]);
    if (argv == nullptr) continue;
    const std::string why = why_not_started({*argv, steps[i].dir.empty() ? dir : steps[i].dir, steps[i].user});
    if (!why.empty()) return owner + " " + std::to_string(i + 1) + ": " + why;
  }
  return {};
}

}  // namespace

std::string why_plans_cannot_run(const Config& config, const DriverSection& section) {
  const std::string& dir = section.dir.empty() ? config.dir : section.dir;
  for (const rules::ActionSpec& action : config.core.actions) {
    if (!responds_with(config, section.service, action.name)) continue;
    const std::string owner = "action." + action.name.text;
    const std::pair<const char*, const std::vector<rules::StepSpec>*> sections[] = {{".step", &action.steps},
                                                                                    {".on_success", &action.on_success},
                                                                                    {".on_failure", &action.on_failure},
                                                                                    {".always", &action.always}};
    for (const auto& [name, steps] : sections) {
      std::string why = why_not(owner + name, *steps, dir);
      if (!why.empty()) return why;
    }
  }
  return {};
}

std::string why_plans_cannot_begin(const Config& config, const DriverSection& section) {
  std::string why = why_no_host_lock();
  return why.empty() ? why_plans_cannot_run(config, section) : why;
}

}  // namespace watcher
