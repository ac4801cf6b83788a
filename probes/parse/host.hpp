#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace probes {

// Pure functions over the contents of files below /proc and /sys/fs/cgroup. nullopt: the text lacks what is
// asked, or is not what the kernel writes.

// /proc/meminfo, in bytes.
struct MemoryInfo {
  double total = 0;
  double available = 0;
  double swap_total = 0;
  double swap_free = 0;
};
std::optional<MemoryInfo> parse_meminfo(std::string_view text);
// 1 - MemAvailable / MemTotal.
double memory_used(const MemoryInfo& memory);
// Share of the swap in use; 0 without swap.
double swap_used(const MemoryInfo& memory);

// The first line of /proc/stat, in ticks since boot. Time in guests is in user time already; waiting for I/O
// is idle.
struct CpuTimes {
  std::uint64_t busy = 0;
  std::uint64_t total = 0;
};
std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat);
// Share of all CPUs' time that was busy in between. nullopt: no time passed, or it went back.
std::optional<double> cpu_used(const CpuTimes& before, const CpuTimes& after);

struct LoadAverage {
  double load1 = 0;
  double load5 = 0;
  double load15 = 0;
};
std::optional<LoadAverage> parse_loadavg(std::string_view text);

// /proc/pressure/{cpu,memory,io}, or a cgroup's: shares of time (0.05 is 5 %) in which some or all tasks were
// stalled.
struct Pressure {
  double some_avg10 = 0;
  double some_avg60 = 0;
  double some_avg300 = 0;
  double full_avg10 = 0;  // 0 where the kernel has no such line (cpu before 5.13)
  double full_avg60 = 0;
  double full_avg300 = 0;
};
std::optional<Pressure> parse_pressure(std::string_view text);

enum class CgroupVersion { v1, v2 };

// Where a process's memory is accounted, from /proc/PID/cgroup: on hybrid machines that is v1's memory
// controller.
struct CgroupPlace {
  CgroupVersion version = CgroupVersion::v2;
  std::string path;  // below the controller's root, "/" for the root itself
};
std::optional<CgroupPlace> parse_cgroup_place(std::string_view proc_cgroup);
// The path and its ancestors up to "/", nearest first: a limit may stand on any of them.
std::vector<std::string> with_ancestors(const std::string& path);

// The names of the files that cgroup memory is read from.
struct CgroupFiles {
  std::string_view usage;
  std::string_view limit;
  std::string_view stat;
};
CgroupFiles cgroup_files(CgroupVersion version);

// memory.max or memory.limit_in_bytes, in bytes.
struct CgroupLimit {
  std::optional<double> bytes;  // none: "max", or so large that no machine has it
};
std::optional<CgroupLimit> parse_cgroup_limit(std::string_view text);
// usage - inactive_file in bytes, from the contents of the `usage` and `stat` files (SPEC 2.8); never below
// 0.
std::optional<double> cgroup_working_set(CgroupVersion version, std::string_view usage, std::string_view stat);

}  // namespace probes
