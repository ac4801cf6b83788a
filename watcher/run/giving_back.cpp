#include "watcher/run/giving_back.hpp"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

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

}  // namespace

void give_back_large_blocks() { ::mallopt(M_MMAP_THRESHOLD, large_block); }

void give_back_what_is_over() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(give_back_pages, nullptr);
}

}  // namespace watcher
