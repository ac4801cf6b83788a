#include "watcher/drivers/why_not.hpp"

#include <sys/statvfs.h>

#include <cstdint>
#include <optional>

#include "probes/net/child.hpp"
#include "probes/net/user.hpp"
#include "watcher/drivers/trusted_path.hpp"
#include "watcher/drivers/why_not_runnable.hpp"

namespace watcher {

std::string why_not_started(const Startable& command) {
  if (command.argv.empty()) return {};
  std::string missing = why_not_runnable(command);
  if (!missing.empty()) return missing;
  if (const auto unsafe = run_changed_by_others(command.argv, command.dir, command.user))
    return "other users could change what it runs: " + *unsafe;
  probes::ChildSpec spec;
  spec.argv = command.argv;
  spec.dir = command.dir;
  spec.user = command.user;
  return probes::as_user_of(spec).error;
}

std::string why_not_writable(const std::string& dir) {
  constexpr std::uint64_t free_min = 4 * 1024 * 1024;  // bytes; an index and a handful of files
  struct statvfs disk {};
  if (::statvfs(dir.c_str(), &disk) != 0) return {};
  if ((disk.f_flag & ST_RDONLY) != 0) return "the disk of " + dir + " is mounted read-only; do mount it for writing";
  if (disk.f_blocks > 0 && disk.f_bavail * disk.f_frsize < free_min) {
    return "the disk of " + dir + " is full; do make room on it";
  }
  // Some file systems have no such limit and say 0 of 0.
  if (disk.f_files > 0 && disk.f_favail == 0) return "the disk of " + dir + " has no inode left; do remove files on it";
  return {};
}

}  // namespace watcher
