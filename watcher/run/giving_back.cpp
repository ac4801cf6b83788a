#include "watcher/run/giving_back.hpp"

#include <link.h>
#include <linux/mman.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace watcher {

namespace {

constexpr int large_block = 128 * 1024;  // bytes: glibc's own, until it is raised by what is freed

// Segments that are mapped writable, if only until what they refer to is known, are left alone: they differ from the
// file.
int give_back_pages(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // where it may not be, nothing happens
  }
  return 0;
}

constexpr std::uintptr_t huge_page = 2 * 1024 * 1024;  // bytes

// Whether hardly anything of it would have to be added.
bool is_in_use(std::uintptr_t begin) {
  constexpr std::size_t page_min = 4096;  // bytes
  constexpr auto missing_max = 16;        // pages, a thirtieth of it
  std::array<unsigned char, huge_page / page_min> pages;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto count = static_cast<std::ptrdiff_t>(huge_page / page);
  if (page < page_min || ::mincore(reinterpret_cast<void*>(begin), huge_page, pages.data()) != 0) return false;
  return count - std::count_if(pages.begin(), pages.begin() + count, [](unsigned char one) { return one & 1U; }) <=
         missing_max;
}

// What a poll needs is spread over the whole heap, and to find out where each page of it is costs a twentieth of the
// poll. Where the kernel has no huge pages, all stays as it is.
void join_pages() {
  const auto end = reinterpret_cast<std::uintptr_t>(::sbrk(0));
  const std::uintptr_t used = ::mallinfo2().arena;
  for (std::uintptr_t at = (end - used + huge_page - 1) & ~(huge_page - 1); at + huge_page <= end; at += huge_page) {
    if (is_in_use(at)) ::madvise(reinterpret_cast<void*>(at), huge_page, MADV_COLLAPSE);
  }
}

}  // namespace

void give_back_large_blocks() { ::mallopt(M_MMAP_THRESHOLD, large_block); }

void give_back_what_is_over() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(give_back_pages, nullptr);
  join_pages();
}

}  // namespace watcher
