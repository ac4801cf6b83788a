#include "watcher/journal/host_copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "watcher/journal/files.hpp"
#include "watcher/journal/lock_place.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

constexpr off_t copy_max = 64 * 1024 * 1024;  // bytes; what we write is some KiB

bool is_within(const fs::path& inner, const fs::path& outer) {
  const fs::path relative = inner.lexically_relative(outer);
  return !relative.empty() && *relative.begin() != "..";
}

// Only root and ourselves tell us what was decided.
bool is_ours_alone(int file) {
  struct stat found {};
  if (::fstat(file, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size > copy_max) return false;
  return (found.st_uid == 0 || found.st_uid == ::geteuid()) && (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

std::string host_copy_place(const std::string& state_dir) {
  const LockPlace lock = host_lock_place(state_dir);
  if (!lock.refused.empty()) return "";
  std::error_code failure;
  fs::path named = fs::absolute(state_dir, failure).lexically_normal();
  if (!named.has_filename()) named = named.parent_path();
  const fs::path folder = fs::absolute(lock.path, failure).lexically_normal().parent_path();
  if (is_within(folder, named)) return "";
  struct stat above {};
  if (::stat(named.parent_path().c_str(), &above) != 0) return "";
  const std::string key = fmt::format("{} {} {}", named.string(), above.st_dev, above.st_ino);
  return fmt::format("{}/state-{:016x}", folder.string(), hash_of(key));
}

std::optional<Guards> read_host_copy(const std::string& file) {
  if (file.empty()) return std::nullopt;
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!opened.is_open() || !is_ours_alone(opened.number())) return std::nullopt;
  const std::optional<std::string> text = read_whole(opened.number());
  return text ? Guards::read(*text) : std::nullopt;
}

bool write_host_copy(const std::string& file, const Guards& guards) {
  if (file.empty()) return false;
  const std::string temporary = file + ".tmp";
  ::unlink(temporary.c_str());  // a kill may have left it
  {
    const Descriptor fresh(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, private_file));
    if (!fresh.is_open()) return false;
    if (!write_all(fresh.number(), guards.text())) {
      const int error = errno;
      ::unlink(temporary.c_str());
      errno = error;
      return false;
    }
  }
  return ::rename(temporary.c_str(), file.c_str()) == 0;
}

}  // namespace watcher
