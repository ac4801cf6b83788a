#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/engine/commands.hpp"
#include "rules/engine/config.hpp"
#include "rules/engine/events.hpp"
#include "rules/engine/view.hpp"
#include "rules/incidents/fuse.hpp"
#include "rules/incidents/ledger.hpp"
#include "rules/signals/baseline.hpp"
#include "rules/signals/measurements.hpp"
#include "rules/sustain/rule_tracker.hpp"

namespace rules {

// What the rule's evidence was judged under; another one makes the same evidence be judged again.
struct JudgedIn {
  Instant not_before = Instant::min();
  std::optional<Cause> blanket;
  friend bool operator==(const JudgedIn&, const JudgedIn&) = default;
};

struct WatchedRule {
  RuleSpec spec;
  RuleTracker tracker;
  std::set<ProbeName> probes;  // of `when` and `clear`
  std::set<ProbeName> when_probes;
  bool windowed = false;
  Judgement when;
  JudgedIn judged_in;
  bool judged = false;
  std::optional<Instant> withheld_since;  // fired, but `unless` explains the trouble
  std::string withheld_by;
  std::optional<Instant> withheld_before;         // since when, at our last end
  Instant withheld_valid_until = Instant::max();  // when `unless` has to be judged again
  bool looked_for = false;                        // fired, and since then what runs was asked for
  bool answered = false;                          // its incident is closed and it fires on: nothing more by itself
  bool recovered = false;                         // recovered since it last fired
  bool blind = false;
  std::deque<std::pair<Instant, Verdict>> known;  // known verdicts as they changed, for what was bad before a deploy
};

// What may not be up yet: since when, and until when that excuses it.
struct Warming {
  Instant since;
  Instant until;
};

struct WatchedService {
  ServiceSpec spec;
  ServiceRecord record;
  std::set<ProbeName> probes;  // of all of its rules
  Duration max_gap{};          // the longest of theirs
  std::vector<WatchedRule*> rules;
  std::optional<Instant> timer;  // its place in timers_
  // Looking at what runs.
  std::optional<Revision> unconfirmed;  // one look saw it, the second has to agree
  Instant last_look = Instant::min();   // when the newest look began, whatever it saw
  Instant last_saw_running = Instant::min();
  Instant last_saw_elsewhere = Instant::min();  // after our own switch: something else than its target
  std::optional<Instant> absent_since;
  // Which evidence counts.
  Instant not_before = Instant::min();
  Cause not_before_cause = Cause::warming_up;
  std::map<ProbeName, Warming> warming;  // probes not yet up since the revision, the instance or we appeared
  std::map<std::pair<ProbeName, std::size_t>, double> process_start;
  // What is known of it.
  bool ready = false;
  std::string not_ready_reason = "not asked yet";
  std::optional<std::pair<Instant, Duration>> last_fired;  // when, and the rule's `for`
  BaselineCollector collector;
  std::map<std::string, Expression> baseline_of;  // what is collected, by its frozen key
  Instant bake_from = Instant::max();             // baking since then; max: not now
  Instant bake_saved = Instant::min();
  std::optional<IncidentId> incident;
  IncidentId last_id;
};

// A ledger's record is written for its times alone at most this often: a commit a minute, not one a look.
inline constexpr Duration seen_saved_every = std::chrono::minutes(1);

// Who approved when nobody answered and ask.then is act.
inline constexpr std::string_view approved_by_nobody = "ask.then = \"act\"";
// How long a firing waits for a look that is newer than its evidence: two looks, and one that fails.
inline constexpr Duration identity_wait_max = std::chrono::seconds(30);

enum class HostLockState { none, asked, held };

struct LiveIncident {
  IncidentRecord record;
  std::map<ActionName, ActionSpec> plans;  // as they were when it opened
  StepRecord step;                         // the one in flight, or the last
  HostLockState lock = HostLockState::none;
  int lock_refusals = 0;
  std::optional<Instant> lock_retry_at;
  std::optional<Instant> lock_wanted_since;
  std::string lock_holder;
  std::optional<Instant> rung_began;  // its first mutating step
  // The look before a switch, and after a crash in one.
  std::optional<Instant> look_asked;
  std::optional<RevisionRead> look;
  int looks_failed = 0;
  bool left_at_work = false;            // its step's command was found running at our start
  bool look_settles_switch = false;     // found in flight at our start
  int looks_elsewhere = 0;              // after the switch: what runs is not the target
  bool still_old = false;               // but, at the last look, what ran before
  std::optional<Instant> wait_since;    // a wait's condition has been true since
  std::optional<Instant> verify_since;  // the plan's verify.when has been true since
  std::optional<Instant> hold_until;
  bool climb_now = false;  // a more severe rule joined: its response starts at once
  bool refired = false;    // a rule that may act fired since it was looked after
};

// The decision core. Parts: core.cpp (time, events), touching.cpp, judging.cpp, revisions.cpp, deployments.cpp (marks,
// warm-up), baking.cpp, opening.cpp, gate.cpp, phases.cpp, steps.cpp, host_lock.cpp, switching.cpp, settling.cpp
// (settle, verify), closing.cpp, requests.cpp, recovery.cpp (start, reload), view.cpp, telling.cpp.
class Core {
 public:
  Core(CoreConfig config, DurableState durable, Instant now);

