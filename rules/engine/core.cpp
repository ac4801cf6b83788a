#include "rules/engine/core.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "rules/engine/told.hpp"

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

void Core::observe(Event&& event) {
  const Instant at = time_of(event);
  events_.add(at, std::move(event));
}

void Core::refill(const Poll& poll) {
  measurements_.observe(poll);
  for (const Concerned& concerned : concerned_by(poll.probe)) {
    if (concerned.number) concerned.service->evidence().refilled(*concerned.number);
  }
}

std::vector<Command> Core::advance(Instant now) {
  run_to(now);
  return effects_.take();
}

std::vector<Command> Core::complete(const StepId& id, const StepResult& result, Instant now) {
  run_to(now);
  Service* service = service_of(id.incident);
  if (service == nullptr) return effects_.take();
  touch(*service);
  if (id.step == lock_step) {
    service->incident()->lock_answered(result);
  } else {
    service->incident()->step_completed(id, result);
  }
  react();
  return effects_.take();
}

// Events and due timers in the order of their times; at equal times what was measured comes before what is decided.
void Core::run_to(Instant until) {
  until = std::max(until, now());
  while (true) {
    const Instant event_at = std::max(events_.next(), now());
    const Instant timer_at = next_timer();
    const Instant next = std::min(event_at, timer_at);
    if (next > until) break;
    effects_.go_to(std::max(next, now()));
    if (event_at <= timer_at) {
      const Event event = events_.take();
      touch_concerned(event);
      handle(event);
    } else {
      tick();
    }
    react();
  }
  effects_.go_to(until);
}

void Core::handle(const Event& event) {
  std::visit([this](const auto& one) { handle(one); }, event);
}

void Core::handle(const Poll& poll) {
  if (poll.fault && poll.fault->kind == FaultKind::cancelled) return;
  measurements_.observe(poll);
  if (probe_faults_.polled(poll)) probe_faults_.tell(poll, concerns_of(poll.probe));
  // Those that it concerns are among those that are touched, in the same order.
  const std::span<const Concerned> concerned = concerned_by(poll.probe);
  auto next = concerned.begin();
  for (Service* service : touched_) {
    const bool concerns = next != concerned.end() && next->service == service;
    service->evidence().polled(poll, concerns ? next->number : std::nullopt);
    if (concerns) ++next;
  }
  for (Service* service : touched_) {
    service->revisions().collect_baselines(poll.probe, service->incident() != nullptr);
  }
}

void Core::handle(const RevisionRead& read) {
  Service* service = find(read.service);
  if (service == nullptr) return;
  Incident* incident = service->incident();
  if (incident != nullptr) incident->saw(read);
  const bool switching = incident != nullptr && incident->is_switching();
  const bool is_changing = incident != nullptr && incident->record().past_no_return;
  if (service->revisions().looked(read, switching || is_changing)) service->was_started_again();
  const bool is_only_stopped = !service->revisions().stopped().empty() && service->evidence().is_deploying();
  if (incident == nullptr && is_only_stopped) service->evidence().forgive_stop();
  if (!switching) service->revisions().judge_sight(read);
  const bool is_idle = incident == nullptr || (incident->may_give_way() && !incident->record().by_hand);
  if (!read.revision && is_idle && (incident == nullptr || !incident->awaits_target())) service->revisions().presume();
  service->revisions().note_unfinished(read, is_changing);
  if (!read.revision) return look_again();
  if (switching) return service->revisions().see_while_switching(read);
  if (incident != nullptr && incident->awaits_target()) {
    service->revisions().see_while_switching(read);
    incident->saw_after_switch(read);
  } else {
    const auto opened = incident == nullptr ? std::nullopt : std::optional(incident->record().opened);
    service->revisions().see(read, opened);
  }
  service->revisions().note_schema(read);
  service->revisions().note_label(read);
  service->could_be_read();
  look_again();
}

void Core::handle(const DeployMark& mark) {
  Service* service = find(mark.service);
  if (service == nullptr) return;
  const bool is_missing = service->lacks(mark);
  service->revisions().marked(mark, is_missing ? Says::what_was_missing : Says::deployment);
  if (is_missing) service->could_be_rolled_back();
  look_again();
}

