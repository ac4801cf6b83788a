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

// The same of the way to a folder that may not be there yet. A group's folder may be on the way where the group is one
// of ours: volumes are made so.
std::optional<std::string> led_by_others(const std::string& folder);

// Whether every user of the host may read the file: it and each folder on its resolved way are open to all. False when
// it does not exist.
bool read_by_all(const std::string& path);

// Where the program is that this name starts: the name itself when it has a slash, else a file in PATH.
std::optional<std::string> find_command(const std::string& program);

// The files that a command's words name to be run, as far as they are there: its program, the script where that is an
// interpreter (`python3 x.py`), and the same of the command behind a program that runs others (`env`, `timeout 5`).
// What is relative is looked for in `dir`. Not what stands inline in a word (`sh -c`), nor what these files name.
std::vector<std::string> files_run(const std::vector<std::string>& argv, const std::string& dir);

struct RunFile {
  std::string path;
  std::string user;  // as whom it is run; empty: as ourselves
};

// All files whose content decides what a command does, each with its user (`sudo -u`, `runuser -u`, `su`): those, the
// interpreters of first lines (`#!`), what options read in (`node -r x`, `make -f x`, `awk -f x`, `docker compose -f
// x`, `ssh -F x -i x`; without -f the file that make or Compose looks for), and the same of every command that a
// shell's script in a word (`sh -c "..."`) names, as far as it can be read without running it: with a path, in PATH,
// behind an interpreter, in every branch of a `case`, in a shell's here-document, in `eval` and `trap`, or read in by
// `.`. What is known only then ("$DIR/x", `echo x | sh`) is not found, nor what these files name.
// `env`: NAME=VALUE of what its environment has besides ours. Of these, of `env NAME=VALUE` and of a script's own
// assignments come files and folders, too: PATH, BASH_ENV, LD_PRELOAD, PYTHONPATH, NODE_OPTIONS, GIT_SSH_COMMAND and
// their like, see environment_says().
std::vector<RunFile> files_run_as(const std::vector<std::string>& argv, const std::string& dir, const std::string& user,
                                  const std::vector<std::string>& env = {});

// The first of files_run_as() that others could change, as changed_by_others() says it.
std::optional<std::string> run_changed_by_others(const std::vector<std::string>& argv, const std::string& dir,
                                                 const std::string& user, const std::vector<std::string>& env = {});

}  // namespace watcher