  void observe(Event event);
  void refill(const Poll& poll);
  std::vector<Command> advance(Instant now);
  std::vector<Command> complete(const StepId& id, const StepResult& result, Instant now);
  Answer request(const Request& request, Instant now);
  std::vector<Command> reload(CoreConfig config, Instant now);
  void hold_new_steps() { holding_ = true; }
  std::optional<Instant> next_deadline() const;
  EngineView view(Instant now) const;
  std::vector<SpanRecord> spans(Instant now) const;

 private:
  enum class GateKind { go, ask, hold, tell, close };
  struct Gate {
    GateKind kind = GateKind::go;
    std::string why;
    std::optional<Instant> until;        // of a hold
    Outcome outcome = Outcome::cleared;  // of a close
    bool in_trouble = false;             // of an ask: for no other reason than our own trouble
  };

  // core.cpp: time and events
  void run_to(Instant now);
  void handle(const Event& event);
  void handle(const Poll& poll);
  void handle(const RevisionRead& read);
  void handle(const DeployMark& mark);
  void handle(const ReadinessRead& read);
  void handle(const ClockJump& jump);
  void handle(const SelfDegraded& degraded);
  void tick();
  void react();
  std::vector<Command> take_commands();

  // touching.cpp: whom an event concerns, and when each service has to be looked at again
  void touch(WatchedService& service);
  void touch_all();
  void touch_concerned(const Event& event);
  void set_timers();
  void set_timer(WatchedService& service);
  Instant next_timer() const;
  void add_rule_deadlines(const WatchedRule& rule, std::vector<Instant>& out) const;
  void add_service_deadlines(const WatchedService& service, std::vector<Instant>& out) const;
  void add_incident_deadlines(const LiveIncident& incident, std::vector<Instant>& out) const;

  // judging.cpp
  void build_rules(Instant now);
  std::string measured_by(const RuleSpec& rule) const;
  WatchedRule make_rule(const RuleSpec& written, Instant now) const;
  std::optional<Cause> blanket(const WatchedService& service, const WatchedRule& rule) const;
  bool is_warming(const WatchedService& service, const std::set<ProbeName>& probes) const;
  Scope scope(const WatchedService& service, std::optional<Cause> blanket) const;
  void judge(WatchedRule& rule, Fresh fresh);
  void rejudge(const ProbeName* polled);
  void rejudge(WatchedRule& rule, bool polled);
  void note_known(WatchedRule& rule);
  void note_blindness(WatchedRule& rule);
  void note_probe(const Poll& poll);
  void tell_of_self(const std::string& title, const std::string& text);
  void restart_spans(WatchedService& service, Leaves leaves = Leaves::nothing);
  Duration max_gap(const WatchedRule& rule) const;
  Up worst_up(const WatchedService& service) const;

