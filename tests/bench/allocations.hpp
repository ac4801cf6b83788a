#pragma once

#include <cstddef>

// How often this program has allocated memory with new so far.
std::size_t allocations();
