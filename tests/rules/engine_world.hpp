#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "held_spans.hpp"
#include "rules/engine/engine.hpp"

// A world for the engine: services with a health and a metrics probe, a driver that reads and switches, a journal, and
// a clock that jumps from one thing that happens to the next. Everything that is commanded is done, or fails where a
// test says so.

namespace world {

using namespace std::chrono_literals;
using rules::Duration;
using rules::Instant;

constexpr Duration poll_every = 5s;  // every probe

// What a test says of one service.
struct Reality {
  rules::Revision running{"v1"};
  std::set<std::string> sick{"bad", "bad2"};  // revisions that answer 30 % of requests with errors
  std::set<std::string> crashing{"crash"};    // revisions that do not answer at all
  double requests_per_second = 40;
  double extra_errors = 0;                      // share, whatever runs
  bool has_counters = true;                     // on the metrics page
  std::set<std::string> unhealthy{};            // revisions that serve metrics but whose health is down
  bool answers_sick = false;                    // those answer 503 instead of refusing
  double process_start = 0;                     // told by the metrics page; 0: not
  bool readable = true;                         // identity
  bool divided = false;                         // instances run different revisions
  bool tells_itself = false;                    // identity asks the application, which has to run for that
  std::optional<rules::Revision> misread{};     // what the next look reads by mistake
  std::string schema;                           // what the schema command prints
  std::map<std::string, std::string> labels{};  // what people call revisions
  std::string stopped{};                        // somebody stopped it
  std::string unfinished{};                     // what is in place is not what runs
  std::optional<rules::Revision> broken_off{};  // nobody can tell what runs, for a switch to this one was broken off
  bool probes_work = true;                      // false: DNS failure, nothing can be measured
  // Asked for each poll: how long it takes. The next one begins when it should, or when the last one is done.
  std::function<Duration()> poll_takes{};
  std::function<void(Reality&)> on_switch{};  // when a switch of ours takes effect
  double total = 0;
  double errors = 0;
  Instant counted = Instant(std::chrono::hours(24 * 365 * 50));
};

// What became of a step, when the default (it succeeds after a second) is not wanted.
struct Script {
  rules::StepStatus status = rules::StepStatus::succeeded;
  Duration takes = 1s;
  bool switches = true;  // a switch that says it did but did not
  bool begins = true;    // a switch that fails before its own command began
  std::string says{};    // the result's detail
  bool unseen = false;   // nobody saw how it ended, though a switch may have happened
};

// What was saved, as the journal would give it back.
struct FakeJournal {
  std::map<std::pair<std::string, std::string>, rules::LedgerRecord> ledger;
  std::map<std::string, rules::ServiceRecord> services;
  std::vector<rules::FuseRecord> fuse;
  std::map<std::string, rules::IncidentRecord> incidents;
  std::map<rules::StepId, rules::StepRecord> steps;
  std::map<std::string, rules::SpanRecord> spans;
  HeldSpans held;

  void save(const rules::Record& record);
  rules::DurableState read_back(Instant last_alive) const;
};

struct Done {
  Instant at;
  rules::Perform command;
};

class World {
 public:
  explicit World(rules::CoreConfig config);

  void run(Duration d);
  // Until `done` says so; false when it did not within `most`.
  bool run_until(const std::function<bool()>& done, Duration most);

  // v1 ran, v2 was deployed and is verified by now: there is something to roll back to, and nothing is armed.
  void settle_on_v2();

  // The doors.
  void deploy(const std::string& revision, const std::string& service = "web");
  void mark(rules::MarkKind kind, std::optional<std::string> revision = {}, const std::string& service = "web",
            std::optional<rules::RollbackPolicy> policy = {}, std::string schema = "");
  rules::Answer ask(const rules::Request& request);
  void observe(rules::Event event);
  void crash(Duration downtime = 2s);
  // The whole process stands still, as a frozen container does: its timers and polls come when it goes on.
  void freeze(Duration d);
  // Dies, and comes back with another configuration.
  void crash_into(rules::CoreConfig config);
  void reload(rules::CoreConfig config);
  // Asked to stop: no step is begun any more.
  void stop() { engine_->hold_new_steps(); }
  // The watcher dies when this many more commands have been carried out.
  void crash_after(int commands) { commands_left_ = commands; }
  bool crashed() const { return crashes_ > 0; }
  // Saved spans every so often, as the watcher does.
  Duration spans_every = 5s;

