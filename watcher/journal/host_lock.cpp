#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "watcher/journal/at_work.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/journal/journal.hpp"

namespace watcher {

namespace {

constexpr std::size_t holder_max = 200;  // bytes shown of what another process wrote
constexpr unsigned shared_mode = 0666;   // watchers of several users share the lock

std::string lock_path() {
  const char* configured = std::getenv("ROLLBACKD_HOST_LOCK");
  if (configured != nullptr && *configured != '\0') return configured;
  std::error_code error;
  // Chosen by what is there and not by what may be written: everybody on the host must come to the same file.
  if (std::filesystem::is_directory("/run/lock", error)) return "/run/lock/rollbackd-host.lock";
  return "/tmp/rollbackd-host.lock";
}

// Without O_CREAT first: in a sticky folder the kernel refuses it for a file of another user (fs.protected_regular).
// flock needs no right to write.
Descriptor open_lock(const std::string& path) {
  for (const int flags : {O_RDWR, O_RDONLY, O_RDWR | O_CREAT}) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, shared_mode);
    if (number < 0) continue;
    if ((flags & O_CREAT) != 0) ::fchmod(number, shared_mode);  // past the umask
    return Descriptor(number);
  }
  return Descriptor();
}

std::string printable(std::string text) {
  text.resize(std::min({text.size(), holder_max, text.find('\n')}));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// What was done under the lock by a holder that was killed, if it still is. It is only kept out of the way of, never
// ended: everybody on the host may write this file.
std::optional<AtWork> left_in(const std::string& lock) {
  const std::string text = read_small(lock);
  const std::size_t first_end = text.find('\n');
  if (first_end == std::string::npos) return std::nullopt;
  std::optional<AtWork> found = at_work_in(std::string_view(text).substr(first_end + 1));
  if (found && !probes::is_running(found->process)) found.reset();
  return found;
}

class FileHostLock final : public HostLock {
 public:
  FileHostLock(Descriptor file, const std::string& purpose)
      : file_(std::move(file)),
        holder_("pid " + std::to_string(::getpid()) + ", uid " + std::to_string(::getuid()) + ": " + purpose + "\n") {
    // For the message of whoever has to wait; the lock holds without it.
    if (::ftruncate(file_.number(), 0) == 0) write(holder_);
  }
  ~FileHostLock() override { static_cast<void>(::ftruncate(file_.number(), 0) == 0); }

  // In one piece, so that a kill cannot come in between.
  void note(const AtWork& at_work) override { write(holder_ + line_of(at_work) + "\n"); }

 private:
  void write(const std::string& text) const {
    static_cast<void>(::pwrite(file_.number(), text.data(), text.size(), 0) > 0);
  }

  Descriptor file_;
  std::string holder_;  // the file's first line
};

}  // namespace

std::unique_ptr<HostLock> HostLock::try_take(const std::string& purpose, std::string& holder) {
  const std::string path = lock_path();
  Descriptor file = open_lock(path);
  if (!file.is_open()) {
    holder =
        file_fault("open the host's lock " + path, errno, "set ROLLBACKD_HOST_LOCK to a file that can be opened").what;
    return nullptr;
  }
  if (::flock(file.number(), LOCK_EX | LOCK_NB) == 0) {
    const std::optional<AtWork> left = left_in(path);
    if (!left) return std::make_unique<FileHostLock>(std::move(file), purpose);
    holder = "pid " + std::to_string(left->process.pid) +
             ", which a watcher that was killed left at work for incident " + printable(left->step.incident.text);
    return nullptr;
  }
  if (errno != EWOULDBLOCK) {
    holder = file_fault("lock " + path, errno, "its file system must support flock").what;
    return nullptr;
  }
  const std::string who = printable(read_small(path));
  holder = who.empty() ? "another process that holds " + path : who;
  return nullptr;
}

}  // namespace watcher
