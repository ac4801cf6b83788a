#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "rules/sustain/rule_tracker.hpp"
#include "rules/sustain/sight.hpp"
#include "rules/sustain/span.hpp"

namespace rules {

// A verdict and how long it holds when nothing new comes.
struct Held {
  Verdict verdict = Verdict::unknown;
  Instant until = Instant::max();
};

// What changes of a RuleTracker. A value: what will be so at a later time is computed on a copy.
struct Tracking {
  Tracking(const RuleSpec& rule, Instant start);

  Duration sustain;
  Duration hold;
  Instant now;
  Held when;
  Cause cause = Cause::no_data;  // while `when` is unknown
  Verdict newest_known = Verdict::good;
  Span span;
  // The span held all of `for` while it was bad, and nothing good was measured since: the next bad sample
  // fires. It then no longer slides, until no bad time is left within the stretch.
  bool confirming = false;
  Duration good_run{};  // since `when` was last bad
  bool firing = false;
  Instant firing_since;
  RuleProgress fired;  // the span when it fired
  Held clear;
  Duration clear_run{};
  Sight sight;
  std::map<Cause, Duration> unknown_time;

  bool asks_confirmation = false;
  bool has_fired = false;
  bool has_recovered = false;

  void run_to(Instant to);
  void judge(const Judgement& judgement, const Held& clear_now, Fresh fresh);
  void forget();
  void fire();
  void recover_if_held();
  std::optional<Instant> next_change() const;
  RuleState state() const;

 private:
  void pass(Instant to);
  void expire();
  void confirm_if_full();
  void stop_confirming();
  std::optional<Instant> span_change() const;
  std::optional<Instant> hold_end() const;
  std::int64_t samples_before_confirmation() const;
};

}  // namespace rules