  // What happened.
  Instant now() const { return now_; }
  Duration since_start() const { return now_ - start_; }
  rules::EngineView view() const { return engine_->view(now_); }
  rules::ServiceView service(const std::string& name = "web") const;
  rules::RuleView rule(const std::string& name) const;
  std::optional<rules::IncidentRecord> open(const std::string& service = "web") const;
  // Newest incident of the service, open or closed.
  std::optional<rules::IncidentRecord> last(const std::string& service = "web") const;
  std::vector<rules::IncidentRecord> all(const std::string& service = "web") const;
  std::optional<rules::Situation> situation() const;              // of the newest of web
  std::string outcome(const std::string& service = "web") const;  // of the newest; "open", "none"
  bool closed(const std::string& service = "web") const;          // the newest is
  std::string phase(const std::string& service = "web") const;
  rules::Standing standing(const std::string& revision, const std::string& service = "web") const;
  std::vector<std::string> performed(const std::string& service = "web") const;  // "switch last-good", ...
  int count_performed(const std::string& what) const;
  int told(rules::Stage stage) const;
  bool told_text(const std::string& part) const;
  int noted(const std::string& event) const;

  std::map<std::string, Reality> reality;
  std::map<std::string, Script> scripts;  // by describe(step)
  bool lock_refused = false;
  bool journal_locked = false;  // no step's intent can be written
  bool steps_outlive = false;   // a watcher's crash leaves the commands of its steps at work
  bool ends_are_seen = false;   // and somebody else says how they ended
  FakeJournal journal;
  std::vector<Done> deeds;
  std::vector<rules::Tell> tells;
  std::vector<rules::Note> notes;
  std::vector<std::string> violations;  // of what must never be
  int polls_asked = 0;

 private:
  void schedule(Duration in, std::function<void()> what);
  void start();
  void poll_regularly(const std::string& probe);
  void poll(const std::string& probe, Instant started);
  void read(const std::string& service);
  void look(const std::string& service);
  void turn();
  void carry_out(std::vector<rules::Command> batch);
  void do_one(const rules::Command& command);
  void perform(const rules::Perform& command);
  void check(const rules::Perform& command);
  std::string service_of_probe(const std::string& probe) const;

  rules::CoreConfig config_;
  std::unique_ptr<rules::Engine> engine_;
  rules::SpanKeeping span_keeping_;
  Instant start_ = Instant(std::chrono::hours(24 * 365 * 50));
  Instant now_ = start_;
  std::multimap<Instant, std::pair<int, std::function<void()>>>
      agenda_;  // life of the watcher it belongs to; 0: the world's
  int life_ = 1;
  int crashes_ = 0;
  int commands_left_ = -1;
  bool dead_ = false;
  std::vector<rules::Poll> recorded_;
  std::map<rules::StepId, Instant> mutating_now_;  // until when
};

// Configurations: a service has the probes NAME_health and NAME_app and the signal NAME_errors.
rules::Condition condition(const std::string& text);
rules::RuleSpec rule(const std::string& name, const std::string& when, Duration sustain,
                     std::vector<std::string> respond = {"rollback"}, const std::string& service = "web");
rules::ServiceSpec service(const std::string& name = "web");
rules::StepSpec run(const std::string& command, rules::OnFailure on_failure = rules::OnFailure::proceed);
rules::StepSpec switch_step();
rules::StepSpec notify(const std::string& whom);
rules::StepSpec capture(const std::string& file);
rules::StepSpec wait(const std::string& until, Duration hold, Duration limit);
rules::StepSpec sleep(Duration length);
rules::StepSpec question(const std::string& text);
rules::ActionSpec action(const std::string& name, std::vector<rules::StepSpec> steps);
// One service `web`, rules errors (1m) and down (30s), actions rollback and restart.
rules::CoreConfig usual();
// The usual one, changed.
rules::CoreConfig with(const std::function<void(rules::CoreConfig&)>& change);
// The usual one, where errors is P2: people are asked first.
rules::CoreConfig asking();
// The usual one, where web is armed at all times, changed.
rules::CoreConfig armed_always(const std::function<void(rules::CoreConfig&)>& change = [](rules::CoreConfig&) {});
void add_service(rules::CoreConfig& config, const std::string& name);
// Adds a service `pg`; while that is down, it explains what is wrong with `web`: errors is withheld.
void explain_by_pg(rules::CoreConfig& config);
// Adds a service `api` with a rule as errors, whose rollback is the same.
void add_api(rules::CoreConfig& config);
std::vector<rules::ActionName> restart_then_rollback();

// What many tests begin with.

// After five good minutes the deployed revision does harm.
void harm(World& w);
// The same, while pg is down.
void harm_explained_by_pg(World& w);
// v2 is deployed after five good minutes, and up: a candidate.
void bring_up_v2(World& w);
// From here on 30 % of requests to web are answered with errors, whatever runs; and from here on no more.
void errors_on(World& w);
void errors_off(World& w);

}  // namespace world
