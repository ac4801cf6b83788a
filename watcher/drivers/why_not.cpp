#include "watcher/drivers/why_not.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdint>
#include <optional>

#include "probes/net/child.hpp"
#include "probes/net/user.hpp"
#include "watcher/drivers/stops_us.hpp"
#include "watcher/drivers/trusted_path.hpp"
#include "watcher/drivers/why_not_runnable.hpp"
#include "watcher/journal/files.hpp"

namespace watcher {

std::string why_not_started(const Startable& command) {
  if (command.argv.empty()) return {};
  if (struct stat found{};
      !command.dir.empty() && (::stat(command.dir.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)))
    return "the folder " + command.dir + " in which it runs is not there; do make it, or correct dir";
  std::string missing = why_not_runnable(command);
  if (!missing.empty()) return missing;
  if (const auto unsafe = run_changed_by_others(command.argv, command.dir, command.user, command.env))
    return "other users could change what it runs: " + *unsafe;
  std::string stops = why_stops_us(command.argv, {command.dir, command.env});
  if (!stops.empty()) return stops;
  probes::ChildSpec spec;
  spec.argv = command.argv;
  spec.dir = command.dir;
  spec.user = command.user;
  return probes::as_user_of(spec).error;
}

std::string why_not_read(const std::string& file) {
  const std::string subject = "stdin " + file + ": ";
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return subject + "no such file; do put it there, or correct stdin";
  if (S_ISDIR(found.st_mode)) return subject + "it is a folder; do correct stdin";
  if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) != 0) return subject + "we may not read it; do chmod +r it";
  return {};
}

std::string why_not_written(const std::string& file) {
  const std::string subject = "stdout " + file + ": ";
  const std::string folder = folder_of(file);
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0)
    return subject + "its folder is not there; do make " + folder + ", or correct stdout";
  const bool is_there = ::stat(file.c_str(), &found) == 0;
  if (is_there && S_ISDIR(found.st_mode)) return subject + "it is a folder; do correct stdout";
  // Without somebody who reads it at that moment it would be refused then, and to try it would end what he reads.
  if (is_there && S_ISFIFO(found.st_mode))
    return subject +
           "it is a named pipe, and nobody knows whether it is read then; do name a file, or have the command "
           "write to it";
  // A device is written to. A file is written beside, and takes its place.
  const bool is_direct = is_there && !S_ISREG(found.st_mode);
  const std::string written = is_direct ? file : folder_of(end_of_links(file));
  if (::faccessat(AT_FDCWD, written.c_str(), is_direct ? W_OK : W_OK | X_OK, AT_EACCESS) != 0)
    return subject + "we may not write " + written + "; do chmod u+w it, or correct stdout";
  return is_direct ? std::string() : why_not_writable(written);
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
