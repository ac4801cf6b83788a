#include "watcher/run/hidden_words.hpp"

#include <string>
#include <utility>

#include "watcher/steps/redact.hpp"

namespace watcher {

void hide_secrets(rules::CoreConfig& core, const Config& config) {
  for (rules::ActionSpec& action : core.actions) {
    for (auto* const steps : {&action.steps, &action.on_success, &action.on_failure, &action.always}) {
      for (rules::StepSpec& step : *steps) {
        const std::string whole = rules::describe(step);
        std::string told = whole;
        redact(told, config.secrets);
        if (told != whole) step.shown = std::move(told);
      }
    }
  }
}

}  // namespace watcher
