#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>

#include "watcher/notify/workers.hpp"

namespace {

// In a process of its own, which is killed where it hangs. Its exit code; -1: it was killed.
int in_child(const std::function<bool()>& holds) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(holds() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// No stack of a thread fits in any more, but for those that are kept of threads that have ended.
void take_all_room() {
  const rlimit none{1, 1};
  setrlimit(RLIMIT_AS, &none);
}

}  // namespace

TEST_CASE("work is done by as many threads as there may be, and all of it before the end") {
  std::atomic<int> done = 0;
  {
    watcher::Workers workers(3);
    CHECK(workers.prepare());
    for (int i = 0; i < 50; ++i) CHECK(workers.post([&] { ++done; }));
  }
  CHECK(done == 50);
}

TEST_CASE("where no more threads can be had those that are there do the work") {
  const int status = in_child([] {
    std::atomic<int> done = 0;
    {
      watcher::Workers workers(8);
      if (!workers.prepare()) return false;
      take_all_room();
      for (int i = 0; i < 20; ++i) {
        if (!workers.post([&] { ++done; })) return false;
      }
    }
    return done == 20;
  });
  CHECK(status == 0);
}

TEST_CASE("where no thread at all can be had work is refused, and nobody waits for it") {
  const int status = in_child([] {
    std::atomic<int> done = 0;
    int taken = 0;
    {
      watcher::Workers workers(100);
      take_all_room();
      for (int i = 0; i < 20; ++i) taken += workers.post([&] { ++done; }) ? 1 : 0;
    }
    return done == taken;
  });
  CHECK(status == 0);
}
