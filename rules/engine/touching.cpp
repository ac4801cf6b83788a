#include <algorithm>

#include "rules/engine/core.hpp"

// Whom an event concerns, so that what a poll costs does not grow with the number of services; and when each service
// has to be looked at again though nothing was seen.

namespace rules {

namespace {

// A verdict goes stale after its last valid instant.
constexpr Duration just_after = std::chrono::nanoseconds(1);

const ServiceName* named(const Event& event) {
  if (const auto* read = std::get_if<RevisionRead>(&event)) return &read->service;
  if (const auto* mark = std::get_if<DeployMark>(&event)) return &mark->service;
  if (const auto* read = std::get_if<ReadinessRead>(&event)) return &read->service;
  return nullptr;
}

}  // namespace

// What was so until now is counted before anything changes.
void Core::touch(WatchedService& service) {
  if (touched_.emplace(service.spec.name, &service).second) bake(service);
}

void Core::touch_all() {
  for (auto& [name, service] : services_) touch(service);
}

void Core::touch_concerned(const Event& event) {
  if (const auto* poll = std::get_if<Poll>(&event)) {
    const auto concerned = services_of_probe_.find(poll->probe);
    if (concerned == services_of_probe_.end()) return;
    for (const ServiceName& name : concerned->second) touch(services_.at(name));
  } else if (const ServiceName* name = named(event)) {
    if (WatchedService* service = find_service(*name)) touch(*service);
  } else {
    touch_all();
  }
}

Instant Core::next_timer() const { return timers_.empty() ? Instant::max() : timers_.begin()->first; }

// An incident's deadlines may come from what others do.
void Core::set_timers() {
  for (const auto& [id, incident] : incidents_) set_timer(service_of(incident));
  for (auto& [name, service] : touched_) {
    if (!service->incident) set_timer(*service);
  }
}

void Core::set_timer(WatchedService& service) {
  // What is due now is still to be done: at equal times what was measured came first.
  if (service.timer && *service.timer <= now_) return;
  std::vector<Instant> due;
  for (const WatchedRule* rule : service.rules) add_rule_deadlines(*rule, due);
  add_service_deadlines(service, due);
  if (const LiveIncident* incident = open_incident(service)) add_incident_deadlines(*incident, due);
  std::optional<Instant> next;
  for (const Instant at : due) {
    if (at > now_ && at < next.value_or(Instant::max())) next = at;
  }
  if (next == service.timer) return;
  if (service.timer) timers_.erase({*service.timer, service.spec.name});
  if (next) timers_.emplace(*next, service.spec.name);
  service.timer = next;
}

void Core::add_rule_deadlines(const WatchedRule& rule, std::vector<Instant>& out) const {
  if (const std::optional<Instant> deadline = rule.tracker.deadline()) out.push_back(*deadline);
  if (rule.when.valid_until != Instant::max()) {
    out.push_back(rule.when.valid_until);
    out.push_back(rule.when.valid_until + just_after);
  }
  if (rule.looked_for) out.push_back(rule.tracker.progress(now_).since.value_or(now_) + identity_wait_max);
  if (!rule.withheld_since) return;
  out.push_back(*rule.withheld_since + rule.spec.unless_max);
  out.push_back(rule.withheld_valid_until);
}

void Core::add_service_deadlines(const WatchedService& service, std::vector<Instant>& out) const {
  for (const auto& [probe, warming] : service.warming) out.push_back(warming.until);
  if (service.record.deploying_since) out.push_back(*service.record.deploying_since + service.spec.deploy_timeout);
  if (service.absent_since) out.push_back(*service.absent_since + service.spec.start_deadline);
  if (service.record.paused_until) out.push_back(*service.record.paused_until);
  const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  if (running == nullptr) return;
  if (service.bake_from != Instant::max()) {
    out.push_back(service.bake_from + (service.spec.bake - Duration(running->baked_ns)));
    for (const ProbeName& probe : service.probes) out.push_back(measurements_.up_until(probe, now_));
  }
  for (const RuleName& name : running->preexisting) {
    const WatchedRule* rule = watched(name);
    if (rule == nullptr || rule->when.verdict != Verdict::good) continue;
    out.push_back(now_ + (rule->spec.sustain - rule->tracker.good_for(now_)));
  }
}

}  // namespace rules
