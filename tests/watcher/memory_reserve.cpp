#include "watcher/run/memory_reserve.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t block = 256 * 1024;

void* volatile kept = nullptr;  // so that no allocation is left out

// In a process of its own, whose address space ends: how many blocks are still to be had, each through operator new.
int blocks_left() {
  int count = 0;
  try {
    for (;; ++count) kept = ::operator new(block);
  } catch (const std::bad_alloc&) {
  }
  return count;
}

// 0: all is as it should be; else the number of what is not.
int live_with_little() {
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  watcher::MemoryReserve reserve;
  if (reserve.spent()) return 1;
  long pages = 0;
  std::FILE* const statm = std::fopen("/proc/self/statm", "r");
  const bool is_read = statm != nullptr && std::fscanf(statm, "%ld", &pages) == 1;
  if (!is_read) return 2;
  std::fclose(statm);
  limit.rlim_cur = static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE)) + 64 * block;
  ::setrlimit(RLIMIT_AS, &limit);
  // What the tests before have left free is used up first.
  constexpr int most = 16 * 1024;
  int count = 0;
  for (; !reserve.spent() && count < most; ++count) kept = ::operator new(block);
  if (!reserve.spent()) return 3;
  // The allocation that would have failed did not, and neither do those after it.
  const int more = blocks_left();
  if (more < static_cast<int>(watcher::MemoryReserve::size / block) / 2) return 4;
  if (reserve.take_again()) return 5;
  return reserve.spent() ? 0 : 6;
}

}  // namespace

TEST_CASE("when memory runs out the reserve is spent first, and only then do allocations fail") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  MESSAGE("not run: a sanitizer needs address space without end");
#else
  const pid_t child = ::fork();
  REQUIRE(child != -1);
  if (child == 0) ::_exit(live_with_little());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
#endif
}

TEST_CASE("a reserve that is held need not be taken again") {
  watcher::MemoryReserve reserve;
  CHECK_FALSE(reserve.spent());
  CHECK(reserve.take_again());
  CHECK((std::get_new_handler() != nullptr));
}
