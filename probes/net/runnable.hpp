#pragma once

#include <string>

namespace probes {

// A regular file that we may execute.
bool is_runnable(const std::string& path);

// Whether PATH has a command of this name, which has no slash.
bool is_in_path(const std::string& command);

}  // namespace probes
