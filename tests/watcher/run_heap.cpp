#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "watcher/run/heap.hpp"

TEST_CASE("blocks that are kept at hand are as large as was asked for, and nobody else's") {
  watcher::keep_freed_blocks();
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    std::byte mark{};
  };
  const auto is_whole = [](const Block& block) {
    for (std::size_t at = 0; at < block.size; ++at) {
      if (block.bytes[at] != block.mark) return false;
    }
    return true;
  };
  std::mt19937 random(11);
  std::vector<Block> blocks;
  bool whole = true;
  for (int i = 0; i < 20'000; ++i) {
    if (!blocks.empty() && random() % 2 == 0) {
      const std::size_t which = random() % blocks.size();
      whole = whole && is_whole(blocks[which]);
      std::swap(blocks[which], blocks.back());
      blocks.pop_back();
    }
    Block block;
    block.size = 1 + random() % 1300;
    block.mark = static_cast<std::byte>(random() % 256);
    block.bytes.reset(new std::byte[block.size]);
    std::memset(block.bytes.get(), static_cast<int>(block.mark), block.size);
    blocks.push_back(std::move(block));
  }
  for (const Block& block : blocks) whole = whole && is_whole(block);
  CHECK(whole);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // a sanitizer has its own

// glibc keeps seven of a size in this order, and gives others away to whoever asks for any size.
TEST_CASE("fifty freed blocks of a size are at hand again, the last one first, however small they are") {
  watcher::keep_freed_blocks();
  constexpr std::size_t count = 50;
  constexpr std::size_t others = 2000;  // what was freed before is not in the way
  std::vector<void*> aside;
  for (const std::size_t size : {1U, 24U, 25U, 100U, 191U, 192U, 500U, 1024U}) {
    CAPTURE(size);
    for (std::size_t i = 0; i < others; ++i) aside.push_back(::operator new(size));
    for ([[maybe_unused]] const bool is_size_told : {true, false}) {
      std::vector<void*> blocks(count);
      for (void*& block : blocks) block = ::operator new(size);
      for (void* const block : blocks) {
#ifdef __cpp_sized_deallocation  // clang has it behind a switch
        if (is_size_told) {
          ::operator delete(block, size);
          continue;
        }
#endif
        ::operator delete(block);
      }
      std::size_t same = 0;
      std::vector<void*> again(count);
      for (std::size_t i = 0; i < count; ++i) {
        again[i] = ::operator new(size);
        if (again[i] == blocks[count - 1 - i]) ++same;
      }
      CHECK(same == count);
      for (void* const block : again) ::operator delete(block);
    }
  }
  for (void* const block : aside) ::operator delete(block);
}

#endif
