#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rules/engine/effects.hpp"
#include "rules/engine/events.hpp"

namespace rules {

// Who of us has the host's lock, or has asked for it: one mutating action on the host at a time (SPEC 2.14, 2.20).
class HostLock {
 public:
  const std::optional<IncidentId>& owner() const { return owner_; }

 private:
  friend class LockClaim;
  std::optional<IncidentId> owner_;
};

// One incident's claim to the host's lock. It is asked for, and asked for again with growing pauses when refused.
class LockClaim {
 public:
  LockClaim(HostLock& host, Effects& effects) : host_(host), effects_(effects) {}

  // True when it has the lock; otherwise it is asked for where it may be. `next` is the step that wants it.
  bool have(const StepId& next);
  // The answer to what was asked. False: refused, or nothing was asked.
  void answered(const StepResult& result);
  void release();
  // Another rung, another claim; what is held is given back.
  void start_over();
  // A person said yes: it is tried at once, and the patience begins anew.
  void be_patient_again() {
    wanted_since_.reset();
    retry_at_.reset();
  }

  bool is_refused() const { return state_ == State::none && retry_at_.has_value(); }
  bool was_asked() const { return refusals_ > 0; }
  std::optional<Instant> retry_at() const { return retry_at_; }
  const std::string& holder() const { return holder_; }  // for people
  // Until when it is waited for, given how long that may be; none: it was never wanted.
  std::optional<Instant> patience_ends(Duration patience) const;
  bool is_given_up(Duration patience) const;
  void add_deadlines(Duration patience, std::vector<Instant>& out) const;

 private:
  enum class State { none, asked, held };
  HostLock& host_;
  Effects& effects_;
  State state_ = State::none;
  int refusals_ = 0;
  std::optional<Instant> retry_at_;
  std::optional<Instant> wanted_since_;
  std::string holder_;
};

}  // namespace rules
