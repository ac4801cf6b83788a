#include "rules/engine/evidence/uptime.hpp"

#include <utility>

namespace rules {

void Uptime::watch(const std::set<ProbeName>& probes) {
  const auto old = std::exchange(seen_, {});
  const auto old_stale = std::exchange(stale_, {});
  down_ = 0;
  unknown_ = 0;
  for (const ProbeName& probe : probes) {
    seen_.emplace(probe, Up::unknown);
    ++unknown_;
    const auto known = old.find(probe);
    if (known != old.end()) saw(probe, known->second, old_stale.of(probe).value_or(Instant::max()));
  }
}

void Uptime::saw(const ProbeName& probe, Up up, Instant until) {
  const auto found = seen_.find(probe);
  if (found == seen_.end()) return;
  if (found->second == Up::down) --down_;
  if (found->second == Up::unknown) --unknown_;
  found->second = up;
  stale_.set(probe, up == Up::unknown ? std::nullopt : std::optional(until));
  if (up == Up::down) ++down_;
  if (up == Up::unknown) ++unknown_;
}

std::vector<ProbeName> Uptime::take_stale(Instant now) {
  std::vector<ProbeName> out = stale_.take(now);
  for (const ProbeName& probe : out) saw(probe, Up::unknown, Instant::max());
  return out;
}

Up Uptime::worst() const {
  if (down_ > 0) return Up::down;
  return unknown_ > 0 || seen_.empty() ? Up::unknown : Up::up;
}

}  // namespace rules
