#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/driver_readiness.hpp"
#include "rules/base/seldom.hpp"
#include "rules/engine/acting/dependence.hpp"
#include "rules/engine/acting/limits.hpp"
#include "rules/engine/evidence/evidence.hpp"
#include "rules/engine/incident/ids.hpp"
#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/later.hpp"
#include "rules/engine/incident/unsettled.hpp"
#include "rules/engine/revisions/revisions.hpp"
#include "rules/incidents/usual_lengths.hpp"

namespace rules {

// Whether it could be switched now, as its driver last said.
struct Readiness {
  bool ready = false;
  bool asked = false;                      // since our start
  std::string reason = "not asked yet";    // why not
  bool told = false;                       // people know that it could not
  std::string by_hand{};                   // why a plan that only a person begins could not be; nobody is told
  std::vector<DriverReadiness> drivers{};  // where it has several
  std::string drivers_told{};              // those of them that people know not to be ready
};

// One service and its rooms. Each room owns a state that only its own doors change; none sees those above it:
// Evidence and Limits, Revisions, LaterChecks, Incident, Unsettled.
class Service {
 public:
  // What the rooms share with those of the other services.
  struct Shared {
    Measuring measuring;
    Ledger& ledger;
    Fuse& fuse;
    Neighbours& neighbours;
    HostLock& host;
    IncidentIds& ids;
    const bool& steps_held;
  };
  // `shared` must outlive it.
  Service(const ServiceSpec& spec, const Shared& shared);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  std::size_t number = 0;  // among all, in the order of their names; the engine's
  const ServiceName& name() const { return spec_.name; }
  const ServiceSpec& spec() const { return spec_; }
  const CoreConfig& config() const { return shared_.measuring.config; }
  // The rules, and what else the configuration says of it, as it is now.
  void configure(const ServiceSpec& spec);

  Limits& limits() { return limits_; }
  const Limits& limits() const { return limits_; }
  Evidence& evidence() { return evidence_; }
  const Evidence& evidence() const { return evidence_; }
  Revisions& revisions() { return revisions_; }
  const Revisions& revisions() const { return revisions_; }
  const UsualLengths& usual() const { return usual_; }
  LaterChecks& later() { return later_; }
  const LaterChecks& later() const { return later_; }
  Unsettled& unsettled() { return unsettled_; }
  const Unsettled& unsettled() const { return unsettled_; }
  const Dependence& dependence() const { return dependence_; }
  Readiness readiness{};

  Incident* incident() { return incident_.get(); }
  const Incident* incident() const { return incident_.get(); }
  // By a rule that fires; by hand, `plan` may be one that the configuration has not; found open at a start.
  Incident& open(const WatchedRule& rule);
  Incident& open_by_hand(const RollbackByHand& request, const ActionSpec& plan, const Revision& to);
  Incident& take_up(IncidentRecord record, const std::vector<ActionSpec>& plans);
  // Closed, it is over.
  void forget_incident();
  // Where that incident stands, open or not settled; nothing: it is over.
  std::optional<Situation> situation(const IncidentId& incident, Instant at) const;
  // What runs was read, or a rollback can be done again: what was not acted on for that reason is looked at again.
  void could_be_read();
  void was_started_again();  // what somebody had stopped: what nobody answered meanwhile is asked, or done, anew
  void restore_answers(const ServiceRecord& record);
  void could_be_rolled_back();
  // Its switch failed before it began: what fires on is tried again now and then while it could be rolled back, for
  // what was in the way may be something that a look at that does not see. Nothing: not by time.
  void try_refused_again();
  void tell_of_flapping();
  void note_drivers(const std::vector<DriverReadiness>& drivers);
  void tell_of_drivers();
  std::optional<Instant> tried_again_at(const RuleName& rule) const;
  // An incident that an earlier start closed, whose rules were bad still.
  void restore_ended(IncidentRecord ended);
  // An incident had nothing to roll back to for want of a backup, and the mark names that of what runs.
  bool lacks(const DeployMark& mark) const;
  bool has_refused(const RuleName& rule, Outcome outcome) const;
  // A person said that this revision is good.
  void has_new_target(const Revision& good);

  // A person aborted what was done about the rule, or all that was to be done about it did not help: that holds until
  // it was good, another revision runs, or all limits start anew, also over a restart.
  bool is_called_off(const WatchedRule& rule) const;
  void note_cleared(const WatchedRule& rule);
  void limits_start_anew();

  // What it depends on and who depends on it, directly or not; the engine says so.
  void depend_on(std::vector<Service*> services);
  std::vector<Service*>& needed_by() { return needed_by_; }
  // What is wrong with it, for those. True: it is something else than before.
  bool note_trouble();
  // What is wrong with what it depends on, as was noted there: whether that explains its own trouble (SPEC 2.19).
  void heed_dependencies();

  // Whether there is something to roll back to, as far as can be known.
  bool has_target() const;

  // When it has to be looked at though nothing happens; nothing: never. `room` is for reckoning: each poll does it.
  std::optional<Instant> next_deadline(std::vector<Instant>& room) const;
  void end_pause();

 private:
  void save() const;
  void remember_unbegun(const IncidentRecord& closed, bool never_switched);
  void remember_refusal(const IncidentRecord& closed, const RuleName& rule);
  bool is_refused(const IncidentRecord& ended) const;
  bool has_ended(Outcome outcome) const;
  void answer_again(Outcome refused);
  void take_up_again(Outcome given_up);
  void call_off(const IncidentRecord& closed);
  bool call_off_holds() const;
  Surroundings surroundings();
  Trouble trouble() const;
  bool goes_forward(const Revision& to) const;
  IncidentRecord begin_record(const std::string& what);
  Incident& keep(std::unique_ptr<Incident> incident);

  ServiceSpec spec_;
  const Shared& shared_;
  Limits limits_;
  Evidence evidence_;
  Revisions revisions_;
  LaterChecks later_;
  Unsettled unsettled_;
  UsualLengths usual_;
  std::unique_ptr<Incident> incident_;
  std::vector<Service*> depends_on_;
  std::vector<Service*> needed_by_;
  Trouble trouble_;  // its own, as it was noted last
  Dependence dependence_;
  // Rule -> end of its last incident, when that changed nothing or had nothing to roll back to.
  Seldom<std::map<std::string, Outcome>> unbegun_;
  // Rule -> when its switch was refused, first and last, without it being good in between.
  struct Refusal {
    Instant first;
    Instant last;
    Severity severity = Severity::p1;
  };
  Seldom<std::map<std::string, Refusal>> refused_;
  std::vector<RuleName> called_off_;
  std::optional<Instant> called_off_at_;
  Revision called_off_of_;  // what ran then
};

}  // namespace rules
