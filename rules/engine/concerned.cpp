#include <algorithm>

#include "rules/engine/core.hpp"

// Whom an event concerns, so that what a poll costs does not grow with the number of services, rules and incidents
// that it does not concern; and when each service has to be looked at again though nothing was seen.

namespace rules {

namespace {

const ServiceName* named(const Event& event) {
  if (const auto* read = std::get_if<RevisionRead>(&event)) return &read->service;
  if (const auto* mark = std::get_if<DeployMark>(&event)) return &mark->service;
  if (const auto* read = std::get_if<ReadinessRead>(&event)) return &read->service;
  return nullptr;
}

}  // namespace

// What was so until now is counted before anything changes.
void Core::touch(Service& service) {
  const auto place = std::lower_bound(touched_.begin(), touched_.end(), service.number,
                                      [](const Service* one, std::size_t number) { return one->number < number; });
  if (place != touched_.end() && *place == &service) return;
  touched_.insert(place, &service);
  service.revisions().bake();
  if (Incident* incident = service.incident()) incident->count_time();
}

void Core::touch_all() {
  for (auto& [name, service] : services_) touch(*service);
}

void Core::touch_in_incidents() {
  for (const auto& [id, service] : open_) touch(*service);
}

void Core::touch_concerned(const Event& event) {
  if (const auto* poll = std::get_if<Poll>(&event)) {
    for (const Concerned& concerned : concerned_by(poll->probe)) touch(*concerned.service);
  } else if (const ServiceName* name = named(event)) {
    if (Service* service = find(*name)) touch(*service);
  } else {
    touch_all();
  }
}

std::span<const Core::Concerned> Core::concerned_by(const ProbeName& probe) const {
  const std::optional<std::size_t> number = probe_numbers_.find(probe.text);
  if (!number) return {};
  return *concerned_by_[*number];
}

ProbeFaults::Concerns Core::concerns_of(const ProbeName& probe) const {
  ProbeFaults::Concerns out;
  for (const auto& [rule, service] : rules_by_name_) {
    if (!rule->when_probes().contains(probe)) continue;
    out.severity = out.rules.empty() ? rule->spec().severity : std::min(out.severity, rule->spec().severity);
    out.rules += (out.rules.empty() ? "" : ", ") + rule->name().text;
    out.at_once = out.at_once || service->revisions().is_armed() || service->incident() != nullptr;
  }
  const auto& probes = config_.probes;
  const auto shape = std::find_if(probes.begin(), probes.end(), [&](const auto& one) { return one.name == probe; });
  out.at_once = out.at_once || (shape != probes.end() && shape->interval > ProbeFaults::told_within);
  return out;
}

void Core::look_again() {
  for (Service* service : touched_) service->evidence().look_again();
}

void Core::set_timer(Service& service) {
  // What is due now is still to be done: at equal times what was measured came first.
  const std::optional<Instant> set = timers_.of(service.number);
  if (!set || *set > now()) timers_.set(service.number, service.next_deadline(deadlines_));
}

Service* Core::find(const ServiceName& name) {
  const auto found = services_.find(name);
  return found == services_.end() ? nullptr : found->second.get();
}

Service* Core::service_of(const IncidentId& incident) {
  const auto found = open_.find(incident);
  return found == open_.end() ? nullptr : found->second;
}

std::vector<Service*> Core::in_scope(const std::optional<ServiceName>& name) {
  std::vector<Service*> out;
  for (auto& [one, service] : services_) {
    if (!name || *name == one) out.push_back(service.get());
  }
  return out;
}

}  // namespace rules
