#pragma once

#include <chrono>

#include "probes/clock.hpp"

namespace tests {

// For tests over real sockets, where time passes by itself.
class RealClock final : public probes::Clock {
 public:
  rules::Instant now() const override { return rules::Instant(std::chrono::steady_clock::now().time_since_epoch()); }
};

}  // namespace tests