  // revisions.cpp
  void see_running(WatchedService& service, const RevisionRead& read);
  void see_other(WatchedService& service, const Revision& revision);
  void see_after_switch(WatchedService& service, LiveIncident& incident, const RevisionRead& read);
  void adopt_first(WatchedService& service, const Revision& revision, Instant at);
  void revision_appeared(WatchedService& service, const Revision& revision, Instant at);
  void own_switch_seen(WatchedService& service, const Revision& revision);
  void note_schema(const RevisionRead& read);
  std::vector<RuleName> bad_at(const WatchedService& service, const LedgerRecord* old, Instant at) const;
  bool is_preexisting(const WatchedService& service, const RuleName& rule) const;
  void forget_known(const WatchedService& service);
  void forget_preexisting(WatchedService& service);

  // deployments.cpp
  bool is_deploying(const WatchedService& service) const;
  bool is_paused(const WatchedService& service) const;
  void apply_mark(WatchedService& service, const PendingMark& mark);
  void take_mark(WatchedService& service);
  void end_overdue(WatchedService& service);
  void warm_up(WatchedService& service, Instant until);
  void note_up(WatchedService& service, const Poll& poll);
  void instance_restarted(WatchedService& service, const Poll& poll);

  // baking.cpp
  bool is_armed(const WatchedService& service) const;
  bool is_baking(const WatchedService& service) const;
  void bake(WatchedService& service);
  void collect_baselines(WatchedService& service, const ProbeName& probe);
  std::map<std::string, double> baselines_after(WatchedService& service, const LedgerRecord* old) const;

  // opening.cpp
  void take_edges(WatchedRule& rule);
  void answer_firing(WatchedRule& rule);
  bool withheld(WatchedRule& rule);
  bool awaits_identity(const WatchedService& service, WatchedRule& rule);
  void open(WatchedService& service, WatchedRule& rule);
  void join(LiveIncident& incident, WatchedRule& rule);
  JoinedRule joined_now(const WatchedRule& rule) const;
  IncidentId new_id(WatchedService& service, const std::string& what);
  void add_rungs(LiveIncident& incident, const RuleSpec& rule, bool first);
  std::map<std::string, double> values_before(const WatchedService& service) const;
  Mode mode_of(const RuleSpec& rule) const { return mode_of(rule, cap()); }
  Mode mode_of(const RuleSpec& rule, Mode cap) const;
  Mode cap() const;
  Mode cap_once_well() const;
  std::string own_trouble() const;
  AskThen ask_then(const WatchedService& service) const;
  const RuleSpec* spec_of(const RuleName& rule) const;
  WatchedRule* watched(const RuleName& rule);
  const WatchedRule* watched(const RuleName& rule) const;

  // gate.cpp: may the rung begin?
  using Reason = bool (Core::*)(const LiveIncident&, const WatchedRule&) const;  // which joined rules count
  Gate gate(const LiveIncident& incident) const;
  std::optional<Gate> gate_begin(const LiveIncident& incident, const ActionSpec& action) const;
  std::optional<Gate> gate_end(const LiveIncident& incident) const;
  std::optional<Gate> gate_target(const LiveIncident& incident, const ActionSpec& plan) const;
  std::optional<Gate> gate_hold(const LiveIncident& incident, const ActionSpec& action) const;
  std::string why_ask(const LiveIncident& incident, const ActionSpec& plan) const;
  Mode mode_allowed(const LiveIncident& incident, const ActionSpec& plan, Reason counts, Mode cap) const;
  bool is_uncleared(const LiveIncident& incident, const WatchedRule& rule) const;
  bool is_uncleared_news(const LiveIncident& incident, const WatchedRule& rule) const;
  bool gives_reason(const LiveIncident& incident, const WatchedRule& rule) const;
  bool gives_new_reason(const LiveIncident& incident, const WatchedRule& rule) const;
  bool is_approved_by_person(const LiveIncident& incident) const;
  std::string correlated_with(const WatchedService& service) const;
  bool all_cleared(const LiveIncident& incident) const;
  bool has_cleared(const WatchedRule& rule) const;
  bool moved_on(const LiveIncident& incident) const;

