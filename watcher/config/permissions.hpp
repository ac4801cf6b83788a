#pragma once

#include <string>

#include "watcher/config/loading.hpp"

namespace watcher {

// Reports a configuration, and commands named in it, that other users can write.
void check_permissions(Loading& loading, const std::string& config_path);

}  // namespace watcher
