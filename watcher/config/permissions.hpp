#pragma once

#include <optional>
#include <string>

#include "watcher/config/loading.hpp"

namespace watcher {

// Who else could change the file, as a clause: "/opt/x is writable by its group; chmod g-w /opt/x". A file is safe
// when it and every folder above it belong to root or to us and nobody else can write them; a sticky folder may be
// writable, because others cannot replace what is not theirs in it. nullopt: safe, or it does not exist.
// `user`: whose it may also be, because it is run as that user; empty: nobody's.
std::optional<std::string> writable_by_others(const std::string& path, const std::string& user);

// Reports a configuration, and commands named in it, that other users can write.
void check_permissions(Loading& loading, const std::string& config_path);

}  // namespace watcher
