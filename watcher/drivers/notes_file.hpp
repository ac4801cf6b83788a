#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watcher {

// What a driver must remember over a crash: makes the file's folder (0700) where it is missing, and replaces the file
// (0600) as a whole, so that both survive a power cut. Returns what failed, for people; nullopt: nothing.
std::optional<std::string> write_notes(const std::string& path, std::string_view content);

}  // namespace watcher
