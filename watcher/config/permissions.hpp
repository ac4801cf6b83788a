#pragma once

#include <optional>
#include <string>

#include "watcher/config/loading.hpp"

namespace watcher {

// Who else could change the file, as a clause: "/opt/x is writable by its group; chmod g-w /opt/x". A file is safe
// when it and every folder above it belong to root or to us and nobody else can write them; a sticky folder may be
// writable, because others cannot replace what is not theirs in it. nullopt: safe, or it does not exist.
std::optional<std::string> writable_by_others(const std::string& path);

// The file that running `program` would start: with a slash itself, otherwise looked up in PATH. nullopt: none.
std::optional<std::string> find_command(const std::string& program);

// Reports a configuration, and commands named in it, that other users can write.
void check_permissions(Loading& loading, const std::string& config_path);

}  // namespace watcher
