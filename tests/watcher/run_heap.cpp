#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <memory>
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
