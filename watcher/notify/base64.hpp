#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watcher {

// RFC 4648, with padding, in one line.
std::string to_base64(std::string_view bytes);
// nullopt: it is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace watcher
