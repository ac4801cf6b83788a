#pragma once

#include <cstdint>

namespace rules {

// What was done so far, counted, so that a test can say what a poll costs and what it must not.
struct Work {
  std::uint64_t evaluations = 0;  // of rules
  std::uint64_t incidents = 0;    // looks at an open incident
};

}  // namespace rules
