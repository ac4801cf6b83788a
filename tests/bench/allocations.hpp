#pragma once

#include <cstddef>

// How often this program has allocated memory with new so far, and how many bytes altogether.
std::size_t allocations();
std::size_t allocated_bytes();
// How many bytes of that are in use now, with what the allocator rounds up.
std::size_t live_bytes();
