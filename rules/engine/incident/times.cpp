#include <algorithm>
#include <utility>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/told.hpp"

// When what happened, how long it was bad and its steps take, and what is looked at when it is over.

namespace rules {

namespace {

// Half of all runs take longer than the median: that alone is no news.
constexpr int late_times_usual = 2;
constexpr Duration late_by_at_least = std::chrono::minutes(1);

}  // namespace

// nullptr: by hand.
void Incident::begin_times(const WatchedRule* rule) {
  IncidentTimes& times = record_.times;
  times.counted_until = now();
  const LedgerRecord* from = in_.revisions.find(record_.from);
  if (from == nullptr) {
    times.undeployed = "what ran could not be read";
  } else if (from->deploy_began) {
    times.deployed = from->deploy_began;
  } else if (from->adopted) {
    times.undeployed = "it ran already when rollbackd first looked";
  } else {
    times.deployed = from->appeared;
  }
  if (rule == nullptr) return;
  times.bad_ns = record_.rules.front().bad_ns;
  failed_requests_ = rule->failed_requests();
}

void Incident::count_time() {
  IncidentTimes& times = record_.times;
  if (!times.counted_until || is_closed()) return;
  const std::int64_t passed = (now() - std::exchange(*times.counted_until, now())).count();
  count_requests();
  std::optional<Cause> unmeasured;
  for (const JoinedRule& joined : record_.rules) {
    const WatchedRule* rule = in_.evidence.find(joined.rule);
    if (rule != nullptr && rule->is(Verdict::bad)) {
      times.bad_ns += passed;
      return;
    }
    if (rule != nullptr && rule->is(Verdict::unknown)) unmeasured = rule->when().cause;
  }
  if (unmeasured && passed > 0) times.unmeasured_ns[std::string(to_string(*unmeasured))] += passed;
}

// Of the rule that opened it: what another one counts would be counted twice.
void Incident::count_requests() {
  if (record_.rules.empty()) return;
  const WatchedRule* rule = in_.evidence.find(record_.rules.front().rule);
  if (rule == nullptr) return;
  failed_requests_.see(rule->when());
  if (!failed_requests_.is_counted()) return;
  record_.times.counts_requests = true;
  record_.times.failed = failed_before_ + failed_requests_.failed();
  record_.times.requests = requests_before_ + failed_requests_.requests();
}

std::optional<Duration> Incident::usual_length() const {
  const ActionSpec* action = plan();
  return action == nullptr ? std::nullopt : in_.usual.of(*action);
}

std::optional<Progress> Incident::progress(Instant at) const {
  const ActionSpec* action = plan();
  const bool is_over = is_closed() || record_.pending_outcome || record_.section != PlanSection::steps;
  if (action == nullptr || is_over || !rung_started() || record_.phase == IncidentPhase::telling) return std::nullopt;
  Reached reached{record_.step, {}, record_.rules.empty()};
  const bool is_seen = record_.phase == IncidentPhase::settling || record_.phase == IncidentPhase::verifying;
  if (is_seen) reached.worked = at - record_.phase_since;
  if (record_.in_flight) reached.worked = at - step_.started;
  const Progress out = progress_of(*action, in_.usual, reached);
  // That the one step is the first of one says nothing.
  return out.steps > 1 || out.percent ? std::optional(out) : std::nullopt;
}

// A rung that had its time to help, and whose rules have to stay good for as long again, has taken both: that is no
// usual length.
void Incident::learn_verifying() {
  const ActionSpec* action = plan();
  const bool is_one = record_.phase == IncidentPhase::settling ||
                      (record_.phase == IncidentPhase::verifying && action != nullptr && action->switches());
  if (action != nullptr && is_one)
    in_.usual.learn_verifying(*action, record_.rules.empty(), now() - record_.phase_since);
}

// When its steps take longer than people were told; nothing: they were not, or it is over, or it was said.
std::optional<Instant> Incident::late_at() const {
  const bool is_at_work = record_.phase == IncidentPhase::acting && record_.section == PlanSection::steps;
  if (!is_at_work || !rung_started() || record_.pending_outcome || has_said("takes_longer")) return std::nullopt;
  const std::optional<Duration> usual = usual_length();
  if (!usual) return std::nullopt;
  return record_.phase_since + std::max(late_times_usual * *usual, *usual + late_by_at_least);
}

void Incident::note_late() {
  const std::optional<Instant> late = late_at();
  if (!late || now() < *late) return;
  std::string text = "action " + plan()->name.text + " takes longer than usual: it began " +
                     about(now() - record_.phase_since) + " ago and usually takes " + about(*usual_length());
  if (record_.in_flight) text += "; at work: " + step_.text;
  tell(late_once("takes_longer", text), "takes_longer", text);
}

void Incident::note_decided() {
  if (record_.times.counted_until && !record_.times.decided) record_.times.decided = now();
}

void Incident::note_recovered() {
  record_.times.recovered.reset();
  if (record_.rules.empty()) return;
  Duration good = Duration::max();
  for (const JoinedRule& joined : record_.rules) {
    const WatchedRule* rule = in_.evidence.find(joined.rule);
    if (rule == nullptr || !rule->is(Verdict::good)) return;
    good = std::min(good, rule->good_for(now()));
  }
  record_.times.recovered = now() - good;
}

// Only what recovered has an end after which something could be looked at: of everything else people were told.
void Incident::plan_later() {
  const ActionSpec* action = plan();
  if (record_.outcome != Outcome::recovered || action == nullptr) return;
  for (const LaterSpec& spec : action->later) {
    LaterCheck check;
    check.action = action->name;
    check.after_ns = spec.after.count();
    if (spec.when) check.when = spec.when->text();
    check.text = spec.text;
    check.notify = spec.notify;
    check.due = now() + spec.after;
    check.revision = in_.revisions.running();
    record_.later.push_back(std::move(check));
  }
  if (!record_.later.empty()) in_.later.expect(record_.id);
}

}  // namespace rules
