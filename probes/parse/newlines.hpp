#pragma once

#include <cstddef>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace probes {

inline constexpr std::size_t newlines_size = 64;  // bytes that are looked at together

// Which of the bytes from `at` on are line feeds: the first one is the lowest bit. A page of metrics is little else
// than line after line, and one look at 64 bytes costs half of what a search for each line's end does.
#ifdef __SSE2__
inline std::uint64_t newlines_of_16(const char* at) {
  const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i_u*>(static_cast<const void*>(at)));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))));
}

inline std::uint64_t newlines(const char* at) {
  return newlines_of_16(at) | newlines_of_16(at + 16) << 16 | newlines_of_16(at + 32) << 32 |
         newlines_of_16(at + 48) << 48;
}
#else
inline std::uint64_t newlines(const char* at) {
  std::uint64_t found = 0;
  for (std::size_t i = 0; i < newlines_size; ++i) found |= static_cast<std::uint64_t>(at[i] == '\n') << i;
  return found;
}
#endif

}  // namespace probes
