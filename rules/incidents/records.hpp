#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/explanation.hpp"
#include "rules/base/names.hpp"
#include "rules/base/time.hpp"
#include "rules/conditions/judgement.hpp"
#include "rules/sustain/rule_tracker.hpp"

namespace rules {

// The durable state of the decision core: plain data, written by the journal before the deeds that rest on it and
// read back at a start. Durations are nanoseconds in integers so that any store can hold them.

enum class Standing {
  candidate,  // appeared, being judged
  good,       // verified
  suspect,    // was rolled to and did not recover, or is under an open incident
  bad,        // quarantined: never a target by itself
};
std::string_view to_string(Standing standing);

// What a deploy mark said about undoing this deployment.
enum class RollbackPolicy { automatic, ask, forbidden };
std::string_view to_string(RollbackPolicy policy);  // "auto", "ask", "forbidden"

struct LedgerRecord {
  ServiceName service;
  Revision revision;
  Standing standing = Standing::candidate;
  Instant appeared;   // time of the deployment (SPEC 2.14)
  Instant last_seen;  // Instant(): it never ran, somebody spoke of it
  // Of its newest deployment, where `deploy begin` and `deploy end` were said.
  std::optional<Instant> deploy_began;
  std::optional<Instant> deploy_ended;
  bool adopted = false;       // the first ever seen: taken as good, not judged
  bool presumed = false;      // no look saw it run since it appeared: what was said of a deployment named it
  std::int64_t baked_ns = 0;  // of `bake`
  RollbackPolicy policy = RollbackPolicy::automatic;
  std::string schema;        // what was said of it, else what was read last; empty: unknown
  bool schema_said = false;  // by a person or a script
  std::string schema_other;  // what contradicts it: read while it was said otherwise, or earlier; empty: nothing
  std::string backup;
  std::map<std::string, double> baselines;  // frozen for the judging of this revision
  std::map<std::string, double> collected;  // medians of while it was verified itself: the next one's baselines
  int switches_away = 0;                    // how often it was switched away from (fuse)
  std::vector<RuleName> preexisting;        // rules that were bad before it came (SPEC 2.16)
  std::string label{};                      // what people called it when it was seen last, to be shown beside it
};

// What was said of a revision that has not appeared yet.
struct PendingMark {
  Instant at;
  Revision revision;  // empty: whichever comes next
  std::optional<RollbackPolicy> policy;
  std::string schema;
  std::string backup;
  std::optional<Instant> began;  // the deployment that brings it, and its end
  std::optional<Instant> ended;
  bool differs_told = false;  // what ran in the end was another revision, and people know
  friend bool operator==(const PendingMark&, const PendingMark&) = default;
};

enum class Outcome {
  recovered,       // verified: the target runs and the rules are good
  not_recovered,   // the plan went through, the rules did not become good
  wrong_revision,  // what runs after the switch is not the target
  unverifiable,    // nothing could be measured afterwards, or what runs could not be read and nothing was changed
  action_failed,   // a step failed, or a plan could not go on after a crash
  no_target,       // nothing to roll back to
  fused,           // a limit of the fuse was reached
  superseded,      // another revision appeared meanwhile
  aborted,         // by a person, or an ask that nobody answered
  observed,        // mode observe
  notified,        // only told
  cleared,         // the rule cleared before anything was changed
};

struct ServiceRecord {
  ServiceName service;
  Revision running;   // as last read; empty: unknown
  Revision previous;  // what ran before it
  Instant running_since;
  std::int64_t deployments = 0;  // that have begun and not ended
  std::optional<Instant> deploying_since;
  std::optional<Instant> paused_until;
  std::string pause_reason;
  std::optional<Instant> mutation_ended;  // cooldown runs from here
  bool rolled_back_here = false;          // `running` was brought by our own switch: never roll back a rollback
  bool acted_without_identity = false;    // SPEC 2.18
  std::optional<PendingMark> mark;
  Revision switching_to;                   // target of a switch of ours that has not been seen running yet
  std::map<std::string, int> next_rung;    // rule -> rung it starts at when it fires again on this revision (2.27)
  bool unreadable_told = false;            // people know that it cannot be read what runs
  std::optional<Instant> stopped_since;    // somebody stopped it, as its driver saw
  bool stop_told = false;                  // and people know
  std::map<std::string, Outcome> unbegun;  // rule -> end of its last incident, when that changed nothing
  std::vector<IncidentId> later;           // closed incidents of which something is still to be looked at
  std::vector<IncidentId> unsettled;       // closed incidents that left people with rules that are bad still
  std::map<std::string, std::vector<std::int64_t>> usual;  // of UsualLengths
  // A person aborted what was done about them, or it did not help, and they were not good since.
  std::vector<RuleName> called_off;
  std::optional<Instant> called_off_at;
};

enum class FuseUse { switched, mutated, by_hand, reset };

struct FuseRecord {
  ServiceName service;
  Instant at;
  FuseUse use = FuseUse::mutated;
  Revision from;  // for switches: the revision switched away from
  IncidentId incident;
  bool undone = false;  // replaces what was counted: it turned out to have changed nothing
};

std::string_view to_string(Outcome outcome);

enum class IncidentPhase {
  held,       // waits: cooldown, a deployment, another service's action, `unless`
  asking,     // a person has to approve
  acting,     // steps of the plan
  settling,   // a rung without a switch is given time to help
  verifying,  // after a switch
  finishing,  // on_success or on_failure, then always
  telling,    // nothing is done but telling; open until the rules clear
  closed,
};
std::string_view to_string(IncidentPhase phase);

enum class PlanSection { steps, on_success, on_failure, always };
std::string_view to_string(PlanSection section);

struct JoinedRule {
  RuleName rule;
  Severity severity = Severity::p1;
  Instant joined;
  std::vector<Comparison> evidence;  // at the moment it fired
  std::int64_t bad_ns = 0;           // observed bad time when it fired
  std::int64_t for_ns = 0;
  std::int64_t samples = 0;          // bad samples when it fired
  std::optional<Instant> bad_since;  // the first bad sample of the span that fired
  bool fired_when_decided = false;   // it fired when the outcome was decided
};

// When what happened around an incident, and how long what its rules are about was bad. None: not measured.
struct IncidentTimes {
  std::optional<Instant> deployed;                    // what ran when it opened
  std::string undeployed;                             // why there is no such time, for people
  std::optional<Instant> decided;                     // its first action began, or what it came to was known
  std::optional<Instant> recovered;                   // since then every rule of it was good
  std::int64_t bad_ns = 0;                            // one of its rules was measured bad, before it opened included
  std::map<std::string, std::int64_t> unmeasured_ns;  // none was, and one could not be measured; by cause
  std::optional<Instant> counted_until;               // of the two; none: an older version opened it
  bool counts_requests = false;                       // an error ratio is concerned
  double failed = 0;                                  // of `requests`, while the ratio was bad
  double requests = 0;
};

// What became of something that is looked at when the incident is over.
enum class LaterEnd {
  waits,          // its time has not come
  holds,          // its condition was true
  does_not_hold,  // it was false
  unknown,        // it could not be measured
  reminded,       // it has no condition: people were reminded
  not_looked_at,  // a newer release runs, or the configuration has it no longer
};
std::string_view to_string(LaterEnd end);

struct LaterCheck {
  ActionName action;
  std::int64_t after_ns = 0;
  std::string when;     // the condition's text; empty: nothing is measured
  std::string text;     // what a person does until then
  NotifierName notify;  // empty: whoever is told of the incident's end
  Instant due;
  Revision revision;  // what ran when the incident ended
  LaterEnd end = LaterEnd::waits;
  std::optional<Instant> ended;
};

// One line of the incident's story.
struct TimelineEntry {
  Instant at;
  std::string event;  // fired, asked, approved, step_started, step_failed, switched, verified, closed ...
  std::string text;   // for people
};

struct IncidentRecord {
  IncidentId id;
  ServiceName service;
  std::vector<JoinedRule> rules;  // the one that opened it first; empty when by hand
  Severity severity = Severity::p1;
  bool by_hand = false;
  bool force = false;    // by hand, also to a quarantined target
  bool forward = false;  // by hand, to a newer revision than what ran, of which nothing was bad
  std::string backup;    // by hand, that was named; empty: the one that was made before `from` came
  std::string reason;
  Instant opened;
  std::optional<Instant> closed;
  std::optional<Outcome> outcome;
  std::string outcome_detail;
  Revision from;           // what ran when it opened
  Revision to;             // target of the switch; empty before one is chosen
  std::string from_label;  // what people call them; empty: nobody knows
  std::string to_label;
  std::map<std::string, double> before;  // values when it opened, for before(x)
  IncidentPhase phase = IncidentPhase::held;
  std::string waiting_for;         // while held or asking: for people
  std::vector<ActionName> ladder;  // rungs still to be tried and tried, in order
  std::size_t rung = 0;
  std::string plan_fingerprint;  // of the action at `rung`
  PlanSection section = PlanSection::steps;
  std::size_t step = 0;  // next step, or the one in flight
  int attempt = 0;
  bool in_flight = false;  // the step was started and has not ended
  bool past_no_return = false;
  bool switched = false;                   // a switch step was started in this incident
  bool failed = false;                     // a finishing step failed: something is left undone
  std::optional<Outcome> pending_outcome;  // decided, told when the finishing steps are done
  std::optional<Instant> deadline;         // of the phase: ask, settle, verify, wait, sleep
  Instant phase_since;
  std::string asked;              // what is asked, while asking
  bool asked_in_trouble = false;  // only because we are in trouble ourselves; over when that is
  std::string approved_by;
  bool approved_mark = false;          // its deploy mark asked already when it was approved
  bool approved_absent = false;        // what ran had stopped already when it was approved
  std::int64_t settle_extensions = 0;  // unknown at settle's end waits once more
  Explanation explanation;             // of the most severe rule, else of the service
  std::vector<TimelineEntry> timeline;
  IncidentTimes times;
  std::vector<LaterCheck> later;        // as long as it is open: none
  std::vector<std::string> changed;     // the mutating steps that were run, but switches
  std::int64_t changed_earlier = 0;     // so many of them by rungs before this one
  std::optional<Instant> decided;       // when pending_outcome was
  bool aborted = false;                 // by a person
  bool starts_anew = false;             // all limits did since it was decided: what still fires is looked at again
  std::optional<Instant> unseen_since;  // nothing was changed, and none of what it is about can be measured
  std::optional<Instant> acknowledged;  // a person said that he knows
  std::string left_behind;              // what the switch's driver left to people, a line each
  std::string would_have_done;          // what mode observe kept it from, when nothing was done
};

// What stays as it is when an incident ends: all that it changed, or only what rungs before the last one did. For
// people; empty when that is nothing.
std::string left_in_place(const IncidentRecord& incident, bool only_earlier);

// The rule that the incident is named after: of the most severe ones the first that fired. nullptr when by hand.
const JoinedRule* leading_rule(const IncidentRecord& incident);

enum class StepStatus { started, succeeded, failed, timed_out, skipped, interrupted };
std::string_view to_string(StepStatus status);

// Identifies one attempt of one step.
struct StepId {
  IncidentId incident;
  std::size_t rung = 0;
  PlanSection section = PlanSection::steps;
  std::size_t step = 0;
  int attempt = 0;
  friend auto operator<=>(const StepId&, const StepId&) = default;
};

struct StepRecord {
  StepId id;
  std::string kind;
  std::string text;  // describe(step)
  Instant started;
  std::optional<Instant> ended;
  StepStatus status = StepStatus::started;
  std::optional<int> exit_code;     // or the HTTP status
  std::string detail;               // for people
  std::string output;               // kept part of the output
  std::int64_t output_dropped = 0;  // bytes beyond what is kept
};

// Everything that is read back at a start.
struct DurableState {
  std::vector<LedgerRecord> ledger;
  std::vector<ServiceRecord> services;
  std::vector<FuseRecord> fuse;           // of the last 24 h, and resets
  std::vector<IncidentRecord> incidents;  // the open ones
  std::vector<IncidentRecord> ended;      // closed ones that a service's `later` or `unsettled` names
  std::vector<IncidentId> incident_ids;   // of all, open or closed
  std::vector<StepRecord> steps;          // of the open incidents
  std::vector<SpanRecord> spans;
  std::optional<Instant> last_alive;  // the newest save: how long we were away
  std::optional<StepId> at_work;      // its command still runs, though the watcher that began it has ended
};

}  // namespace rules
