#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rules/base/ordered_times.hpp"
#include "rules/base/seldom.hpp"
#include "rules/engine/config.hpp"
#include "rules/engine/evidence/blindness.hpp"
#include "rules/engine/evidence/flapping.hpp"
#include "rules/engine/evidence/last_known.hpp"
#include "rules/engine/evidence/probe_faults.hpp"
#include "rules/engine/evidence/uptime.hpp"
#include "rules/engine/evidence/warming.hpp"
#include "rules/engine/evidence/watched_rule.hpp"
#include "rules/engine/own_trouble.hpp"

namespace rules {

// What is measured, for all services: stored once, read by each service's evidence.
struct Measuring {
  const CoreConfig& config;
  const Measurements& measurements;
  const OwnTrouble& trouble;
  const ProbeFaults& faults;
  Effects& effects;
};

// What one service's rules see, and from when on what was measured counts (SPEC 2.1 to 2.13, 2.15). It knows nothing
// of revisions and incidents: it is told from when on evidence counts, and what to compare with.
class Evidence {
 public:
  // Both must outlive it.
  Evidence(const ServiceSpec& spec, const Measuring& measuring)
      : spec_(spec),
        measuring_(measuring),
        blindness_(spec.name, measuring.faults, measuring.effects),
        flapping_(measuring.effects) {}

  // The service's rules as the configuration now has them. Those that it has already go on as they were.
  void watch();
  void restore(const std::vector<SpanRecord>& records);

  // Events.
  // `number`: the probe's among probes(), in their order; none: it is of `unless` alone, or tells of the whole service.
  void polled(const Poll& poll, std::optional<std::size_t> number);
  void refilled(std::size_t number);  // by a poll from before this start
  void advance();                     // time passed: what is due is looked at
  void look_again();                  // so is what counts differently now
  // Tells people when the service's rules became blind, or can be observed again.
  void tell_of_sight();
  // What goes down again and again, to be told now.
  std::optional<Flapping::Found> take_flapping() { return flapping_.take_found(); }
  // What was looked at since this was last called: only of these something may have changed. Ends the moment.
  void take_looked_at(std::vector<WatchedRule*>& out);
  // When something is due though nothing happens; Instant::max(): nothing.
  Instant next_change() const;

  // From when on what was measured counts; never back.
  void count_from(Instant at);
  void count_from(Instant at, Cause before);  // a window that is cut there and too short is unknown with `before`
  // The service's probes may not be up yet, until then.
  void warm_up(Instant until);
  // The same after a deed of ours, where that may have brought a new instance.
  void warm_up_after(OwnDeed deed, std::optional<Instant> deed_began, Instant until);
  // A deployment is under way until then at most; none: no longer.
  void deploying_until(std::optional<Instant> until);
  // It was seen that somebody stopped what ran: what is not there since then is so for that reason.
  void stopped_by_hand(Instant seen) { stopped_by_hand_ = seen; }
  // What fired on nothing else than that, before it was seen, did not fire.
  void forgive_stop();
  // Also for the next start: it is saved.
  void restart_spans(Leaves leaves = Leaves::nothing);
  // What was bad until now has another reason: it counts no more, neither in spans nor in windows. Rules for which
  // nothing else is a reason (unless_max 0) and firings that are answered stay as they are. False: nothing was bad.
  // `since`: when that was over; what was measured from then on counts.
  bool count_anew_what_is_bad(Instant since);
  bool is_any_explicable() const;  // something is bad of which that would be so
  void restart_span(const RuleName& rule);
  // What fires is to be answered again, also by the next start.
  void forget_answers();
  void forget_answer(WatchedRule& rule);
  void forget_known();
  // The frozen values that baseline(x) and before(x) are.
  void compare_with(FrozenValues baselines) { baselines_ = std::move(baselines); }
  void remember_before(FrozenValues before) { before_ = std::move(before); }
  void forget_before() { before_.reset(); }
  // The values of everything that before(x) asks for in the service's rules and in the plans: now, else the last ones.
  FrozenValues values_before();
  // A switch of ours is at work, until then at most: what it stops and starts is as it is between `deploy begin` and
  // `deploy end`. none: no longer.
  void switching_until(std::optional<Instant> until);

