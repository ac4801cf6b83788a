// The one file that reads real clocks; a test over the sources holds everything else to that.
#include "watcher/clock.hpp"

#include <chrono>

namespace watcher {

namespace {

using std::chrono::abs;
using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr rules::Duration jump_min = seconds(2);

rules::Duration monotonic() { return steady_clock::now().time_since_epoch(); }
rules::Duration wall() { return system_clock::now().time_since_epoch(); }

}  // namespace

SystemClock::SystemClock()
    : wall_minus_monotonic_(wall() - monotonic()), wall_minus_monotonic_seen_(wall_minus_monotonic_) {}

rules::Instant SystemClock::now() const { return rules::Instant(monotonic() + wall_minus_monotonic_); }

std::optional<rules::Duration> SystemClock::take_jump() {
  const rules::Duration offset = wall() - monotonic();
  const rules::Duration jump = offset - wall_minus_monotonic_seen_;
  if (abs(jump) <= jump_min) return std::nullopt;
  wall_minus_monotonic_seen_ = offset;
  return jump;
}

rules::Instant wall_time_of(rules::Duration moment) { return rules::Instant(wall() - monotonic() + moment); }

}  // namespace watcher
