#pragma once

#include "watcher/config/loading.hpp"

namespace watcher {

// Warns of an `identify` that asks the address of the service's own health: of a release that does not start it cannot
// say that it runs.
void check_self_told(Loading& loading);

}  // namespace watcher
