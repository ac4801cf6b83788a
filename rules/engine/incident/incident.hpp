#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/engine/acting/gate.hpp"
#include "rules/engine/incident/running_look.hpp"
#include "rules/engine/incident/severer.hpp"
#include "rules/engine/incident/surroundings.hpp"
#include "rules/engine/incident/verification.hpp"

namespace rules {

// How a question ends that is asked because nothing can be measured.
inline constexpr std::string_view helped_is_unknown = " helped cannot be told";

// How long it stays open at most while none of its rules can be measured, which counts as blindness after `blind`.
Duration unseen_max(Duration blind);

// One incident of one service, from a rule that fires (or a person's word) to its outcome: a state machine that is
// driven until nothing more follows (SPEC 2.20 to 2.27, section 6).
class Incident {
 public:
  // `plans` are the actions as they are when it opens: it keeps them.
  Incident(const Surroundings& in, IncidentRecord record, const std::vector<ActionSpec>& plans);

  const IncidentRecord& record() const { return record_; }
  bool is_closed() const { return record_.phase == IncidentPhase::closed; }
  bool has_joined(const RuleName& rule) const;
  // What fires now is a part of it, unless its outcome is decided already.
  bool may_be_joined() const { return !is_closed() && !record_.pending_outcome; }
  // Nothing has been changed yet, or nothing more is by itself, nor is anything at work.
  bool may_give_way() const;
  bool is_waiting() const;  // nothing of it is being done now, nor has to be followed by anything
  // It is changing what runs, or looks whether that helped.
  bool is_changing() const;
  // The newest action's switch failed before its own command began.
  bool switch_never_began() const { return is_switch_refused_; }

  // It opens (opening.cpp).
  void open(const WatchedRule& rule);
  void open_by_hand();
  void join(const WatchedRule& rule);
  void keep_waiting(const WatchedRule& rule);  // it may not be joined any more: people are told, once a rule
  // It is a part of this as it fires now, and not only as it fired before.
  bool answers(const WatchedRule& rule) const;
  void note_fired();  // a rule of the service that may act
  // What its rules fired on does not count any more.
  void count_anew() { fires_anew_ = true; }
  // Adds the time since this was last called, during which what held then held on (times.cpp).
  void count_time();
  Situation situation(Instant at) const;
  std::optional<Progress> progress(Instant at) const;  // of its action, from the first step to the outcome

  // What happens (phases.cpp, steps.cpp, looks.cpp).
  bool drive();  // false: nothing more follows now
  void step_completed(const StepId& id, const StepResult& result);
  void lock_answered(const StepResult& result);
  void saw(const RevisionRead& read);              // a look; it takes those that it asked for
  bool is_switching() const;                       // its switch is at work: what runs says nothing
  bool is_switching_by_us() const;                 // the same, and not by a watcher that ended meanwhile
  std::optional<Instant> switching_until() const;  // at most; none: is_switching_by_us() is false
  bool awaits_target() const;                      // it has switched, and its target was not seen yet
  void saw_after_switch(const RevisionRead& read);

  // People (people.cpp).
  Answer approve(const std::string& by);
  Answer abort(const Abort& request);
  Answer acknowledge(const std::string& by);
  void give_way(const std::string& to);
  void limits_started_anew();

  // Found open at a start (resuming.cpp). `step`: the one in flight; `at_work`: its command still runs.
  void resume(const std::vector<StepRecord>& steps, const std::optional<StepId>& at_work);
  void close_without_service();  // which is no longer configured: it ends

  void add_deadlines(std::vector<Instant>& out) const;

 private:
  enum class Look { pending, go, superseded, unread };
  Instant now() const { return in_.effects.now(); }
  const ActionSpec* plan() const;  // nullptr: no rung is left, or its action is gone
  const std::vector<StepSpec>& steps_of(const ActionSpec& plan) const;  // of the section at the cursor
  const StepSpec& step_at_cursor() const;
  StepId cursor() const;
  bool rung_started() const;
  std::string left_by_abort(bool kills) const;  // what stays as it is, for people
  bool sees_step_out() const;                   // it was aborted, and what changes what runs is not broken off
  Answer abort_again(bool kill);
  void kill_step();
  Target target(const SwitchStep& step) const { return target_of(step, record_, in_.service, in_.revisions); }
  Verification verification() const;

