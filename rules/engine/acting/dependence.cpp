#include "rules/engine/acting/dependence.hpp"

#include <utility>

namespace rules {

namespace {

// After evidence counts anew nothing is bad until windows have filled.
constexpr Duration pause_max = std::chrono::minutes(5);

}  // namespace

void Dependence::see(Trouble trouble, bool any_bad, Instant now) {
  const bool explained = explains();
  trouble_ = std::move(trouble);
  if (explained && !explains()) well_since_ = now;
  if (!explains() && !any_bad) {
    if (!quiet_since_) quiet_since_ = now;
    return;
  }
  if (quiet_since_ && now >= *quiet_since_ + pause_max) {
    anew_since_.reset();
    recurs_ = false;
  }
  quiet_since_.reset();
}

bool Dependence::may_count_anew(Duration most, Instant now) {
  recurs_ = recurs_ || (anew_since_ && now >= *anew_since_ + most);
  return !recurs_;
}

void Dependence::counted_anew(Instant now) {
  well_since_.reset();
  if (!anew_since_) anew_since_ = now;
}

}  // namespace rules
