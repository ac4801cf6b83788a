#include "watcher/run/memory_reserve.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>

namespace watcher {

namespace {

constinit std::atomic<void*> reserve = nullptr;

// Called by operator new when there is no memory; it tries again after this has returned.
void spend_reserve() {
  void* const held = reserve.exchange(nullptr);
  if (held == nullptr) throw std::bad_alloc();
  std::free(held);
}

}  // namespace

MemoryReserve::MemoryReserve() {
  reserve = std::malloc(size);
  std::set_new_handler(spend_reserve);
}

MemoryReserve::~MemoryReserve() {
  std::set_new_handler(nullptr);
  std::free(reserve.exchange(nullptr));
}

bool MemoryReserve::spent() const { return reserve == nullptr; }

bool MemoryReserve::take_again() {
  if (!spent()) return true;
  reserve = std::malloc(size);
  return !spent();
}

}  // namespace watcher
