#pragma once

#include <chrono>
#include <cstdint>

namespace rules {

// The watcher's timeline: nanoseconds since the Unix epoch, read once from the wall clock at a start and advanced
// by the monotonic clock from then on, so that it never jumps while the program runs.
// It has no now(): in rules/ time is an argument, and the compiler checks that.
struct Timeline {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Timeline>;
  static constexpr bool is_steady = true;
};

using Instant = Timeline::time_point;
using Duration = Timeline::duration;

constexpr double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
constexpr Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}
constexpr double unix_seconds(Instant t) { return seconds(t.time_since_epoch()); }
constexpr Instant from_unix_seconds(double s) { return Instant(from_seconds(s)); }

}  // namespace rules