  // gating.cpp: what the gate sees
  GateView gate_view(const IncidentRecord& incident, const ActionSpec* action) const;
  GateView gate_view() const { return gate_view(record_, plan()); }
  std::optional<Gate> ending() const;
  void view_others(GateView& view) const;
  std::optional<Instant> dependency_measured_by() const;
  bool all_cleared() const;
  bool moved_on() const;
  bool is_unattributed() const;  // nobody saw run what it is about when what it fired on was measured
  AskThen ask_then() const;

  // phases.cpp
  void enter(IncidentPhase phase);
  bool drive_held();
  void hold(const std::string& why);
  void begin_acting();
  void only_tell(const std::string& why);
  std::string why_only_told(const std::string& why) const;
  void call_off();
  std::string nothing_is_done(const std::string& why);
  std::string by_hand() const;  // what acts now, for people
  void note_would_have_done();
  std::string would_have_done() const;  // observing.cpp: for people; empty: mode observe keeps it from nothing
  std::string fired_too(const WatchedRule& rule) const;
  void ask(const Gate& gate);
  bool drive_asking();
  bool unanswered();
  void note_approved(std::string_view by);
  void withdraw_question(const std::string& why);
  void answer_ask_step(StepStatus status, const std::string& detail);
  bool is_for_nothing_by_now() const;
  bool drive_telling();
  bool may_do_more();
  bool drive_acting();
  bool drive_finishing();
  bool section_done();

  // steps.cpp: the plan's cursor
  bool start_step(const StepSpec& step);
  void heed_mark(const Gate& said);
  void begin_step(const StepSpec& step);
  void count_step(const StepSpec& step);
  void carry_out(const StepSpec& step);
  void send_notice(const NotifyStep& step);
  void intent_unsaved(const StepResult& result);
  void take_back_step(const StepSpec& step);
  void wait_anew(const StepSpec& step);
  bool drive_in_flight();
  bool drive_wait(const StepSpec& step, const WaitStep& wait);
  void end_step(const StepResult& result);
  void step_failed(const StepSpec& step, const StepResult& result);
  std::string finishing_step_failed(const StepSpec& step, const std::string& what);
  void note_changed(const StepResult& result);
  void note_left_behind();
  void never_switched();
  void go_on_unseen();
  void abandon(const StepSpec& step, const StepResult& result, const std::string& why);
  void move_on();

  // looks.cpp: before a switch, after it, and after a crash in it
  Look look_before_switch();
  void ask_look();
  std::string unread() const;  // that what runs cannot be read, for people
  void switched();
  bool look_back();
  bool drive_looking_back();
  bool settle_interrupted_switch();
  bool waits_to_resume();

  // helping.cpp: did it help?
  void after_steps();
  void measure_anew();
  bool drive_settling();
  bool settle_over();
  void begin_verifying();
  bool drive_verifying();
  bool is_wrong_revision() const;
  std::string wanted_and_found() const;
  void verify_over();
  void check_verify_when();

  // closing.cpp
  void climb(const std::string& why);
  void next_rung();
  void finish(Outcome outcome, const std::string& why);
  void finish_now();
  void begin_finishing(PlanSection section);
  void leave_out(const StepSpec& step, const std::string& why);
  void judge_revisions(Outcome outcome);
  bool is_refusal_gone() const;
  bool is_forbidden_midway() const;
  bool has_fired_since_decided(const WatchedRule& rule) const;
  std::string what_is_left_to_do() const;
  std::string what_the_end_leaves() const;
  std::string what_went_wrong() const;
  std::string what_it_did() const;
  bool is_left_switched() const;
  void remember_rungs();
  void close();

  // opening.cpp
  void add_rungs(const RuleSpec& rule, bool first);
  bool severer_waits() const { return rules::severer_waits(record_, in_.evidence, in_.trouble.cap()); }
  void skip_rungs();
  std::string take_skipped();
  std::string what_rung_lacks(const ActionName& rung) const;
  void tell_opening();
  void tell_worse(const std::string& text, Severity heard_as);
  void tell_in_plan(const std::string& text, Severity heard_as);
  std::string under_way() const;
  std::string what_follows();
  std::string what_is_done() const;
  void explain();

