#include "rules/sustain/rule_tracker.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "rules/base/parse.hpp"
#include "rules/sustain/tracking.hpp"

namespace rules {

namespace {

// What clears a firing rule: good is "it is clear".
Held clear_from(const RuleSpec& rule, const Judgement& when, const Judgement& clear) {
  if (!rule.clear || when.verdict == Verdict::bad) return {when.verdict, when.valid_until};
  switch (clear.verdict) {
    case Verdict::good:
      return {Verdict::bad, clear.valid_until};
    case Verdict::bad:
      return {Verdict::good, clear.valid_until};
    case Verdict::unknown:
      return {Verdict::unknown, clear.valid_until};
  }
  return {};
}

}  // namespace

std::string_view to_string(RuleState state) {
  switch (state) {
    case RuleState::idle:
      return "idle";
    case RuleState::pending:
      return "pending";
    case RuleState::confirming:
      return "confirming";
    case RuleState::firing:
      return "firing";
    case RuleState::recovering:
      return "recovering";
  }
  return "";
}

std::string fingerprint(const RuleSpec& rule, const std::string& measured_by) {
  std::string text = "for=" + to_string(rule.sustain) + " quorum=" + std::to_string(rule.quorum);
  text += " when=" + rule.when.text();
  if (rule.clear) text += " clear=" + rule.clear->text();
  if (!measured_by.empty()) text += " by=" + measured_by;
  return text;
}

struct RuleTracker::State {
  State(std::shared_ptr<const RuleSpec> spec, const std::string& measured_by, Instant start)
      : rule(std::move(spec)), meaning(rules::fingerprint(*rule, measured_by)), tracking(*rule, start) {}
  std::shared_ptr<const RuleSpec> rule;
  std::string meaning;  // its fingerprint
  Tracking tracking;

