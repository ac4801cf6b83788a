#include <algorithm>

#include "judge.hpp"

// What must be so when an incident ends, and what must have happened by a certain time.

namespace sim {

using namespace rules;

namespace {

// A look at what runs, its confirmation, what reading and polling take.
constexpr Duration reaction = 45s;

bool is_failure(Outcome outcome) {
  switch (outcome) {
    case Outcome::not_recovered:
    case Outcome::wrong_revision:
    case Outcome::unverifiable:
    case Outcome::action_failed:
    case Outcome::no_target:
    case Outcome::fused:
    case Outcome::aborted:
      return true;
    case Outcome::recovered:
    case Outcome::superseded:
    case Outcome::observed:
    case Outcome::notified:
    case Outcome::cleared:
      return false;
  }
  return false;
}

bool is_firing(RuleState state) { return state == RuleState::firing || state == RuleState::recovering; }

}  // namespace

void Judge::incident_saved(const Watcher& watcher, const IncidentRecord& record) {
  Incident& incident = incidents_[record.id];
  Service& known = service(record.service);
  const bool is_new = incident.record.id.empty();
  const bool entered = is_new || incident.record.phase != record.phase;
  if (incident.closed && !record.closed) breach("incident " + record.id.text + " is opened again");
  if (entered) reach(std::string(to_string(record.phase)));
  if (record.rung > 0) reach("a second rung");
  const bool decided =
      record.pending_outcome == Outcome::recovered && incident.record.pending_outcome != record.pending_outcome;
  // Who approved one rung has not approved the next.
  if (record.rung > incident.record.rung && !incident.in_trouble) incident.approved = false;
  // What could not be saved at once.
  if (is_new && record.opened + 10s < now()) incident.in_trouble = true;
  if (is_new) check_opened(watcher, record);
  for (std::size_t i = incident.record.rules.size(); i < record.rules.size(); ++i)
    check_joined(watcher, record.rules[i]);
  incident.watcher = watcher.number();
  note_answer(watcher, incident, record);
  incident.record = record;
  incident.seen = now();
  if (is_new) {
    if (!known.open.empty()) breach("two open incidents of " + record.service.text);
    known.open = record.id.text;
  }
  const bool action_ended = record.phase == IncidentPhase::settling || record.phase == IncidentPhase::verifying;
  if (entered && action_ended) {
    known.disturbed = now();
    for (const RuleSpec& spec : watcher.config().rules) {
      const bool begins = record.phase == IncidentPhase::settling || record.switched;
      if (spec.service == record.service && begins) measured(watcher).at(spec.name).spans_begin(record.phase_since);
    }
  }
  if (record.pending_outcome && !incident.decided) incident.decided = now();
  if (decided) check_recovered(watcher, record);
  if (record.closed && !incident.closed) incident_closed(watcher, incident);
}

void Judge::incident_closed(const Watcher& watcher, Incident& incident) {
  const IncidentRecord& record = incident.record;
  incident.closed = now();
  Service& known = service(record.service);
  known.open.clear();
  known.disturbed = now();
  // A switch that changed nothing brought nothing.
  if (known.readable && known.looked != known.brought) known.brought.clear();
  if (!record.outcome) return breach("incident " + record.id.text + " is closed without an outcome");
  reach("ended " + std::string(to_string(*record.outcome)));
  const bool says_nothing_changed =
      record.outcome == Outcome::notified || record.outcome == Outcome::observed || record.outcome == Outcome::cleared;
  if (says_nothing_changed && !incident.mutated.empty()) {
    breach("incident " + record.id.text + " ended " + std::string(to_string(*record.outcome)) +
           " and a mutating step had run");
  }
  if (record.by_hand) reach("by hand");
  check_ending(incident);
  hold(watcher, incident);
  decisions_ += record.service.text + ": " + std::string(to_string(*record.outcome)) + " " + record.from.text + " -> " +
                record.to.text + "\n";
  for (const std::size_t rung : incident.mutated) {
    const ActionSpec* action = plan(watcher, record, rung);
    const bool is_same = action != nullptr && (rung != record.rung || action->fingerprint() == record.plan_fingerprint);
    if (!is_same) continue;
    const bool all_ran = incident.always[rung] >= static_cast<int>(action->always.size());
    const bool left_out = std::any_of(record.timeline.begin(), record.timeline.end(), [](const TimelineEntry& line) {
      return line.text.find("the host's lock") != std::string::npos || line.text.find("intent") != std::string::npos;
    });
    if (!all_ran && !left_out) breach("an `always` step of " + record.id.text + " did not run");
    const bool makes_good = rung == record.rung && is_failure(*record.outcome) && !action->on_failure.empty();
    if (makes_good && incident.on_failure == 0 && !left_out) {
      breach("`on_failure` of " + record.id.text + " did not run");
    }
  }
}

void Judge::check_recovered(const Watcher& watcher, const IncidentRecord& record) {
  Service& known = service(record.service);
  if (record.switched && !record.by_hand && known.identity) {
    known.bad.insert(record.from.text);
    known.good.erase(record.from.text);
    known.ran.erase(record.from.text);
  }
  // A disk that is in trouble lets us hear of it late.
  const bool is_news = std::any_of(record.timeline.begin(), record.timeline.end(), [&](const TimelineEntry& line) {
    return line.event == "decided" && line.at + 2s > now();
  });
  if (!is_news) return;
  const bool is_readable = known.identity && known.readable;
  if (record.switched && is_readable && known.looked != record.to.text) {
    breach("recovered is said and " + known.looked + " runs, not " + record.to.text);
  }
  for (const JoinedRule& joined : record.rules) {
    const RuleSpec* spec = rule(watcher, joined.rule);
    if (spec == nullptr || spec->severity == Severity::p3) continue;
    const Measured& evidence = measured(watcher).at(joined.rule);
    const std::optional<Instant> bad_since = evidence.surely_bad_since();
    if (bad_since && now() - *bad_since > 2 * reaction) breach("recovered is said and " + joined.rule.text + " is bad");
    const Duration hold = recovery_hold(*spec) - 1s;
    if (evidence.surely_bad_within(hold, now()))
      breach("recovered is said and " + joined.rule.text + " was bad a moment ago");
  }
}

void Judge::look_around(const Watcher& watcher) {
  if (!watcher.is_alive()) return;
  const EngineView view = watcher.view();
  for (const IncidentRecord& open : view.open_incidents) check_waiting(watcher, open);
  for (const ServiceView& service : view.services) check_later(watcher, service);
  for (const RuleView& one : view.rules) {
    note_cleared(watcher, one);
    check_detection(watcher, one);
    check_answered(watcher, view, one);
    check_sight(watcher, one);
  }
}

// A real bad release under enough traffic is not missed.
void Judge::check_detection(const Watcher& watcher, const RuleView& one) {
  const Service& known = service(one.service);
  const RuleSpec* spec_of_rule = rule(watcher, one.rule);
  const ServiceSpec* of = spec(watcher, one.service);
  const std::optional<Instant> bad_since = measured(watcher).at(one.rule).surely_bad_since();
  if (!bad_since || spec_of_rule == nullptr || is_firing(one.progress.state)) return;
  const bool is_seen = !known.identity || known.readable;
  Instant deployed = known.deploying ? known.deploying_since + of->deploy_timeout : Instant::min();
  // A crash may have lost that it ended.
  if (known.deploying_saved != Instant::min()) deployed = known.deploying_saved + of->deploy_timeout;
  // What a switch stops and starts is no outage, as long as a deployment may take.
  if (known.switching_since != Instant::min()) {
    deployed = std::max(deployed, known.switching_since + of->deploy_timeout);
  }
  if (now() < deployed || now() < known.paused_until || !is_seen) return;
  Duration needs = spec_of_rule->sustain + reaction;
  // What something else explained is no evidence: it begins anew.
  if (spec_of_rule->unless) needs += spec_of_rule->unless_max + spec_of_rule->sustain;
  const Instant undisturbed = std::max({known.disturbed, known.paused_until, deployed});
  if (now() > std::max(*bad_since, undisturbed + of->start_deadline) + needs) {
    remember("since " + to_string(now() - *bad_since) + ", undisturbed for " + to_string(now() - known.disturbed) +
             ", it is " + std::string(to_string(one.judgement.verdict)) + " " +
             std::string(to_string(one.judgement.cause)) + " " + std::string(to_string(one.progress.state)) +
             " bad for " + to_string(one.progress.bad));
    breach("rule " + one.rule.text + " is bad for long and does not fire");
  }
}

void Judge::at_the_end(const Watcher& watcher) {
  for (const auto& [id, incident] : incidents_) {
    if (incident.watcher != watcher.number() || incident.record.id.empty()) continue;
    if (!incident.closed) {
      breach("incident " + id.text + " never ends, it is " + std::string(to_string(incident.record.phase)));
      continue;
    }
    if (!incident.record.outcome) continue;
    const std::string outcome(to_string(*incident.record.outcome));
    if (!incident.said.contains(outcome)) breach("nobody was told that " + id.text + " ended " + outcome);
    if (!incident.said.contains("started") && !incident.in_trouble)
      breach("nobody was told that " + id.text + " began");
  }
  for (const std::string& what : watcher.journal().breaches) breach(what);
}

}  // namespace sim
