#include "allocations.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

constinit std::atomic<std::size_t> count = 0;
constinit std::atomic<std::size_t> bytes = 0;
constinit std::atomic<std::size_t> live = 0;

}  // namespace

std::size_t allocations() { return count; }
std::size_t allocated_bytes() { return bytes; }
std::size_t live_bytes() { return live; }

void* operator new(std::size_t size) {
  ++count;
  bytes += size;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  live += malloc_usable_size(memory);
  return memory;
}

void operator delete(void* memory) noexcept {
  live -= malloc_usable_size(memory);  // 0 of nullptr
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
