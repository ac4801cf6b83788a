#include "watcher/run/giving_back.hpp"

#include <doctest/doctest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

namespace {

constexpr std::size_t whole = 16 * 1024 * 1024;  // bytes: several huge pages

// Bytes.
std::size_t resident() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0;
  std::size_t pages = 0;
  file >> size >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("what is in use is as it was when what is over has been given back") {
  constexpr std::size_t size = 1000;
  std::vector<std::unique_ptr<char[]>> blocks(whole / size);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i] = std::make_unique<char[]>(size);
    std::memset(blocks[i].get(), static_cast<int>(i % 127), size);
  }
  const std::size_t before = resident();
  watcher::give_back_what_is_over();
  CHECK(resident() < before + whole / 16);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (std::size_t at = 0; at < size; ++at) changed += blocks[i][at] == static_cast<char>(i % 127) ? 0U : 1U;
  }
  CHECK(changed == 0);
}

TEST_CASE("memory that was asked for and hardly used does not become resident by giving back the rest") {
  ::malloc_trim(0);                      // of what tests before this one used
  constexpr std::size_t size = 100'000;  // of the heap, not mapped apart
  std::vector<std::unique_ptr<char[]>> blocks(whole / size);
  for (auto& block : blocks) {
    block = std::make_unique_for_overwrite<char[]>(size);
    block[0] = 1;
  }
  const std::size_t before = resident();
  watcher::give_back_what_is_over();
  CHECK(resident() < before + whole / 16);
}
