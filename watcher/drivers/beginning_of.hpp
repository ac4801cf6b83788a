#pragma once

#include <optional>
#include <string>

namespace watcher {

// As much of a file as the kernel looks at to find what runs it; nullopt: we may not read it, or there is none.
std::optional<std::string> beginning_of(const std::string& file);

}  // namespace watcher
