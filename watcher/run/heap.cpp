// The program's operator new. glibc keeps seven freed blocks of a size at hand; polls that share a wake-up have dozens
// of each in flight, coroutine frames above all, and what is not at hand costs five times as much.
#include "watcher/run/heap.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // g++
#define ROLLBACKD_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)  // clang
#define ROLLBACKD_SANITIZED
#endif
#endif

#ifdef ROLLBACKD_SANITIZED

// A sanitizer has an operator new of its own, and has to see what is freed.
void watcher::keep_freed_blocks() {}

#else

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t step = 16;          // bytes; blocks are sorted by their size in such steps
constexpr std::size_t most = 1024;        // bytes
constexpr std::size_t kept_of_each = 64;  // blocks of a size: as many as polls that start at once

// A block's class is the largest that fits into it; one is asked for by the smallest that it fits into. glibc's blocks
// have a step's half more than whole steps.
constexpr std::size_t class_of_block(std::size_t usable) { return (usable - step / 2) / step; }
constexpr std::size_t class_of_wish(std::size_t size) {
  return size <= step / 2 ? 1 : (size - step / 2 + step - 1) / step;  // glibc has no smaller block
}

struct Free {
  Free* next;
};

struct Kept {
  Free* first = nullptr;
  std::size_t count = 0;
};

struct AtHand {
  bool on = false;
  std::array<Kept, class_of_wish(most) + 1> blocks{};
};

constinit thread_local AtHand at_hand;

void* take(std::size_t size) {
  Kept& same = at_hand.blocks[class_of_wish(size)];
  Free* const block = same.first;
  if (block == nullptr) return nullptr;
  same.first = block->next;
  --same.count;
  return block;
}

// Among those of a class that it is as large as. False: it has to be freed.
bool keep(void* block, std::size_t which) {
  if (which >= at_hand.blocks.size()) return false;
  Kept& same = at_hand.blocks[which];
  if (same.count == kept_of_each) return false;
  same.first = ::new (block) Free{same.first};
  ++same.count;
  return true;
}

}  // namespace

void watcher::keep_freed_blocks() { at_hand.on = true; }

void* operator new(std::size_t size) {
  if (at_hand.on && size <= most) {
    if (void* const block = take(size)) return block;
  }
  for (;;) {
    if (void* const block = std::malloc(size == 0 ? 1 : size)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void operator delete(void* block) noexcept {
  if (block == nullptr || (at_hand.on && keep(block, class_of_block(malloc_usable_size(block))))) return;
  std::free(block);
}

// Who knows how large it is spares a look at it: what was not touched for a while is not in the cache.
void operator delete(void* block, std::size_t size) noexcept {
  if (block == nullptr || (at_hand.on && keep(block, class_of_wish(size)))) return;
  std::free(block);
}

#endif
