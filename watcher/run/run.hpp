#pragma once

#include <optional>

#include "rules/engine/events.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

struct RunOptions {
  bool dry_run = false;                           // mode observe, whatever the configuration says
  std::optional<rules::RollbackByHand> rollback;  // one rollback by hand, then exit; nothing else is acted on
};

// Runs the watcher in the foreground until SIGTERM or SIGINT, or until the one rollback by hand is closed.
// Returns the process's exit code: 0 stopped as asked (or recovered), 1 it could not start or the rollback failed.
// Says on standard error why.
int run(Config config, RunOptions options);

}  // namespace watcher
