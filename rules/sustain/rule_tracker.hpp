#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "rules/base/time.hpp"
#include "rules/conditions/judgement.hpp"
#include "rules/sustain/rule_spec.hpp"
#include "rules/sustain/span.hpp"

namespace rules {

enum class RuleState {
  idle,        // not bad
  pending,     // bad, not yet for long enough
  confirming,  // bad for `for`; its probes are polled once more
  firing,
  recovering,  // firing, and `clear` holds but not yet for long enough
};
std::string_view to_string(RuleState state);

// What a tracker needs to go on after a restart (SPEC 2.13). Plain data for the journal.
struct SpanRecord {
  RuleName rule;
  std::string fingerprint;  // of what the rule means; another one starts empty
  RuleState state = RuleState::idle;
  // Of the span, oldest first. Without a span one good segment, as long as `when` has been good; while firing one good
  // segment, as long as `clear` has held. One that ends after `saved_at` is the verdict that holds until then.
  std::vector<Segment> segments;
  bool confirmed_unknown = false;  // credit kept: the next bad verdict fires at once
  Instant firing_since;
  Instant saved_at;
  std::optional<Instant> withheld_since;  // it fired then, and `unless` has delayed it since
};

// Where a rule stands, for status, explain and metrics.
struct RuleProgress {
  RuleState state = RuleState::idle;
  Duration bad{};       // observed bad time in the span
  Duration observed{};  // bad + good time in the span
  std::int64_t bad_samples = 0;
  std::optional<Duration> to_fire;   // time left if it stays bad; none when not pending
  std::optional<Instant> since;      // begin of the span, or of the firing
  std::optional<Instant> bad_since;  // begin of the span, also of the one that fired
  double observed_share = 1;         // of the last blind_after; no_traffic and too_few_samples count as observed
  bool blind = false;
};

// Whether the verdict comes with a fresh sample (a poll of one of the rule's probes just ended) or is the same
// evidence looked at again (it went stale, a deployment began).
enum class Fresh { sample, same_evidence };

// What is left when spans start empty: nothing, or for how long `when` has been good.
enum class Leaves { nothing, good_run };

// One rule's spans: from verdicts over time to "fires" and "has recovered" (SPEC section 2, sentences 1, 10 to 13).
// Pure: it is told verdicts with their times and asked at its deadline.
class RuleTracker {
 public:
  // `measured_by`: what its signals and probes are, in short; another text is another rule.
  RuleTracker(std::shared_ptr<const RuleSpec> rule, const std::string& measured_by, Instant start);

  // From `at` on `when` is as judged (and `clear`, looked at only while firing and only when the rule has one; bad
  // means that its condition is true, that is: clear). `newest_part` is `when` over the newest part of the windows;
  // equal to `when` where nothing is windowed. Times never go back: an `at` before what has been advanced to counts
  // from then on.
  void observe(Instant at, const Judgement& when, const Judgement& clear, const Judgement& newest_part, Fresh fresh);

  // Time passed without a new verdict. Must be called at deadline() at the latest.
  void advance(Instant now);

  // The next instant at which something changes though nothing is observed: the end of `for`, an old segment that
  // slides out, the end of the clear hold.
  std::optional<Instant> deadline() const;

  // True once after the span reached `for`: the rule's probes are to be polled now. (A poll that is in flight counts.)
  bool take_confirmation_request();
  // True once after the rule began to fire, and once after it recovered.
  bool take_fired();
  bool take_recovered();

  // Spans start empty: a new revision, the end of a pause, of an action, too long a downtime (SPEC 2.13, 2.27).
  // A firing rule is idle afterwards, and what it was is not told as recovered. Until the next verdict the time is
  // unknown.
  void restart(Instant at, Leaves leaves = Leaves::nothing);

  RuleState state() const;
  // Observed time that `when` has been good without interruption by bad, up to `now`; unknown time does not count
  // and does not interrupt.
  Duration good_for(Instant now) const;
  // Bad at the newest observed (not unknown) verdict.
  bool bad_when_last_observed() const;
  RuleProgress progress(Instant now) const;
  // Observed unknown time in total by cause, for rollbackd_rule_unknown_seconds_total.
  const std::map<Cause, Duration>& unknown_time() const;

  const RuleSpec& rule() const;
  const std::string& fingerprint() const;  // of its rule
  SpanRecord record(Instant now) const;
  // Goes on from a record of an unchanged rule when the time since `saved_at` is at most `downtime_max`; that time
  // is unknown. Otherwise starts empty.
  void restore(const SpanRecord& record, Instant now, Duration downtime_max);

 private:
  struct State;
  struct Destroy {
    void operator()(State*) const;
  };
  std::unique_ptr<State, Destroy> state_;
};

// Equal for rules that mean the same: condition texts, for, quorum, severity does not matter.
std::string fingerprint(const RuleSpec& rule, const std::string& measured_by);

}  // namespace rules
