#pragma once

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

namespace tests {

// Runs `what` on a thread with a network of its own, set up by `commands` of a shell; it is gone with the thread and
// the threads and children that it started. Returns false, and runs nothing, where a user may not have one.
inline bool in_own_network(const std::string& commands, const std::function<void()>& what) {
  bool made = false;
  bool ready = false;
  std::thread inside([&] {
    made = unshare(CLONE_NEWNET) == 0;
    if (!made) return;
    ready = std::system(("set -e\n" + commands).c_str()) == 0;
    if (ready) what();
  });
  inside.join();
  if (!made) MESSAGE("left out: a network of one's own needs root");
  CHECK(ready == made);
  return made;
}

}  // namespace tests