  // What `read` finds as of `now`; what it was advanced to already needs no copy.
  template <class Read>
  auto at(Instant now, const Read& read) const {
    if (now <= tracking.now) return read(tracking);
    Tracking later = tracking;
    later.run_to(now);
    return read(std::as_const(later));
  }
};

void RuleTracker::Destroy::operator()(State* state) const { delete state; }

RuleTracker::RuleTracker(std::shared_ptr<const RuleSpec> rule, const std::string& measured_by, Instant start)
    : state_(new State(std::move(rule), measured_by, start)) {}

void RuleTracker::observe(Instant at, const Judgement& when, const Judgement& clear, const Judgement& newest_part,
                          Fresh fresh) {
  Tracking& now = state_->tracking;
  if (at > now.now) now.run_to(at);
  const bool was_confirming = now.confirming;
  now.judge(when, clear_from(*state_->rule, when, clear), fresh);
  const bool confirmed = when.verdict == Verdict::bad && newest_part.verdict != Verdict::good;
  if (was_confirming && !now.firing && confirmed && fresh == Fresh::sample) now.fire();
  now.run_to(now.now);
}

void RuleTracker::advance(Instant now) {
  if (now > state_->tracking.now) state_->tracking.run_to(now);
}

std::optional<Instant> RuleTracker::deadline() const {
  const Tracking& tracking = state_->tracking;
  std::optional<Instant> next = tracking.next_change();
  const bool unobserved = tracking.when.verdict == Verdict::unknown;
  if (unobserved && !tracking.sight.blind(tracking.now)) {
    const Instant blind = tracking.sight.blind_at_earliest(tracking.now);
    if (!next || blind < *next) next = blind;
  }
  return next;
}

bool RuleTracker::take_confirmation_request() { return std::exchange(state_->tracking.asks_confirmation, false); }
bool RuleTracker::take_fired() { return std::exchange(state_->tracking.has_fired, false); }
bool RuleTracker::take_recovered() { return std::exchange(state_->tracking.has_recovered, false); }

void RuleTracker::restart(Instant at, Leaves leaves) {
  advance(at);
  const Duration good_run = state_->tracking.good_run;
  state_->tracking.forget();
  if (leaves == Leaves::good_run) state_->tracking.good_run = good_run;
}

RuleState RuleTracker::state() const { return state_->tracking.state(); }
Duration RuleTracker::good_for(Instant now) const {
  return state_->at(now, [](const Tracking& tracking) { return tracking.good_run; });
}

bool RuleTracker::bad_when_last_observed() const { return state_->tracking.newest_known == Verdict::bad; }
const std::map<Cause, Duration>& RuleTracker::unknown_time() const { return state_->tracking.unknown_time; }
const RuleSpec& RuleTracker::rule() const { return *state_->rule; }
const std::string& RuleTracker::fingerprint() const { return state_->meaning; }

namespace {

RuleProgress progress_of(const Tracking& tracking) {
  RuleProgress progress = tracking.fired;
  progress.state = tracking.state();
  if (tracking.firing) {
    progress.since = tracking.firing_since;
  } else {
    progress.bad = tracking.span.bad();
    progress.observed = tracking.span.observed();
    progress.bad_samples = tracking.span.bad_samples();
    if (!tracking.span.empty()) {
      progress.since = tracking.span.segments().front().from;
      progress.bad_since = progress.since;
      progress.to_fire = std::max(tracking.sustain - progress.observed, Duration::zero());
    }
  }
  progress.observed_share = tracking.sight.observed_share(tracking.now);
  progress.blind = tracking.sight.blind(tracking.now);
  return progress;
}

SpanRecord record_of(const Tracking& tracking) {
  SpanRecord record;
  record.state = tracking.state();
  record.segments = tracking.span.segments();
  record.confirmed_unknown = tracking.confirming && tracking.when.verdict == Verdict::unknown;
  record.firing_since = tracking.firing_since;
  record.saved_at = tracking.now;
  const Held& held = tracking.firing ? tracking.clear : tracking.when;
  const Duration run = tracking.firing ? tracking.clear_run : tracking.good_run;
  const bool good_only = record.segments.empty() && (run > Duration::zero() || held.verdict == Verdict::good);
  if (good_only) record.segments.push_back({tracking.now - run, tracking.now, Verdict::good, 0});
  if (!record.segments.empty() && record.segments.back().verdict == held.verdict)
    record.segments.back().to = held.until;
  return record;
}

// A verdict that held beyond `saved_at` holds again from now on; takes its part after `saved_at` off the
// record.
Held take_held(std::vector<Segment>& segments, Instant saved_at) {
  if (segments.empty() || segments.back().to <= saved_at) return {};
  const Held held{segments.back().verdict, segments.back().to};
  segments.back().to = saved_at;
  return held;
}

Duration good_at_end(const std::vector<Segment>& segments) {
  Duration sum{};
  for (auto segment = segments.rbegin(); segment != segments.rend() && segment->verdict == Verdict::good; ++segment) {
    sum += segment->to - segment->from;
  }
  return sum;
}

bool is_usable(const SpanRecord& record, const std::string& meaning, Instant now, Duration downtime_max) {
  if (record.fingerprint != meaning || record.saved_at > now) return false;
  return now - record.saved_at <= downtime_max;
}

}  // namespace

RuleProgress RuleTracker::progress(Instant now) const { return state_->at(now, progress_of); }

SpanRecord RuleTracker::record(Instant now) const {
  SpanRecord record = state_->at(now, record_of);
  record.rule = state_->rule->name;
  record.fingerprint = state_->meaning;
  return record;
}

void RuleTracker::restore(const SpanRecord& record, Instant now, Duration downtime_max) {
  restart(now);
  if (!is_usable(record, state_->meaning, now, downtime_max)) return;
  Tracking& tracking = state_->tracking;
  std::vector<Segment> segments = record.segments;
  const Held held = take_held(segments, record.saved_at);
  const Duration run = good_at_end(segments);
  const Verdict newest_known = segments.empty() ? Verdict::good : segments.back().verdict;
  tracking.firing = record.state == RuleState::firing || record.state == RuleState::recovering;
  tracking.confirming = record.state == RuleState::confirming && !segments.empty();
  tracking.asks_confirmation = tracking.confirming && !record.confirmed_unknown;
  tracking.firing_since = record.firing_since;
  if (tracking.firing) {
    tracking.clear = held;
    tracking.clear_run = run;
  } else {
    tracking.when = held;
    tracking.good_run = run;
    const bool has_span = record.state == RuleState::pending || record.state == RuleState::confirming;
    if (has_span) tracking.span.assign(std::move(segments));
  }
  tracking.newest_known = newest_known;
  tracking.sight.unobserved(Cause::no_data, record.saved_at, now);
  tracking.run_to(now);
}

}  // namespace rules
