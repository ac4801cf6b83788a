#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"
#include "rules/engine/missing.hpp"

// What is so now, for people and programs. Asking changes nothing.

namespace rules {

EngineView Core::view(Instant at) const {
  EngineView out;
  out.at = at;
  out.mode = trouble_.cap();
  out.degraded = trouble_.reasons();
  std::map<ProbeName, Instant> not_before;
  for (const auto& [name, service] : services_) {
    out.services.push_back(view_of(*service, at));
    for (const WatchedRule* rule : service->evidence().rules()) out.rules.push_back(view_of(*service, *rule, at));
    for (const ProbeName& probe : service->evidence().probes()) {
      Instant& from = not_before.try_emplace(probe, Instant::min()).first->second;
      from = std::max(from, service->evidence().not_before());
    }
  }
  std::sort(out.rules.begin(), out.rules.end(), [](const RuleView& a, const RuleView& b) { return a.rule < b.rule; });
  for (const ProbeShape& probe : config_.probes) {
    out.probes.push_back({probe.name, measurements_.last_poll(probe.name), measurements_.up(probe.name, at),
                          probe_faults_.unread_lines(probe.name)});
  }
  const std::map<SignalName, std::string> taken = measurements_.taken();
  for (const SignalSpec& signal : config_.signals) {
    Scope in;
    if (const auto from = not_before.find(signal.probe); from != not_before.end()) in.not_before = from->second;
    const auto found = taken.find(signal.name);
    out.signals.push_back(
        {signal.name, measurements_.signal(signal.name, in, at), found == taken.end() ? std::string() : found->second});
  }
  out.ledger = ledger_.all();
  for (const auto& [id, service] : open_) out.open_incidents.push_back(service->incident()->record());
  return out;
}

static std::string why_not_ready(const Service& service) {
  if (!service.spec().has_driver) return "it has no driver";
  if (!service.readiness.ready) return service.readiness.reason.empty() ? "not ready" : service.readiness.reason;
  if (service.has_target()) return "";
  const std::string& unreadable = service.revisions().readability().why_not();
  return unreadable.empty() ? "no good revision is known that ran before" : unreadable;
}

ServiceView Core::view_of(const Service& service, Instant at) const {
  ServiceView out;
  const Revisions& revisions = service.revisions();
  const Limits& limits = service.limits();
  const Incident* incident = service.incident();
  out.service = service.name();
  out.revision = revisions.running();
  out.running_since = revisions.running_since();
  out.in_doubt = revisions.is_in_doubt();
  out.last_good = revisions.last_good(revisions.running()).value_or(Revision());
  out.state = incident != nullptr    ? ServiceState::incident
              : revisions.is_armed() ? ServiceState::armed
                                     : ServiceState::disarmed;
  out.paused = limits.is_paused();
  out.paused_until = limits.paused_until();
  out.fused_reason = why_fused(service);
  out.fused = !out.fused_reason.empty();
  out.blind = service.evidence().is_blind();
  out.unreadable = revisions.readability().why_not();
  // In the middle of a switch of ours it is no news.
  if (incident == nullptr || !incident->is_switching_by_us()) out.unfinished = revisions.unfinished();
  out.stopped = revisions.stopped();
  out.deploying = service.evidence().is_deploying();
  out.deployment_began = service.revisions().deploying_since().has_value();
  out.warming_up = service.evidence().is_warming();
  out.warming_until = service.evidence().warming_until();
  out.by_hand_not_ready = service.readiness.by_hand;
  out.drivers = service.readiness.drivers;
  out.not_ready_reason = why_not_ready(service);
  out.rollback_ready = out.not_ready_reason.empty();
  if (incident != nullptr) {
    out.incident = incident->record().id;
    out.progress = incident->progress(at);
  }
  out.later = service.later().waiting();
  out.bake = service.spec().bake;
  out.baked = revisions.baked();
  return out;
}

RuleView Core::view_of(const Service& service, const WatchedRule& rule, Instant at) const {
  RuleView out;
  out.rule = rule.name();
  out.service = service.name();
  out.severity = rule.spec().severity;
  out.sustain = rule.spec().sustain;
  out.quorum = rule.spec().quorum;
  out.condition = rule.spec().when.text();
  out.judgement = service.evidence().judge_now(rule, at);
  out.progress = rule.progress(at);
  out.preexisting = service.revisions().is_preexisting(rule.name());
  out.unknown_time = rule.unknown_time();
  out.missing = missing(service, rule, trouble_.cap(), at);
  return out;
}

std::optional<Situation> Core::situation(const IncidentId& incident, Instant at) const {
  for (const auto& [name, service] : services_) {
    if (std::optional<Situation> found = service->situation(incident, at)) return found;
  }
  return std::nullopt;
}

std::vector<SpanRecord> Core::spans(Instant at) const {
  std::vector<SpanRecord> out;
  out.reserve(rules_by_name_.size());
  for (const auto& [rule, service] : rules_by_name_) out.push_back(rule->record(at, service->incident() != nullptr));
  return out;
}

Work Core::work() const {
  Work out;
  out.incidents = incidents_looked_at_;
  for (const auto& [name, service] : services_) out.evaluations += service->evidence().evaluations();
  return out;
}

}  // namespace rules
