#include "watcher/journal/lock_place.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

constexpr const char* lock_name = "/host.lock";
constexpr const char* advice = "name a file that can be had in ROLLBACKD_HOST_LOCK";

std::string user_text(uid_t user) { return user == 0 ? "root" : "user " + std::to_string(user); }

// A symbolic link is no folder here: what it leads to could be exchanged.
std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

std::string why_not_folder_of(const struct stat& status, uid_t owner, const std::string& folder) {
  if (S_ISDIR(status.st_mode) && status.st_uid == owner && (status.st_mode & S_IWOTH) == 0) return {};
  return "the host's lock: " + folder + " must be a folder of " + user_text(owner) +
         " that others cannot write; remove it, it is made anew";
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_theirs_alone(const std::string& folder, uid_t owner) {
  const std::optional<struct stat> status = status_of(folder);
  return status && why_not_folder_of(*status, owner, folder).empty();
}

std::string home_of(uid_t user) {
  constexpr std::size_t entry_max = 16 * 1024;  // bytes
  std::vector<char> room(entry_max);
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_dir == nullptr ? std::string() : std::string(found->pw_dir);
}

// Where others can make files somebody may make a folder of that name first, and then nothing is ever rolled back.
std::string above_own_place(uid_t self, const std::string& state_dir) {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string session = runtime == nullptr ? "" : runtime;
  for (const std::string& folder : {session, "/run/user/" + std::to_string(self), home_of(self)}) {
    if (folder.starts_with('/') && is_theirs_alone(folder, self)) return folder;
  }
  return state_dir;
}

LockPlace own_place(uid_t self, const std::string& state_dir) {
  const std::string above = above_own_place(self, state_dir);
  const std::string folder = above + "/rollbackd-" + std::to_string(self);
  if (auto fault = make_folder(folder, private_folder)) return {"", fault->what + "; or " + advice};
  const std::optional<struct stat> status = status_of(folder);
  if (!status) return {"", file_fault("look at " + folder, errno, advice).what};
  const std::string refused = why_not_folder_of(*status, self, folder);
  return refused.empty() ? LockPlace{folder + lock_name, ""} : LockPlace{"", refused};
}

// Why the file's folder may not hold a lock; empty: it may.
std::string why_unfit_for_lock(const std::string& path) {
  const std::string folder = folder_of(path);
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return file_fault("look at " + folder, errno, advice).what;
  if ((status.st_mode & S_IWOTH) == 0) return {};
  return "the host's lock " + path + " stands where anybody can make files, and so could hold it; " + advice;
}

}  // namespace

LockPlace lock_place_in(const std::string& folder, uid_t owner, uid_t self, const std::string& state_dir) {
  std::optional<struct stat> status = status_of(folder);
  if (!status) {
    if (self != owner) return own_place(self, state_dir);
    if (::mkdir(folder.c_str(), private_folder) != 0 && errno != EEXIST)
      return {"", file_fault("make " + folder + " for the host's lock", errno, advice).what};
    status = status_of(folder);
    if (!status) return {"", file_fault("look at " + folder, errno, advice).what};
  }
  if (std::string refused = why_not_folder_of(*status, owner, folder); !refused.empty()) return {"", refused};
  if (self != owner && ::faccessat(AT_FDCWD, folder.c_str(), X_OK, AT_EACCESS) != 0)
    return {"", "the host's lock in " + folder + " is not open to " + user_text(self) + "; as " + user_text(owner) +
                    ": chgrp GROUP " + folder + "; chmod 770 " + folder + ", with a group of this user's"};
  return {folder + lock_name, ""};
}

LockPlace host_lock_place(const std::string& state_dir) {
  const char* const named = std::getenv("ROLLBACKD_HOST_LOCK");
  if (named == nullptr || *named == '\0') return lock_place_in(shared_lock_folder, 0, ::geteuid(), state_dir);
  std::string refused = why_unfit_for_lock(named);
  return refused.empty() ? LockPlace{named, ""} : LockPlace{"", std::move(refused)};
}

}  // namespace watcher
