#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "watcher/journal/guards.hpp"
#include "watcher/journal/journal.hpp"

namespace watcher {

// A third copy of Guards, outside of the state directory: where that is moved away or emptied and the watcher is killed
// before it sees it, the next start would take it for a first one. It lies beside the host's lock, usually on a disk in
// memory, so that a reboot forgets it: it is there against mishaps of one host's life, and asks for no fsync.

// The file for this state directory; empty: there is no place that outlives the directory. It is named by the path, and
// by the folder that the directory is in: containers that share a lock have the same paths for other directories.
std::string host_copy_place(const std::string& state_dir);

// What a file says; nullopt: there is none, it is not whole, or others could have written it.
std::optional<Guards> read_host_copy(const std::string& file);

// Journal::open() with that file beside it: what it says was decided must be there, also where the whole directory is
// gone, or it is begun anew and only observed. Empty: none.
Journal::Opened open_beside(const std::string& state_dir, const std::string& host_copy);

// Where it cannot be written what can be known at a start is less. false: it was not, errno says why.
bool write_host_copy(const std::string& file, const Guards& guards);

}  // namespace watcher
