#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/memory_budget.hpp"
#include "probes/net/resolver.hpp"
#include "probes/net/task_group.hpp"
#include "probes/scheduler.hpp"
#include "rules/engine/engine.hpp"
#include "watcher/clock.hpp"
#include "watcher/config/config.hpp"
#include "watcher/journal/journal_thread.hpp"
#include "watcher/notify/outbox.hpp"
#include "watcher/run/deeds.hpp"
#include "watcher/run/engine_loop.hpp"
#include "watcher/run/life_sign.hpp"
#include "watcher/run/look_round.hpp"
#include "watcher/run/memory_reserve.hpp"
#include "watcher/run/names.hpp"
#include "watcher/run/run.hpp"
#include "watcher/run/sd_notify.hpp"
#include "watcher/run/service_reader.hpp"
#include "watcher/run/spool.hpp"
#include "watcher/runner/remote_steps.hpp"
#include "watcher/samples/sample_files.hpp"
#include "watcher/samples/sample_text.hpp"
#include "watcher/serve/api.hpp"
#include "watcher/serve/metrics.hpp"
#include "watcher/serve/server.hpp"

namespace watcher {

// The running watcher: owns everything, in the order in which it depends on each other, and is what the server asks.
class Watcher final : public Host {
 public:
  Watcher(asio::io_context& io, SystemClock& clock, std::shared_ptr<const Config> config, RunOptions options,
          std::unique_ptr<Journal> journal);
  ~Watcher() override;

  // Listens on the addresses of the configuration. Returns what went wrong, for people; empty on success.
  std::string listen();
  // The whole life: starts everything, waits until it is to stop, stops everything. Returns the exit code.
  asio::awaitable<int> live();
  // To be called on SIGTERM, SIGINT: new steps are not begun, the one in flight ends first.
  void stop();
  void reload_on_signal();

  const Config& config() const override { return *config_; }
  rules::Instant now() const override { return clock_.now(); }
  rules::Instant started() const override { return started_; }
  rules::EngineView view() const override;
  std::vector<std::string> not_ready() const override;
  asio::awaitable<std::vector<rules::IncidentRecord>> incidents(std::size_t most) override;
  asio::awaitable<std::optional<rules::IncidentRecord>> incident(rules::IncidentId id) override;
  asio::awaitable<std::vector<rules::StepRecord>> steps(rules::IncidentId id) override;
  asio::awaitable<std::string> report(rules::IncidentId id) override;
  asio::awaitable<rules::Answer> request(rules::Request request) override;
  asio::awaitable<rules::Answer> mark(std::vector<rules::DeployMark> marks, std::string by) override;
  asio::awaitable<rules::Answer> reload() override;
  asio::awaitable<RollbackPlan> plan(rules::RollbackByHand rollback) override;

 private:
  using Plans = std::vector<const rules::ActionSpec*>;  // of the configuration
  // What a look found, and when.
  struct Looked {
    rules::Instant at;
    std::string why_not;
  };

