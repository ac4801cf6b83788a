#pragma once

#include <vector>

#include "watcher/cli/check_online.hpp"

namespace watcher {

// What a service's driver takes where the configuration does not name it, and folders and files that are named and not
// there. Asks nobody.
std::vector<OnlineFinding> assumed_places(const Config& config);

}  // namespace watcher
