#include "rules/engine/core.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rules {

namespace {

// One event leads to a handful of transitions at most; far more would be a circle.
constexpr int reactions_max = 1000;
// A verdict goes stale after its last valid instant.
constexpr Duration just_after = std::chrono::nanoseconds(1);

Instant time_of(const Event& event) {
  if (const auto* poll = std::get_if<Poll>(&event)) return poll->ended;
  if (const auto* read = std::get_if<RevisionRead>(&event)) return read->ended;
  if (const auto* mark = std::get_if<DeployMark>(&event)) return mark->at;
  if (const auto* read = std::get_if<ReadinessRead>(&event)) return read->at;
  if (const auto* jump = std::get_if<ClockJump>(&event)) return jump->at;
  return std::get<SelfDegraded>(event).at;
}

}  // namespace

void Core::observe(Event event) {
  const Instant at = time_of(event);
  events_.emplace(at, std::move(event));
}

void Core::refill(const Poll& poll) { measurements_.observe(poll); }

std::vector<Command> Core::advance(Instant now) {
  run_to(now);
  return take_commands();
}

std::vector<Command> Core::complete(const StepId& id, const StepResult& result, Instant now) {
  run_to(now);
  const auto found = incidents_.find(id.incident);
  if (found == incidents_.end()) return take_commands();
  LiveIncident& incident = found->second;
  if (id.step == lock_step) {
    locked(incident, result);
  } else if (incident.record.in_flight && incident.step.id == id) {
    end_step(incident, result);
  }
  react();
  return take_commands();
}

// Events and due timers in the order of their times; at equal times what was measured comes before what is decided.
void Core::run_to(Instant now) {
  now = std::max(now, now_);
  while (true) {
    const Instant event_at = events_.empty() ? Instant::max() : std::max(events_.begin()->first, now_);
    const Instant timer_at = next_timer().value_or(Instant::max());
    const Instant next = std::min(event_at, timer_at);
    if (next > now) break;
    now_ = next;
    for (auto& [name, service] : services_) bake(service);
    if (event_at <= timer_at) {
      const Event event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      handle(event);
    } else {
      tick();
    }
    react();
  }
  now_ = now;
}

void Core::handle(const Event& event) {
  std::visit([this](const auto& one) { handle(one); }, event);
}

void Core::handle(const Poll& poll) {
  if (poll.fault && poll.fault->kind == FaultKind::cancelled) return;
  measurements_.observe(poll);
  for (auto& [name, service] : services_) {
    if (!service.probes.contains(poll.probe)) continue;
    note_up(service, poll);
    for (const Reading& reading : poll.readings) {
      if (reading.series->name != "process_start_time_seconds") continue;
      double& start = service.process_start[{poll.probe, poll.instance}];
      const bool restarted = start != 0 && reading.value > start;
      start = std::max(start, reading.value);
      if (restarted) instance_restarted(service, poll);
    }
  }
  note_probe(poll);
  rejudge(&poll.probe);
  for (auto& [name, service] : services_) collect_baselines(service, poll.probe);
}

void Core::handle(const ReadinessRead& read) {
  WatchedService* service = find_service(read.service);
  if (service == nullptr) return;
  if (service->ready != read.ready) {
    note(read.ready ? "rollback_ready" : "rollback_not_ready",
         {{"service", read.service.text}, {"reason", read.reason}});
  }
  service->ready = read.ready;
  service->not_ready_reason = read.ready ? "" : read.reason;
}

void Core::handle(const ClockJump& jump) {
  note("clock_jump", {{"by", told(jump.by)}});
  for (auto& [name, service] : services_) {
    service.not_before = std::max(service.not_before, now_);
    service.not_before_cause = Cause::clock_jump;
  }
  rejudge(nullptr);
}

void Core::handle(const SelfDegraded& degraded) {
  if (degraded.reason.empty()) {
    std::erase_if(degraded_, [](const SelfDegraded& one) { return !one.observe_only; });
    note("well_again", {});
  } else {
    std::erase_if(degraded_, [&](const SelfDegraded& one) { return one.reason == degraded.reason; });
    degraded_.push_back(degraded);
    note("degraded", {{"reason", degraded.reason}});
  }
  rejudge(nullptr);
}

void Core::tick() {
  for (auto& [name, service] : services_) end_overdue(service);
  for (auto& [name, rule] : rules_) rule.tracker.advance(now_);
  rejudge(nullptr);
}

// What follows from what was seen, until nothing more follows.
void Core::react() {
  for (auto& [name, rule] : rules_) take_edges(rule);
  for (auto& [name, service] : services_) forget_preexisting(service);
  for (int round = 0;; ++round) {
    assert(round < reactions_max);
    for (auto& [name, rule] : rules_) answer_firing(rule);
    bool changed = false;
    for (auto& [id, incident] : incidents_) changed = drive(incident) || changed;
    const auto closed =
        std::erase_if(incidents_, [](const auto& entry) { return entry.second.record.phase == IncidentPhase::closed; });
    if (!changed && closed == 0) break;
  }
  for (auto& [name, service] : services_) service.bake_from = is_baking(service) ? now_ : Instant::max();
}

std::vector<Command> Core::take_commands() { return std::exchange(commands_, {}); }

std::optional<Instant> Core::next_deadline() const {
  if (!commands_.empty()) return now_;
  std::optional<Instant> next = next_timer();
  if (!events_.empty() && (!next || events_.begin()->first < *next)) next = std::max(events_.begin()->first, now_);
  return next;
}

std::optional<Instant> Core::next_timer() const {
  std::vector<Instant> due;
  for (const auto& [name, rule] : rules_) {
    if (const std::optional<Instant> deadline = rule.tracker.deadline()) due.push_back(*deadline);
    if (rule.when.valid_until != Instant::max()) {
      due.push_back(rule.when.valid_until);
      due.push_back(rule.when.valid_until + just_after);
    }
    if (rule.withheld_since) due.push_back(*rule.withheld_since + rule.spec.unless_max);
  }
  for (const auto& [name, service] : services_) add_service_deadlines(service, due);
  for (const auto& [id, incident] : incidents_) add_incident_deadlines(incident, due);
  Instant next = Instant::max();
  for (const Instant at : due) {
    if (at > now_ && at < next) next = at;
  }
  if (next == Instant::max()) return std::nullopt;
  return next;
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
  }
  for (const RuleName& name : running->preexisting) {
    const WatchedRule* rule = watched(name);
    if (rule == nullptr || rule->when.verdict != Verdict::good) continue;
    out.push_back(now_ + (rule->spec.sustain - rule->tracker.good_for(now_)));
  }
}

WatchedService* Core::find_service(const ServiceName& name) {
  const auto found = services_.find(name);
  return found == services_.end() ? nullptr : &found->second;
}

LiveIncident* Core::open_incident(const WatchedService& service) {
  return service.incident ? &incidents_.at(*service.incident) : nullptr;
}

const LiveIncident* Core::open_incident(const WatchedService& service) const {
  return service.incident ? &incidents_.at(*service.incident) : nullptr;
}

}  // namespace rules
