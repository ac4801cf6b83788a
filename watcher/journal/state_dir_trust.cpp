#include "watcher/journal/state_dir_trust.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

bool is_of_others(const struct stat& found) { return found.st_uid != 0 && found.st_uid != ::geteuid(); }

std::string ours() { return "the user that we run as (uid " + std::to_string(::geteuid()) + ")"; }

// Who writes in it decides what was done and what may be done again.
std::string why_not_folder(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  if (is_of_others(found))
    return "state_dir " + path + " belongs to another user (uid " + std::to_string(found.st_uid) +
           "), who could change what is kept in it; chown -R it to " + ours() + ", or run as its owner";
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return "state_dir " + path + " can be written by other users; chmod go-w " + path +
           ", or let state_dir name a folder in it that is not there yet";
  return {};
}

std::string why_not_file(const std::string& file) {
  struct stat found {};
  if (::lstat(file.c_str(), &found) != 0) return {};
  if (S_ISLNK(found.st_mode))
    return file +
           " is a symbolic link, which could lead elsewhere at any time; put the file in its place, or let "
           "state_dir be the folder that it leads to";
  if (!S_ISREG(found.st_mode)) return file + " is no file; move it away";
  if (is_of_others(found))
    return file + " belongs to another user (uid " + std::to_string(found.st_uid) +
           "), who could change what is kept in it; chown it to " + ours();
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) return file + " can be written by other users; chmod go-w " + file;
  return {};
}

// It itself, or what it would be made in.
std::string nearest_there(const std::string& path) {
  fs::path at(path);
  std::error_code failure;
  while (!fs::exists(at, failure) && at.has_parent_path() && at != at.parent_path()) at = at.parent_path();
  return at.string();
}

bool is_of_the_kernel(const std::string& path) {
  constexpr std::array<decltype(statfs::f_type), 4> kinds{PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC,
                                                          CGROUP2_SUPER_MAGIC};
  struct statfs disk {};
  return ::statfs(path.c_str(), &disk) == 0 && std::find(kinds.begin(), kinds.end(), disk.f_type) != kinds.end();
}

std::string why_not_written(const std::string& state_dir) {
  const std::string there = nearest_there(state_dir);
  const std::string subject = "state_dir " + state_dir + ": ";
  struct stat found {};
  if (::stat(there.c_str(), &found) != 0) return {};
  if (!S_ISDIR(found.st_mode)) return subject + there + " is no folder; name another one";
  if (const std::string why = why_keeps_no_files(there); !why.empty()) return subject + why;
  // Whoever asks may be another user than the one who will run it.
  const bool is_us = ::geteuid() == 0 || found.st_uid == ::geteuid();
  if (is_us && ::faccessat(AT_FDCWD, there.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    return subject + "we may not write in " + there + "; chmod u+wx " + there + ", or name another folder";
  return {};
}

}  // namespace

std::string why_keeps_no_files(const std::string& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0)
    return "the disk of " + folder + " is mounted read-only; mount it for writing, or name another folder";
  if (is_of_the_kernel(folder)) return folder + " is the kernel's, and keeps no files; name another folder";
  return {};
}

std::string why_not_trusted(const std::string& state_dir) {
  if (std::string why = why_not_folder(state_dir); !why.empty()) return why;
  if (const auto unsafe = led_by_others(state_dir))
    return "state_dir " + state_dir + ": who can change the way to it can exchange what is kept in it: " + *unsafe +
           ", or let state_dir be elsewhere";
  for (const char* const name : {"/rollbackd.db", "/rollbackd.db-wal", "/rollbackd.db-shm", "/guards"}) {
    if (std::string why = why_not_file(state_dir + name); !why.empty()) return why;
  }
  return {};
}

std::string why_not_state_dir(const std::string& state_dir) {
  std::string why = why_not_trusted(state_dir);
  return why.empty() ? why_not_written(state_dir) : why;
}

}  // namespace watcher
