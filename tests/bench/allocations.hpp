#pragma once

#include <cstddef>

// How often this program has allocated memory with new so far, and how many bytes altogether.
std::size_t allocations();
std::size_t allocated_bytes();
