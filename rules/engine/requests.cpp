#include <utility>

#include "rules/engine/acting/by_hand.hpp"
#include "rules/engine/core.hpp"
#include "rules/engine/told.hpp"

// What people ask for. Each is answered at once; what follows comes with the next advance().

namespace rules {

namespace {

// A pause always ends.
constexpr Duration pause_max = std::chrono::hours(24 * 7);

Answer no(std::string why) { return {false, std::move(why), {}}; }
Answer yes(std::string what, IncidentId incident = {}) { return {true, std::move(what), std::move(incident)}; }

Answer no_incident(const IncidentId& incident) {
  return no("no open incident " + incident.text + "; see `rollbackd incidents`");
}
// What a yes that comes too late can be said to instead.
std::string ended_already(const IncidentRecord& ended) {
  const std::string& service = ended.service.text;
  return "incident " + ended.id.text + " has ended as " + std::string(to_string(*ended.outcome)) +
         "; `rollbackd rollback " + service + "` acts now, and `rollbackd fuse reset " + service +
         "` has what still fires looked at and asked about again";
}
Answer no_service(const std::optional<ServiceName>& service) {
  return no("no service " + (service ? service->text : std::string()));
}

// "schema and data"
std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " and ") + word;
  return out;
}

}  // namespace

Answer Core::request(const Request& request, Instant now) {
  run_to(now);
  touch_all();
  Answer out = std::visit([this](const auto& one) { return answer(one); }, request);
  look_again();
  react();
  return out;
}

Answer Core::answer(const Approve& request) {
  if (Service* open = service_of(request.incident)) return open->incident()->approve(request.by);
  for (const auto& [name, service] : services_) {
    const IncidentRecord* ended = service->unsettled().find(request.incident);
    if (ended != nullptr) return no(ended_already(*ended));
  }
  return no_incident(request.incident);
}

Answer Core::answer(const Abort& request) {
  Service* service = service_of(request.incident);
  return service == nullptr ? no_incident(request.incident) : service->incident()->abort(request);
}

Answer Core::answer(const Acknowledge& request) {
  if (Service* open = service_of(request.incident)) return open->incident()->acknowledge(request.by);
  for (auto& [name, service] : services_) {
    if (!service->unsettled().acknowledge(request.incident, request.by)) continue;
    effects_.note("acknowledged", {{"incident", request.incident.text}, {"by", request.by}});
    return yes("noted; nobody is reminded of it any more", request.incident);
  }
  return no("nobody is reminded of incident " + request.incident.text + "; see `rollbackd incidents`");
}

Answer Core::answer(const Pause& request) {
  if (request.length <= Duration::zero()) return no("a pause needs a length, for example --for 1h");
  if (request.length > pause_max) return no("a pause lasts at most " + told(pause_max));
  const std::vector<Service*> services = in_scope(request.service);
  if (services.empty()) return no_service(request.service);
  const std::string until = told(now() + request.length);
  std::string goes_on;
  for (Service* service : services) {
    service->limits().pause(now() + request.length, request.reason);
    effects_.note("paused", {{"service", service->name().text}, {"until", until}, {"reason", request.reason}});
    const Incident* open = service->incident();
    if (open != nullptr && !open->may_give_way())
      goes_on += "; incident " + open->record().id.text + " is at work and goes on";
  }
  return yes("nothing is begun by itself until " + until + "; `rollbackd resume` ends that" + goes_on);
}

Answer Core::answer(const Resume& request) {
  const std::vector<Service*> services = in_scope(request.service);
  if (services.empty()) return no_service(request.service);
  int ended = 0;
  for (Service* service : services) {
    if (!service->limits().paused_until()) continue;
    service->end_pause();
    ++ended;
  }
  return yes(ended > 0 ? "resumed; spans start empty" : "nothing was paused");
}

Answer Core::answer(const FuseReset& request) {
  Service* service = find(request.service);
  if (service == nullptr) return no_service(request.service);
  service->limits_start_anew();
  effects_.note("fuse_reset", {{"service", request.service.text}});
  return yes("all limits of " + request.service.text + " start anew");
}

Answer Core::answer(const Declare& request) {
  Service* service = find(request.service);
  if (service == nullptr) return no_service(request.service);
  if (!service->revisions().declare(request.revision, request.standing, request.exists, request.alike)) {
    return no("revision " + request.revision.text + " was never seen; see `rollbackd deploys`");
  }
  if (request.standing == Standing::good) service->has_new_target(request.revision);
  const std::string standing(to_string(request.standing));
  effects_.note("declared",
                {{"service", request.service.text}, {"revision", request.revision.text}, {"standing", standing}});
  return yes(request.revision.text + " is " + standing + " now");
}

Answer Core::answer(const AcceptState&) {
  const bool accepted = trouble_.accept_state();
  effects_.note("state_accepted");
  return yes(accepted ? "accepted; the configured mode is in force again" : "nothing was to be accepted");
}

// An open incident gives way to a rollback by hand while it has changed nothing. Returns why it does not.
std::string Core::make_way(Service& service) {
  Incident* open = service.incident();
  if (open == nullptr) return "";
  if (!open->may_give_way())
    return "incident " + open->record().id.text + " is at work already; see `rollbackd incidents " +
           open->record().id.text + "`, and abort it only to do something else";
  open->give_way("a rollback by hand");
  react();
  touch_all();
  open = service.incident();
  return open == nullptr ? "" : "incident " + open->record().id.text + " is finishing; try again";
}

// What it would do now; it asks nobody and changes nothing.
PlanByHand Core::plan(const RollbackByHand& request) const {
  PlanByHand out;
  const auto found = services_.find(request.service);
  if (found == services_.end()) {
    out.refused = "no service " + request.service.text;
    return out;
  }
  const Service& service = *found->second;
  ActionByHand chosen = by_hand_.of(service.spec(), request.action);
  out.refused = std::move(chosen.refused);
  if (!chosen.action) return out;
  out.action = std::move(*chosen.action);
  out.from = service.revisions().running();
  out.usual = service.usual();
  const Revisions& revisions = service.revisions();
  ByHand target = target_by_hand(request, out.action, service.spec(), revisions, revisions.running());
  out.to = std::move(target.to);
  out.refused = std::move(target.refused);
  if (const LedgerRecord* from = service.revisions().find(out.from)) {
    out.schema_from = from->schema;
    out.backup = from->backup;
  }
  if (!request.backup.empty()) out.backup = request.backup;
  if (const LedgerRecord* to = service.revisions().find(out.to)) out.schema_to = to->schema;
  return out;
}

Answer Core::answer(const RollbackByHand& request) {
  Service* service = find(request.service);
  if (service == nullptr) return no_service(request.service);
  const PlanByHand planned = plan(request);
  if (!planned.refused.empty()) return no(planned.refused);
  if (const std::vector<std::string> lost = planned.action.loses(); !lost.empty() && !request.yes) {
    return no("action " + planned.action.name.text + " undoes " + joined(lost) +
              ": what was written since is lost; look at it with --plan, and say --yes");
  }
  if (const std::string refused = make_way(*service); !refused.empty()) return no(refused);
  const IncidentId id = service->open_by_hand(request, planned.action, planned.to).record().id;
  open_.emplace(id, service);
  return yes("incident " + id.text + " opened" + (planned.to.empty() ? "" : ", target " + planned.to.text), id);
}

}  // namespace rules
