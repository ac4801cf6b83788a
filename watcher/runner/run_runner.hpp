#pragma once

#include "watcher/config/config.hpp"

namespace watcher {

// Runs the runner in the foreground until SIGTERM or SIGINT; a step that is at work ends first. SIGHUP reads the
// configuration again. Returns the process's exit code: 0 stopped as asked, 1 it could not start; says on standard
// error why.
int run_runner(Config config);

}  // namespace watcher
