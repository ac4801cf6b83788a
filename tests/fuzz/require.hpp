#pragma once

#include <cstdio>
#include <cstdlib>

// What must hold for every input; stops the fuzzer, which keeps the input.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}
