#include "rules/engine/evidence/uptime.hpp"

namespace rules {

void Uptime::watch(const std::set<ProbeName>& probes) {
  const std::map<ProbeName, Seen> old = std::exchange(seen_, {});
  order_.clear();
  down_ = 0;
  unknown_ = 0;
  for (const ProbeName& probe : probes) {
    seen_.emplace(probe, Seen{});
    ++unknown_;
    if (const auto known = old.find(probe); known != old.end()) saw(probe, known->second.up, known->second.until);
  }
}

void Uptime::saw(const ProbeName& probe, Up up, Instant until) {
  const auto found = seen_.find(probe);
  if (found == seen_.end()) return;
  Seen& seen = found->second;
  if (seen.up != Up::unknown) order_.erase({seen.until, probe});
  if (seen.up == Up::down) --down_;
  if (seen.up == Up::unknown) --unknown_;
  seen = {up, until};
  if (up != Up::unknown) order_.emplace(until, probe);
  if (up == Up::down) ++down_;
  if (up == Up::unknown) ++unknown_;
}

std::vector<ProbeName> Uptime::take_stale(Instant now) {
  std::vector<ProbeName> out;
  while (!order_.empty() && order_.begin()->first <= now) {
    out.push_back(order_.begin()->second);
    saw(out.back(), Up::unknown, Instant::max());
  }
  return out;
}

Up Uptime::worst() const {
  if (down_ > 0) return Up::down;
  return unknown_ > 0 || seen_.empty() ? Up::unknown : Up::up;
}

}  // namespace rules
