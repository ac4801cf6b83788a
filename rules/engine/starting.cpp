#include <algorithm>
#include <utility>

#include "rules/engine/acting/by_hand.hpp"
#include "rules/engine/core.hpp"

// How the core begins: from what was saved, and with another configuration.

namespace rules {

namespace {

std::string service_left(const ServiceName& service) {
  return "service " + service.text + " is not in the configuration any more";
}

// The clock was set back over the restart: what is written as later than now is taken as of now. Left in the future it
// would keep evidence from counting, and a cooldown from ending, until that time came.
void bring_to_present(DurableState& durable, Instant now) {
  const auto to_present = [now](Instant& at) { at = std::min(at, now); };
  const auto to_present_if_any = [&](std::optional<Instant>& at) {
    if (at) to_present(*at);
  };
  to_present_if_any(durable.last_alive);
  for (LedgerRecord& record : durable.ledger) {
    to_present(record.appeared);
    to_present(record.last_seen);
  }
  for (ServiceRecord& record : durable.services) {
    to_present(record.running_since);
    to_present_if_any(record.deploying_since);
    to_present_if_any(record.mutation_ended);
    to_present_if_any(record.called_off_at);
    if (record.mark) to_present(record.mark->at);
  }
  for (FuseRecord& record : durable.fuse) to_present(record.at);
  for (IncidentRecord& record : durable.incidents) {
    to_present_if_any(record.times.counted_until);
    to_present_if_any(record.decided);
    to_present(record.opened);
    to_present(record.phase_since);
    for (JoinedRule& joined : record.rules) to_present(joined.joined);
    to_present_if_any(record.acknowledged);
  }
  for (IncidentRecord& record : durable.ended) {
    to_present(record.opened);
    to_present_if_any(record.closed);
  }
}

}  // namespace

Core::Core(CoreConfig config, DurableState durable, Instant now)
    : newest_config_(std::move(config)),
      effects_(now),
      trouble_(config_.mode, effects_),
      measurements_(config_.probes, config_.signals, all_conditions(config_)),
      probe_faults_(effects_),
      by_hand_(config_) {
  std::sort(durable.fuse.begin(), durable.fuse.end(),
            [](const FuseRecord& a, const FuseRecord& b) { return a.at < b.at; });
  bring_to_present(durable, now);
  for (LedgerRecord& record : durable.ledger) ledger_.put(std::move(record));
  for (FuseRecord& record : durable.fuse) fuse_.put(std::move(record));
  for (const IncidentId& id : durable.incident_ids) ids_.know(id);
  for (const ServiceSpec& spec : config_.services) add_service(spec);
  number_services();
  for (const ServiceRecord& record : durable.services) {
    Service* service = find(record.service);
    if (service == nullptr) continue;
    service->limits().restore(record);
    service->revisions().restore(record, durable.last_alive);
    service->restore_answers(record);
  }
  for (IncidentRecord& record : durable.ended) {
    Service* service = find(record.service);
    const bool is_settled = record.outcome == Outcome::recovered;
    if (service == nullptr)
      give_up_later(effects_, record, service_left(record.service));
    else if (is_settled)
      service->later().restore(std::move(record));
    else
      service->restore_ended(std::move(record));
  }
  for (auto& [name, service] : services_) service->evidence().restore(durable.spans);
  // What ended while nobody was there: no timer comes for what is past.
  for (auto& [name, service] : services_) end_what_is_over(*service);
  restore_incidents(durable);
  // What was read back is looked at with whatever comes first.
  touch_all();
  for (auto& [name, service] : services_) set_timer(*service);
}

void Core::add_service(const ServiceSpec& spec) {
  Service& service = *services_.emplace(spec.name, std::make_unique<Service>(spec, shared_)).first->second;
  service.configure(spec);
  service.evidence().warm_up(now() + spec.start_deadline);
}

void Core::number_services() {
  numbered_.clear();
  rules_by_name_.clear();
  for (auto& [name, service] : services_) {
    service->number = numbered_.size();
    numbered_.push_back(service.get());
    for (const WatchedRule* rule : std::as_const(service->evidence()).rules()) {
      rules_by_name_.emplace_back(rule, service.get());
    }
  }
  std::sort(rules_by_name_.begin(), rules_by_name_.end(),
            [](const auto& a, const auto& b) { return a.first->name() < b.first->name(); });
  index_probes();
  link_services();
}

void Core::index_probes() {
  services_of_probe_.clear();
  for (Service* service : numbered_) {
    for (const ProbeName& probe : service->evidence().all_probes()) {
      services_of_probe_[probe].push_back({service, service->evidence().number_of(probe)});
    }
  }
  probe_numbers_.clear();
  concerned_by_.clear();
  for (const auto& [probe, services] : services_of_probe_) {
    probe_numbers_.add(probe.text);
    concerned_by_.push_back(&services);
  }
}

void Core::restore_incidents(DurableState& durable) {
  for (IncidentRecord& record : durable.incidents) {
    if (record.phase == IncidentPhase::closed) continue;
    Service* service = find(record.service);
    if (service == nullptr) {
      close_without_service(std::move(record));
    } else if (service->incident() == nullptr) {
      restore_incident(*service, std::move(record), durable);
    }
  }
}

void Core::restore_incident(Service& service, IncidentRecord record, const DurableState& durable) {
  std::vector<ActionSpec> plans = config_.actions;
  if (record.by_hand && !record.ladder.empty()) {
    // A bare switch is in no configuration.
    const std::optional<ActionSpec> bare = by_hand_.of(service.spec(), std::nullopt).action;
    if (bare && bare->name == record.ladder.front()) plans.push_back(*bare);
  }
  Incident& incident = service.take_up(std::move(record), plans);
  open_.emplace(incident.record().id, &service);
  incident.resume(durable.steps, durable.at_work);
}

// Left open it would be taken up again whenever the service came back, however old its evidence was by then.
void Core::close_without_service(IncidentRecord record) {
  ServiceSpec gone;
  gone.name = record.service;
  Service service(gone, shared_);
  service.take_up(std::move(record), config_.actions).close_without_service();
  neighbours_.forget(gone.name);
}

// Rooms that are still configured keep their state. An open incident goes on with its plan even where its service is
// no longer configured.
std::vector<Command> Core::reload(CoreConfig config, Instant until) {
  run_to(until);
  touch_all();
  touched_.clear();
  timers_.clear();
  newest_config_ = std::move(config);
  by_hand_ = ActionsByHand(config_);
  trouble_.configure(config_.mode);
  Measurements fresh(config_.probes, config_.signals, all_conditions(config_));
  fresh.adopt(std::move(measurements_));
  measurements_ = std::move(fresh);
  const auto configured = [&](const ServiceName& name) {
    return std::find_if(config_.services.begin(), config_.services.end(),
                        [&](const ServiceSpec& spec) { return spec.name == name; });
  };
  std::erase_if(services_, [&](auto& entry) {
    const auto spec = configured(entry.first);
    const bool goes = spec == config_.services.end() && entry.second->incident() == nullptr;
    if (goes) entry.second->later().give_up(service_left(entry.first));
    if (goes) neighbours_.forget(entry.first);
    if (!goes) entry.second->configure(spec == config_.services.end() ? ServiceSpec(entry.second->spec()) : *spec);
    return goes;
  });
  for (const ServiceSpec& spec : config_.services) {
    if (!services_.contains(spec.name)) add_service(spec);
  }
  number_services();
  touch_all();
  effects_.note("reloaded",
                {{"rules", std::to_string(config_.rules.size())}, {"services", std::to_string(services_.size())}});
  look_again();
  react();
  return effects_.take();
}

}  // namespace rules
