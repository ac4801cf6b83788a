#include "rules/engine/evidence/watched_rule.hpp"

#include <algorithm>

#include "rules/conditions/deciding.hpp"

namespace rules {

namespace {

// Enough to find what was so some minutes ago even when a verdict flaps at every poll.
constexpr std::size_t known_verdicts_max = 512;
// What is held back is told after that (SPEC 2.22).
constexpr Duration withheld_told_after = std::chrono::seconds(55);
// A verdict goes stale after its last valid instant.
constexpr Duration just_after = std::chrono::nanoseconds(1);

// What each comparison reads. Of one that does not stand for itself all that the rule reads.
std::vector<std::set<ProbeName>> read_by_comparisons(const Condition& when, const Measurements& measurements) {
  std::vector<std::set<ProbeName>> out;
  for (const std::string& text : comparisons_of(when)) {
    const Parsed<Condition> alone = parse_condition(text);
    const Condition* const parsed = std::get_if<Condition>(&alone);
    out.push_back(measurements.probes_of(parsed == nullptr ? when : *parsed));
  }
  return out;
}

bool fires(RuleState state) { return state == RuleState::firing || state == RuleState::recovering; }

}  // namespace

WatchedRule::WatchedRule(std::shared_ptr<const RuleSpec> spec, const std::string& measured_by,
                         const Measurements& measurements, Instant start)
    : tracker_(std::move(spec), measured_by, start),
      probes_(measurements.probes_of(this->spec().when)),
      windowed_(measurements.windowed(this->spec().when)) {
  if (this->spec().clear) {
    when_probes_ = probes_;
    probes_.merge(measurements.probes_of(*this->spec().clear));
  }
  if (probes_.size() > 1) compared_ = read_by_comparisons(this->spec().when, measurements);
}

bool WatchedRule::is_firing() const { return fires(tracker_.state()); }

bool WatchedRule::has_cleared(Instant now) const {
  if (is_firing()) return false;
  return recovered_ || (is(Verdict::good) && good_for(now) >= recovery_hold(spec()));
}

std::optional<Instant> WatchedRule::withheld_until() const {
  if (!withheld_since_) return std::nullopt;
  return *withheld_since_ + spec().unless_max;
}

bool WatchedRule::needs_judging(const JudgedUnder& under, Instant now) const {
  return !judged_ || under != judged_under_ || when_.valid_until <= now;
}

// What other probes bring says nothing of what is bad: it is no further sample of that, nor its confirmation.
bool WatchedRule::is_decided_by(const ProbeName& polled) const {
  if (compared_.empty() || !is(Verdict::bad)) return true;
  const std::vector<std::size_t> by = deciding(spec().when, when_);
  return std::any_of(by.begin(), by.end(), [&](std::size_t place) { return compared_[place].contains(polled); });
}

void WatchedRule::judge(const Measurements& measurements, const Scope& scope, const ProbeName* polled, Instant now) {
  when_ = measurements.judge(spec().when, scope, now);
  judged_under_ = {scope.not_before, scope.blanket};
  judged_ = true;
  tracker_.advance(now);
  const RuleState state = tracker_.state();
  const bool may_fire = state == RuleState::pending || state == RuleState::confirming;
  const bool look_closer = windowed_ && (may_fire || fires(state)) && is(Verdict::bad);
  std::optional<Judgement> clear;
  std::optional<Judgement> newest;
  if (spec().clear && fires(state)) clear = measurements.judge(*spec().clear, scope, now);
  // What fires is looked at again before it is acted on, which may be long after: then as far back as it takes to know.
  const Part part = may_fire ? Part::newest : Part::recent;
  if (look_closer) newest = measurements.judge(spec().when, scope, now, part);
  const Fresh fresh = polled != nullptr && is_decided_by(*polled) ? Fresh::sample : Fresh::same_evidence;
  newest_good_ = newest && newest->verdict == Verdict::good;
  tracker_.observe(now, when_, clear ? *clear : when_, newest ? *newest : when_, fresh);
  note_known(now);
  count_requests();
}

void WatchedRule::count_requests() {
  if (tracker_.state() == RuleState::idle) {
    failed_requests_ = FailedRequests();
  } else {
    failed_requests_.see(when_);
  }
}

void WatchedRule::note_known(Instant now) {
  if (is(Verdict::unknown)) return;
  last_judged_ = now;
  if (is(Verdict::good)) {
    withheld_before_.reset();
    withheld_told_ = false;
  }
  know(now, when_.verdict);
}

void WatchedRule::know(Instant at, Verdict verdict) {
  if (!known_.empty() && known_.back().verdict == verdict) return;
  known_.push_back({at, verdict});
  if (known_.size() > known_verdicts_max) known_.pop_front();
}

bool WatchedRule::take_change_of_sight(Instant now) {
  const bool blind = progress(now).blind;
  return std::exchange(blind_, blind) != blind;
}

void WatchedRule::restart(Instant now, Leaves leaves) {
  tracker_.restart(now, leaves);
  withheld_since_.reset();
  withheld_before_.reset();
  is_explained_ = false;
  answered_ = false;
  recovered_ = false;
  judged_ = false;
}

bool WatchedRule::take_fired() {
  if (!tracker_.take_fired()) return false;
  recovered_ = false;
  answered_ = false;
  looked_for_ = false;
  return true;
}

bool WatchedRule::take_recovered() {
  const bool recovered = tracker_.take_recovered();
  recovered_ = recovered_ || recovered;
  if (!is_firing()) {
    answered_ = false;
    withheld_since_.reset();
  }
  return recovered;
}

bool WatchedRule::withhold(const Measurements& measurements, const Scope& scope, Effects& effects) {
  if (!spec().unless) return false;
  const Instant now = effects.now();
  const Judgement other = measurements.judge(*spec().unless, scope, now);
  withheld_valid_until_ = other.valid_until;
  if (other.verdict != Verdict::bad) return false;
  is_explained_ = true;
  if (!withheld_since_) {
    withheld_since_ = withheld_before_.value_or(now);
    withheld_by_ = spec().unless->text();
    effects.note("withheld", {{"rule", name().text}, {"unless", withheld_by_}});
  }
  return now < *withheld_until();
}

bool WatchedRule::take_withheld_news(Instant now) {
  if (withheld_told_ || !withheld_since_ || now < *withheld_since_ + withheld_told_after) return false;
  withheld_told_ = true;
  return true;
}

bool WatchedRule::take_explained(Instant now) {
  if (!is_explained_) return false;
  const Instant since = withheld_since_ ? *withheld_since_ : withheld_before_.value_or(now);
  if (now >= since + spec().unless_max) return false;
  restart(now, Leaves::nothing);
  withheld_before_ = since;
  return true;
}

Instant WatchedRule::next_change(Instant now) const {
  Instant next = Instant::max();
  const auto consider = [&](Instant at) {
    if (at > now) next = std::min(next, at);
  };
  consider(tracker_.deadline().value_or(Instant::max()));
  if (when_.valid_until != Instant::max()) {
    consider(when_.valid_until);
    consider(when_.valid_until + just_after);
  }
  if (looked_for_) consider(progress(now).since.value_or(now) + identity_wait_max);
  if (!withheld_since_) return next;
  consider(*withheld_until());
  if (!withheld_told_) consider(*withheld_since_ + withheld_told_after);
  consider(withheld_valid_until_);
  return next;
}

SpanRecord WatchedRule::record(Instant now, bool has_incident) const {
  SpanRecord out = tracker_.record(now);
  // Fired, and withheld or waiting for a look at what runs: after a restart the next bad verdict fires at once.
  if (answered_ || has_incident || out.state != RuleState::firing) return out;
  out.state = RuleState::confirming;
  out.confirmed_unknown = true;
  out.withheld_since = withheld_since_;
  out.segments = {{out.firing_since, now, Verdict::bad, 3}};
  return out;
}

void WatchedRule::restore(const SpanRecord& record, Instant now, Duration downtime_max) {
  tracker_.restore(record, now, downtime_max);
  if (state() == RuleState::confirming) withheld_before_ = record.withheld_since;
  is_explained_ = withheld_before_.has_value();
  answered_ = is_firing();
  // However long we were away, that much was seen; what was so before is not known.
  if (record.fingerprint != tracker_.fingerprint() || record.saved_at > now) return;
  if (fires(record.state)) know(record.firing_since, Verdict::bad);
  for (const Segment& segment : record.segments) {
    if (segment.verdict == Verdict::unknown) continue;
    know(segment.from, segment.verdict);
    last_judged_ = std::max(last_judged_, std::min(segment.to, record.saved_at));
  }
}

std::map<Cause, Duration> WatchedRule::unknown_time() const {
  std::map<Cause, Duration> out = unknown_before_;
  for (const auto& [cause, time] : tracker_.unknown_time()) out[cause] += time;
  return out;
}

void WatchedRule::take_over(WatchedRule& old, Instant now) {
  known_ = old.known_;
  last_judged_ = old.last_judged_;
  blind_ = old.blind_;
  if (old.tracker_.fingerprint() != tracker_.fingerprint()) return;
  old.advance(now);
  unknown_before_ = old.unknown_time();
  tracker_.restore(old.tracker_.record(now), now, Duration::zero());
  answered_ = old.answered_;
  recovered_ = old.recovered_;
  withheld_since_ = old.withheld_since_;
  withheld_before_ = old.withheld_before_;
  withheld_told_ = old.withheld_told_;
  is_explained_ = old.is_explained_;
}

}  // namespace rules
