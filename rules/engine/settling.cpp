#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"
#include "rules/incidents/story.hpp"

// Did it help? A rung without a switch is given time to settle; then, and after a switch, it is verified
// (SPEC 2.26, 2.27).

namespace rules {

namespace {

// Two looks that saw something else than the target: it is not going to come.
constexpr int looks_elsewhere_max = 2;
// A rung's settle holds at least this many polls of the service's slowest probe.
constexpr int settle_polls_min = 2;

bool is_thin(Cause cause) { return cause == Cause::no_traffic || cause == Cause::too_few_samples; }

}  // namespace

void Core::after_steps(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  WatchedService& service = service_of(incident);
  const ActionSpec& action = *plan(incident);
  if (!action.mutates()) return climb(incident, "action " + action.name.text + " is done");
  touch(service);
  restart_spans(service);
  warm_up(service, now_ + service.spec.start_deadline);
  if (action.switches()) {
    service.not_before = now_;
    service.not_before_cause = Cause::warming_up;
  }
  rejudge(nullptr);
  incident.refired = false;
  if (action.switches()) return begin_verifying(incident);
  record.settle_extensions = 0;
  enter(incident, IncidentPhase::settling);
  record.deadline = now_ + settle_of(incident);
  tell(incident, Stage::progress, std::string(story::settling),
       action.name.text + " is done; it has " + told(settle_of(incident)) + " to help");
}

Duration Core::settle_of(const LiveIncident& incident) const {
  const ActionSpec* action = plan(incident);
  const Duration least = settle_least(incident);
  if (action != nullptr && action->settle) return std::max(*action->settle, least);
  Duration settle = std::chrono::minutes(5);
  for (const JoinedRule& joined : incident.record.rules) settle = std::min(settle, Duration(joined.for_ns));
  return std::max(settle, least);
}

// Whether a rung helped cannot be known before it was measured: a ladder whose rules have `for = "0s"` must not be
// climbed in one moment.
Duration Core::settle_least(const LiveIncident& incident) const {
  Duration interval{};
  for (const ProbeShape& probe : config_.probes) {
    const auto& probes = service_of(incident).probes;
    if (probes.contains(probe.name)) interval = std::max(interval, probe.interval);
  }
  return settle_polls_min * interval;
}

// What the verification covers: every rule that joined and has a say; by hand, every rule that acts or asks.
std::vector<const WatchedRule*> Core::verified_rules(const LiveIncident& incident) const {
  std::vector<const WatchedRule*> out;
  const auto& joined = incident.record.rules;
  for (const WatchedRule* watched_rule : service_of(incident).rules) {
    const WatchedRule& rule = *watched_rule;
    const bool is_in =
        std::any_of(joined.begin(), joined.end(), [&](const JoinedRule& one) { return one.rule == rule.spec.name; });
    const bool has_say = rule.spec.severity != Severity::p3 || mode_of(rule.spec) >= Mode::ask;
    const bool acts_or_asks = rule.spec.severity != Severity::p3;
    if ((is_in && has_say) || (incident.record.by_hand && acts_or_asks)) out.push_back(&rule);
  }
  return out;
}

Duration Core::hold_of(const LiveIncident& incident, const WatchedRule& rule) const {
  const ActionSpec* action = plan(incident);
  if (action != nullptr && action->verify.hold) return *action->verify.hold;
  return recovery_hold(rule.spec);
}

bool Core::runs_target(const LiveIncident& incident) const {
  const WatchedService& service = service_of(incident);
  if (!service.spec.has_identity || !incident.record.switched) return true;
  return service.record.running == incident.record.to;
}

// Another P0 to P2 rule that is bad now and was not when the revision came.
bool Core::others_bad(const LiveIncident& incident) const {
  const std::vector<const WatchedRule*> covered = verified_rules(incident);
  const LedgerRecord* from = ledger_.find(incident.record.service, incident.record.from);
  const std::vector<WatchedRule*>& rules = service_of(incident).rules;
  return std::any_of(rules.begin(), rules.end(), [&](const WatchedRule* rule) {
    if (rule->spec.severity == Severity::p3 || rule->when.verdict != Verdict::bad) return false;
    if (std::find(covered.begin(), covered.end(), rule) != covered.end()) return false;
    if (from == nullptr) return true;
    const std::vector<RuleName>& before = from->preexisting;
    return std::find(before.begin(), before.end(), rule->spec.name) == before.end();
  });
}

void Core::check_verify_when(LiveIncident& incident) {
  const ActionSpec* action = plan(incident);
  if (action == nullptr || !action->verify.when) return;
  const Judgement now = measurements_.judge(*action->verify.when, scope(service_of(incident), std::nullopt), now_);
  if (now.verdict != Verdict::bad) return incident.verify_since.reset();
  if (!incident.verify_since) incident.verify_since = now_;
}

bool Core::is_verified(const LiveIncident& incident) const {
  if (!runs_target(incident)) return false;
  const bool joined_none = incident.record.rules.empty();
  const ActionSpec* action = plan(incident);
  const std::vector<const WatchedRule*> covered = verified_rules(incident);
  const bool all_good = std::all_of(covered.begin(), covered.end(), [&](const WatchedRule* rule) {
    const Duration good = rule->tracker.good_for(now_);
    const Duration hold = hold_of(incident, *rule);
    if (rule->when.verdict == Verdict::bad) return false;
    return good >= hold && (good > Duration::zero() || rule->when.verdict == Verdict::good);
  });
  if (!all_good) return false;
  if (action == nullptr || !action->verify.when) {
    // Without rules it is enough that the target runs; rules that a reload took away were never seen good.
    return !covered.empty() || (joined_none && service_of(incident).spec.has_identity);
  }
  Duration hold = std::chrono::minutes(5);
  for (const WatchedRule* rule : covered) hold = std::min(hold, recovery_hold(rule->spec));
  hold = action->verify.hold.value_or(covered.empty() ? Duration::zero() : hold);
  return incident.verify_since && now_ >= *incident.verify_since + hold;
}

std::string Core::proof_of(const LiveIncident& incident) const {
  if (!verified_rules(incident).empty()) return "every rule is good again";
  return incident.record.to.text + " runs; no rule says how well";
}

bool Core::drive_settling(LiveIncident& incident) {
  const IncidentRecord& record = incident.record;
  if (record.pending_outcome) return finish_now(incident), true;
  if (moved_on(incident)) return finish(incident, Outcome::superseded, "another revision runs now"), true;
  if (incident.climb_now) return climb(incident, "a more severe rule fired"), true;
  check_verify_when(incident);
  if (is_verified(incident) && !others_bad(incident)) {
    return finish(incident, Outcome::recovered, proof_of(incident)), true;
  }
  if (!record.deadline || now_ < *record.deadline) return false;
  return settle_over(incident);
}

// SPEC 2.27: bad gives way to the next rung; unknown waits once more, then climbs if `up` is 0, else asks.
bool Core::settle_over(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  const std::vector<const WatchedRule*> covered = verified_rules(incident);
  const auto any = [&](Verdict verdict) {
    return std::any_of(covered.begin(), covered.end(),
                       [&](const WatchedRule* rule) { return rule->when.verdict == verdict; });
  };
  if (any(Verdict::bad)) return climb(incident, "it did not help"), true;
  if (!any(Verdict::unknown)) return begin_verifying(incident), true;
  if (record.settle_extensions == 0) {
    ++record.settle_extensions;
    record.deadline = now_ + settle_of(incident);
    tell(incident, Stage::progress, std::string(story::settling),
         "whether it helped cannot be told yet; waits once more");
    return true;
  }
  const bool has_next = record.rung + 1 < record.ladder.size();
  if (worst_up(service_of(incident)) == Up::down) return climb(incident, "it is down"), true;
  if (!has_next) return finish(incident, Outcome::unverifiable, "whether it helped cannot be told"), true;
  record.asked = "whether action " + record.ladder[record.rung].text + " helped cannot be told";
  climb(incident, record.asked);
  return true;
}

Duration Core::verify_limit(const LiveIncident& incident) const {
  const ActionSpec* action = plan(incident);
  if (action != nullptr && action->verify.timeout) return *action->verify.timeout;
  Duration sustain{};
  Duration window{};
  for (const WatchedRule* rule : verified_rules(incident)) {
    sustain = std::max(sustain, rule->spec.sustain);
    for (const Condition::Reference& reference : rule->spec.when.references()) {
      const auto* signal = std::get_if<SignalRef>(&reference.to);
      if (signal == nullptr) continue;
      for (const SignalSpec& spec : config_.signals) {
        if (spec.name == signal->signal) window = std::max(window, spec.window_max);
      }
    }
  }
  return service_of(incident).spec.start_deadline + window + 2 * sustain;
}

void Core::begin_verifying(LiveIncident& incident) {
  enter(incident, IncidentPhase::verifying);
  incident.verify_since.reset();
  incident.refired = false;
  incident.record.deadline = now_ + verify_limit(incident);
  tell(incident, Stage::progress, std::string(story::verifying),
       "what runs is verified for at most " + told(verify_limit(incident)));
}

bool Core::drive_verifying(LiveIncident& incident) {
  const IncidentRecord& record = incident.record;
  if (record.pending_outcome) return finish_now(incident), true;
  if (moved_on(incident)) return finish(incident, Outcome::superseded, "another revision runs now"), true;
  // A driver may return before the last old instance is gone.
  const Instant patience_ends = record.phase_since + service_of(incident).spec.start_deadline;
  const bool comes_late = incident.still_old && now_ < patience_ends;
  if (!runs_target(incident) && incident.looks_elsewhere >= looks_elsewhere_max && !comes_late) {
    return finish(incident, Outcome::wrong_revision, "what runs after the switch is not " + record.to.text), true;
  }
  // The action may have gone from the configuration over a restart.
  const ActionSpec* action = plan(incident);
  const bool switchless = action == nullptr ? !record.switched : !action->switches();
  if (switchless && incident.climb_now) return climb(incident, "a more severe rule fired"), true;
  if (switchless && std::exchange(incident.refired, false)) return climb(incident, "its rules fired again"), true;
  check_verify_when(incident);
  if (is_verified(incident) && !others_bad(incident)) {
    return finish(incident, Outcome::recovered, proof_of(incident)), true;
  }
  if (!record.deadline || now_ < *record.deadline) return false;
  verify_over(incident);
  return true;
}

// The time is up: what can be said of it.
void Core::verify_over(LiveIncident& incident) {
  const IncidentRecord& record = incident.record;
  const WatchedService& service = service_of(incident);
  if (!runs_target(incident)) {
    if (incident.looks_elsewhere > 0) {
      return finish(incident, Outcome::wrong_revision, "what runs after the switch is not " + record.to.text);
    }
    return finish(incident, Outcome::unverifiable, "what runs could not be read after the switch");
  }
  bool thin = false;
  bool unknown = false;
  for (const WatchedRule* rule : verified_rules(incident)) {
    if (rule->when.verdict == Verdict::bad) {
      return finish(incident, Outcome::not_recovered, "rule " + rule->spec.name.text + " is still bad");
    }
    if (rule->tracker.good_for(now_) >= hold_of(incident, *rule) && rule->when.verdict == Verdict::good) continue;
    if (rule->when.verdict == Verdict::good) {
      return finish(incident, Outcome::not_recovered,
                    "rule " + rule->spec.name.text + " was good for only " + told(rule->tracker.good_for(now_)));
    }
    (is_thin(rule->when.cause) ? thin : unknown) = true;
  }
  if (others_bad(incident)) return finish(incident, Outcome::not_recovered, "another rule became bad");
  const ActionSpec* action = plan(incident);
  if (action != nullptr && action->verify.when && !incident.verify_since) {
    const Judgement now = measurements_.judge(*action->verify.when, scope(service, std::nullopt), now_);
    if (now.verdict == Verdict::good) {
      return finish(incident, Outcome::not_recovered, action->verify.when->text() + " is not true");
    }
    (is_thin(now.cause) ? thin : unknown) = true;
  }
  const Up up = worst_up(service);
  if ((thin || unknown) && up == Up::down) return finish(incident, Outcome::not_recovered, "it is down");
  if (unknown || (thin && up != Up::up) || verified_rules(incident).empty()) {
    return finish(incident, Outcome::unverifiable, "nothing could be measured that decides");
  }
  finish(incident, Outcome::recovered,
         thin ? "too little traffic to decide; up and journeys are well" : "every rule is good again");
}

void Core::add_incident_deadlines(const LiveIncident& incident, std::vector<Instant>& out) const {
  const IncidentRecord& record = incident.record;
  if (record.deadline) out.push_back(*record.deadline);
  if (incident.hold_until) out.push_back(*incident.hold_until);
  if (incident.lock_retry_at) out.push_back(*incident.lock_retry_at);
  if (const std::optional<Instant> end = lock_patience_ends(incident)) out.push_back(*end);
  if (incident.look_asked && !incident.look) out.push_back(*incident.look_asked + std::chrono::seconds(30));
  for (const JoinedRule& joined : record.rules) {
    const WatchedRule* rule = watched(joined.rule);
    if (rule == nullptr || rule->when.verdict != Verdict::good) continue;
    const Duration good = rule->tracker.good_for(now_);
    out.push_back(now_ + (hold_of(incident, *rule) - good));
    out.push_back(now_ + (recovery_hold(rule->spec) - good));
  }
  if (!incident.verify_since) return;
  for (const WatchedRule* rule : verified_rules(incident)) {
    out.push_back(*incident.verify_since + hold_of(incident, *rule));
  }
}

}  // namespace rules
