#include "allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

constinit std::atomic<std::size_t> count = 0;
constinit std::atomic<std::size_t> bytes = 0;

}  // namespace

std::size_t allocations() { return count; }
std::size_t allocated_bytes() { return bytes; }

void* operator new(std::size_t size) {
  ++count;
  bytes += size;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }

void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
