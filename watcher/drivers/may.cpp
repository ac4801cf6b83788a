#include "watcher/drivers/may.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "watcher/drivers/runs_as.hpp"

namespace watcher {

namespace {

constexpr int links_max = 40;  // as the kernel

// Looked up once: a thousand services ask every 20 s.
Credentials our_own() {
  static const std::string name = account_of(::geteuid());
  return {name.empty() ? "uid " + std::to_string(::geteuid()) : name, ::geteuid(), {}, true};
}

// Whether the kernel lets ourselves go the whole way, or to where it ends.
bool is_open_to_us(const std::string& path) {
  return ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_EACCESS) == 0 || errno != EACCES;
}

std::vector<gid_t> groups_of(const std::string& user, gid_t first) {
  int count = 64;  // usually a handful; asked again when that is too few
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgrouplist(user.c_str(), first, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(user.c_str(), first, groups.data(), &count);
  }
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return groups;
}

int access_mode(Want want) {
  switch (want) {
    case Want::read:
      return R_OK;
    case Want::write:
      return W_OK;
    case Want::run:
      return X_OK;
  }
  return F_OK;
}

bool has_list(const std::string& path) { return ::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0; }

bool mode_allows(const struct stat& entry, const Credentials& who, Want want) {
  const auto bit = static_cast<mode_t>(access_mode(want));  // as the kernel's: 4, 2, 1
  if (who.uid == 0) {
    const bool is_file_to_run = want == Want::run && !S_ISDIR(entry.st_mode);
    return !is_file_to_run || (entry.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
  }
  if (entry.st_uid == who.uid) return (entry.st_mode >> 6 & bit) != 0;
  const bool in_group = std::find(who.groups.begin(), who.groups.end(), entry.st_gid) != who.groups.end();
  return ((in_group ? entry.st_mode >> 3 : entry.st_mode) & bit) != 0;
}

// Every folder before the last name.
std::optional<std::string> closed_before(const std::string& path, std::size_t from, const Credentials& who,
                                         int& links) {
  for (std::size_t slash = path.find('/', from); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = slash == 0 ? "/" : path.substr(0, slash);
    struct stat entry {};
    if (::lstat(folder.c_str(), &entry) != 0) return std::nullopt;
    if (S_ISLNK(entry.st_mode)) {
      std::error_code failure;
      const std::filesystem::path target = std::filesystem::read_symlink(folder, failure);
      if (failure || ++links > links_max) return std::nullopt;
      const std::string next = (std::filesystem::path(folder).parent_path() / target).string();
      if (auto closed = closed_before(next, 0, who, links)) return closed;
    }
    if (::stat(folder.c_str(), &entry) != 0 || !S_ISDIR(entry.st_mode)) return std::nullopt;
    if (!allows(folder, who, Want::run)) return folder;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Credentials> credentials_of(const std::string& user) {
  if (user.empty()) return our_own();
  constexpr std::size_t passwd_entry_max = 16 * 1024;  // bytes; what sysconf suggests is 1 KiB
  std::array<char, passwd_entry_max> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  if (found->pw_uid == ::geteuid()) return our_own();
  return Credentials{user, found->pw_uid, groups_of(user, found->pw_gid), false};
}

bool allows(const std::string& path, const Credentials& who, Want want) {
  const bool we_may = ::faccessat(AT_FDCWD, path.c_str(), access_mode(want), AT_EACCESS) == 0;
  if (who.are_ours) return we_may;
  // What is mounted so, or may not be changed, is so for everybody.
  if (!we_may && want == Want::write && (errno == EROFS || errno == EPERM)) return false;
  if (!we_may && want == Want::run && ::geteuid() == 0) return false;
  struct stat entry {};
  if (::stat(path.c_str(), &entry) != 0) return false;
  return mode_allows(entry, who, want) || has_list(path);
}

std::string why_unchangeable(const std::string& path) {
  struct statx found {};
  const bool is_known = ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_MODE, &found) == 0;
  // A link that is immutable says so as a file does; what it points to is another entry.
  if (is_known && (found.stx_attributes & STATX_ATTR_IMMUTABLE) != 0)
    return path + " is immutable, so that nobody may change it; do chattr -i " + path;
  struct statvfs system {};
  if (::statvfs(path.c_str(), &system) != 0 || (system.f_flag & ST_RDONLY) == 0) return {};
  return path + " lies on a file system that is mounted read-only; do look into dmesg why, then mount -o remount,rw it";
}

std::optional<std::string> closed_folder(const std::string& path, const Credentials& who, std::size_t from) {
  if (who.are_ours && is_open_to_us(path)) return std::nullopt;
  int links = 0;
  if (auto closed = closed_before(path, from, who, links)) return closed;
  std::error_code failure;
  const std::filesystem::path target = std::filesystem::read_symlink(path, failure);
  if (failure) return std::nullopt;
  return closed_before((std::filesystem::path(path).parent_path() / target).string(), 0, who, links);
}

}  // namespace watcher
