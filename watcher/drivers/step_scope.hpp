#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "probes/net/child.hpp"

namespace watcher {

// A step is ended by nobody who ends us: `systemctl kill`, what is killed where our unit's memory runs out, and the
// limits of our unit are not for it. So where systemd runs us as a service it gets a scope, rollbackd-step-PID.scope,
// which systemd forgets when the last of its processes has ended. Everything else it has from us as before.

// To be set as `place` of a child with these words; empty where there is no systemd, or it does not run us as root.
// When systemd does not make the scope within a second, the child stays in our own unit, which is logged once.
probes::Place scope_of_its_own(const std::vector<std::string>& argv);

// What busctl(1) is asked for. `description` is what `systemctl status` shows.
std::vector<std::string> scope_request(pid_t process, const std::string& description);

// Whether what /proc/PID/cgroup says is within the scope of that process.
bool is_in_scope(std::string_view cgroups, pid_t process);

}  // namespace watcher
