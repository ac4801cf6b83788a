#include "rules/sustain/sight.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace rules {

namespace {

constexpr double observed_share_min = 0.6;  // of blind_after; below that a rule is blind
// Gaps kept: a path that breaks at every second poll of one second for over an hour. Beyond that the oldest
// are forgotten, as if they had been observed.
constexpr std::size_t gaps_max = 4096;

}  // namespace

bool is_blindness(Cause cause) {
  return cause != Cause::no_traffic && cause != Cause::too_few_samples && cause != Cause::deploying &&
         cause != Cause::warming_up;
}

void Sight::unobserved(Cause cause, Instant from, Instant to) {
  assert(from <= to);
  if (!is_blindness(cause) || from == to) return;
  if (!gaps_.empty() && gaps_.back().to == from) {
    gaps_.back().to = to;
    return;
  }
  if (gaps_.size() == gaps_max) gaps_.erase(gaps_.begin());
  gaps_.push_back({from, to});
}

void Sight::forget_before(Instant now) {
  const Instant edge = now - blind_after_;
  const auto kept = std::find_if(gaps_.begin(), gaps_.end(), [edge](const Gap& gap) { return gap.to > edge; });
  gaps_.erase(gaps_.begin(), kept);
}

Duration Sight::unobserved_within(Instant now) const {
  const Instant edge = now - blind_after_;
  Duration sum{};
  for (const Gap& gap : gaps_) {
    if (gap.to > edge) sum += gap.to - std::max(gap.from, edge);
  }
  return sum;
}

double Sight::observed_share(Instant now) const { return 1 - seconds(unobserved_within(now)) / seconds(blind_after_); }

bool Sight::blind(Instant now) const { return observed_share(now) < observed_share_min; }

Instant Sight::blind_at_earliest(Instant now) const {
  const auto allowed =
      Duration(static_cast<Duration::rep>((1 - observed_share_min) * static_cast<double>(blind_after_.count())));
  // Half a second more than is needed: rounding must not make it come due without being so.
  constexpr Duration margin = std::chrono::milliseconds(500);
  return now + std::max(allowed - unobserved_within(now), Duration::zero()) + margin;
}

}  // namespace rules
