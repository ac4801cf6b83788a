#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agenda.hpp"
#include "host.hpp"
#include "journal.hpp"
#include "rules/engine/engine.hpp"

namespace sim {

class Watcher;

// Is told of everything that a watcher sees and does, and judges it by what is really so.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void polled(const Watcher& watcher, const rules::Poll& poll) = 0;
  virtual void looked(const Watcher& watcher, const rules::RevisionRead& read) = 0;
  virtual void marked(const Watcher& watcher, const rules::DeployMark& mark) = 0;
  virtual void asked(const Watcher& watcher, const rules::Request& request, const rules::Answer& answer) = 0;
  virtual void degraded(const Watcher& watcher, const rules::SelfDegraded& degraded) = 0;
  virtual void saved(const Watcher& watcher, const rules::Record& record) = 0;  // it is durable
  virtual void told(const Watcher& watcher, const rules::Tell& tell) = 0;       // so is this
  virtual void did(const Watcher& watcher, const rules::Command& command) = 0;
  virtual void performs(const Watcher& watcher, const rules::Perform& command) = 0;
  virtual void ended(const Watcher& watcher, const rules::StepId& step) = 0;
  virtual void started(const Watcher& watcher) = 0;
  virtual void disturbed(const Watcher& watcher) = 0;  // started, reloaded, stood still
};

// The way between the watcher and what it measures.
enum class Path {
  well,
  late,       // answers take seconds
  times_out,  // no answer within the time limit: evidence that it is down
  refused,    // something in between refuses: the same
  no_name,    // DNS fails: nothing is known
  garbage,    // what comes back cannot be read: nothing is known
  loses,      // every other poll never ends
};

// What becomes of a step.
enum class Fate {
  succeeds,
  fails,       // and changes nothing
  fails_done,  // says that it failed, and has done it
  lies,        // says that it succeeded, and has changed nothing
  times_out,
  is_slow,
};

enum class Kill { process, power };

struct Outside {
  Agenda& agenda;
  Host& host;
  Witness& witness;
  Dice& dice;
};

// One watcher: the real decision core and the journal's real codec; round them, under virtual time, what the process
// does with commands: a batch's records are durable before anything that rests on them, batches come one after the
// other, an intent that cannot be written is tried for half a minute and then called off.
class Watcher {
 public:
  Watcher(int number, rules::CoreConfig config, Outside outside);

  int number() const { return number_; }
  const rules::CoreConfig& config() const { return config_; }
  bool is_alive() const { return engine_ != nullptr; }
  bool owns(const std::string& service) const;
  const TextJournal& journal() const { return journal_; }
  rules::EngineView view() const { return engine_->view(outside_.agenda.now()); }
  std::optional<Instant> next_deadline() const;

  void observe(rules::Event event);
  rules::Answer request(const rules::Request& request);
  // False: the host is busy, as `deploy begin` would say. While no watcher runs it is spooled for the next one.
  bool mark(const rules::DeployMark& mark);
  void reload(rules::CoreConfig config);
  // Decides and does what follows.
  void turn();

  // Dies now, or after so many more moments at which a crash makes a difference; comes back after `downtime`.
  void kill(Kill how, Duration downtime);
  void kill_after(int moments, Kill how, Duration downtime);
  void jump(Duration by);  // the wall clock did
  void stand_still(Duration d);

  std::map<std::string, Path> paths;            // by probe
  std::map<std::string, Fate> fates;            // by kind of step
  std::map<std::string, std::string> misreads;  // what the next look at a service reads by mistake
  std::map<std::string, bool> unreadable;       // services whose revision cannot be read
  std::map<std::string, bool> divided;          // services whose instances run different ones
  void set_disk(Disk disk) { journal_.disk = disk; }
  Disk disk() const { return journal_.disk; }

 private:
  using Batch = std::vector<rules::Command>;

  void start();
  void begin_loops();
  void poll_again(const rules::ProbeShape& probe);
  void begin_poll(const std::string& probe);
  void end_poll(const std::string& probe, Instant started, Path path);
  void look_again(const std::string& service);
  void look(const std::string& service);
  void keep_house();
  void hold_on_to_deployments();
  void release_ended_deployments();
  void push(Batch batch);
  void carry_out();
  bool make_durable(const Batch& batch);
  void call_off(const Batch& batch, const std::string& fault);
  void do_command(const rules::Command& command);
  void perform(const rules::Perform& command);
  void take_effect(const rules::Perform& command);
  void end_later(Duration in, const rules::StepId& step, rules::StepStatus status, const std::string& detail);
  void cancel(const rules::StepId& step);
  void complete(const rules::StepId& step, rules::StepStatus status, const std::string& detail);
  void see_out(const rules::StepId& step);
  void hear(const rules::DeployMark& mark);
  bool survives();
  void lose_power();
  void die();
  void later(Duration in, std::function<void()> what) { outside_.agenda.add(life_, in, std::move(what)); }
  Instant now() const { return outside_.agenda.now(); }

  int number_;
  rules::CoreConfig config_;
  Outside outside_;
  TextJournal journal_;
  std::unique_ptr<rules::Engine> engine_;
  rules::SpanKeeping span_keeping_;
  int life_;
  std::vector<rules::Poll> recorded_;  // on disk
  std::vector<rules::DeployMark> spooled_;
  std::vector<rules::Poll> unrecorded_;
  std::map<rules::StepId, int> running_;  // steps whose end is to be told, each with which of its runs
  int runs_ = 0;
  std::map<std::string, int> in_flight_;
  std::map<std::string, int> polls_;
  std::deque<Batch> batches_;
  bool carrying_out_ = false;
  std::optional<Instant> writing_since_;  // the first batch's intent is tried again and again
  std::vector<rules::Record> owed_;
  std::vector<rules::Tell> owed_tells_;
  std::vector<rules::Tell> unsynced_tells_;  // of the last commit, when its sync failed
  std::string trouble_;
  // How it is going to die.
  int moments_left_ = -1;
  Kill death_ = Kill::process;
  Duration downtime_{};
  bool dying_ = false;
};

}  // namespace sim
