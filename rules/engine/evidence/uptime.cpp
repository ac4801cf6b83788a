#include "rules/engine/evidence/uptime.hpp"

#include <cassert>
#include <utility>

namespace rules {

void Uptime::watch(const std::vector<std::optional<std::size_t>>& before) {
  const std::vector<Up> old = std::exchange(seen_, std::vector<Up>(before.size(), Up::unknown));
  const OrderedTimes old_stale = std::exchange(stale_, {});
  down_ = 0;
  unknown_ = before.size();
  for (std::size_t probe = 0; probe < before.size(); ++probe) {
    if (!before[probe]) continue;
    saw(probe, old[*before[probe]], old_stale.of(*before[probe]).value_or(Instant::max()));
  }
}

void Uptime::saw(std::size_t probe, Up up, Instant until) {
  assert(probe < seen_.size());
  Up& known = seen_[probe];
  if (known == Up::down) --down_;
  if (known == Up::unknown) --unknown_;
  known = up;
  stale_.set(probe, up == Up::unknown ? std::nullopt : std::optional(until));
  if (up == Up::down) ++down_;
  if (up == Up::unknown) ++unknown_;
}

std::vector<std::size_t> Uptime::take_stale(Instant now) {
  std::vector<std::size_t> out = stale_.take(now);
  for (const std::size_t probe : out) saw(probe, Up::unknown, Instant::max());
  return out;
}

Up Uptime::worst() const {
  if (down_ > 0) return Up::down;
  return unknown_ > 0 || seen_.empty() ? Up::unknown : Up::up;
}

}  // namespace rules
