#include "watcher/steps/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "probes/net/blocking.hpp"

namespace watcher {

namespace {

constexpr const char* partial = ".partial";
constexpr const char* failed = ".failed";

// What a failed command wrote is for people to look at, and a dump can be as large as the disk.
constexpr off_t failed_max = 16 * 1024 * 1024;  // bytes

std::string failure(const std::string& attempt, int error) {
  return attempt + ": " + std::generic_category().message(error);
}

// On a thread: a dump of many gigabytes takes its time. 0, else the error's number; nullopt when it took too long.
asio::awaitable<std::optional<int>> synced(int descriptor, rules::Duration limit) {
  probes::Blocking blocking;
  const auto error = std::make_shared<int>(0);
  // A number of its own, for the thread may come to it when ours is closed.
  const auto own = std::make_shared<Descriptor>(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (!own->is_open()) co_return errno;
  std::function<void()> work = [error, own] { *error = ::fsync(own->number()) == 0 ? 0 : errno; };
  const bool done = co_await blocking.run(std::move(work), limit);
  std::optional<int> ended;
  // A pipe or a file system without it has nothing to be synced.
  if (done) ended = *error == EINVAL || *error == EROFS ? 0 : *error;
  co_return ended;
}

// What such a name leads to is an open file of ours or a device: it is written to, and not exchanged.
bool is_of_the_kernel(std::string_view path) { return path.starts_with("/dev/") || path.starts_with("/proc/"); }

}  // namespace

OutputFile::OutputFile(std::string path) : path_(is_of_the_kernel(path) ? path : end_of_links(path)) {
  name_ = path_.substr(path_.rfind('/') + 1);
}

std::optional<std::string> OutputFile::begin() {
  struct stat found {};
  is_there_ = ::stat(path_.c_str(), &found) == 0;
  is_direct_ = is_there_ && (!S_ISREG(found.st_mode) || is_of_the_kernel(path_));
  if (is_direct_) {
    // A pipe that nobody reads is an error, not a wait; who writes to it waits as ever.
    partial_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK));
    if (!partial_.is_open()) return failure("open " + path_, errno);
    ::fcntl(partial_.number(), F_SETFL, O_APPEND);
    return std::nullopt;
  }
  const std::string folder = folder_of(path_);
  folder_ = Descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder_.is_open()) return failure("open the folder " + folder, errno);
  // What is there already may be somebody's link to another place, or what a killed watcher's command still writes to.
  ::unlinkat(folder_.number(), beside(partial).c_str(), 0);
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  partial_ = Descriptor(::openat(folder_.number(), beside(partial).c_str(), flags, private_file));
  if (!partial_.is_open()) return failure("create " + shown(partial), errno);
  if (!is_there_) return std::nullopt;
  constexpr mode_t permissions = 0777;
  // The owner first: changing it takes bits away. Without the right to it the file stays ours, as a copy would.
  const bool owned = ::fchown(partial_.number(), found.st_uid, found.st_gid) == 0;
  const mode_t mode = owned ? found.st_mode & permissions : found.st_mode & permissions & ~mode_t{077};
  ::fchmod(partial_.number(), mode);
  return std::nullopt;
}

asio::awaitable<std::optional<std::string>> OutputFile::put_in_place(rules::Duration limit) {
  std::optional<std::string> trouble;
  if (is_direct_) co_return trouble;
  const std::optional<int> error = co_await synced(partial_.number(), limit);
  if (!error) trouble = "sync " + shown(partial) + ": it is not on the disk after " + rules::to_string(limit);
  if (error && *error != 0) trouble = failure("sync " + shown(partial), *error);
  const int in = folder_.number();
  if (!trouble && ::renameat(in, beside(partial).c_str(), in, name_.c_str()) != 0)
    trouble = failure("rename " + shown(partial) + " to " + path_, errno);
  if (trouble) {
    const std::string kept = set_aside();
    if (!kept.empty()) *trouble += "; " + kept;
    co_return trouble;
  }
  const Descriptor readable(::openat(in, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!readable.is_open()) co_return trouble;  // a folder that we may write and not read
  const std::optional<int> folder_error = co_await synced(readable.number(), limit);
  if (!folder_error || *folder_error != 0) trouble = "sync the folder of " + path_ + ": a power cut may undo it";
  co_return trouble;
}

std::string OutputFile::set_aside() {
  if (is_direct_ || !partial_.is_open()) return {};
  const int in = folder_.number();
  struct stat written {};
  const bool is_seen = ::fstat(partial_.number(), &written) == 0;
  const bool is_empty = is_seen && written.st_size == 0;
  const bool is_cut = is_seen && written.st_size > failed_max && ::ftruncate(partial_.number(), failed_max) == 0;
  const Descriptor closed = std::move(partial_);
  const std::string unchanged = is_there_ ? path_ + " stays as it was" : "";
  if (is_empty) {
    ::unlinkat(in, beside(partial).c_str(), 0);
    return unchanged;
  }
  const bool renamed = ::renameat(in, beside(partial).c_str(), in, beside(failed).c_str()) == 0;
  const std::string what = is_cut ? "the first 16 MiB of what it wrote are in " : "what it wrote is in ";
  const std::string kept = what + shown(renamed ? failed : partial);
  return unchanged.empty() ? kept : kept + ", and " + unchanged;
}

}  // namespace watcher
