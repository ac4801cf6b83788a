#pragma once

#include <string>

namespace watcher {

// Why nobody can make a file in the folder, whoever he is: its disk is read-only, or it is /proc. For people; empty:
// neither.
std::string why_keeps_no_files(const std::string& folder);

// Why no watcher of ours would begin with that state directory, and what to do, for people; empty: it would. Others
// could change what is kept in it: it, the database, its -wal and -shm and the guards must belong to root or to us and
// be writable by nobody else, and so must every folder and link on the way, but sticky folders, and those of one of our
// own groups. One that is not there yet is looked at as far as it is.
std::string why_not_trusted(const std::string& state_dir);

// The same, and why it could not be written or made. Makes nothing.
std::string why_not_state_dir(const std::string& state_dir);

}  // namespace watcher
