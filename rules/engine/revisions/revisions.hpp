#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/seldom.hpp"
#include "rules/engine/acting/limits.hpp"
#include "rules/engine/events.hpp"
#include "rules/engine/evidence/evidence.hpp"
#include "rules/engine/revisions/readability.hpp"
#include "rules/incidents/ledger.hpp"
#include "rules/signals/baseline.hpp"

namespace rules {

// A mark brings a deployment, or only what was not said of one whose evidence counts already.
enum class Says { deployment, what_was_missing };

// A deployment that stops what runs is over in seconds; nobody is told of that.
inline constexpr Duration stop_told_after = std::chrono::minutes(1);
// How it is known that a revision runs: a look saw it, or it is what was said of a deployment (presuming.cpp).
enum class Known { seen, presumed };

// What runs of one service, every revision that ran, and how far the one that runs has proved itself (SPEC 2.9, 2.13,
// 2.14, 2.16, 2.17). It tells the evidence from when on what is measured counts, and with what it is compared.
class Revisions {
 public:
  // The other rooms of the service that it knocks at. `save` saves the service's record, of which it has a part.
  struct Doors {
    Ledger& ledger;
    Evidence& evidence;
    Limits& limits;
    Effects& effects;
    std::function<void()> save;
  };
  Revisions(const ServiceSpec& spec, Doors doors)
      : spec_(spec), doors_(std::move(doors)), readability_(spec_, doors_.effects) {}

  void restore(const ServiceRecord& record, std::optional<Instant> last_alive);
  void put_into(ServiceRecord& record) const;
  // The rules are as the configuration now has them.
  void watch();

  // Looks at what runs (looks.cpp, appearing.cpp).
  // Whatever it saw. `is_ours`: an incident has begun to change things, which may have stopped it.
  // Returns whether it saw that what was stopped was started again.
  bool looked(const RevisionRead& read, bool is_ours);
  void judge_sight(const RevisionRead& read);  // whether it saw anything; not while a switch of ours is at work
  void see(const RevisionRead& read, std::optional<Instant> incident_opened);
  void see_while_switching(const RevisionRead& read);  // until a switch of ours is seen
  void presume();  // a look could not read what runs: what a deployment was said to bring may count as that
  void own_switch_seen(const Revision& revision);
  void own_switch_unseen();  // where it went nobody can read
  // What somebody stopped is not the release's fault (stopping.cpp). `is_known`: an incident is open, which tells of
  // it.
  void tell_of_stop(bool is_known);
  void note_schema(const RevisionRead& read);
  void note_label(const RevisionRead& read);
  std::string label_of(const Revision& revision) const;  // empty: nobody knows
  // What is in place may be another revision than what runs. `is_changing`: an incident is, which tells of it itself.
  void note_unfinished(const RevisionRead& read, bool is_changing);
  // For an incident's end, which tells people of it.
  const std::string& tell_unfinished();
  void note_names(const std::vector<NamedRevision>& names) { names_ = names; }  // as its driver last resolved them
  void note_alike(std::vector<std::vector<Revision>> groups) {
    alike_ = std::move(groups);
  }  // as it last compared them

  // What is said of deployments (marks.cpp).
  void marked(const DeployMark& mark, Says says = Says::deployment);
  void end_overdue();

  // Proving itself (baking.cpp). `in_incident`: one of the service is open.
  void bake();  // adds the time since the last look at it, during which what held then held on
  void look_at_baking(bool in_incident);
  void bake_anew();
  void collect_baselines(const ProbeName& polled, bool in_incident);
  void forget_preexisting();

  // An incident's deeds.
  void switch_begins(const Revision& to, const Revision& from, bool again);
  void switch_changed_nothing(const Revision& from);
  void judge_left(const Revision& left, Standing standing);  // `bad` stays bad
  // A person's word. False: the revision was never seen. `exists`: its driver knows it all the same.
  // The same is said of those with the same content, `same` among them.
  bool declare(const Revision& revision, Standing standing, bool exists, const std::vector<Revision>& same = {});
  void forget_switches();

