#pragma once

#include <string>
#include <string_view>

namespace watcher {

// As a part of a path or a value of a query: no slash of a value makes another path.
std::string percent_escaped(std::string_view text);

}  // namespace watcher
