#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "probes/net/blocking.hpp"
#include "probes/net/task_group.hpp"
#include "probes/scheduler.hpp"
#include "rules/engine/commands.hpp"
#include "rules/engine/view.hpp"
#include "watcher/config/config.hpp"
#include "watcher/journal/at_work.hpp"
#include "watcher/journal/journal_thread.hpp"
#include "watcher/notify/outbox.hpp"
#include "watcher/report/plots.hpp"
#include "watcher/run/engine_loop.hpp"
#include "watcher/run/equipment.hpp"
#include "watcher/run/service_reader.hpp"
#include "watcher/runner/remote_steps.hpp"
#include "watcher/steps/performer.hpp"

namespace watcher {

class Metrics;

// What carrying out needs. The pointees must outlive it; a reload exchanges drivers, readers and performer.
struct Means {
  const probes::Clock& clock;
  EngineLoop& loop;
  JournalThread& journal;
  Outbox& outbox;
  Metrics& metrics;
  probes::TaskGroup& tasks;  // for what must end by itself before a stop: steps, reports
  std::string state_dir;
  std::function<asio::awaitable<void>()> record_samples{};  // to disk, all that came; empty: nothing records
};

// Carries out what the engine commands: saves first, then everything else; steps run beside the loop and report back.
class Deeds {
 public:
  Deeds(const asio::any_io_executor& executor, Means means);

  // Called at the start and after a reload. Steps that run keep what they began with.
  struct Tools {
    std::shared_ptr<const Config> config;
    probes::Scheduler* scheduler = nullptr;
    std::shared_ptr<Performer> performer;                                // shared with the steps that are running
    std::function<ServiceReader*(const rules::ServiceName&)> reader_of;  // nullptr: it has none
    std::shared_ptr<const Equipment> equipment;
  };
  void equip(Tools tools);

  asio::awaitable<void> carry_out(Batch batch);

  // What a killed watcher left at work is waited for as a step of ours, and its end reported as that step's.
  void take_over(AtWork at_work);
  // The same of a step that an earlier watcher asked the runner for.
  void find_again(rules::StepId step, std::shared_ptr<RemoteSteps> steps);

  // `deploy begin` holds the same lock as a plan. Empty when taken, else who has it. One deployer may deploy several
  // services: what is said by the same (`by`), or after a start nobody knows by whom, joins.
  std::string lock_for_deployment(const rules::ServiceName& service, const std::string& by);

  bool deployment_under_way() const { return !deployment_locks_.empty(); }
  // A deployment that began and never ended is over when the engine says so; its lock goes with it.
  void release_ended_deployments(const rules::EngineView& view);

  bool step_in_flight() const { return !running_.empty(); }
  // Whether a save has failed since this was last asked with `forget_failed_save`.
  bool save_failed() const { return !save_fault_.empty(); }
  // How often spans could not be saved.
  int spans_lost() const { return spans_lost_; }
  void forget_failed_save() { save_fault_.clear(); }
  // Writes reports one after the other. Runs until cancelled.
  asio::awaitable<void> write_reports();
  // What stands in the incident's report may not be so any more.
  bool is_report_due(const rules::IncidentId& incident) const {
    return writing_report_ || reports_due_.contains(incident);
  }
  // Returns when write_reports() has written what is due: it must not be cancelled before.
  asio::awaitable<void> reports_written();

 private:
  struct Running {
    asio::cancellation_signal cancel;
  };

  asio::awaitable<bool> make_durable(Batch& batch);
  asio::awaitable<std::optional<JournalFault>> save_patiently(const std::vector<rules::Record>& records,
                                                              const std::vector<OutboxEntry>& messages,
                                                              rules::Duration patience);
  void owe(std::vector<rules::Record> records);
  std::vector<OutboxEntry> messages_of(const Batch& batch);
  void fail_intents(const Batch& batch, const JournalFault& fault);
  void do_command(rules::Command& command);
  void perform(rules::Perform& command);
  asio::awaitable<void> perform_step(rules::Perform command, std::shared_ptr<Performer> performer,
                                     std::shared_ptr<Driver> driver);
  asio::awaitable<void> find_step(rules::StepId step, std::shared_ptr<RemoteSteps> steps);
  // `work` is a step being done: it can be called off meanwhile, and what became of it is told to the engine.
  asio::awaitable<void> see_through(rules::StepId id, asio::awaitable<rules::StepResult> work);
  void note_at_work(const rules::StepId& step, pid_t pid, rules::Duration limit);
  void lock_host(const rules::LockHost& command);
  asio::awaitable<void> write_report(rules::IncidentId incident);
  asio::awaitable<Around> look_around(const rules::IncidentRecord& incident);
  void count(const rules::Record& record);

  asio::any_io_executor executor_;
  Means means_;
  Tools tools_;
  std::map<rules::StepId, Running> running_;
  std::map<rules::IncidentId, std::unique_ptr<HostLock>> host_locks_;
  struct DeploymentLock {
    std::shared_ptr<HostLock> lock;  // shared among the services that are deployed together
    std::string by;
  };
  std::map<rules::ServiceName, DeploymentLock> deployment_locks_;
  std::set<rules::IncidentId> reports_due_;
  bool writing_report_ = false;
  probes::Blocking drawing_;         // of plots
  asio::steady_timer report_timer_;  // never expires; cancelled when a report is due or written
  std::set<rules::IncidentId> counted_;
  // What a disk did not take; saved together with what comes next.
  std::vector<rules::Record> owed_records_;
  std::string save_fault_;
  int spans_lost_ = 0;
};

}  // namespace watcher