  // resuming.cpp
  void take_up_step();
  void work_ended(const std::string& how);
  void note_absence();
  void give_time_again();
  void note_judged_again();
  void go_on_without_plan();

  // unseen.cpp
  std::vector<const WatchedRule*> uncleared() const;
  bool is_unseen() const;
  void note_sight();
  bool drive_unseen();
  Duration blind_for() const;
  std::string unseen() const;  // that nothing of it can be measured, and since when; empty: not for long
  std::string left() const;    // of its rules what is no longer in the configuration; empty: none
  void forget_unseen();

  // times.cpp
  void begin_times(const WatchedRule* rule);
  void note_decided();
  void note_recovered();
  void count_requests();
  void plan_later();
  std::optional<Duration> usual_length() const;  // of what is done, or asked for
  void learn_verifying();
  std::optional<Instant> late_at() const;
  void note_late();

  // telling.cpp
  StepContext context() const;
  void save();
  void tell(Stage stage, std::string_view event, const std::string& text);
  void announce(Stage stage, std::string_view event, const std::string& text, const std::string& more = "",
                std::vector<SaidBy> said_by = {});
  Tell message(const IncidentRecord& said_of, Stage stage, std::string_view event, const std::string& text) const;
  void foresee_target(StepContext& said) const;
  std::string facts() const;
  std::string takes() const;
  bool has_said(std::string_view event, std::string_view text = {}) const;  // no text: whatever it said
  bool has_said_since(std::string_view since, std::string_view event, std::string_view text = {}) const;
  bool was_told_of_nothing() const;
  std::ptrdiff_t told_so_far() const;
  std::vector<SaidBy> said_at_most(Severity heard_as) const;
  Stage late_once(std::string_view event, const std::string& text) const;
  void story(std::string_view event, const std::string& text);
  static std::string waits_for(const std::string& why) { return "waits: " + why; }
  std::string reason() const;
  Surroundings in_;
  IncidentRecord record_;
  std::map<ActionName, ActionSpec> plans_;
  StepRecord step_;  // the one in flight, or the last
  LockClaim lock_;
  std::optional<Instant> rung_began_;  // its first mutating step
  RunningLook look_;
  bool look_settles_switch_ = false;  // found in flight at our start
  bool switch_unseen_ = false;        // it was found in flight, and nobody can say whether it was done
  bool is_resumed_ = false;           // it was found open at our start
  // Then: until when its rules are waited for to be judged again. Empty once one was seen bad.
  std::optional<Instant> judged_again_by_;
  Instant resumed_at_;            // and then: since when what is measured says whether a switch is done again
  bool looks_back_ = false;       // whether a switch by hand changed anything
  bool changed_before_ = false;   // before the newest mutating step began,
  bool switched_before_ = false;  // and before the newest switch did
  bool opened_rung_ = false;      // it was the first mutating one of its rung
  std::optional<Instant> intent_unsaved_since_;  // the next step's could not be written since then,
  std::optional<Instant> intent_retry_at_;       // and is written again at that time
  bool never_switched_ = false;                  // this rung failed before its switch's own command began
  bool is_switch_refused_ = false;               // and it was the switch that did
  bool left_at_work_ = false;                    // its step's command was found running at our start
  // After the switch: looks that saw something else than the target, and whether that was what ran before.
  int looks_elsewhere_ = 0;
  RevisionRead elsewhere_;  // the newest look that saw something else than the target
  bool still_old_ = false;
  std::optional<Instant> wait_since_;    // a wait's condition has been true since
  std::optional<Instant> verify_since_;  // the plan's verify.when has been true since
  std::optional<Instant> hold_until_;
  FailedRequests failed_requests_;  // since it opened, or since our start
  double failed_before_ = 0;        // in the record then
  double requests_before_ = 0;
  StepId killed_;            // a step that was ended by a person: what its driver does then is not ended once more
  bool refired_ = false;     // a rule that may act fired since it was looked after
  bool fires_anew_ = false;  // what its rules fired on does not count any more, and none that may act fired since
  std::string joined_;       // a more severe rule did, until people are told with the question that follows
  std::string skipped_;      // rungs that were passed over, and why, until people are told with what is done instead
  std::string opening_;      // why it opened, until people are told of it together with what is done
};

}  // namespace rules
