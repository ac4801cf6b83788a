#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"

// What people ask for. Each is answered at once; what follows comes with the next advance().

namespace rules {

namespace {

// A pause always ends.
constexpr Duration pause_max = std::chrono::hours(24 * 7);
constexpr Duration switch_limit_default = std::chrono::minutes(30);

Answer no(std::string why) { return {false, std::move(why), {}}; }
Answer yes(std::string what, IncidentId incident = {}) { return {true, std::move(what), std::move(incident)}; }

}  // namespace

Answer Core::request(const Request& request, Instant now) {
  run_to(now);
  touch_all();
  Answer out = std::visit([this](const auto& one) { return answer(one); }, request);
  rejudge(nullptr);
  react();
  return out;
}

std::vector<WatchedService*> Core::in_scope(const std::optional<ServiceName>& name) {
  std::vector<WatchedService*> out;
  for (auto& [one, service] : services_) {
    if (!name || *name == one) out.push_back(&service);
  }
  return out;
}

Answer Core::answer(const Approve& request) {
  const auto found = incidents_.find(request.incident);
  if (found == incidents_.end()) return no("no open incident " + request.incident.text + "; see `rollbackd incidents`");
  LiveIncident& incident = found->second;
  if (incident.record.phase != IncidentPhase::asking) {
    return no("incident " + request.incident.text + " asks nothing, it is " +
              std::string(to_string(incident.record.phase)));
  }
  story(incident, "approved", "by " + request.by);
  note("approved", {{"incident", request.incident.text}, {"by", request.by}});
  if (incident.record.in_flight) {
    answer_ask_step(incident, StepStatus::succeeded, "approved by " + request.by);
  } else {
    incident.record.approved_by = request.by.empty() ? "somebody" : request.by;
    incident.record.asked.clear();
    incident.lock_wanted_since.reset();
    enter(incident, IncidentPhase::held);
  }
  return yes("approved; it is checked again and goes on", request.incident);
}

Answer Core::answer(const Abort& request) {
  const auto found = incidents_.find(request.incident);
  if (found == incidents_.end()) return no("no open incident " + request.incident.text + "; see `rollbackd incidents`");
  LiveIncident& incident = found->second;
  const IncidentRecord& record = incident.record;
  if (record.pending_outcome || record.phase == IncidentPhase::finishing) {
    return no("incident " + request.incident.text + " is finishing already");
  }
  note("abort", {{"incident", request.incident.text}, {"by", request.by}});
  finish(incident, Outcome::aborted, "aborted by " + (request.by.empty() ? "somebody" : request.by));
  return yes("aborted; what must follow (on_failure, always) is done", request.incident);
}

Answer Core::answer(const Pause& request) {
  if (request.length <= Duration::zero()) return no("a pause needs a length, for example --for 1h");
  if (request.length > pause_max) return no("a pause lasts at most " + told(pause_max));
  const std::vector<WatchedService*> services = in_scope(request.service);
  if (services.empty()) return no("no service " + (request.service ? request.service->text : std::string()));
  for (WatchedService* service : services) {
    service->record.paused_until = now_ + request.length;
    service->record.pause_reason = request.reason;
    save(*service);
    note("paused",
         {{"service", service->spec.name.text}, {"until", told(now_ + request.length)}, {"reason", request.reason}});
  }
  return yes("nothing is started until " + told(now_ + request.length));
}

void Core::end_pause(WatchedService& service) {
  service.record.paused_until.reset();
  service.record.pause_reason.clear();
  save(service);
  // What was bad while nothing was to be done is no reason to act; what was seen to be good was good all the same.
  restart_spans(service, Leaves::good_run);
  note("resumed", {{"service", service.spec.name.text}});
}

Answer Core::answer(const Resume& request) {
  const std::vector<WatchedService*> services = in_scope(request.service);
  if (services.empty()) return no("no service " + (request.service ? request.service->text : std::string()));
  int ended = 0;
  for (WatchedService* service : services) {
    if (!service->record.paused_until) continue;
    end_pause(*service);
    ++ended;
  }
  return yes(ended > 0 ? "resumed; spans start empty" : "nothing was paused");
}

Answer Core::answer(const FuseReset& request) {
  WatchedService* service = find_service(request.service);
  if (service == nullptr) return no("no service " + request.service.text);
  FuseRecord reset{request.service, now_, FuseUse::reset, {}, {}};
  fuse_.put(reset);
  emit(Save{reset});
  for (LedgerRecord* record : ledger_.of(request.service)) {
    if (record->switches_away == 0) continue;
    record->switches_away = 0;
    save(*record);
  }
  service->record.acted_without_identity = false;
  save(*service);
  note("fuse_reset", {{"service", request.service.text}});
  return yes("all limits of " + request.service.text + " start anew");
}

Answer Core::answer(const Declare& request) {
  WatchedService* service = find_service(request.service);
  if (service == nullptr) return no("no service " + request.service.text);
  LedgerRecord* record = ledger_.find(request.service, request.revision);
  if (record == nullptr) return no("revision " + request.revision.text + " was never seen; see `rollbackd deploys`");
  record->standing = request.standing;
  if (request.standing == Standing::good) record->baked_ns = service->spec.bake.count();
  save(*record);
  note("declared", {{"service", request.service.text},
                    {"revision", request.revision.text},
                    {"standing", std::string(to_string(request.standing))}});
  return yes(request.revision.text + " is " + std::string(to_string(request.standing)) + " now");
}

Answer Core::answer(const AcceptState&) {
  const auto accepted = std::erase_if(degraded_, [](const SelfDegraded& one) { return one.observe_only; });
  note("state_accepted", {});
  return yes(accepted > 0 ? "accepted; the configured mode is in force again" : "nothing was to be accepted");
}

// The action named, else the first that a rule of the service responds with and that switches, else any that
// switches, else the bare switch.
std::optional<ActionSpec> Core::action_by_hand(const WatchedService& service, const RollbackByHand& request) const {
  const auto named = [&](const ActionName& name) -> const ActionSpec* {
    const auto found = std::find_if(config_.actions.begin(), config_.actions.end(),
                                    [&](const ActionSpec& action) { return action.name == name; });
    return found == config_.actions.end() ? nullptr : &*found;
  };
  if (request.action) {
    const ActionSpec* found = named(*request.action);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  for (const RuleSpec& rule : config_.rules) {
    if (rule.service != service.spec.name) continue;
    for (const ActionName& name : rule.respond) {
      const ActionSpec* found = named(name);
      if (found != nullptr && found->switches()) return *found;
    }
  }
  const ActionSpec* usual = named(ActionName("rollback"));
  if (usual != nullptr && usual->switches()) return *usual;
  if (!service.spec.has_driver) return std::nullopt;
  StepSpec step;
  step.what = SwitchStep{};
  step.timeout = switch_limit_default;
  ActionSpec bare;
  bare.name = ActionName("rollback");
  bare.steps.push_back(std::move(step));
  return bare;
}

Answer Core::answer(const RollbackByHand& request) {
  WatchedService* service = find_service(request.service);
  if (service == nullptr) return no("no service " + request.service.text);
  std::optional<ActionSpec> action = action_by_hand(*service, request);
  if (!action) {
    return no(request.action ? "no action " + request.action->text
                             : "service " + request.service.text + " has no driver");
  }
  const Revision& running = service->record.running;
  std::optional<Revision> to = request.to;
  const bool wants_target = action->switches() && service->spec.has_identity;
  if (wants_target && !to) to = ledger_.last_good(request.service, running);
  if (wants_target && !to) return no("no good revision is known to roll back to; name one with --to");
  if (to && !is_safe_in_argv(*to)) return no("revision " + to->text + " is not one that may be passed to a command");
  if (wants_target && *to == running) return no(to->text + " runs already");
  const LedgerRecord* known = to ? ledger_.find(request.service, *to) : nullptr;
  const bool quarantined = known != nullptr && known->standing == Standing::bad;
  if (quarantined && !request.force) return no(to->text + " is quarantined; --force rolls to it all the same");
  if (LiveIncident* open = open_incident(*service)) {
    if (open->record.past_no_return || open->record.in_flight) {
      return no("incident " + open->record.id.text + " is acting; abort it first");
    }
    finish(*open, Outcome::aborted, "a rollback by hand takes its place");
    react();
    if (service->incident) return no("incident " + service->incident->text + " is finishing; try again");
  }
  return open_by_hand(*service, request, std::move(*action), to.value_or(Revision()));
}

Answer Core::open_by_hand(WatchedService& service, const RollbackByHand& request, ActionSpec action,
                          const Revision& to) {
  LiveIncident incident;
  IncidentRecord& record = incident.record;
  record.id = new_id(service, "by-hand");
  record.service = service.spec.name;
  record.severity = Severity::p1;
  record.by_hand = true;
  record.force = request.force;
  record.reason = request.reason;
  record.approved_by = request.by;
  record.opened = now_;
  record.from = service.record.running;
  record.to = to;
  record.before = values_before(service);
  record.phase_since = now_;
  record.ladder = {action.name};
  incident.plans.emplace(action.name, std::move(action));
  service.incident = record.id;
  const IncidentId id = record.id;
  touch(service);
  LiveIncident& opened = incidents_.emplace(id, std::move(incident)).first->second;
  note("incident_opened", {{"incident", id.text}, {"by", request.by}});
  tell(opened, Stage::started, "by_hand",
       "rollback by hand" + (request.by.empty() ? "" : " by " + request.by) +
           (request.reason.empty() ? "" : ": " + request.reason));
  return yes("incident " + id.text + " opened" + (to.empty() ? "" : ", target " + to.text), id);
}

}  // namespace rules
