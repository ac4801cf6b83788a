#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// What we ourselves run in: whoever stops it ends the rollback in the middle, and nobody is left to see it through.

// The unit in the text of a /proc/PID/cgroup, such as "rollbackd.service"; empty: none, or nobody can tell.
std::string unit_in(std::string_view cgroups);

// Why units must not be restarted by us: ours is among them. For people, with what to do; empty: it is not.
std::string why_own_units(const std::vector<std::string>& units);

}  // namespace watcher
