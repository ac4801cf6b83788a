#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "rules/sustain/rule_tracker.hpp"

namespace sustain_test {

inline rules::Instant at(double s) { return rules::Instant(rules::from_seconds(s)); }
inline rules::Duration span_of(double s) { return rules::from_seconds(s); }
// Rounded to the millisecond: times of a scenario are written in seconds with few decimals.
inline double shown(rules::Instant t) {
  return static_cast<double>(std::chrono::round<std::chrono::milliseconds>(t.time_since_epoch()).count()) / 1000;
}

inline rules::RuleSpec rule_for(double sustain) {
  rules::RuleSpec rule;
  rule.name = rules::RuleName("slow");
  rule.sustain = span_of(sustain);
  return rule;
}

inline rules::Judgement judged(rules::Verdict verdict, rules::Instant valid_until,
                               rules::Cause cause = rules::Cause::source_error) {
  rules::Judgement judgement;
  judgement.verdict = verdict;
  judgement.cause = cause;
  judgement.valid_until = valid_until;
  return judgement;
}

// Drives a tracker in virtual time as the engine does, at its deadlines and at samples, and logs what it
// decides.
class Driven {
 public:
  explicit Driven(rules::RuleSpec rule, double max_gap = 12.5)
      : tracker(std::make_shared<const rules::RuleSpec>(std::move(rule)), "", at(0)), max_gap_(max_gap) {}

  void until(double t) {
    for (auto due = tracker.deadline(); due && *due <= at(t); due = tracker.deadline()) {
      tracker.advance(*due);
      collect(*due);
    }
    tracker.advance(at(t));
    collect(at(t));
  }

  void sample(double t, rules::Verdict when, rules::Verdict newest_part, rules::Verdict clear,
              rules::Cause cause = rules::Cause::source_error) {
    until(t);
    const rules::Instant stale = at(t) + span_of(max_gap_);
    tracker.observe(at(t), judged(when, stale, cause), judged(clear, stale), judged(newest_part, stale),
                    rules::Fresh::sample);
    collect(at(t));
  }
  void sample(double t, rules::Verdict when) { sample(t, when, when, when); }

  // Samples at `from`, `from` + `every`, ... up to and including `to`.
  void samples(double from, double to, double every, rules::Verdict when) {
    for (int i = 0; from + i * every <= to + 1e-9; ++i) sample(from + i * every, when);
  }

  std::string log() const { return log_; }
  rules::RuleTracker tracker;

 private:
  void note(const char* what, rules::Instant t) {
    std::ostringstream out;
    out << (log_.empty() ? "" : ", ") << what << ' ' << shown(t);
    log_ += out.str();
  }
  void collect(rules::Instant t) {
    if (tracker.take_confirmation_request()) note("confirm", t);
    if (tracker.take_fired()) note("fired", t);
    if (tracker.take_recovered()) note("recovered", t);
  }

  double max_gap_;
  std::string log_;
};

}  // namespace sustain_test
