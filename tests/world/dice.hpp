#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/base/time.hpp"

namespace sim {

using namespace std::chrono_literals;
using rules::Duration;
using rules::Instant;

// Chance from a seed: the same numbers with every compiler and library, which the standard distributions do not
// promise.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}

  // splitmix64
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  bool percent(int share) { return static_cast<int>(below(100)) < share; }
  // Whole milliseconds from `least` on, `most` excluded.
  Duration between(Duration least, Duration most) {
    const auto span = static_cast<std::size_t>((most - least) / 1ms);
    return least + std::chrono::milliseconds(span == 0 ? 0 : below(span));
  }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace sim
