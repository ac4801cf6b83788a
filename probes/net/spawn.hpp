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

// posix_spawn into a process group of its own with default signal dispositions, nothing
// inherited but umask, limits, priority, blocked signals, environment and the three standard streams.
SpawnAttempt spawn_child(const ChildSpec& spec);

}  // namespace probes
