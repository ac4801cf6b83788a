#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "watcher/journal/at_work.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/journal/journal.hpp"
#include "watcher/journal/lock_place.hpp"

namespace watcher {

namespace {

constexpr std::size_t holder_max = 200;  // bytes shown of what another process wrote
constexpr unsigned lock_mode = 0660;     // for the group of its folder, see LockPlace

// As its folder's group may use it. Of a file that is not ours the owner has seen to that.
void give_to_group(int file, const std::string& path) {
  struct stat folder {};
  struct stat status {};
  if (::fstat(file, &status) != 0 || status.st_uid != ::geteuid()) return;
  if (::stat(std::filesystem::path(path).parent_path().c_str(), &folder) == 0 && folder.st_gid != status.st_gid)
    static_cast<void>(::fchown(file, static_cast<uid_t>(-1), folder.st_gid) == 0);
  if ((status.st_mode & ALLPERMS) != lock_mode) static_cast<void>(::fchmod(file, lock_mode) == 0);  // past the umask
}

// Without O_CREAT first: in a sticky folder the kernel refuses it for a file of another user (fs.protected_regular).
// flock needs no right to write.
Descriptor open_lock(const std::string& path) {
  for (const int flags : {O_RDWR, O_RDONLY, O_RDWR | O_CREAT}) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, lock_mode);
    if (number < 0) continue;
    give_to_group(number, path);
    return Descriptor(number);
  }
  return Descriptor();
}

// Whom others may keep waiting with it; empty: nobody whom the owner did not let in.
std::string why_untrusted(int file, const std::string& path) {
  struct stat status {};
  if (::fstat(file, &status) != 0)
    return file_fault("look at the host's lock " + path, errno, "look at its file system").what;
  if (S_ISREG(status.st_mode) && (status.st_mode & S_IRWXO) == 0) return {};
  return "the host's lock " + path + " is open to everybody, who could hold it for ever; chmod 660 " + path;
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
// ended: a whole group may write this file.
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

struct Opened {
  std::string path;
  Descriptor file;
  std::string refused;  // the file is not open then
};

Opened open_place(const std::string& state_dir) {
  LockPlace place = host_lock_place(state_dir);
  Opened out{std::move(place.path), Descriptor(), std::move(place.refused)};
  if (!out.refused.empty()) return out;
  Descriptor file = open_lock(out.path);
  if (file.is_open())
    out.refused = why_untrusted(file.number(), out.path);
  else
    out.refused =
        file_fault("open the host's lock " + out.path, errno, "set ROLLBACKD_HOST_LOCK to a file that can be opened")
            .what;
  if (out.refused.empty()) out.file = std::move(file);
  return out;
}

}  // namespace

std::string why_no_host_lock(const std::string& state_dir) { return open_place(state_dir).refused; }

std::unique_ptr<HostLock> HostLock::try_take(const std::string& purpose, const std::string& state_dir,
                                             std::string& holder) {
  Opened opened = open_place(state_dir);
  if (!opened.file.is_open()) {
    holder = std::move(opened.refused);
    return nullptr;
  }
  const std::string& path = opened.path;
  if (::flock(opened.file.number(), LOCK_EX | LOCK_NB) == 0) {
    const std::optional<AtWork> left = left_in(path);
    if (!left) return std::make_unique<FileHostLock>(std::move(opened.file), purpose);
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
