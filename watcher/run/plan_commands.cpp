#include "watcher/run/plan_commands.hpp"

#include <cstddef>
#include <set>
#include <utility>

#include "watcher/drivers/why_not.hpp"
#include "watcher/journal/lock_place.hpp"

namespace watcher {

namespace {

const std::vector<std::string>* argv_of(const rules::StepSpec& step) {
  if (const auto* const run = std::get_if<rules::RunStep>(&step.what)) return &run->argv;
  if (const auto* const capture = std::get_if<rules::CaptureStep>(&step.what)) return &capture->argv;
  return nullptr;
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

// Why a step of these plans could not be started now. Starts nothing.
std::string why_plans_cannot_run(const std::vector<const rules::ActionSpec*>& plans, const std::string& dir) {
  for (const rules::ActionSpec* const action : plans) {
    const std::string owner = "action." + action->name.text;
    const std::pair<const char*, const std::vector<rules::StepSpec>*> sections[] = {
        {".step", &action->steps},
        {".on_success", &action->on_success},
        {".on_failure", &action->on_failure},
        {".always", &action->always}};
    for (const auto& [name, steps] : sections) {
      std::string why = why_not(owner + name, *steps, dir);
      if (!why.empty()) return why;
    }
  }
  return {};
}

}  // namespace

Responses responses_of(const Config& config) {
  std::map<rules::ActionName, std::size_t> places;
  for (std::size_t i = 0; i < config.core.actions.size(); ++i) places.emplace(config.core.actions[i].name, i);
  std::map<rules::ServiceName, std::set<std::size_t>> found;  // in the order of the configuration
  for (const rules::RuleSpec& rule : config.core.rules) {
    for (const rules::ActionName& action : rule.respond) {
      const auto place = places.find(action);
      if (place != places.end()) found[rule.service].insert(place->second);
    }
  }
  Responses responses;
  for (const auto& [service, actions] : found) {
    for (const std::size_t i : actions) responses[service].push_back(&config.core.actions[i]);
  }
  return responses;
}

std::string why_plans_cannot_begin(const std::vector<const rules::ActionSpec*>& plans, const std::string& dir) {
  std::string why = why_no_host_lock();
  return why.empty() ? why_plans_cannot_run(plans, dir) : why;
}

}  // namespace watcher
