#include "rules/sustain/tracking.hpp"

#include <algorithm>
#include <cassert>

namespace rules {

namespace {

constexpr std::int64_t bad_samples_min = 3;       // confirmation included
constexpr std::int64_t bad_samples_min_zero = 2;  // `for = 0s`: the first and its confirmation

// for / 0.6. What fires at once has no such time: its one bad sample waits for its confirmation until the
// rule counts as blind.
Duration stretch_max(const RuleSpec& rule) {
  if (rule.sustain == Duration::zero()) return blind_after(rule);
  return rule.sustain * 5 / 3;
}

}  // namespace

Tracking::Tracking(const RuleSpec& rule, Instant start)
    : sustain(rule.sustain),
      hold(recovery_hold(rule)),
      now(start),
      span(rule.quorum, stretch_max(rule)),
      sight(blind_after(rule)) {}

std::int64_t Tracking::samples_before_confirmation() const {
  return (sustain == Duration::zero() ? bad_samples_min_zero : bad_samples_min) - 1;
}

RuleState Tracking::state() const {
  if (firing) {
    const bool recovering = clear.verdict == Verdict::good || clear_run > Duration::zero();
    return recovering ? RuleState::recovering : RuleState::firing;
  }
  if (confirming) return RuleState::confirming;
  return span.empty() ? RuleState::idle : RuleState::pending;
}

// Time from `now` to `to`, in which nothing changes.
void Tracking::pass(Instant to) {
  const Duration passed = to - now;
  if (when.verdict == Verdict::unknown) {
    unknown_time[cause] += passed;
    sight.unobserved(cause, now, to);
  } else if (!firing && passed > Duration::zero()) {
    span.extend(when.verdict, now, to);
  }
  if (when.verdict == Verdict::good) good_run += passed;
  if (firing && clear.verdict == Verdict::good) clear_run += passed;
  now = to;
  if (!confirming) span.slide(now);
  sight.forget_before(now);
}

// What is only so for a time and ends now.
void Tracking::expire() {
  if (when.verdict != Verdict::unknown && when.until <= now) {
    when = {};
    cause = Cause::stale;
  }
  if (clear.until <= now) clear = {};
  if (confirming && span.segments().back().to <= now - span.stretch_max()) stop_confirming();
  if (!confirming) span.slide(now);
}

void Tracking::confirm_if_full() {
  if (firing || confirming || when.verdict != Verdict::bad) return;
  if (span.observed() < sustain || span.bad_samples() < samples_before_confirmation()) return;
  confirming = true;
  asks_confirmation = true;
}

void Tracking::recover_if_held() {
  if (!firing || clear.verdict != Verdict::good || clear_run < hold) return;
  firing = false;
  has_recovered = true;
  clear = {};
  clear_run = Duration::zero();
  assert(span.empty());
}

// When the span holds all of `for` if it stays bad, or an earlier time to look at it again because something
// slides out.
std::optional<Instant> Tracking::span_change() const {
  if (span.empty()) return std::nullopt;
  if (confirming) {
    if (when.verdict != Verdict::unknown) return std::nullopt;
    return span.segments().back().to + span.stretch_max();
  }
  const Duration missing = sustain - span.observed();
  if (when.verdict != Verdict::bad || missing <= Duration::zero()) return std::nullopt;
  const Segment& oldest = span.segments().front();
  const Instant edge = now - span.stretch_max();
  if (missing <= oldest.from - edge) return now + missing;
  return now + (oldest.to - edge);
}

std::optional<Instant> Tracking::hold_end() const {
  if (!firing || clear.verdict != Verdict::good) return std::nullopt;
  return now + (hold - clear_run);
}

std::optional<Instant> Tracking::next_change() const {
  std::optional<Instant> next = span_change();
  const auto sooner = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  sooner(hold_end());
  if (when.verdict != Verdict::unknown && when.until != Instant::max()) sooner(when.until);
  if (firing && clear.verdict != Verdict::unknown && clear.until != Instant::max()) sooner(clear.until);
  return next;
}

// In the order of time, so that being called late changes nothing.
void Tracking::run_to(Instant to) {
  while (true) {
    const std::optional<Instant> change = next_change();
    const Instant next = change ? std::min(std::max(*change, now), to) : to;
    pass(next);
    confirm_if_full();
    recover_if_held();
    expire();
    if (now >= to) return;
  }
}

void Tracking::fire() {
  firing = true;
  firing_since = now;
  has_fired = true;
  if (!span.empty()) fired.bad_since = span.segments().front().from;
  fired.bad = span.bad();
  fired.observed = span.observed();
  fired.bad_samples = span.bad_samples();
  span.clear();
  stop_confirming();
  clear_run = Duration::zero();
}

void Tracking::judge(const Judgement& judgement, const Held& clear_now, Fresh fresh) {
  when = {judgement.verdict, judgement.valid_until};
  cause = judgement.cause;
  clear = clear_now;
  if (when.verdict != Verdict::unknown) newest_known = when.verdict;
  if (when.verdict == Verdict::bad) good_run = Duration::zero();
  if (clear.verdict == Verdict::bad) clear_run = Duration::zero();
  if (firing || when.verdict == Verdict::unknown) return;
  if (fresh == Fresh::sample) {
    span.sample(when.verdict, now);
  } else {
    span.extend(when.verdict, now, now);
  }
  if (when.verdict == Verdict::good) stop_confirming();
}

void Tracking::stop_confirming() {
  confirming = false;
  asks_confirmation = false;
}

void Tracking::forget() {
  span.clear();
  confirming = asks_confirmation = firing = has_fired = has_recovered = false;
  good_run = clear_run = Duration::zero();
  when = {};
  clear = {};
  cause = Cause::no_data;
}

}  // namespace rules
