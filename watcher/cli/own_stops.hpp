#pragma once

#include <vector>

#include "watcher/cli/check_online.hpp"

namespace watcher {

// Commands of drivers, probes and steps that would stop rollbackd itself, each wrong. Asks nobody: a container's name
// is known where check_online() has asked for it.
std::vector<OnlineFinding> stops_of_ourselves(const Config& config);

}  // namespace watcher
