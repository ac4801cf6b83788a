#pragma once

#include <vector>

#include "rules/base/cause.hpp"
#include "rules/base/time.hpp"

namespace rules {

// Whether time that is unknown for this cause cannot be observed: too little traffic is an observation, and that what
// is deployed is not judged yet is meant.
bool is_blindness(Cause cause);

// How much of the last while could be observed (SPEC 2.1). Time before it was made counts as observed.
class Sight {
 public:
  explicit Sight(Duration blind_after) : blind_after_(blind_after) {}

  // Unknown time. Too little traffic, a deployment and warm-up are no blindness: they are not kept.
  void unobserved(Cause cause, Instant from, Instant to);
  void forget_before(Instant now);

  double observed_share(Instant now) const;
  bool blind(Instant now) const;
  // When it becomes blind at the earliest if nothing can be observed from `now` on.
  Instant blind_at_earliest(Instant now) const;

 private:
  struct Gap {
    Instant from;
    Instant to;
  };
  Duration unobserved_within(Instant now) const;

  Duration blind_after_;
  std::vector<Gap> gaps_;  // oldest first
};

}  // namespace rules