  // phases.cpp
  bool drive(LiveIncident& incident);
  bool drive_held(LiveIncident& incident);
  bool drive_asking(LiveIncident& incident);
  bool drive_telling(LiveIncident& incident);
  bool drive_acting(LiveIncident& incident);
  bool drive_finishing(LiveIncident& incident);
  bool section_done(LiveIncident& incident);
  void enter(LiveIncident& incident, IncidentPhase phase);
  void ask(LiveIncident& incident, const Gate& gate);
  void answer_ask_step(LiveIncident& incident, StepStatus status, const std::string& detail);
  bool rung_started(const LiveIncident& incident) const;

  // steps.cpp: the plan's cursor
  const ActionSpec* plan(const LiveIncident& incident) const;
  const std::vector<StepSpec>& steps_of(const ActionSpec& plan, PlanSection section) const;
  bool start_step(LiveIncident& incident, const StepSpec& step);
  void begin_step(LiveIncident& incident, const StepSpec& step);
  void count_step(LiveIncident& incident, const StepSpec& step);
  void carry_out(LiveIncident& incident, const StepSpec& step);
  bool drive_in_flight(LiveIncident& incident);
  bool drive_wait(LiveIncident& incident, const StepSpec& step, const WaitStep& wait);
  void end_step(LiveIncident& incident, const StepResult& result);
  void step_failed(LiveIncident& incident, const StepSpec& step, const StepResult& result);
  void abandon(LiveIncident& incident, const StepSpec& step, const StepResult& result, const std::string& why);

  // host_lock.cpp
  bool have_lock(LiveIncident& incident);
  std::optional<Instant> lock_patience_ends(const LiveIncident& incident) const;
  void locked(LiveIncident& incident, const StepResult& result);
  bool lock_given_up(const LiveIncident& incident) const;
  void release_host(LiveIncident& incident);

  // switching.cpp
  enum class Look { pending, go, superseded };
  Look look_before_switch(LiveIncident& incident);
  bool settle_interrupted_switch(LiveIncident& incident);
  std::optional<Revision> target(const LiveIncident& incident, const SwitchStep& step, std::string& why) const;
  const SwitchStep* switch_of(const ActionSpec& plan) const;
  void ask_look(LiveIncident& incident);
  void switched(LiveIncident& incident);

  // settling.cpp
  void after_steps(LiveIncident& incident);
  bool drive_settling(LiveIncident& incident);
  bool settle_over(LiveIncident& incident);
  bool drive_verifying(LiveIncident& incident);
  void verify_over(LiveIncident& incident);
  void begin_verifying(LiveIncident& incident);
  bool runs_target(const LiveIncident& incident) const;
  bool is_verified(const LiveIncident& incident) const;
  // What a recovery rests on, for people.
  std::string proof_of(const LiveIncident& incident) const;
  bool others_bad(const LiveIncident& incident) const;
  std::vector<const WatchedRule*> verified_rules(const LiveIncident& incident) const;
  Duration hold_of(const LiveIncident& incident, const WatchedRule& rule) const;
  Duration verify_limit(const LiveIncident& incident) const;
  Duration settle_of(const LiveIncident& incident) const;
  Duration settle_least(const LiveIncident& incident) const;
  void check_verify_when(LiveIncident& incident);

