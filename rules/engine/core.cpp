#include "rules/engine/core.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rules {

namespace {

// One event leads to a handful of transitions at most; far more would be a circle.
constexpr int reactions_max = 1000;

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
  touch(service_of(incident));
  if (id.step == lock_step) {
    locked(incident, result);
  } else if (incident.record.in_flight && incident.step.id == id) {
    if (incident.left_at_work) {
      work_ended(incident, result.detail);
    } else {
      end_step(incident, result);
    }
  }
  react();
  return take_commands();
}

// Events and due timers in the order of their times; at equal times what was measured comes before what is decided.
void Core::run_to(Instant now) {
  now = std::max(now, now_);
  while (true) {
    const Instant event_at = events_.empty() ? Instant::max() : std::max(events_.begin()->first, now_);
    const Instant timer_at = next_timer();
    const Instant next = std::min(event_at, timer_at);
    if (next > now) break;
    now_ = next;
    if (event_at <= timer_at) {
      const Event event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      touch_concerned(event);
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
  for (auto& [name, concerned] : touched_) {
    WatchedService& service = *concerned;
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
  for (auto& [name, service] : touched_) collect_baselines(*service, poll.probe);
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
    const std::size_t over = std::erase_if(degraded_, [](const SelfDegraded& one) { return !one.observe_only; });
    note("well_again", {});
    if (over > 0) tell_of_self("rollbackd is well again", "It may act again.");
  } else {
    const auto is_same = [&](const SelfDegraded& one) { return one.reason == degraded.reason; };
    const bool is_known = std::erase_if(degraded_, is_same) > 0;
    degraded_.push_back(degraded);
    note("degraded", {{"reason", degraded.reason}});
    if (!is_known) tell_of_self("rollbackd is in trouble itself", degraded.reason);
  }
  rejudge(nullptr);
}

void Core::tell_of_self(const std::string& title, const std::string& text) {
  Tell tell;
  tell.stage = Stage::fault;
  tell.title = title;
  tell.text = text;
  tell.at = now_;
  emit(std::move(tell));
}

void Core::tick() {
  while (!timers_.empty() && timers_.begin()->first <= now_) {
    WatchedService& due = services_.at(timers_.begin()->second);
    due.timer.reset();
    timers_.erase(timers_.begin());
    touch(due);
  }
  for (auto& [name, service] : touched_) {
    end_overdue(*service);
    for (WatchedRule* rule : service->rules) rule->tracker.advance(now_);
  }
  rejudge(nullptr);
}

// What follows from what was seen, until nothing more follows. Only what concerns a service can change what is decided
// of it; an open incident may also wait for what others do.
void Core::react() {
  for (auto& [name, service] : touched_) {
    for (WatchedRule* rule : service->rules) take_edges(*rule);
    forget_preexisting(*service);
  }
  for (int round = 0;; ++round) {
    assert(round < reactions_max);
    for (auto& [name, service] : touched_) {
      for (WatchedRule* rule : service->rules) answer_firing(*rule);
    }
    bool changed = false;
    for (auto& [id, incident] : incidents_) {
      if (!drive(incident)) continue;
      changed = true;
      touch(service_of(incident));
    }
    const auto closed =
        std::erase_if(incidents_, [](const auto& entry) { return entry.second.record.phase == IncidentPhase::closed; });
    if (!changed && closed == 0) break;
  }
  for (auto& [name, service] : touched_) service->bake_from = is_baking(*service) ? now_ : Instant::max();
  set_timers();
  touched_.clear();
}

std::vector<Command> Core::take_commands() { return std::exchange(commands_, {}); }

std::optional<Instant> Core::next_deadline() const {
  if (!commands_.empty()) return now_;
  const Instant event_at = events_.empty() ? Instant::max() : std::max(events_.begin()->first, now_);
  const Instant next = std::min(event_at, next_timer());
  return next == Instant::max() ? std::nullopt : std::optional(next);
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
