#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/driver_readiness.hpp"
#include "rules/base/poll.hpp"
#include "rules/conditions/judgement.hpp"
#include "rules/incidents/plan.hpp"
#include "rules/incidents/progress.hpp"
#include "rules/incidents/records.hpp"
#include "rules/incidents/service_spec.hpp"
#include "rules/incidents/usual_lengths.hpp"
#include "rules/signals/measurements.hpp"
#include "rules/sustain/rule_tracker.hpp"

namespace rules {

// What is so at one time, for status, explain, metrics and the API. A copy: nothing refers into the engine.

enum class ServiceState { disarmed, armed, incident };
std::string_view to_string(ServiceState state);

// What is still to be looked at of an incident that is over.
struct LaterView {
  IncidentId incident;
  LaterCheck check;
};

struct ServiceView {
  ServiceName service;
  Revision revision;  // empty: unknown
  Instant running_since{};
  bool in_doubt = false;  // the next look has to say what runs, or of what a deploy mark spoke
  Revision last_good;     // target of a rollback now; empty: none
  ServiceState state = ServiceState::disarmed;
  bool paused = false;
  std::optional<Instant> paused_until;
  bool fused = false;
  std::string fused_reason;
  bool blind = false;      // one of its rules is
  std::string unreadable;  // why it cannot be read what runs, and what to do; empty: it can
  std::string unfinished;  // what is in place is not what runs, and what to do; empty: it is
  std::string stopped;     // that somebody stopped it, and by what that was seen; empty: nobody did, as far as is known
  bool deploying = false;
  bool deployment_began = false;  // as `deploy begin` said, and it has not ended
  bool warming_up = false;
  std::optional<Instant> warming_until;  // at most
  bool rollback_ready = false;
  std::vector<DriverReadiness> drivers{};  // where it has several, the fastest first
  std::string not_ready_reason;
  std::string by_hand_not_ready;  // why a plan that only a person begins could not be; empty: all could
  std::optional<IncidentId> incident;
  std::optional<Progress> progress{};  // of what it does about it
  std::vector<LaterView> later;        // the next one first
  Duration baked{};
  Duration bake{};
};

struct RuleView {
  RuleName rule;
  ServiceName service;
  Severity severity = Severity::p1;
  Duration sustain{};
  double quorum = 0.9;
  std::string condition;
  Judgement judgement;  // now
  RuleProgress progress;
  bool preexisting = false;
  std::map<Cause, Duration> unknown_time;
  std::vector<std::string> missing;  // for explain: what is missing before it acts, one sentence each
};

struct ProbeView {
  ProbeName probe;
  std::optional<Measurements::LastPoll> last;
  Up up = Up::unknown;
  std::size_t unread_lines = 0;  // of its page, that nothing selects
};

struct SignalView {
  SignalName signal;
  Measured measured;
  std::string taken;  // which metric a signal with candidates took
};

struct EngineView {
  Instant at;
  Mode mode = Mode::act;  // in force, after caps by degradation
  std::vector<std::string> degraded;
  std::vector<ServiceView> services;
  std::vector<RuleView> rules;
  std::vector<ProbeView> probes;
  std::vector<SignalView> signals;
  std::vector<LedgerRecord> ledger;
  std::vector<IncidentRecord> open_incidents;
};

// What a rollback by hand would do.
struct PlanByHand {
  std::string refused;  // why it would do nothing, for people; empty: it would be done
  ActionSpec action;    // of no name: none was found
  Revision from;
  Revision to;  // empty: the action does not switch, or the service has no identity
  std::string schema_from;
  std::string schema_to;
  std::string backup;  // made before `from` came
  UsualLengths usual;
};

}  // namespace rules
