#pragma once

#include "rules/engine/events.hpp"
#include "watcher/config/config.hpp"
#include "watcher/serve/api.hpp"

namespace watcher {

// What a rollback by hand would do where no watcher runs, as a watcher would answer: from the journal and a look at
// what runs. Changes nothing.
ApiReply plan_here(const Config& config, rules::RollbackByHand rollback);

}  // namespace watcher
