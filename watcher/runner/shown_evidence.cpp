#include "watcher/runner/shown_evidence.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

constexpr mode_t walked_through = 0711;
constexpr mode_t folder_read = 0750;
constexpr mode_t file_read = 0640;

std::optional<std::string> show(const std::string& path, unsigned group, mode_t mode, int flags) {
  const Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags));
  struct stat status {};
  if (!opened.is_open() || ::fstat(opened.number(), &status) != 0)
    return file_fault("open " + path, errno, "the watcher will not see it").what;
  const bool is_plain = S_ISDIR(status.st_mode) || (S_ISREG(status.st_mode) && status.st_nlink == 1);
  if (!is_plain || status.st_uid != ::geteuid()) return std::nullopt;
  const bool is_given = ::fchown(opened.number(), static_cast<uid_t>(-1), group) == 0;
  if (is_given && ::fchmod(opened.number(), mode) == 0) return std::nullopt;
  return file_fault("show " + path + " to the watcher", errno, "it will not see it").what;
}

}  // namespace

std::optional<std::string> show_evidence_to(const std::string& dir, unsigned group) {
  namespace fs = std::filesystem;
  std::error_code failure;
  if (!fs::is_directory(dir, failure)) return std::nullopt;
  const fs::path incident = fs::path(dir).parent_path();
  std::optional<std::string> trouble = show(incident.parent_path().string(), group, walked_through, O_DIRECTORY);
  if (!trouble) trouble = show(incident.string(), group, walked_through, O_DIRECTORY);
  if (!trouble) trouble = show(dir, group, folder_read, O_DIRECTORY);
  if (trouble) return trouble;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir, failure)) {
    std::error_code unknown;
    if (entry.symlink_status(unknown).type() != fs::file_type::regular) continue;
    if (auto missed = show(entry.path().string(), group, file_read, 0)) trouble = std::move(missed);
  }
  return trouble;
}

}  // namespace watcher
