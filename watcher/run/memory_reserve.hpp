#pragma once

#include <cstddef>

namespace watcher {

// Memory that is held back for the time when there is none: it is given free when an allocation would fail, so that
// what is being decided and written down then can be finished. Whoever may fail (a poll, an answer, a step) fails when
// that is gone, too. One in a process; allocations of any thread may spend it.
class MemoryReserve {
 public:
  static constexpr std::size_t size = 8 * 1024 * 1024;  // bytes of address space; untouched, it costs nothing else

  MemoryReserve();
  ~MemoryReserve();
  MemoryReserve(const MemoryReserve&) = delete;
  MemoryReserve& operator=(const MemoryReserve&) = delete;

  bool spent() const;
  // Returns whether it is held again.
  bool take_again();
};

}  // namespace watcher
