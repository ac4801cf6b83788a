#include "rules/engine/evidence/warming.hpp"

namespace rules {

namespace {

// Somebody listens, be it only what stands in front of what should.
bool is_answered(const Fault& fault) {
  return fault.kind == FaultKind::server_error || fault.kind == FaultKind::contradiction;
}

}  // namespace

void Warming::begin(const std::set<ProbeName>& probes, Instant since, Instant until) {
  for (const ProbeName& probe : probes) excused_[probe] = {since, until};
  since_ = since;
  healthy_.reset();
  our_deed_.reset();
}

void Warming::begin_after(OwnDeed deed, std::optional<Instant> deed_began, const std::set<ProbeName>& probes,
                          Instant since, Instant until) {
  begin(probes, since, until);
  our_deed_ = {deed, deed_began};
  not_up_since_ = probes;
  begun_for_ = probes.size();
}

void Warming::begin_where_up(const std::set<ProbeName>& probes, Instant since, Instant until) {
  for (const ProbeName& probe : probes) excused_.try_emplace(probe, Excuse{since, until});
  since_ = since;
  healthy_.reset();
  our_deed_.reset();
  down_.clear();
}

void Warming::note_down(const Poll& poll) {
  if (poll.up != Up::down && down_.empty()) return;
  const std::pair target{poll.probe, poll.instance};
  if (poll.up != Up::down) return void(down_.erase(target));
  Down& down = down_.try_emplace(target, Down{poll.started, {}}).first->second;
  if (!poll.fault || !is_answered(*poll.fault)) return down.answers_since.reset();
  if (!down.answers_since) down.answers_since = poll.started;
}

// What a call finds down is not started by it. After a command something may be about to start where nobody listens, or
// where only what stands in front of it answers: not where all else of the service is up.
bool Warming::is_as_before_our_deed(const Poll& poll) const {
  const auto found = down_.find({poll.probe, poll.instance});
  if (!our_deed_ || found == down_.end()) return false;
  const Down& down = found->second;
  const bool is_call = our_deed_->deed == OwnDeed::call;
  if (is_call && down.answers_since) return true;
  const std::optional<Instant> same_since = is_call ? down.since : down.answers_since;
  const bool is_same = same_since && our_deed_->began && *same_since < *our_deed_->began;
  return is_same && (is_call || are_others_up(poll.probe));
}

bool Warming::are_others_up(const ProbeName& probe) const {
  return begun_for_ > 1 && not_up_since_.size() == (not_up_since_.contains(probe) ? 1U : 0U);
}

bool Warming::polled(const Poll& poll) {
  note_down(poll);
  if (poll.up == Up::up && poll.started >= since_) not_up_since_.erase(poll.probe);
  const bool is_up = poll.up == Up::up || is_as_before_our_deed(poll);
  const bool is_health = health_ == poll.probe;
  if (is_health && is_up && !healthy_ && poll.started >= since_) healthy_ = poll.ended;
  const auto excused = excused_.find(poll.probe);
  if (excused == excused_.end() || poll.started < excused->second.since) return false;
  bool is_over = is_health || !health_ ? is_up : healthy_ && poll.started >= *healthy_;
  is_over = is_over || (is_up && poll.started >= excused->second.until);  // over by its time: the next one begins anew
  if (is_over) excused_.erase(excused);
  if (excused_.empty()) excused_.clear();  // most stay without any for days
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
