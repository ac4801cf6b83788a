#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "probes/net/child.hpp"

namespace probes {

// A child that was just started. Whoever gets it owns the descriptors and must reap it.
struct Spawned {
  pid_t pid = -1;
  int pidfd = -1;
  int out = -1;  // read end of its standard output; -1 when that goes to a file
  int err = -1;  // read end of its standard error
};

struct SpawnAttempt {
  std::optional<Spawned> spawned;
  std::string error;  // for people, when there is none
  bool command_missing = false;
  bool no_descriptors = false;
};

// The umask that children are started with: what they write is the application's to read, unlike what we write. Until
// it is said they have ours.
void give_children_umask(mode_t mask);

// posix_spawn into a process group of its own with default signal dispositions, an empty signal mask, nothing
// inherited but the three standard streams.
SpawnAttempt spawn_child(const ChildSpec& spec);

}  // namespace probes
