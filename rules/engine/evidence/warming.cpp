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
  if (excused_.empty()) return false;
  return std::any_of(probes.begin(), probes.end(), [&](const ProbeName& probe) {
    const auto excused = excused_.find(probe);
    return excused != excused_.end() && now < excused->second.until;
  });
}

Instant Warming::next_end(Instant now) const {
  Instant next = Instant::max();
  for (const auto& [probe, excuse] : excused_) {
    if (excuse.until > now) next = std::min(next, excuse.until);
  }
  return next;
}

}  // namespace rules
