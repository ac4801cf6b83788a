#include "watcher/journal/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <system_error>

namespace watcher {

namespace {

constexpr std::size_t small_file_max = 4096;  // bytes: markers and lock files hold a line

constexpr const char* folder_advice = "make it, or set state_dir to one that can be written";

bool means_full(int error) {
  return error == ENOSPC || error == EDQUOT || error == EROFS || error == EACCES || error == EPERM;
}

}  // namespace

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

JournalFault file_fault(const std::string& attempt, int error, const std::string& advice) {
  return {.what = attempt + ": " + std::generic_category().message(error) + "; " + advice, .full = means_full(error)};
}

std::optional<JournalFault> make_folder(const std::string& path, unsigned mode) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return std::nullopt;
  const auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty() && parent != path) {
    const auto fault = make_folder(parent.string(), mode);
    if (fault) return file_fault("create directory " + path, errno, folder_advice);
  }
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return std::nullopt;
  return file_fault("create directory " + path, errno, folder_advice);
}

std::optional<JournalFault> sync_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.is_open() && ::fsync(file.number()) == 0) return std::nullopt;
  return file_fault("sync " + path, errno, "check the file system");
}

std::optional<JournalFault> sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.is_open() && ::fsync(folder.number()) == 0) return std::nullopt;
  return file_fault("sync directory " + path, errno, "check the file system");
}

std::optional<JournalFault> write_whole(const std::string& path, std::string_view content, unsigned mode) {
  const std::string temporary = path + ".tmp";
  const std::string advice = "make room and check that the directory can be written";
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!file.is_open()) return file_fault("create " + temporary, errno, advice);
    if (!write_all(file.number(), content) || ::fsync(file.number()) != 0) {
      const int error = errno;
      ::unlink(temporary.c_str());
      return file_fault("write " + temporary, error, advice);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return file_fault("rename to " + path, errno, advice);
  return sync_folder(std::filesystem::path(path).parent_path().string());
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

std::string end_of_links(std::string path) {
  constexpr int links_max = 40;  // as many as the kernel follows
  for (int followed = 0; followed < links_max; ++followed) {
    std::array<char, PATH_MAX> to{};
    const ssize_t length = ::readlink(path.c_str(), to.data(), to.size());
    if (length <= 0) return path;
    const std::string_view target(to.data(), static_cast<std::size_t>(length));
    path = target.front() == '/' ? std::string(target) : folder_of(path) + std::string(target);
  }
  return path;
}

std::optional<std::string> read_whole(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return file.is_open() ? read_whole(file.number()) : std::nullopt;
}

std::optional<std::string> read_whole(int descriptor) {
  std::string content;
  std::array<char, 16 * 1024> piece;
  for (;;) {
    const ssize_t length = ::read(descriptor, piece.data(), piece.size());
    if (length < 0) return std::nullopt;
    if (length == 0) return content;
    content.append(piece.data(), static_cast<std::size_t>(length));
  }
}

std::string read_small(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) return {};
  std::string content(small_file_max, '\0');
  const ssize_t length = ::read(file.number(), content.data(), content.size());
  content.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return content;
}

}  // namespace watcher
