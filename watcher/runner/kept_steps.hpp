#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "rules/engine/events.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// What the runner keeps of steps on its disk: that one was begun, before it is, and what became of it. So whoever asks
// again, after either half was killed, is told, and nothing is done twice.
class KeptSteps {
 public:
  // A folder of its own (0700), made when it is needed.
  explicit KeptSteps(std::string folder);

  // Durable when it returns. What went wrong, for people: the step must not be begun then.
  std::optional<std::string> begin(const rules::StepId& step);
  std::optional<std::string> end(const rules::StepId& step, const rules::StepResult& result);
  // nullopt: it was never begun, or is forgotten. Of one that was begun and has no end it is `unseen`.
  std::optional<rules::StepResult> of(const rules::StepId& step) const;

 private:
  std::string path_of(const rules::StepId& step) const;
  std::optional<std::string> write(const rules::StepId& step, const std::string& line) const;
  void forget_old() const;

  std::string folder_;
};

// The newest are kept; an incident has fewer, and asks for its own alone.
inline constexpr std::size_t steps_kept_max = 64;

}  // namespace watcher
