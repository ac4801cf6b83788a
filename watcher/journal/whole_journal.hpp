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

// Whether the file still holds what was saved, read anew by a connection of its own. nullopt: it does.
std::optional<JournalFault> find_damage(const std::string& path, const Guards& saved);

// Durable on return. nullopt on success.
std::optional<JournalFault> write_guards(const StateDir& dir, const Guards& guards);

}  // namespace watcher
