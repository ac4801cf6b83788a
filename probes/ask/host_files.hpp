#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/config.hpp"
#include "probes/parse/host.hpp"

namespace probes {

// The whole of a small file below /proc or /sys; none when it cannot be read or is larger than such files are.
std::optional<std::string> read_small_file(const std::string& path);

// The same of a table of connections, which is as large as there are connections.
std::optional<std::string> read_net_file(const std::string& path);

// Memory of the cgroup that the probe names, where usage and limits are (SPEC 2.8).
struct CgroupMemory {
  double working_set = 0;  // bytes, of the named cgroup itself
  double limit = 0;        // bytes, the tightest of its own and its ancestors'; 0: none
  double used = 0;         // share of the limit that is nearest to being reached; 0 without limits
};
std::optional<CgroupMemory> read_cgroup_memory(const HostProbe& what);
std::optional<CgroupMemory> read_cgroup_memory(const HostProbe& what, const CgroupPlace& place);

struct DiskUse {
  std::string path;
  double used = 0;       // share, as df counts it: of what unprivileged users may use
  double available = 0;  // bytes
  bool readable = false;
};
// May hang with the file system.
std::vector<DiskUse> read_disks(const std::vector<std::string>& paths);

}  // namespace probes
