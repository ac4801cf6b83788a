#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "rules/engine/events.hpp"
#include "rules/incidents/progress.hpp"
#include "rules/incidents/records.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

struct RunOptions {
  bool dry_run = false;                           // mode observe, whatever the configuration says
  std::optional<rules::RollbackByHand> rollback;  // one rollback by hand, then exit; nothing else is acted on
  // What is heard of that rollback: whether it is begun, and what it looks like every `rollback_look_interval` until
  // its end, or until a signal stops this process.
  std::function<void(const rules::Answer& answer)> answered{};
  std::function<void(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps,
                     const std::optional<rules::Progress>& progress)>
      looked{};
  // A signal came: nothing new is begun, and a step in flight ends first.
  std::function<void(bool step_in_flight)> stopping{};
};

inline constexpr rules::Duration rollback_look_interval = std::chrono::milliseconds(500);

// Runs the watcher in the foreground until SIGTERM or SIGINT, or until the one rollback by hand is closed.
// Returns the process's exit code: 0 stopped as asked (or recovered), 1 it could not start, or the rollback failed
// or was stopped before its end: the next start goes on with it.
// Says on standard error why.
int run(Config config, RunOptions options);

}  // namespace watcher
