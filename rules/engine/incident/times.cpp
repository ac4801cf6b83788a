#include <algorithm>
#include <utility>

#include "rules/engine/incident/incident.hpp"

// When what happened, how long it was bad, and what is looked at when it is over.

namespace rules {

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
