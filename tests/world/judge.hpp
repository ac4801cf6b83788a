#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "measured.hpp"
#include "watcher.hpp"

namespace sim {

// What must be so whatever happens, looked at after everything that a watcher sees or does. Knows what is really so
// from the world, and what the watcher was told from its probes; of the core it reads commands, the journal and the
// view.
class Judge final : public Witness {
 public:
  Judge(const Agenda& agenda, const Host& host) : agenda_(agenda), host_(host) {}

  void polled(const Watcher& watcher, const rules::Poll& poll) override;
  void looked(const Watcher& watcher, const rules::RevisionRead& read) override;
  void marked(const Watcher& watcher, const rules::DeployMark& mark) override;
  void asked(const Watcher& watcher, const rules::Request& request, const rules::Answer& answer) override;
  void degraded(const Watcher& watcher, const rules::SelfDegraded& degraded) override;
  void saved(const Watcher& watcher, const rules::Record& record) override;
  void told(const Watcher& watcher, const rules::Tell& tell) override;
  void did(const Watcher& watcher, const rules::Command& command) override;
  void performs(const Watcher& watcher, const rules::Perform& command) override;
  void ended(const Watcher& watcher, const rules::StepId& step) override;
  void started(const Watcher& watcher) override;
  void disturbed(const Watcher& watcher) override;

  // Every ten seconds: what should have happened by now.
  void look_around(const Watcher& watcher);
  // When the world has been well for long.
  void at_the_end(const Watcher& watcher);

  void remember(const std::string& line);
  const std::deque<std::string>& memory() const { return memory_; }
  const std::vector<std::string>& breaches() const { return breaches_; }
  // How often each state was come to: an invariant that is never put to the test says nothing.
  const std::map<std::string, long>& reached() const { return reached_; }
  // What was decided, in order and without times.
  const std::string& decisions() const { return decisions_; }

 private:
  struct Service {
    Instant disturbed = Instant::min();  // last time that something kept rules from being judged
    Instant switched = Instant::min();   // a switch of ours took effect, as far as the watcher knows
    std::string looked;                  // last read to run
    Instant looked_at = Instant::min();
    std::string settled;  // two looks in a row have seen it run
    Instant settled_at = Instant::min();
    bool readable = false;
    int divided = 0;                         // looks in a row that saw instances disagree
    Instant other_seen_at = Instant::min();  // last time that what ran before `settled` was read to run
    Instant good_seen_at = Instant::min();   // last time that a good one which ran before `settled` was read to run
    std::string brought;                     // by our last switch
    std::string first;                       // seen first: adopted
    std::map<std::string, Duration> ran;
    std::map<std::string, Instant> last_seen;
    std::set<std::string> agreed;  // two looks in a row have read them, or a switch of ours brought them
    std::set<std::string> good;    // declared, or verified after a rollback
    std::set<std::string> bad;     // declared, or recovered from
    std::map<std::string, rules::Standing> standing;  // as saved
    bool rolled_back = false;                         // as saved
    std::map<std::string, int> switches_from;
    std::vector<Instant> switches;
    std::vector<Instant> mutations;
    Instant mutation_ended = Instant::min();
    Instant paused_since = Instant::min();
    Instant paused_until = Instant::min();
    Instant pause_saved_until = Instant::min();  // nobody was told of one that a crash lost
    bool deploying = false;
    bool deploying_for_sure = false;  // that it began is on disk
    Instant deploying_since = Instant::min();
    Instant deploying_saved = Instant::min();  // as it is on disk, also when the end of it got lost
    Instant switching_since = Instant::min();  // by ours; min: none is at work
    std::map<std::string, Instant> condemned;  // by people, and when
    bool identity = true;
    int acted_unnamed = 0;
    std::map<std::string, rules::RollbackPolicy> policy;
    std::set<std::string> forbidden;                                     // ever
    bool may_be_forbidden = false;                                       // by a mark that named nobody
    std::optional<rules::DeployMark> said;                               // not yet on disk
    std::optional<rules::DeployMark> next;                               // waits for its revision
    std::map<rules::RuleName, std::size_t> tried;                        // rungs that did not help what runs, by rule
    std::map<rules::RuleName, Instant> fired;                            // last
    std::map<rules::RuleName, Instant> withheld;                         // since it first fired and was not good since
    std::map<rules::RuleName, Instant> fired_for;                        // since when what it fired for is there
    std::map<std::string, std::map<rules::RuleName, Instant>> fired_on;  // by what ran
    std::optional<std::pair<Instant, Duration>> harm;  // when a rule last joined an incident, and its `for`
    Instant watched_since = Instant::min();            // without a start, a reload, a standstill
    std::string open;                                  // the incident
    Instant bad_at = Instant::min();  // a rule of it that counts was surely bad, and nothing kept it from being judged
    Instant misled = Instant::min();  // last time that the way to it, and not it itself, was at fault
    std::map<rules::Outcome, Instant> overtaken;  // since when an incident's end with it is no answer any more
    std::map<rules::RuleName, Instant> held;      // what a person aborted, and when
    std::map<rules::RuleName, Instant> cleared;   // last time that a rule was good for long beyond doubt
    Instant running_since = Instant::min();       // of what runs, as saved
    std::map<std::string, std::string> schema;    // by revision, as read
  };
  struct Incident {
    int watcher = 0;
    rules::IncidentRecord record;
    std::set<std::size_t> mutated;      // rungs
    std::map<std::size_t, int> always;  // steps of it that were begun, by rung
    int on_failure = 0;
    bool approved = false;
    bool aborted = false;
    bool switched = false;
    std::optional<Instant> counted;   // its newest action, against the fuse
    bool good_when_answered = false;  // its plan asked, and when that was answered it was good again beyond doubt
    bool in_trouble = false;  // the disk failed while it was open: what was to be told may have died with the watcher
    Instant seen;
    std::optional<Instant> closed;
    std::optional<Instant> decided;            // what it came to
    std::set<std::size_t> answered;            // rungs of which a person answered the plan's question
    std::set<std::string> said;                // what people were told: stages and outcomes
    std::string texts;                         // what they heard: of progress hears only who asks for it
    int heard = 0;                             // messages of it
    Instant asked_at = Instant::min();         // people were asked last
    Instant nothing_told_at = Instant::min();  // they were told last that nothing will be done, and what they can do
    std::string end;                           // what they were told of its end
    std::set<std::string> told_later;          // what they were told when it was over
  };

