#pragma once

#include <string>

#include "watcher/drivers/why_not.hpp"

namespace watcher {

// Why the command, or what its words or the first lines of its scripts have it run, could not be started by its user,
// for people, with what to do; empty: it could, or that is not known. Looks at files alone, and starts nothing.
std::string why_not_runnable(const Startable& command);

}  // namespace watcher
