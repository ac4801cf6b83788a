#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"

// What is so now, for people and programs. Asking changes nothing.

namespace rules {

EngineView Core::view(Instant now) const {
  EngineView out;
  out.at = now;
  out.mode = cap();
  for (const SelfDegraded& one : degraded_) out.degraded.push_back(one.reason);
  for (const auto& [name, service] : services_) out.services.push_back(view_of(service));
  for (const auto& [name, rule] : rules_) out.rules.push_back(view_of(rule, now));
  for (const ProbeShape& probe : config_.probes) {
    out.probes.push_back({probe.name, measurements_.last_poll(probe.name), measurements_.up(probe.name, now)});
  }
  const std::map<SignalName, std::string> taken = measurements_.taken();
  for (const SignalSpec& signal : config_.signals) {
    Scope in;
    for (const auto& [name, service] : services_) {
      if (service.probes.contains(signal.probe)) in.not_before = std::max(in.not_before, service.not_before);
    }
    const auto found = taken.find(signal.name);
    out.signals.push_back({signal.name, measurements_.signal(signal.name, in, now),
                           found == taken.end() ? std::string() : found->second});
  }
  out.ledger = ledger_.all();
  for (const auto& [id, incident] : incidents_) out.open_incidents.push_back(incident.record);
  return out;
}

ServiceView Core::view_of(const WatchedService& service) const {
  ServiceView out;
  const ServiceRecord& record = service.record;
  const LedgerRecord* running = ledger_.find(service.spec.name, record.running);
  out.service = service.spec.name;
  out.revision = record.running;
  out.last_good = ledger_.last_good(service.spec.name, record.running).value_or(Revision());
  out.state = service.incident    ? ServiceState::incident
              : is_armed(service) ? ServiceState::armed
                                  : ServiceState::disarmed;
  out.paused = is_paused(service);
  out.paused_until = record.paused_until;
  out.fused_reason = fuse_.blown(service.spec.name, service.spec.fuse, running, service.spec.has_driver, now_);
  if (record.acted_without_identity)
    out.fused_reason = "without an identity it acts once until deploy mark or fuse reset";
  out.fused = !out.fused_reason.empty();
  out.blind =
      std::any_of(service.rules.begin(), service.rules.end(), [](const WatchedRule* rule) { return rule->blind; });
  out.deploying = is_deploying(service);
  out.warming_up = is_warming(service, service.probes);
  const bool has_target = !service.spec.has_identity || !out.last_good.empty();
  out.rollback_ready = service.spec.has_driver && service.ready && has_target;
  if (!service.spec.has_driver) {
    out.not_ready_reason = "it has no driver";
  } else if (!service.ready) {
    out.not_ready_reason = service.not_ready_reason;
  } else if (!has_target) {
    out.not_ready_reason = "no good revision is known that ran before";
  }
  out.incident = service.incident;
  out.bake = service.spec.bake;
  if (running != nullptr) out.baked = Duration(running->baked_ns);
  if (service.bake_from != Instant::max()) out.baked += now_ - service.bake_from;
  return out;
}

RuleView Core::view_of(const WatchedRule& rule, Instant now) const {
  const WatchedService& service = services_.at(rule.spec.service);
  RuleView out;
  out.rule = rule.spec.name;
  out.service = rule.spec.service;
  out.severity = rule.spec.severity;
  out.sustain = rule.spec.sustain;
  out.quorum = rule.spec.quorum;
  out.condition = rule.spec.when.text();
  out.judgement = measurements_.judge(rule.spec.when, scope(service, blanket(service, rule)), now);
  out.progress = rule.tracker.progress(now);
  out.preexisting = is_preexisting(service, rule.spec.name);
  out.unknown_time = rule.tracker.unknown_time();
  out.missing = missing(rule, out.progress);
  return out;
}

// One sentence for each thing that is missing before it acts.
std::vector<std::string> Core::missing(const WatchedRule& rule, const RuleProgress& progress) const {
  const WatchedService& service = services_.at(rule.spec.service);
  std::vector<std::string> out;
  if (rule.when.verdict == Verdict::unknown) {
    out.push_back("unknown: " + std::string(to_string(rule.when.cause)) +
                  (rule.when.detail.empty() ? "" : ", " + rule.when.detail));
  }
  if (rule.when.verdict == Verdict::good && progress.state == RuleState::idle) out.push_back("it is good");
  const bool is_firing = progress.state == RuleState::firing || progress.state == RuleState::recovering;
  if (!is_firing && progress.bad > Duration::zero()) {
    out.push_back("bad for " + told(progress.bad) + " of " + told(rule.spec.sustain));
  }
  constexpr std::int64_t bad_samples_min = 3;
  const bool few = !is_firing && progress.bad_samples > 0 && progress.bad_samples < bad_samples_min;
  if (few) {
    const std::int64_t more = bad_samples_min - progress.bad_samples;
    out.push_back("needs " + std::to_string(more) + " more bad sample" + (more == 1 ? "" : "s"));
  }
  if (progress.state == RuleState::confirming) out.push_back("is being confirmed by one more poll");
  if (rule.withheld_since && now_ < *rule.withheld_since + rule.spec.unless_max) {
    out.push_back("held back at most until " + told(*rule.withheld_since + rule.spec.unless_max) + ": " +
                  rule.withheld_by);
  }
  if (rule.looked_for && is_firing && !rule.answered && !service.incident &&
      now_ < *progress.since + identity_wait_max) {
    out.push_back("waits for a look at what runs, at most until " + told(*progress.since + identity_wait_max));
  }
  if (is_firing && rule.answered) out.push_back("its incident is closed; it has to recover before it can fire again");
  if (is_paused(service)) out.push_back("paused until " + told(*service.record.paused_until));
  switch (mode_of(rule.spec)) {
    case Mode::observe:
      out.push_back("mode observe: would only be written down");
      break;
    case Mode::notify:
      out.push_back("would only be told");
      break;
    case Mode::ask:
      out.push_back("would ask");
      break;
    case Mode::act:
      if (!is_armed(service)) out.push_back("disarmed: would ask");
      break;
  }
  const std::optional<Instant>& ended = service.record.mutation_ended;
  if (ended && now_ < *ended + service.spec.cooldown) {
    out.push_back("cooldown until " + told(*ended + service.spec.cooldown));
  }
  if (is_preexisting(service, rule.spec.name)) out.push_back("was bad before this revision came: would ask");
  const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  const std::string blown = fuse_.blown(service.spec.name, service.spec.fuse, running, service.spec.has_driver, now_);
  if (!blown.empty()) out.push_back("fused: " + blown);
  if (const LiveIncident* incident = open_incident(service); incident && !incident->record.waiting_for.empty()) {
    out.push_back("waits: " + incident->record.waiting_for);
  }
  return out;
}

std::vector<SpanRecord> Core::spans(Instant now) const {
  std::vector<SpanRecord> out;
  for (const auto& [name, rule] : rules_) {
    SpanRecord record = rule.tracker.record(now);
    // Fired, and withheld or waiting for a look at what runs: after a restart the next bad verdict fires at once.
    const bool unanswered = !rule.answered && !services_.at(rule.spec.service).incident;
    if (unanswered && record.state == RuleState::firing) {
      record.state = RuleState::confirming;
      record.confirmed_unknown = true;
      record.withheld_since = rule.withheld_since;
      record.segments = {{record.firing_since, now, Verdict::bad, 3}};
    }
    out.push_back(std::move(record));
  }
  return out;
}

}  // namespace rules
