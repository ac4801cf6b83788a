#include "rules/engine/evidence/warming.hpp"

namespace rules {

void Warming::begin(const std::set<ProbeName>& probes, Instant since, Instant until) {
  for (const ProbeName& probe : probes) excused_[probe] = {since, until};
}

void Warming::begin_where_up(const std::set<ProbeName>& probes, Instant since, Instant until) {
  for (const ProbeName& probe : probes) excused_.try_emplace(probe, Excuse{since, until});
}

bool Warming::polled(const Poll& poll) {
  const auto excused = excused_.find(poll.probe);
  if (excused == excused_.end() || poll.up != Up::up || poll.started < excused->second.since) return false;
  excused_.erase(excused);
  return true;
}

bool Warming::covers(const std::set<ProbeName>& probes, Instant now) const {
  return std::any_of(excused_.begin(), excused_.end(),
                     [&](const auto& entry) { return now < entry.second.until && probes.contains(entry.first); });
}

Instant Warming::next_end(Instant now) const {
  Instant next = Instant::max();
  for (const auto& [probe, excuse] : excused_) {
    if (excuse.until > now) next = std::min(next, excuse.until);
  }
  return next;
}

}  // namespace rules