  // Reading.
  const Revision& running() const { return running_; }
  const Revision& previous() const { return previous_; }
  Instant running_since() const { return running_since_; }
  const LedgerRecord* running_record() const { return find(running_); }
  const LedgerRecord* find(const Revision& revision) const { return doors_.ledger.find(spec_.name, revision); }
  std::optional<Revision> last_good(const Revision& from) const;
  // Why the revision is no target: its own record, or that of one with the same content which was found bad since the
  // revision ran last. nullptr: it may be one. `alike`: such ones besides those that are known.
  const LedgerRecord* quarantined(const Revision& revision, const std::vector<Revision>& alike = {}) const;
  bool was_rolled_back() const { return rolled_back_here_; }        // what runs was brought by a switch of ours
  bool is_unconfirmed() const { return unconfirmed_.has_value(); }  // one look saw another, the second has to agree
  Instant last_look() const { return last_look_; }                  // when the newest look began, whatever it saw
  bool awaits_look() const;  // something was deployed, as was said, and no look began since
  // The next look has to say more.
  bool is_in_doubt() const { return unconfirmed_ || readability_.is_in_doubt() || awaits_look(); }
  const Readability& readability() const { return readability_; }
  // The newest look saw instances that run different revisions, or looks see two in turn, for long: nobody can say of
  // which of the two it is what is measured.
  bool are_several() const { return differ_ || !says_in_turn().empty(); }
  // Who stopped what ran, and when, for people; empty: nobody did, as far as is known.
  std::string stopped() const;
  // The same of the newest look alone, also while an incident changes things.
  const std::string& stopped_at_last_look() const { return stopped_at_last_look_; }
  // What ran has stopped, and what comes after it is waited for until then; none: it has not, or for too long.
  std::optional<Instant> absent_until() const;
  const std::string& unfinished() const { return unfinished_; }  // for people; empty: what is in place runs
  bool is_armed() const;
  bool is_presumed(const Revision& revision) const;  // nobody saw it run since it was said to be deployed
  bool is_preexisting(const RuleName& rule) const;   // was bad before what runs came
  Duration baked() const;
  std::optional<Instant> deploying_since() const { return deploying_since_; }
  bool is_first_with_schema(const Revision& revision) const;  // of no other was it ever known
  const NamedRevision* named(const std::string& name) const;  // nullptr: its driver was not asked, or knows no names
  // It was verified with that schema, which is its own whatever is read later.
  bool is_schema_settled(const Revision& revision) const;
  void add_deadlines(std::vector<Instant>& out) const;

 private:
  // Looks see what runs and another revision one after the other.
  struct InTurn {
    Instant since;
    Revision other;
    int agreed = 0;  // looks in a row that saw what runs alone
  };

  Instant now() const { return doors_.effects.now(); }
  LedgerRecord* record_of_running() { return doors_.ledger.find(spec_.name, running_); }
  void save(const LedgerRecord& record) { doors_.effects.save(record); }
  std::string says_in_turn() const;  // that looks see two revisions in turn, for long, for people; empty: they do not
  void note_agreement();
  void see_running(const RevisionRead& read);
  void see_other(const Revision& revision);
  void adopt_first(const Revision& revision, Instant at, std::optional<Instant> incident_opened);
  void appeared(const Revision& revision, Instant at, Known known = Known::seen);
  LedgerRecord fresh_record(const Revision& revision, Instant at, Known known) const;
  bool may_presume() const;
  void tell_other_than_presumed(const Revision& seen);
  void now_runs(const Revision& revision, Instant since);
  std::map<std::string, double> baselines_after(const LedgerRecord* old) const;
  void take_mark();
  void apply_mark(const PendingMark& mark, Says says = Says::deployment);
  bool note_of_known(const PendingMark& said);
  bool is_afterthought(const PendingMark& said) const;
  static void note_what_is_said(const PendingMark& said, LedgerRecord& record);
  void hold_mark(PendingMark said);
  void note_end(PendingMark& said);
  std::vector<Revision> alike(const Revision& revision) const;
  void tell_deploying();
  Duration absence_max() const;
  bool never_came_up() const;
  bool may_be_stopped_by_us() const;
  void started_again();
  void restore_stop(const ServiceRecord& record);
  void tell_difference(bool counts);
  void count_deployment(const DeployMark& mark);
  bool is_of_running(const PendingMark& said) const;
  void settle_mark(Instant look_began);
  bool is_baking(bool in_incident) const;

  const ServiceSpec& spec_;
  Doors doors_;
  // Its part of the service's record.
  Revision running_;
  Revision previous_;
  Instant running_since_{};
  std::optional<Instant> deploying_since_;
  std::int64_t deployments_ = 0;  // that have begun and not ended
  bool rolled_back_here_ = false;
  Boxed<PendingMark> mark_;
  Revision switching_to_;
  // Looking.
  Readability readability_;
  std::vector<NamedRevision> names_;
  std::vector<std::vector<Revision>> alike_;
  Boxed<Revision> unconfirmed_;
  Boxed<InTurn> in_turn_;
  bool differ_ = false;
  Instant last_look_ = Instant::min();
  Instant last_saw_running_ = Instant::min();
  std::optional<Instant> absent_since_;
  std::string stopped_;  // by whom; empty: nobody has
  bool stop_told_ = false;
  std::string stopped_at_last_look_;
  Instant last_sight_ = Instant::min();  // of anything that ran, whatever it was
  int starts_in_vain_ = 0;               // after a stop, of what was never up since it appeared
  Instant first_seen_ = Instant::min();  // the look that saw what runs for the first time; min: before our start
  std::string unfinished_;
  bool unfinished_told_ = false;
  // Baking.
  BaselineCollector collector_;
  // What its polls bring, by its key.
  Seldom<std::map<ProbeName, std::map<std::string, Condition::Reference>>> baseline_of_;
  Instant bake_from_ = Instant::max();  // baking since then; max: not now
  Instant bake_saved_ = Instant::min();
};

}  // namespace rules
