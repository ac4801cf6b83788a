#pragma once

#include "probes/net/child.hpp"

namespace watcher {

// probes::run_child() for a command that the configuration names, unless others could have changed by now what it runs
// (run_changed_by_others()): it is not started then, and the error says what to do.
probes::asio::awaitable<probes::ChildResult> run_trusted(probes::ChildSpec spec);

}  // namespace watcher
