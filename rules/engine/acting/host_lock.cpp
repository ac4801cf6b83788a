#include "rules/engine/acting/host_lock.hpp"

#include <algorithm>

namespace rules {

namespace {

// Between two attempts to get the host's lock: 1 s, doubled up to this. An attempt costs next to nothing.
constexpr Duration backoff_max = std::chrono::seconds(5);

Duration backoff(int refusals) {
  const int doublings = std::min(refusals, 5);
  return std::min<Duration>(std::chrono::seconds(1) * (1 << doublings), backoff_max);
}

}  // namespace

bool LockClaim::have(const StepId& next) {
  if (state_ == State::held) return true;
  if (state_ == State::asked) return false;
  if (retry_at_ && effects_.now() < *retry_at_) return false;
  if (host_.owner_) return false;
  if (!wanted_since_) wanted_since_ = effects_.now();
  state_ = State::asked;
  host_.owner_ = next.incident;
  effects_.emit(LockHost{StepId{next.incident, next.rung, next.section, lock_step, refusals_}});
  return false;
}

void LockClaim::answered(const StepResult& result) {
  if (state_ != State::asked) return;
  if (result.status == StepStatus::succeeded) {
    state_ = State::held;
    retry_at_.reset();
    wanted_since_.reset();
    return;
  }
  state_ = State::none;
  host_.owner_.reset();
  holder_ = result.detail.empty() ? "somebody else has it" : result.detail;
  retry_at_ = effects_.now() + backoff(refusals_++);
}

void LockClaim::release() {
  if (state_ == State::none) return;
  state_ = State::none;
  const IncidentId owner = *host_.owner_;
  host_.owner_.reset();
  effects_.emit(ReleaseHost{owner});
}

void LockClaim::start_over() {
  release();
  refusals_ = 0;
  wanted_since_.reset();
  retry_at_.reset();
}

std::optional<Instant> LockClaim::patience_ends(Duration patience) const {
  if (!wanted_since_) return std::nullopt;
  return *wanted_since_ + patience;
}

// A step that has to wait for ever would keep the incident open for ever.
bool LockClaim::is_given_up(Duration patience) const {
  const std::optional<Instant> end = patience_ends(patience);
  return is_refused() && end && *end <= effects_.now();
}

void LockClaim::add_deadlines(Duration patience, std::vector<Instant>& out) const {
  if (retry_at_) out.push_back(*retry_at_);
  if (const std::optional<Instant> end = patience_ends(patience)) out.push_back(*end);
}

}  // namespace rules
