#pragma once

#include <string>
#include <variant>

namespace watcher {

// The id of a group that is given by its name or its number, or why there is none.
std::variant<unsigned, std::string> group_id(const std::string& group);

}  // namespace watcher