  // closing.cpp
  void climb(LiveIncident& incident, const std::string& why);
  void finish(LiveIncident& incident, Outcome outcome, const std::string& why);
  void begin_finishing(LiveIncident& incident, PlanSection section);
  void finish_now(LiveIncident& incident);
  void close(LiveIncident& incident);
  void next_rung(LiveIncident& incident);
  void judge_revisions(LiveIncident& incident, Outcome outcome);
  void leave_out(LiveIncident& incident, const StepSpec& step, const std::string& why);
  void remember_rungs(LiveIncident& incident);

  // telling.cpp
  StepContext context(const LiveIncident& incident) const;
  void save(const LiveIncident& incident);
  void save(const WatchedService& service);
  void save(const LedgerRecord& record);
  void tell(LiveIncident& incident, Stage stage, const std::string& event, const std::string& text);
  std::string reason_of(const LiveIncident& incident) const;
  void story(LiveIncident& incident, const std::string& event, const std::string& text);
  void note(std::string event, std::vector<std::pair<std::string, std::string>> fields);
  void emit(Command command);

  // requests.cpp
  Answer answer(const Approve& request);
  Answer answer(const Abort& request);
  Answer answer(const Pause& request);
  Answer answer(const Resume& request);
  Answer answer(const FuseReset& request);
  Answer answer(const RollbackByHand& request);
  Answer answer(const Declare& request);
  Answer answer(const AcceptState& request);
  std::optional<ActionSpec> action_by_hand(const WatchedService& service, const RollbackByHand& request) const;
  Answer open_by_hand(WatchedService& service, const RollbackByHand& request, ActionSpec plan, const Revision& to);
  void end_pause(WatchedService& service);
  std::vector<WatchedService*> in_scope(const std::optional<ServiceName>& service);

  // recovery.cpp
  void build_services(DurableState& durable);
  void restore_spans(const DurableState& durable);
  void restore_incidents(DurableState& durable);
  void restore_incident(IncidentRecord record, const DurableState& durable);
  void close_without_service(IncidentRecord record);
  void resume_step(LiveIncident& incident, const std::optional<StepId>& at_work);
  void take_up_step(LiveIncident& incident);
  void work_ended(LiveIncident& incident, const std::string& how);

  // view.cpp
  ServiceView view_of(const WatchedService& service) const;
  RuleView view_of(const WatchedRule& rule, Instant now) const;
  std::vector<std::string> missing(const WatchedRule& rule, const RuleProgress& progress) const;

  WatchedService& service_of(const LiveIncident& incident) { return services_.at(incident.record.service); }
  const WatchedService& service_of(const LiveIncident& incident) const { return services_.at(incident.record.service); }
  WatchedService* find_service(const ServiceName& name);
  LiveIncident* open_incident(const WatchedService& service);
  const LiveIncident* open_incident(const WatchedService& service) const;

  CoreConfig config_;
  bool holding_ = false;  // the watcher stops: no step is begun any more
  Measurements measurements_;
  Instant now_;
  std::multimap<Instant, Event> events_;  // equal times in the order of their coming
  std::vector<Command> commands_;
  std::map<RuleName, WatchedRule> rules_;
  std::map<ProbeName, std::set<RuleName>> rules_of_probe_;
  std::map<ProbeName, std::set<ServiceName>> services_of_probe_;  // whose rules, `unless` included, it can change
  std::map<ServiceName, WatchedService> services_;
  std::set<std::pair<Instant, ServiceName>> timers_;  // when each service has to be looked at though nothing was seen
  std::map<ServiceName, WatchedService*> touched_;    // what happened now concerns them
  std::map<IncidentId, LiveIncident> incidents_;
  Ledger ledger_;
  Fuse fuse_;
  std::optional<IncidentId> host_owner_;           // asked for the host's lock or has it
  std::map<ProbeName, std::string> probe_faults_;  // measuring paths that people were told are broken
  std::vector<SelfDegraded> degraded_;
};

// For people.
std::string told(Duration d);  // rounded to what a person reads: 5m, 2m10s, 300ms
std::string told(Instant t);   // 2026-11-21 02:03:04 UTC
std::string told(double value);

}  // namespace rules
