#include "probes/ask/host_files.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "probes/parse/host.hpp"

namespace probes {

namespace {

constexpr std::size_t net_file_max = 64 * 1024 * 1024;  // bytes; a million connections have 150 each
constexpr std::size_t file_max = 1024 * 1024;           // bytes; /proc/stat of a machine with 1,000 CPUs has 200 KiB

// One level of a cgroup's path: how much is used, and how much may be.
struct Level {
  double working_set = 0;
  std::optional<double> limit;
};

std::string joined(const std::string& folder, std::string_view name) { return folder + "/" + std::string(name); }

std::optional<Level> read_level(CgroupVersion version, const std::string& folder) {
  const CgroupFiles files = cgroup_files(version);
  const auto usage = read_small_file(joined(folder, files.usage));
  const auto stat = read_small_file(joined(folder, files.stat));
  if (!usage || !stat) return std::nullopt;
  const auto working_set = cgroup_working_set(version, *usage, *stat);
  if (!working_set) return std::nullopt;
  Level level{*working_set, std::nullopt};
  const auto limit = read_small_file(joined(folder, files.limit));
  const auto parsed = limit ? parse_cgroup_limit(*limit) : std::nullopt;
  if (parsed) level.limit = parsed->bytes;
  return level;
}

std::string root_of(const HostProbe& what, CgroupVersion version) {
  return version == CgroupVersion::v1 ? what.cgroup_root + "/memory" : what.cgroup_root;
}

std::optional<CgroupPlace> place_of(const HostProbe& what) {
  if (what.cgroup == "auto") {
    const auto text = read_small_file(what.proc + "/self/cgroup");
    return text ? parse_cgroup_place(*text) : std::nullopt;
  }
  const std::string path = what.cgroup.starts_with('/') ? what.cgroup : "/" + what.cgroup;
  const std::string as_v1 = root_of(what, CgroupVersion::v1) + path;
  const bool is_v1 = access(joined(as_v1, cgroup_files(CgroupVersion::v1).usage).c_str(), F_OK) == 0;
  return CgroupPlace{is_v1 ? CgroupVersion::v1 : CgroupVersion::v2, path};
}

std::optional<std::string> read_file(const std::string& path, std::size_t most) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file == -1) return std::nullopt;
  std::string text;
  std::array<char, 4096> piece;
  ssize_t count = 0;
  while (text.size() <= most && (count = read(file, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  close(file);
  if (count != 0) return std::nullopt;
  return text;
}

}  // namespace

std::optional<std::string> read_small_file(const std::string& path) { return read_file(path, file_max); }
std::optional<std::string> read_net_file(const std::string& path) { return read_file(path, net_file_max); }

std::optional<CgroupMemory> read_cgroup_memory(const HostProbe& what) {
  const std::optional<CgroupPlace> place = place_of(what);
  if (!place) return std::nullopt;
  return read_cgroup_memory(what, *place);
}

std::optional<CgroupMemory> read_cgroup_memory(const HostProbe& what, const CgroupPlace& place) {
  std::optional<CgroupMemory> memory;
  // Within a container the path is that of the host, and what it names is mounted as the root: levels that are not
  // there are passed over.
  for (const std::string& path : with_ancestors(place.path)) {
    const auto level = read_level(place.version, root_of(what, place.version) + path);
    if (!level) continue;
    if (!memory) memory = CgroupMemory{level->working_set, 0, 0};
    if (!level->limit || *level->limit <= 0) continue;
    memory->limit = memory->limit == 0 ? *level->limit : std::min(memory->limit, *level->limit);
    memory->used = std::max(memory->used, level->working_set / *level->limit);
  }
  return memory;
}

std::vector<DiskUse> read_disks(const std::vector<std::string>& paths) {
  std::vector<DiskUse> disks;
  for (const std::string& path : paths) {
    DiskUse disk;
    disk.path = path;
    struct statvfs found {};
    disk.readable = statvfs(path.c_str(), &found) == 0 && found.f_blocks > 0;
    if (disk.readable) {
      const auto used = static_cast<double>(found.f_blocks - found.f_bfree);
      const auto available = static_cast<double>(found.f_bavail);
      disk.used = used + available > 0 ? used / (used + available) : 1;
      disk.available = available * static_cast<double>(found.f_frsize);
    }
    disks.push_back(std::move(disk));
  }
  return disks;
}

}  // namespace probes
