#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "probes/clock.hpp"
#include "probes/net/resolver.hpp"
#include "probes/net/task_group.hpp"
#include "watcher/config/config.hpp"
#include "watcher/journal/at_work.hpp"
#include "watcher/runner/kept_steps.hpp"
#include "watcher/runner/lines.hpp"
#include "watcher/runner/wire.hpp"
#include "watcher/steps/performer.hpp"

namespace watcher {

// One after the other, as drivers want to be asked. To be used from the executor's thread only.
class OneByOne {
 public:
  // False: too many wait already.
  asio::awaitable<bool> enter();
  void leave();

 private:
  bool is_taken_ = false;
  std::list<asio::steady_timer> waiting_;  // never expire; cancelled when it is their turn
};

// The half that has the rights: it reads what services run and does the steps of their plans, as its own configuration
// has them. What it is asked names these and nothing else. It decides nothing, polls nothing and keeps no journal.
class Runner {
 public:
  Runner(const asio::any_io_executor& executor, const probes::Clock& clock, std::shared_ptr<const Config> config);
  ~Runner();

  // What a runner that was killed left at work is seen out.
  void start();
  // Reads the configuration again; a wrong one changes nothing.
  RunnerReply reload();
  // Answers one question. Never throws for what it says.
  asio::awaitable<void> answer(Question question, Lines& lines);
  // From now on nothing is begun. Returns when no step is at work.
  asio::awaitable<void> stop();
  bool step_in_flight() const;

 private:
  struct Service {
    const DriverSection* section = nullptr;
    std::unique_ptr<Driver> driver;
    OneByOne turn;
  };
  // As one reading of the configuration has it; shared with the steps and looks that began with it.
  struct Tools {
    std::shared_ptr<const Config> config;
    std::map<rules::ServiceName, Service> services;
    std::unique_ptr<Performer> performer;
  };
  struct Step {
    explicit Step(bool is_mutating_) : is_mutating(is_mutating_) {}
    bool is_mutating;
    asio::cancellation_signal cancel;
    std::optional<AtWork> child;  // the newest that may change something
    int children = 0;
    std::optional<rules::StepResult> result;
    int followers = 0;
    std::set<asio::steady_timer*> waiting;  // of those who follow it
    std::unique_ptr<HostLock> lock;         // taken when nobody follows it any more
    void wake() const;
  };
  using SharedStep = std::shared_ptr<Step>;  // with those who follow it

  void equip(std::shared_ptr<const Config> config);
  asio::awaitable<RunnerReply> look(Question question, std::shared_ptr<Tools> tools, Service& service);
  asio::awaitable<void> look_at(Question& question, Driver& driver, RunnerReply& reply);
  asio::awaitable<void> look_into(Question& question, const Tools& tools, Service& service, RunnerReply& reply);
  asio::awaitable<void> look_in_turn(Question question, Lines& lines);

  asio::awaitable<void> perform(Question question, Lines& lines);
  asio::awaitable<void> tell_result(Question question, Lines& lines);
  std::variant<rules::Perform, std::string> command_of(const Question& question) const;
  std::string why_not_begun(const rules::Perform& command);
  asio::awaitable<void> run_step(rules::Perform command, SharedStep step, std::shared_ptr<Tools> tools);
  asio::awaitable<void> see_out_left(AtWork left, SharedStep step);
  void finish(const rules::StepId& id, Step& step, rules::StepResult result);
  void note_child(const rules::StepId& id, Step& step, pid_t pid, rules::Duration limit);
  asio::awaitable<void> follow(rules::StepId id, SharedStep step, Lines& lines);
  void hold_host(const rules::StepId& id, Step& step);

  asio::any_io_executor executor_;
  const probes::Clock& clock_;
  probes::Resolver resolver_;
  std::string dir_;  // what we keep; taken at the start only
  unsigned group_;   // of the watcher, who may read evidence
  KeptSteps kept_;
  std::shared_ptr<Tools> tools_;
  std::map<rules::StepId, SharedStep> steps_;  // at work, or ended and not on the disk
  probes::TaskGroup tasks_;                    // end by themselves
  bool stopping_ = false;
};

}  // namespace watcher
