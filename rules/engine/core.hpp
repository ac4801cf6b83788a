#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rules/base/name_index.hpp"
#include "rules/base/ordered_times.hpp"
#include "rules/engine/acting/by_hand.hpp"
#include "rules/engine/event_queue.hpp"
#include "rules/engine/evidence/probe_faults.hpp"
#include "rules/engine/service.hpp"
#include "rules/engine/view.hpp"
#include "rules/engine/work.hpp"

namespace rules {

// The house: it owns the order of time, brings each event to the rooms that it concerns, and lets follow what follows.
// It decides nothing itself. What rooms share (measurements, ledger, fuse, the host's lock) lives here; each is
// written by one kind of room.
class Core {
 public:
  Core(CoreConfig config, DurableState durable, Instant now);

  // See Engine.
  void observe(Event&& event);
  void refill(const Poll& poll);
  std::vector<Command> advance(Instant now);
  std::vector<Command> complete(const StepId& id, const StepResult& result, Instant now);
  Answer request(const Request& request, Instant now);
  std::vector<Command> reload(CoreConfig config, Instant now);
  void hold_new_steps() { steps_held_ = true; }
  std::optional<Instant> next_deadline() const;
  EngineView view(Instant now) const;
  std::size_t kept(const ProbeName& probe, std::size_t instance) const { return measurements_.kept(probe, instance); }
  std::vector<SpanRecord> spans(Instant now) const;
  PlanByHand plan(const RollbackByHand& request) const;
  std::vector<LedgerRecord> revisions_of(const ServiceName& service) const { return ledger_.of(service); }
  std::optional<Situation> situation(const IncidentId& incident, Instant at) const;
  Work work() const;

 private:
  Instant now() const { return effects_.now(); }

  // core.cpp: the order of time
  void run_to(Instant now);
  void handle(const Event& event);
  void handle(const Poll& poll);
  void handle(const RevisionRead& read);
  void handle(const DeployMark& mark);
  void handle(const ReadinessRead& read);
  void handle(const ClockJump& jump);
  void handle(const SelfDegraded& degraded);
  void tick();
  void end_what_is_over(Service& service);
  void react();
  bool drive_incidents();

  // concerned.cpp: whom what happens concerns, and when each has to be looked at though nothing does
  void touch(Service& service);
  void touch_all();
  void touch_concerned(const Event& event);
  void touch_in_incidents();
  void look_again();  // at what is touched
  Instant next_timer() const { return timers_.next(); }
  void set_timer(Service& service);
  ProbeFaults::Concerns concerns_of(const ProbeName& probe) const;
  Service* find(const ServiceName& name);
  std::vector<Service*> in_scope(const std::optional<ServiceName>& name);
  Service* service_of(const IncidentId& incident);

  // firing.cpp: from a rule that fires to an incident
  void take_edges(Service& service, WatchedRule& rule);
  void note_firing(const WatchedRule& rule);
  void tell_of_pause(Service& service, const WatchedRule& rule);
  void answer_firing(Service& service, WatchedRule& rule);
  bool awaits_identity(Service& service, WatchedRule& rule);

  // heeding.cpp: whose trouble explains another's
  void link_services();
  void heed_dependencies();

  // requests.cpp: what people ask for
  Answer answer(const Approve& request);
  Answer answer(const Abort& request);
  Answer answer(const Acknowledge& request);
  Answer answer(const Pause& request);
  Answer answer(const Resume& request);
  Answer answer(const FuseReset& request);
  Answer answer(const RollbackByHand& request);
  Answer answer(const Declare& request);
  Answer answer(const AcceptState& request);
  std::string make_way(Service& service);

  // starting.cpp: from what was saved, and with another configuration
  void add_service(const ServiceSpec& spec);
  void number_services();
  void index_probes();
  void restore_incidents(DurableState& durable);
  void restore_incident(Service& service, IncidentRecord record, const DurableState& durable);
  void close_without_service(IncidentRecord record);

  // view.cpp
  ServiceView view_of(const Service& service, Instant now) const;
  RuleView view_of(const Service& service, const WatchedRule& rule, Instant now) const;

  CoreConfig newest_config_;
  const CoreConfig& config_ = newest_config_;  // never changed, only exchanged: others share it
  Effects effects_;
  bool steps_held_ = false;  // the watcher stops: no step is begun any more
  OwnTrouble trouble_;
  Measurements measurements_;
  ProbeFaults probe_faults_;
  ActionsByHand by_hand_;
  Ledger ledger_;
  Fuse fuse_;
  Neighbours neighbours_;
  HostLock host_;
  IncidentIds ids_;
  const Service::Shared shared_{{config_, measurements_, trouble_, probe_faults_, effects_},
                                ledger_,
                                fuse_,
                                neighbours_,
                                host_,
                                ids_,
                                steps_held_};
  std::map<ServiceName, std::unique_ptr<Service>> services_;
  std::map<IncidentId, Service*> open_;  // in the order of their opening
  // Whose rules, `unless` included, a probe can change, and its number among the probes of the others of them.
  struct Concerned {
    Service* service = nullptr;
    std::optional<std::size_t> number;
  };
  std::map<ProbeName, std::vector<Concerned>> services_of_probe_;
  NameIndex probe_numbers_;                                  // among these
  std::vector<const std::vector<Concerned>*> concerned_by_;  // by their numbers
  std::span<const Concerned> concerned_by(const ProbeName& probe) const;
  EventQueue events_;
  std::vector<std::pair<const WatchedRule*, const Service*>> rules_by_name_;
  std::vector<Service*> numbered_;        // in the order of their names
  OrderedTimes timers_;                   // by their numbers
  std::vector<Service*> touched_;         // what happens now concerns them; in the order of their names
  std::vector<WatchedRule*> looked_at_;   // of one of them: kept for its room
  std::vector<Instant> deadlines_;        // so are those
  std::optional<IncidentId> host_owner_;  // as of the last reaction
  std::uint64_t incidents_looked_at_ = 0;
};

}  // namespace rules