void Core::handle(const ReadinessRead& read) {
  Service* service = find(read.service);
  if (service == nullptr) return;
  service->revisions().note_names(read.names);
  service->revisions().note_alike(read.alike);
  Readiness& known = service->readiness;
  known.by_hand = read.by_hand;
  service->note_drivers(read.drivers);
  const std::string reason = read.ready ? "" : read.reason;
  if (known.ready != read.ready || known.reason != reason) {
    effects_.note(read.ready ? "rollback_ready" : "rollback_not_ready",
                  {{"service", read.service.text}, {"reason", read.reason}});
  }
  // What the first answer after a start is new against nobody knows.
  const bool is_ready_again = read.ready && !known.ready && known.asked;
  known.asked = true;
  known.ready = read.ready;
  known.reason = reason;
  if (is_ready_again) service->could_be_rolled_back();
  if (known.ready) service->tell_of_drivers();
  // While something is being changed the tree is not as it will be; it is looked at again afterwards.
  if (known.told != known.ready || service->incident() != nullptr || service->evidence().is_deploying()) return;
  // Told as what keeps it from being read what runs; twice would be noise.
  if (!known.ready && service->revisions().readability().newest_error() == known.reason) return;
  known.told = !known.ready;
  const std::string what = service->name().text;
  if (known.told) {
    effects_.tell_fault(what + " could not be rolled back", known.reason, service->name(), Severity::p1,
                        {what + " not ready"});
  } else if (service->has_target()) {
    effects_.tell_fault(what + " could be rolled back again", "What was in the way is gone.", service->name(),
                        Severity::p1, {what + " not ready", true});
  } else {
    effects_.tell_fault(what + ": what was in the way of a rollback is gone",
                        "There is nothing to roll back to yet: no good revision is known that ran before.",
                        service->name(), Severity::p1, {what + " not ready", true});
  }
}

void Core::handle(const ClockJump& jump) {
  effects_.note("clock_jump", {{"by", told(jump.by)}});
  for (auto& [name, service] : services_) service->evidence().count_from(now(), Cause::clock_jump);
  look_again();
}

void Core::handle(const SelfDegraded& degraded) {
  trouble_.heard(degraded);
  look_again();
}

void Core::tick() {
  for (const std::size_t due : timers_.take(now())) touch(*numbered_[due]);
  for (Service* service : touched_) {
    end_what_is_over(*service);
    service->evidence().advance();
  }
}

// Pauses and deployments.
void Core::end_what_is_over(Service& service) {
  if (service.limits().pause_is_over()) service.end_pause();
  service.revisions().end_overdue();
}

// What follows from what was seen, until nothing more follows. Only what concerns a service can change what is decided
// of it; an open incident may also wait for what others do.
void Core::react() {
  for (Service* service : touched_) {
    service->tell_of_flapping();
    service->evidence().tell_of_sight();
    service->try_refused_again();
    service->evidence().take_looked_at(looked_at_);
    for (WatchedRule* rule : looked_at_) take_edges(*service, *rule);
    service->revisions().forget_preexisting();
  }
  if (host_.owner() != host_owner_) touch_in_incidents();
  for (int round = 0;; ++round) {
    assert(round < reactions_max);
    heed_dependencies();
    for (Service* service : touched_) {
      for (WatchedRule* rule : service->evidence().firing()) answer_firing(*service, *rule);
    }
    if (!drive_incidents()) break;
    touch_in_incidents();
  }
  host_owner_ = host_.owner();
  for (Service* service : touched_) {
    service->revisions().look_at_baking(service->incident() != nullptr);
    service->revisions().tell_of_stop(service->incident() != nullptr);
    service->later().look();
    service->unsettled().look(service->incident());
    const Incident* incident = service->incident();
    service->evidence().switching_until(incident == nullptr ? std::nullopt : incident->switching_until());
    set_timer(*service);
  }
  touched_.clear();
}

// Of the services that are touched, the oldest first. Returns whether anything followed.
bool Core::drive_incidents() {
  std::vector<Service*> open;
  for (Service* service : touched_) {
    if (service->incident() != nullptr) open.push_back(service);
  }
  std::sort(open.begin(), open.end(),
            [](const Service* a, const Service* b) { return a->incident()->record().id < b->incident()->record().id; });
  bool followed = false;
  incidents_looked_at_ += open.size();
  for (Service* service : open) {
    Incident& incident = *service->incident();
    followed = incident.drive() || followed;
    if (!incident.is_closed()) continue;
    open_.erase(incident.record().id);
    service->forget_incident();
    followed = true;
  }
  return followed;
}

std::optional<Instant> Core::next_deadline() const {
  if (!effects_.empty()) return now();
  const Instant event_at = std::max(events_.next(), now());
  const Instant next = std::min(event_at, next_timer());
  return next == Instant::max() ? std::nullopt : std::optional(next);
}

}  // namespace rules
