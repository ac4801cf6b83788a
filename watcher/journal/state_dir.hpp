#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "watcher/journal/files.hpp"
#include "watcher/journal/journal.hpp"

namespace watcher {

// Which file a path stands for.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileId&) const = default;
};

// The state directory, locked for one watcher, with what lies in it besides the database.
class StateDir {
 public:
  // Room for intents and outcomes when everything else has filled the disk.
  static constexpr std::int64_t reserve_bytes = 16 * 1024 * 1024;

  // Makes the directory when there is none and takes its lock. `host_copy`: see host_copy_place().
  static std::variant<StateDir, JournalFault> take(const std::string& path, const std::string& host_copy);

  const std::string& path() const { return path_; }
  std::string database() const { return path_ + "/rollbackd.db"; }
  // The second copy of what keeps us from acting twice.
  std::string guards() const { return path_ + "/guards"; }
  // A third one, elsewhere; empty: there is no place for it.
  const std::string& host_copy() const { return host_copy_; }

  // To be called once the database is open.
  void remember_database();
  // Whether the lock is where it was made: else the whole directory is another one, perhaps of another watcher.
  bool is_in_place() const;
  // Which of the database, its -wal and -shm is not the file that was opened any more: what is written into a removed
  // file is lost. Empty: all are.
  std::string exchanged_file() const;
  // The same of the second copy. To be remembered whenever it was written.
  void remember_guards();
  bool guards_exchanged() const;

  bool reserve_held() const;
  // nullopt when the reserve is there afterwards.
  std::optional<JournalFault> make_reserve();
  void release_reserve();
  // Whether the file system has room for the reserve and as much besides.
  bool has_room_for_reserve() const;

  // Why the database is missing though an earlier run had one, for people; empty: it is there, or this is a first
  // start.
  std::string why_database_vanished() const;

  // The mark of a set-aside database, a file of its own so that it is durable before anything is moved.
  bool observe_only() const;
  std::string why_observe_only() const;  // as it was marked
  std::optional<JournalFault> mark_observe_only(const std::string& why);
  std::optional<JournalFault> clear_observe_only();

  // Moves the database with its -wal and -shm to the first free name rollbackd.db.damaged-N and returns that; empty:
  // there was nothing to move.
  std::variant<std::string, JournalFault> set_database_aside();
  // Moves the second copy to the first free name guards.damaged-N.
  std::optional<JournalFault> set_guards_aside();

 private:
  StateDir(std::string path, std::string host_copy, Descriptor lock)
      : path_(std::move(path)), host_copy_(std::move(host_copy)), lock_(std::move(lock)) {}

  std::string reserve() const { return path_ + "/reserve"; }
  std::string observe_mark() const { return path_ + "/observe-only"; }

  std::string path_;
  std::string host_copy_;
  Descriptor lock_;
  FileId guards_id_;
  std::array<FileId, 3> opened_{};  // as database_suffixes; zeros: it was not there
};

}  // namespace watcher