  void breach(const std::string& what);
  void reach(const std::string& what) { ++reached_[what]; }
  Service& service(const rules::ServiceName& name) { return services_[name.text]; }
  std::map<rules::RuleName, Measured>& measured(const Watcher& watcher);
  const rules::RuleSpec* rule(const Watcher& watcher, const rules::RuleName& name) const;
  const rules::ServiceSpec* spec(const Watcher& watcher, const rules::ServiceName& name) const;
  const rules::ActionSpec* plan(const Watcher& watcher, const rules::IncidentRecord& record, std::size_t rung) const;
  void said_of_nobody(Service& known, const rules::DeployMark& mark);
  void fired(const Watcher& watcher, const rules::Note& note);
  void incident_saved(const Watcher& watcher, const rules::IncidentRecord& record);
  void revision_saved(const Watcher& watcher, const rules::LedgerRecord& record);
  void service_saved(const rules::ServiceRecord& record);
  void fuse_saved(const rules::FuseRecord& record);
  void check_proved(const Watcher& watcher, const rules::LedgerRecord& record);
  void check_opened(const Watcher& watcher, const rules::IncidentRecord& record);
  void check_joined(const Watcher& watcher, const rules::JoinedRule& joined);
  void check_excused(const Watcher& watcher, const rules::RuleSpec& rule);
  void check_ending(const Incident& incident);
  void check_neighbours(const Watcher& watcher, const rules::IncidentRecord& record);
  bool was_bad_before(const Watcher& watcher, const rules::IncidentRecord& record) const;
  void sight_told(const Watcher& watcher, const rules::Tell& tell);
  void check_sight(const Watcher& watcher, const rules::RuleView& rule);
  void incident_closed(const Watcher& watcher, Incident& incident);
  void check_recovered(const Watcher& watcher, const rules::IncidentRecord& record);
  void check_intent(const Watcher& watcher, const rules::Perform& command);
  void check_alone(const Watcher& watcher, const rules::Perform& command);
  void check_repetition(const Watcher& watcher, const rules::Perform& command);
  void check_switch(const Watcher& watcher, const rules::Perform& command, const Incident& incident);
  void check_asked(const rules::ServiceSpec& of, const rules::Perform& command, const Incident& incident);
  void check_target(const Watcher& watcher, const rules::Perform& command, const Incident& incident);
  Instant counted_at(const Incident& incident) const;
  void check_gate(const Watcher& watcher, const rules::Perform& command, const Incident& incident);
  void check_fuse(const Watcher& watcher, const rules::Perform& command);
  void check_blame(const Watcher& watcher, const rules::Perform& command, const Incident& incident);
  bool may_act(const Watcher& watcher, const rules::IncidentRecord& record, bool approved) const;
  void check_detection(const Watcher& watcher, const rules::RuleView& rule);
  void approved(const rules::Approve& request);
  void check_step(const Watcher& watcher, const rules::Perform& command, const Incident& incident);
  void check_answered(const Watcher& watcher, const rules::EngineView& view, const rules::RuleView& rule);
  bool needs_no_answer(const Watcher& watcher, const rules::RuleView& rule) const;
  bool may_do_something(const Watcher& watcher, const rules::IncidentRecord& open, const rules::RuleSpec& rule);
  std::string why_unanswered(const Watcher& watcher, const rules::IncidentRecord& open, const rules::RuleSpec& rule);
  bool is_answer(const Incident& incident, const rules::RuleName& rule) const;
  bool is_held(const Incident& incident, const rules::RuleName& rule) const;
  void hold(const Watcher& watcher, const Incident& incident);
  void check_held(const Watcher& watcher, const rules::JoinedRule& joined);
  void note_cleared(const Watcher& watcher, const rules::RuleView& rule);
  bool is_surely_cleared(const Watcher& watcher, const rules::RuleName& rule);
  void note_answer(const Watcher& watcher, Incident& incident, const rules::IncidentRecord& record);
  void starts_anew(Service& known);
  void check_judged_again(const Watcher& watcher, const Incident& incident);
  void told_later(const rules::Tell& tell);
  void check_later(const Watcher& watcher, const rules::ServiceView& service);
  std::vector<const rules::ServiceSpec*> needed(const Watcher& watcher, const rules::ServiceName& by) const;
  bool may_explain(const Watcher& watcher, const rules::ServiceSpec& needed, Duration lately = {}) const;
  bool is_sure_to_be_seen(const Watcher& watcher, const rules::ServiceSpec& needed) const;
  void note_bad(const Watcher& watcher, const rules::RuleSpec& rule);
  void check_explained(const Watcher& watcher, const rules::IncidentRecord& record);
  void check_harm(const Watcher& watcher, const rules::IncidentRecord& record);
  void counts_anew(const Watcher& watcher, const rules::ServiceName& name);
  void check_waits_for(const Watcher& watcher, const rules::IncidentRecord& open);
  void check_waiting(const Watcher& watcher, const rules::IncidentRecord& open);
  bool waits_for_less(const Watcher& watcher, const rules::IncidentRecord& open);
  Instant now() const { return agenda_.now(); }

  const Agenda& agenda_;
  const Host& host_;
  std::map<int, std::map<rules::RuleName, Measured>> measured_;
  std::map<std::string, Service> services_;
  std::map<rules::IncidentId, Incident> incidents_;
  std::set<rules::IncidentId> by_hand_;
  std::set<std::pair<int, rules::StepId>> performed_;
  std::set<std::pair<int, rules::StepId>> mutating_;
  std::map<int, bool> degraded_;
  std::set<int> unaccepted_;         // watchers whose journal was damaged
  std::map<int, Instant> began_at_;  // their newest start
  std::map<rules::ProbeName, double> process_start_;
  std::map<rules::RuleName, Instant> unanswered_since_;
  std::map<rules::ProbeName, Instant> up_at_;
  std::map<rules::ProbeName, Instant> up_since_;
  std::set<std::pair<int, rules::RuleName>> told_blind_;
  std::vector<std::string> breaches_;
  std::deque<std::string> memory_;
  std::map<std::string, long> reached_;
  std::string decisions_;
  std::optional<Instant> ran_until_;
};

}  // namespace sim
