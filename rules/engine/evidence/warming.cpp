#include "rules/engine/evidence/warming.hpp"

namespace rules {

void Warming::begin(const std::set<ProbeName>& probes, Instant since, Instant until) {
  for (const ProbeName& probe : probes) excused_[probe] = {since, until};
  since_ = since;
  healthy_.reset();
}

void Warming::begin_where_up(const std::set<ProbeName>& probes, Instant since, Instant until) {
  for (const ProbeName& probe : probes) excused_.try_emplace(probe, Excuse{since, until});
  since_ = since;
  healthy_.reset();
}

bool Warming::polled(const Poll& poll) {
  const bool is_up = poll.up == Up::up;
  const bool is_health = poll.probe == health_;
  if (is_health && is_up && !healthy_ && poll.started >= since_) healthy_ = poll.ended;
  const auto excused = excused_.find(poll.probe);
  if (excused == excused_.end() || poll.started < excused->second.since) return false;
  bool is_over = is_health || !health_ ? is_up : healthy_ && poll.started >= *healthy_;
  is_over = is_over || (is_up && poll.started >= excused->second.until);  // over by its time: the next one begins anew
  if (is_over) excused_.erase(excused);
  return is_over;
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

std::optional<Instant> Warming::end_of(const std::set<ProbeName>& probes, Instant now) const {
  std::optional<Instant> end;
  for (const auto& [probe, excuse] : excused_) {
    if (excuse.until > now && probes.contains(probe)) end = std::max(end.value_or(excuse.until), excuse.until);
  }
  return end;
}

}  // namespace rules
