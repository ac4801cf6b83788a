#pragma once

#include <optional>
#include <string>
#include <variant>

#include "watcher/journal/guards.hpp"
#include "watcher/journal/sqlite_journal.hpp"

namespace watcher {

// A database that holds everything that was ever saved as far as can be told, or one that is begun anew in place of
// one that does not, which `found` says.
struct WholeJournal {
  Database database;
  JournalState found;
  Guards guards;
};

// Opens the directory's database for writing, and sets it aside when it is damaged or lacks what was saved: by what it
// says of itself, or beside the second copy. A new one begins with what is known from that.
std::variant<WholeJournal, JournalFault> find_whole(StateDir& dir);
// Opens it for reading.
std::variant<WholeJournal, JournalFault> open_to_read(const std::string& path);

// Why the file does not hold what was saved any more, read anew by a connection of its own; a fault: that cannot be
// told now. nullopt: it does.
std::optional<std::variant<Damage, JournalFault>> find_damage(const std::string& path, const Guards& saved);

// In place of a database that was damaged or exchanged while we had it open: sets aside what is there, marks it for
// later starts, and begins a new one with everything that the open connection can still read, or else with what can be
// read of it row by row and with `saved`. A fault leaves what is there as it was.
std::variant<WholeJournal, JournalFault> begin_anew_from(StateDir& dir, const Database& open, const Guards& saved,
                                                         const std::string& why);

// Keeps what the host's copy has to say, as far as it can be written. Until people accept what was begun anew it says
// what is missing: that may come back, as a disk that was not mounted. Why it could not be written, for people; empty:
// it was, or need not be.
std::string keep_host_copy(const StateDir& dir, const Guards& guards);

// With the host's copy. Durable on return. nullopt on success.
std::optional<JournalFault> write_guards(const StateDir& dir, const Guards& guards);

}  // namespace watcher
