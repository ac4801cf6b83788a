#include "watcher/journal/state_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "watcher/journal/state_dir_trust.hpp"

namespace watcher {

namespace {

// The database itself goes last: as long as it is there the next start finds the damage again.
constexpr std::array<const char*, 3> database_suffixes{"-wal", "-shm", ""};

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// Zeros when there is none.
FileId id_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino};
}

// FILE.damaged-N with the first N of which there is nothing yet.
std::string free_name(const std::string& file) {
  int number = 1;
  const auto name = [&] { return file + ".damaged-" + std::to_string(number); };
  while (exists(name())) ++number;
  return name();
}

void write_pid(int descriptor) {
  const std::string text = std::to_string(::getpid()) + "\n";
  // The lock is the flock; the number is for the message only, so that a full disk does not matter here.
  if (::ftruncate(descriptor, 0) == 0) static_cast<void>(::pwrite(descriptor, text.data(), text.size(), 0) > 0);
}

JournalFault locked_fault(const std::string& path, const std::string& lock) {
  std::string pid = read_small(lock);
  while (!pid.empty() && (pid.back() < '0' || pid.back() > '9')) pid.pop_back();
  return {.what = "lock " + lock + ": held by another watcher" + (pid.empty() ? "" : " (pid " + pid + ")") +
                  "; one watcher per state directory: stop that one, or give this one another state_dir than " + path};
}

}  // namespace

std::variant<StateDir, JournalFault> StateDir::take(const std::string& path, const std::string& host_copy) {
  // Before anything is made where somebody else may lead us.
  if (std::string why = why_not_trusted(path); !why.empty()) return JournalFault{.what = std::move(why)};
  if (auto fault = make_folder(path, private_folder)) return *fault;
  if (std::string why = why_not_trusted(path); !why.empty()) return JournalFault{.what = std::move(why)};
  const std::string lock = path + "/lock";
  Descriptor descriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_file));
  if (!descriptor.is_open())
    return file_fault("open " + lock, errno, "state_dir must be a directory that the watcher can write");
  if (::flock(descriptor.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return locked_fault(path, lock);
    return file_fault("lock " + lock, errno, "the file system of state_dir must support flock");
  }
  write_pid(descriptor.number());
  return StateDir(path, host_copy, std::move(descriptor));
}

void StateDir::remember_database() {
  for (std::size_t i = 0; i < opened_.size(); ++i) opened_.at(i) = id_of(database() + database_suffixes.at(i));
}

bool StateDir::is_in_place() const {
  struct stat lock {};
  if (::fstat(lock_.number(), &lock) != 0) return false;
  return id_of(path_ + "/lock") == FileId{lock.st_dev, lock.st_ino};
}

void StateDir::remember_guards() { guards_id_ = id_of(guards()); }
bool StateDir::guards_exchanged() const { return guards_id_ != FileId() && id_of(guards()) != guards_id_; }

std::string StateDir::exchanged_file() const {
  for (std::size_t i = 0; i < opened_.size(); ++i) {
    const std::string file = database() + database_suffixes.at(i);
    const bool was_there = opened_.at(i) != FileId();
    if (was_there && id_of(file) != opened_.at(i)) return file;
  }
  return "";
}

bool StateDir::reserve_held() const {
  struct stat status {};
  return ::stat(reserve().c_str(), &status) == 0 && status.st_size >= reserve_bytes;
}

std::optional<JournalFault> StateDir::make_reserve() {
  if (reserve_held()) return std::nullopt;
  const Descriptor file(::open(reserve().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_file));
  if (!file.is_open()) return file_fault("create " + reserve(), errno, "check that state_dir can be written");
  const int error = ::posix_fallocate(file.number(), 0, reserve_bytes);
  if (error == 0) return std::nullopt;
  release_reserve();
  return file_fault("allocate 16 MiB for " + reserve(), error, "make room on its file system");
}

void StateDir::release_reserve() { ::unlink(reserve().c_str()); }

bool StateDir::has_room_for_reserve() const {
  struct statvfs room {};
  if (::statvfs(path_.c_str(), &room) != 0) return false;
  return room.f_bavail * room.f_frsize >= 2 * static_cast<std::uint64_t>(reserve_bytes);
}

// What only a run leaves behind. The lock is not among them: it is made before the database, also by a start that
// then fails, and so is the spool, which commands fill while no watcher runs.
std::string StateDir::why_database_vanished() const {
  std::error_code error;
  const bool is_there = exists(database());
  if (is_there && std::filesystem::file_size(database(), error) > 0) return "";
  std::string trace;
  for (const char* name : {"reserve", "samples", "incidents", "at-work", "guards", "rollbackd.db-wal"}) {
    if (trace.empty() && exists(path_ + "/" + name)) trace = name;
  }
  if (trace.empty()) return "";
  return std::string(is_there ? "it is empty" : "it is missing") + ", but " + trace + " of an earlier run is beside it";
}

bool StateDir::observe_only() const { return exists(observe_mark()); }

std::string StateDir::why_observe_only() const {
  std::string why = read_small(observe_mark());
  while (!why.empty() && why.back() == '\n') why.pop_back();
  return why;
}

std::optional<JournalFault> StateDir::mark_observe_only(const std::string& why) {
  return write_whole(observe_mark(), why + "\n", private_file);
}

std::optional<JournalFault> StateDir::clear_observe_only() {
  if (::unlink(observe_mark().c_str()) == 0) return sync_folder(path_);
  if (errno == ENOENT) return std::nullopt;
  return file_fault("remove " + observe_mark(), errno, "check that state_dir can be written");
}

std::variant<std::string, JournalFault> StateDir::set_database_aside() {
  const std::string aside = free_name(database());
  bool is_moved = false;
  for (const char* suffix : database_suffixes) {
    if (::rename((database() + suffix).c_str(), (aside + suffix).c_str()) == 0)
      is_moved = true;
    else if (errno != ENOENT)
      return file_fault("move the damaged " + database() + suffix + " aside", errno, "move it away by hand");
  }
  if (auto fault = sync_folder(path_)) return *fault;
  return is_moved ? aside : std::string();
}

std::optional<JournalFault> StateDir::set_guards_aside() {
  if (::rename(guards().c_str(), free_name(guards()).c_str()) == 0 || errno == ENOENT) return std::nullopt;
  return file_fault("move the damaged " + guards() + " aside", errno, "move it away by hand");
}

}  // namespace watcher
