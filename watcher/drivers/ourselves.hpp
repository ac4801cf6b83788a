#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// What we ourselves run in: whoever stops it ends the rollback in the middle, and nobody is left to see it through.

// The unit in the text of a /proc/PID/cgroup, such as "rollbackd.service"; empty: none, or nobody can tell.
std::string unit_in(std::string_view cgroups);
// The id of Docker's container in the text of a /proc/PID/cgroup or mountinfo; empty: none, or nobody can tell.
std::string container_in(std::string_view text);

// The uid of a pod of Kubernetes in such a text; empty: none, or nobody can tell.
std::string pod_in(std::string_view text);

// Of this process.
std::string own_container();
std::string own_pod();
// The pod's name, which its host has; empty: we run in none. One with the host's network has its node's.
std::string own_pod_name();

// Why units must not be restarted by us: ours is among them, or the one that rollbackd usually has. For people, with
// what to do; empty: it is not.
std::string why_own_units(const std::vector<std::string>& units);

// Whether that is one of them: "rollbackd", "rollbackd.service".
bool is_own_unit(std::string name);

// Whether that is the pod that we run in, or the Deployment that such a pod is called by. A name alone: whoever asks
// knows of which namespace it is.
bool is_own_workload(std::string name);

}  // namespace watcher
