#pragma once

#include "watcher/config/config.hpp"

namespace watcher {

// Whether its driver says what runs, and whether it could switch, without a command and without a connection.
bool asks_nobody(const DriverSection& section);

}  // namespace watcher
