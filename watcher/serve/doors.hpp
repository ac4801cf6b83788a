#pragma once

#include <string>

#include "watcher/config/config.hpp"

namespace watcher {

// Why the control socket could not be had there, or would not be ours alone, and what to do, for people; empty: it
// could. Every folder and link on the way must belong to root or to us and be writable by nobody else, but sticky
// folders further up, and its own folder, made by us where it is not there, must be open to no others at all: who can
// put a socket there answers commands in our place. Makes nothing.
std::string why_not_control(const std::string& path);

// Why nothing could be served at watcher.listen now; empty: it could, or a watcher of ours, which answers on the
// control socket, has it. Binds for a moment, so that nobody can connect.
std::string why_not_listen(const WatcherSection& watcher);

}  // namespace watcher