  // Reading.
  std::uint64_t evaluations() const { return evaluations_; }  // so far
  std::vector<WatchedRule*> firing();                         // in the configuration's order
  // One of P0 to P2 is bad, as it was last seen, or fired and has not recovered.
  bool is_any_bad() const { return !bad_.empty(); }
  // Such a rule, or one that was bad so short a time ago that it has not recovered; nullptr: there is none.
  const WatchedRule* in_trouble() const;
  // The first of P0 to P2 that would fire if all stayed as bad as it is; none: none is bad that has not fired.
  struct Firing {
    Instant at{};
    Duration sustain{};
  };
  std::optional<Firing> next_firing() const;
  // Each of P0 to P2 is known to be good.
  bool are_all_good() const;
  // One of P0 to P2 could be judged of what ran before then, and was not since.
  bool awaits_judging(Instant since) const;
  // The configuration has the service. One that it has no more is kept while an incident of it goes on.
  bool is_configured() const { return is_configured_; }
  bool is_blind() const { return !blind_.empty(); }
  // By what people have heard that the rule cannot be measured.
  std::vector<SaidBy> unseen_said_by(const WatchedRule& rule) const { return blindness_.said_by(rule); }
  std::vector<const WatchedRule*> rules() const { return {rules_.begin(), rules_.end()}; }
  WatchedRule* find(const RuleName& rule);
  const WatchedRule* find(const RuleName& rule) const;
  const std::set<ProbeName>& probes() const { return probes_; }  // of all of its rules
  std::set<ProbeName> all_probes() const;                        // and those of `unless`
  std::optional<std::size_t> number_of(const ProbeName& probe) const;
  std::optional<ProbeName> probe_of(const Condition::Reference& signal_or_field) const;
  Duration max_gap() const { return max_gap_; }  // the longest of its probes
  Duration slowest_interval() const { return slowest_interval_; }
  Duration reach() const { return reach_; }  // how far back what its rules are judged by may lie, at most
  Instant not_before() const { return not_before_; }
  bool is_deploying() const { return deploying_until_ && now() < *deploying_until_; }
  std::optional<Instant> deploying_until() const { return deploying_until_; }
  bool is_warming() const { return warming_.covers(probes_, now()); }
  Instant restarted_at() const { return restarted_at_; }  // an instance was seen to be another process
  std::optional<Instant> warming_until() const { return warming_.end_of(probes_, now()); }  // at most
  Up worst_up() const { return uptime_.worst(); }  // of its probes; unknown without any
  bool is_health_down() const;                     // as was measured; false also where nobody can tell
  // How long its health has been down. Nothing: it is not, or was not seen up since our start.
  struct Outage {
    Instant last_up{};     // the newest poll that saw it up
    Instant held_until{};  // so long that said so
    Instant since{};       // the first that saw it down
  };
  std::optional<Outage> outage() const;
  Judgement judge(const Condition& condition, Instant not_before = Instant::min()) const;
  // before(x) is what was so before another incident than the open one.
  Judgement judge_with(const Condition& condition, const FrozenValues& before) const;
  // What the rule's condition is now, for people.
  Judgement judge_now(const WatchedRule& rule, Instant at) const;
  Measured measure(const Condition::Reference& signal_or_field) const;
  bool withholds(WatchedRule& rule);
  bool take_look_request(WatchedRule& rule);
  // The rules that were bad when what ran before was last measured, `at` (SPEC 2.16). Of rules of which nothing is
  // known, those that `inherited` names. That it was stopped to be replaced is not bad (SPEC 2.14).
  std::vector<RuleName> bad_at(Instant at, const std::vector<RuleName>& inherited) const;

 private:
  Instant now() const { return measuring_.effects.now(); }
  Scope scope(std::optional<Cause> blanket) const;
  std::optional<Cause> blanket(const WatchedRule& rule) const;
  bool counts_differently();
  bool is_explicable(const WatchedRule& rule) const;
  bool is_switching() const { return switching_until_ && now() < *switching_until_; }
  void look_at_all(const ProbeName* polled);
  void look_at(std::size_t which, const ProbeName* polled);
  void note_all();
  void note_bad(std::size_t which);
  void note(std::size_t which);  // keeps what is known of all of them together
  void number_probes(const std::set<ProbeName>& old);
  void saw_up(std::size_t probe);
  void watch_values();
  Duration window_max() const;
  void remember_values();
  void see_stale();
  void note_restarts(const Poll& poll);
  void note_stop(const Poll& poll, Up before);
  void note_health(const Poll& poll);
  void note_flapping(const ProbeName& probe, bool is_due);
  bool is_only_stopped(const WatchedRule& rule, Instant bad_since, Instant at) const;
  Duration max_gap_of(const WatchedRule& rule) const;
  WatchedRule make(std::shared_ptr<const RuleSpec> spec) const;

  const ServiceSpec& spec_;
  bool is_configured_ = true;
  const Measuring& measuring_;
  std::vector<WatchedRule*> rules_;  // in the configuration's order; numbered by it below
  struct Owned {
    std::unique_ptr<WatchedRule> rule;
    std::size_t number = 0;
  };
  std::map<RuleName, Owned> owned_;
  std::set<ProbeName> probes_;
  struct Watched {
    const ProbeName* name = nullptr;  // in probes_
    std::vector<std::size_t> rules;   // of which it is
  };
  std::vector<Watched> watched_;  // as probes_; numbered by it
  Duration max_gap_{};
  Duration slowest_interval_{};
  Duration reach_{};
  // What is known of all rules together, so that none of them has to be asked.
  OrderedTimes due_;
  std::vector<std::size_t> looked_at_;  // at this moment
  Seldom<std::set<std::size_t>> firing_;
  Seldom<std::set<std::size_t>> bad_;  // of P0 to P2
  Seldom<std::set<std::size_t>> blind_;
  std::optional<std::size_t> last_bad_;  // of P0 to P2
  Instant last_bad_until_ = Instant::min();
  Instant restarted_at_{};
  std::uint64_t evaluations_ = 0;
  Blindness blindness_;
  Flapping flapping_;
  Uptime uptime_;
  // What is measured may count differently than when all rules were last looked at: something was said, or this time
  // has come.
  bool is_changed_ = true;
  Instant changes_at_ = Instant::max();
  bool was_blinded_ = false;
  // From when on what was measured counts.
  Instant not_before_ = Instant::min();
  Cause not_before_cause_ = Cause::warming_up;
  std::optional<Instant> deploying_until_;
  Warming warming_;
  Seldom<std::map<std::pair<ProbeName, std::size_t>, double>> process_start_;
  std::optional<Instant> stopped_since_;  // nobody listens any more where the health probe was up until then
  std::optional<Instant> stopped_by_hand_;
  std::optional<Outage> last_up_;  // of the health probe; `since` is Instant(): it is not down since
  Seldom<FrozenValues> baselines_;
  Boxed<FrozenValues> before_;
  LastKnown last_known_;
  std::optional<Instant> switching_until_;
};

// Its key in FrozenValues.
std::string frozen_key(const Condition::Reference& signal_or_field);
// Every condition of the configuration that will be judged.
std::vector<Condition> all_conditions(const CoreConfig& config);

}  // namespace rules
