#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rules/base/seldom.hpp"
#include "rules/engine/effects.hpp"
#include "rules/engine/evidence/failed_requests.hpp"
#include "rules/signals/measurements.hpp"
#include "rules/signals/ring.hpp"
#include "rules/sustain/rule_tracker.hpp"

namespace rules {

// What the rule's evidence is judged under; another one makes the same evidence be judged again.
struct JudgedUnder {
  Instant not_before = Instant::min();
  std::optional<Cause> blanket;
  friend bool operator==(const JudgedUnder&, const JudgedUnder&) = default;
};

// A known verdict and when it came to be so.
struct KnownVerdict {
  Instant at;
  Verdict verdict = Verdict::good;
};

// One rule as it is watched: what it sees now, its spans, and what became of its firing.
class WatchedRule {
 public:
  // `measured_by`: see RuleTracker.
  WatchedRule(std::shared_ptr<const RuleSpec> spec, const std::string& measured_by, const Measurements& measurements,
              Instant start);

  const RuleSpec& spec() const { return tracker_.rule(); }
  const RuleName& name() const { return spec().name; }
  const std::set<ProbeName>& probes() const { return probes_; }  // of `when` and `clear`
  const std::set<ProbeName>& when_probes() const { return when_probes_ ? *when_probes_ : probes_; }  // of `when`
  const Judgement& when() const { return when_; }  // the newest judgement
  bool is(Verdict verdict) const { return when_.verdict == verdict; }
  // Its window is bad, and what came last is good by itself (SPEC 2.11).
  bool is_newest_good() const { return newest_good_; }
  RuleState state() const { return tracker_.state(); }
  bool is_firing() const;  // or recovering
  RuleProgress progress(Instant now) const { return tracker_.progress(now); }
  Duration good_for(Instant now) const { return tracker_.good_for(now); }
  // Counted since its bad span began.
  const FailedRequests& failed_requests() const { return failed_requests_; }
  // Since our start, by cause; a reload that leaves the rule as it is does not begin anew.
  std::map<Cause, Duration> unknown_time() const;
  // It recovered since it last fired, or has been good for as long as that takes.
  bool has_cleared(Instant now) const;
  // Only what comes from now on counts for that.
  void forget_recovery() { recovered_ = false; }
  bool is_blind() const { return blind_; }
  // Its incident is closed and it fires on: nothing more by itself.
  bool is_answered() const { return answered_; }
  bool looks_what_runs() const { return looked_for_; }
  // Until when `unless` holds it back at most; none: it does not.
  std::optional<Instant> withheld_until() const;
  const std::string& withheld_by() const { return withheld_by_; }
  // Known verdicts as they changed, for what was bad before a deploy.
  const Ring<KnownVerdict>& known() const { return known_; }

  // It could be judged of what ran before then, and was not since.
  bool awaits_judging(Instant since) const { return last_judged_ != Instant::min() && last_judged_ < since; }

  // Evidence.
  bool needs_judging(const JudgedUnder& under, Instant now) const;
  // `polled`: the probe that has just brought something; nullptr: the same evidence is looked at again.
  void judge(const Measurements& measurements, const Scope& scope, const ProbeName* polled, Instant now);
  void advance(Instant now) { tracker_.advance(now); }
  bool take_confirmation_request() { return tracker_.take_confirmation_request(); }
  // Whether it became blind, or can be observed again, since it was last asked.
  bool take_change_of_sight(Instant now);
  // Spans start empty, and what became of its firing is forgotten.
  void restart(Instant now, Leaves leaves);
  // Another revision runs, and what was judged was not that one.
  void forget_known() {
    known_.clear();
    last_judged_ = std::min(last_judged_, long_ago);
  }

  // What became of its firing.
  bool take_fired();
  bool take_recovered();
  void mark_answered(bool answered) { answered_ = answered; }
  // True once after it fired: what runs is to be asked for.
  bool take_look_request() { return !std::exchange(looked_for_, true); }
  // Whether `unless` explains the trouble now, and for less than unless_max. Noted when it begins.
  bool withhold(const Measurements& measurements, const Scope& scope, Effects& effects);
  // It fired on what `unless` explained, and is not explained any more: that was no evidence, spans start empty. How
  // long all that may be held back counts on until it was good. False: nothing was explained, or for unless_max
  // already.
  bool take_explained(Instant now);
  // True once after it was held back for a minute: by then people have to know.
  bool take_withheld_news(Instant now);

  // When something next changes though nothing is measured; Instant::max(): nothing does.
  Instant next_change(Instant now) const;

  SpanRecord record(Instant now, bool has_incident) const;
  void restore(const SpanRecord& record, Instant now, Duration downtime_max);
  // Goes on as `old` did: the same rule before a reload, or another one of its name.
  void take_over(WatchedRule& old, Instant now);

 private:
  bool is_decided_by(const ProbeName& polled) const;
  void note_known(Instant now);
  void count_requests();
  void know(Instant at, Verdict verdict);

  RuleTracker tracker_;  // and the rule itself
  std::set<ProbeName> probes_;
  Boxed<std::set<ProbeName>> when_probes_;     // where `clear` has others too
  std::vector<std::set<ProbeName>> compared_;  // what each comparison of `when` reads; empty: all read the same
  bool windowed_ = false;
  bool newest_good_ = false;
  Judgement when_;
  JudgedUnder judged_under_;
  bool judged_ = false;
  bool blind_ = false;
  Ring<KnownVerdict> known_;
  static constexpr Instant long_ago = Instant::min() + Duration(1);
  Instant last_judged_ = Instant::min();  // good or bad; min: never
  FailedRequests failed_requests_;
  Seldom<std::map<Cause, Duration>> unknown_before_;  // of the same rule before the last reload
  bool looked_for_ = false;
  bool answered_ = false;
  bool recovered_ = false;
  std::optional<Instant> withheld_since_;
  std::optional<Instant> withheld_before_;  // since when, before its spans began anew or at our last end
  bool withheld_told_ = false;
  bool is_explained_ = false;  // what it fired on was
  Instant withheld_valid_until_ = Instant::max();
  std::string withheld_by_;
};

// How long a firing waits for a look that is newer than its evidence: two looks, and one that fails.
inline constexpr Duration identity_wait_max = std::chrono::seconds(30);

}  // namespace rules
