#pragma once

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// A TOML string: literal where that reads better, basic with escapes otherwise.
std::string toml_string(std::string_view value);
std::string toml_strings(const std::vector<std::string>& values);
// A key, quoted when it must be.
std::string toml_key(std::string_view key);
// Any value on one line.
std::string toml_inline(const toml::node& node);

}  // namespace watcher
