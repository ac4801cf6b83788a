#pragma once

#include <optional>
#include <string>
#include <vector>

namespace watcher {

// Who else could change what the path leads to, as a clause: "/opt/x can be written by other users; chmod go-w /opt/x".
// Every folder and every symbolic link on the way must belong to root or to us, and no folder or file may be writable
// by others: whoever can exchange a link decides what is at its end (the rule of sshd for its files and of keepalived
// for its scripts). A sticky folder may be writable, because others cannot replace what is not theirs in it. nullopt:
// safe, or it does not exist. `user`: whose it may also be, because it is run as that user; empty: nobody's.
std::optional<std::string> changed_by_others(const std::string& path, const std::string& user);

// Whether every user of the host may read the file: it and each folder on its resolved way are open to all. False when
// it does not exist.
bool read_by_all(const std::string& path);

// Where the program is that this name starts: the name itself when it has a slash, else a file in PATH.
std::optional<std::string> find_command(const std::string& program);

// The files whose content decides what a command does, as far as they are there: its program, the script where that is
// an interpreter (`python3 x.py`), and the same of the command behind one that runs others (`env`, `timeout 5`). What
// is relative is looked for in `dir`. Not what stands inline in a word (`sh -c`).
std::vector<std::string> files_run(const std::vector<std::string>& argv, const std::string& dir);

// The same of every command that a shell's script in a word (`sh -c "..."`) names, as far as it can be read without
// running it: with a path, in PATH, behind an interpreter, or read in by `.`. What is known only then ("$DIR/x"), and
// what comes after a `case` or a here-document, is not found.
std::vector<std::string> files_run_inline(const std::vector<std::string>& argv, const std::string& dir);

// The first of files_run() and files_run_inline() that others could change, as changed_by_others() says it.
std::optional<std::string> run_changed_by_others(const std::vector<std::string>& argv, const std::string& dir,
                                                 const std::string& user);

}  // namespace watcher
