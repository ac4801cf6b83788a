#pragma once

#include <optional>

#include "probes/clock.hpp"
#include "rules/base/time.hpp"

namespace watcher {

// The only reader of real clocks: the wall clock once at construction, CLOCK_MONOTONIC from then on.
class SystemClock final : public probes::Clock {
 public:
  SystemClock();
  rules::Instant now() const override;
  // How far wall and monotonic clock have parted since the last call, when by more than 2 s.
  std::optional<rules::Duration> take_jump();

 private:
  rules::Duration wall_minus_monotonic_;       // at construction: defines the timeline
  rules::Duration wall_minus_monotonic_seen_;  // at the last take_jump
};

// When that moment of CLOCK_MONOTONIC, counted from the boot, was by the wall clock as it goes now.
rules::Instant wall_time_of(rules::Duration monotonic);

}  // namespace watcher