  rules::CoreConfig core() const;  // of the configuration, in the mode that the options allow
  probes::Scheduler::Configs probe_configs() const;
  void equip();
  void begin_to_read(const rules::ServiceName& service, ServiceReader& reader);
  Performer::Services of_performer() const;
  void start_loops();
  asio::awaitable<void> take_up_spool();
  asio::awaitable<std::string> take_up(SpooledWord word);
  asio::awaitable<void> heartbeat();
  asio::awaitable<void> housekeeping();
  std::string why_not_able();
  void end();
  asio::awaitable<void> roll_back_once();
  asio::awaitable<rules::Answer> begin_rollback();
  asio::awaitable<bool> look_at_rollback();
  std::optional<rules::IncidentId> left_half_done(const rules::RollbackByHand& wish) const;
  asio::awaitable<void> look_at_what_runs(rules::ServiceName service);
  asio::awaitable<void> reload_and_log();
  asio::awaitable<rules::Answer> reload_alone();
  asio::awaitable<void> shut_down();
  bool knows(const rules::ServiceName& service) const;
  bool is_seen(const rules::Revision& revision, const rules::ServiceName& service) const;
  std::vector<rules::Revision> seen_of(const rules::ServiceName& service) const;
  rules::Revision running_of(const rules::ServiceName& service) const;
  ServiceReader::Plans plans_of(const DriverSection& section, const Plans& responses);
  std::string looked(std::optional<Looked>& last, const std::function<std::string()>& look);
  asio::awaitable<std::string> why_not_now(rules::ServiceName service, const rules::ActionSpec& action) const;
  const DriverSection* section_of(const rules::ServiceName& service) const;
  ServiceReader* reader_of(const rules::ServiceName& service) const;
  asio::awaitable<void> until_seen(rules::ServiceName service);
  std::string joins(const std::vector<rules::DeployMark>& marks) const;
  std::string counts_for(const std::vector<rules::DeployMark>& marks) const;
  std::string lock_for(const std::vector<rules::DeployMark>& marks, const std::string& by);
  void deployed(const rules::ServiceName& service);
  asio::awaitable<Meant> meaning_of(rules::Revision word, rules::ServiceName service);
  asio::awaitable<std::vector<rules::Revision>> alike_to(rules::Revision revision, rules::ServiceName service);
  asio::awaitable<std::string> understand(rules::Request& request);
  asio::awaitable<std::string> caution_of(const rules::Request& request);
  asio::awaitable<std::string> understand(rules::DeployMark& mark);
  void own_up_to_lost_state(const std::string& why);
  void hold_on_to_deployments();
  void look_at_clock();
  void look_at_memory();
  asio::awaitable<void> look_at_disk();
  asio::awaitable<void> look_for_damage();
  asio::awaitable<void> look_at_host_copy();
  void look_at_doors();
  void tell_of_ourselves(std::string title, std::string text, rules::Lasting lasting);
  void count_notifications();
  void save_spans();
  void poll_came(rules::Poll poll);
  void refill_windows();
  asio::awaitable<void> record_samples();

  asio::io_context& io_;
  SystemClock& clock_;
  std::shared_ptr<const Config> config_;  // shared with deeds of before a reload
  RunOptions options_;
  rules::Instant started_;
  SdNotify systemd_;
  probes::Resolver resolver_;
  probes::MemoryBudget memory_;
  MemoryReserve reserve_;
  JournalThread journal_;
  std::optional<AtWork> left_at_work_;  // by a watcher that was killed; only while we start
  // The same at the runner, which says what became of it.
  std::optional<rules::StepId> left_at_runner_;
  rules::Engine engine_;
  rules::SpanKeeping span_keeping_;
  int spans_lost_ = 0;        // of deeds_.spans_lost(): told of
  SampleFiles sample_files_;  // written on the journal's thread
  SampleText samples_;        // not written yet
  bool recording_ = true;     // the last write went well
  unsigned plain_polls_ = 0;
  Metrics metrics_;
  EngineLoop loop_;
  Outbox outbox_;
  LifeSign life_sign_;
  probes::TaskGroup steps_;    // end by themselves
  probes::TaskGroup loops_;    // run until cancelled
  probes::TaskGroup readers_;  // exchanged at a reload
  Deeds deeds_;
  std::map<rules::NotifierName, Outbox::Counts> counted_;
  std::shared_ptr<RunnerClient> runner_;        // with drivers and steps; nullptr: we do everything ourselves
  std::shared_ptr<RemoteSteps> remote_steps_;   // with the steps that run
  std::shared_ptr<const Equipment> equipment_;  // with the steps that run
  std::vector<std::unique_ptr<ServiceReader>> service_readers_;  // in the order of the configuration's drivers
  std::map<rules::Duration, LookRound> look_rounds_;             // by their intervals
  Plans by_hand_;                                                // that only a person begins
  std::optional<Looked> lock_look_;
  std::map<std::string, std::optional<Looked>> by_hand_looks_;  // by the folder that they run in
  std::unique_ptr<probes::Scheduler> scheduler_;
  Server server_;
  bool reloading_ = false;
  asio::steady_timer reload_ended_;  // never expires; cancelled when a reload has ended
  asio::steady_timer stop_timer_;    // never expires; cancelled when it is to stop
  std::string copy_trouble_;         // why the host's copy of what was decided is not written; empty: it is
  std::string unreached_;            // why no command reaches us; empty: they do
  std::string disk_trouble_;         // empty: saves work, and the reserve is held
  rules::IncidentId rolled_back_;    // of the one rollback by hand; empty: it is not begun
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace watcher
