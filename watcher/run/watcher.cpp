#include "watcher/run/watcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "watcher/drivers/trusted_child.hpp"
#include "watcher/run/backup_users.hpp"
#include "watcher/run/descriptors.hpp"
#include "watcher/run/hidden_words.hpp"
#include "watcher/run/log.hpp"
#include "watcher/run/names.hpp"
#include "watcher/run/plan_commands.hpp"
#include "watcher/run/spool.hpp"
#include "watcher/runner/remote_driver.hpp"
#include "watcher/steps/redact.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// Samples that wait for the disk, in bytes; beyond that they are not recorded, and nothing else is lost.
constexpr std::size_t samples_waiting_max = 8 * 1024 * 1024;
// How long we may have been away for windows to go on.
constexpr rules::Duration absence_max = std::chrono::minutes(1);

rules::DurableState with_work_left(rules::DurableState durable, const std::optional<AtWork>& left,
                                   const std::optional<rules::StepId>& at_runner) {
  if (left) durable.at_work = left->step;
  if (at_runner) durable.at_work = at_runner;
  return durable;
}

}  // namespace

Watcher::Watcher(asio::io_context& io, SystemClock& clock, std::shared_ptr<const Config> config, RunOptions options,
                 std::unique_ptr<Journal> journal)
    : io_(io),
      clock_(clock),
      config_(std::move(config)),
      options_(std::move(options)),
      started_(clock.now()),
      memory_(static_cast<std::size_t>(config_->watcher.memory)),
      journal_(io.get_executor(), std::move(journal)),
      left_at_work_(config_->watcher.runner.empty() ? left_at_work(config_->watcher.state_dir) : std::nullopt),
      left_at_runner_(left_at_runner(*config_, journal_.found().durable)),
      engine_(core(), with_work_left(journal_.found().durable, left_at_work_, left_at_runner_), started_),
      sample_files_(config_->watcher.state_dir, config_->watcher.record),
      loop_(io.get_executor(), clock, engine_),
      outbox_(io.get_executor(), clock, config_->notifiers, config_->watcher.name, journal_,
              [this](const rules::IncidentId& id) { return engine_.situation(id, clock_.now()); }),
      life_sign_(
          io, resolver_, [this]() -> const WatcherSection& { return config_->watcher; },
          [this] { return why_not_able(); }),
      steps_(io.get_executor()),
      loops_(io.get_executor()),
      readers_(io.get_executor()),
      deeds_(io.get_executor(), Means{clock, loop_, journal_, outbox_, metrics_, steps_, config_->watcher.state_dir,
                                      [this] { return record_samples(); }}),
      server_(io.get_executor(), *this, metrics_),
      reload_ended_(io, asio::steady_timer::time_point::max()),
      stop_timer_(io, asio::steady_timer::time_point::max()) {}

Watcher::~Watcher() = default;

std::string Watcher::listen() {
  const auto places = places_among(descriptors_allowed(), descriptors_needed(*config_));
  if (const auto* too_few = std::get_if<std::string>(&places)) return *too_few;
  server_.allow(std::get<Places>(places));
  return server_.listen(config_->watcher);
}

rules::CoreConfig Watcher::core() const {
  rules::CoreConfig core = config_->core;
  mark_backup_users(core, *config_);
  hide_secrets(core, *config_);
  // A rollback by hand does what it was asked for and nothing by itself.
  if (options_.dry_run || options_.rollback) core.mode = rules::Mode::observe;
  return core;
}

// The scheduler's share of it.
probes::Scheduler::Configs Watcher::probe_configs() const { return {config_, &config_->probes}; }

// Drivers, readers and performer as the configuration has them. The readers of before must have ended.
void Watcher::equip() {
  Responses responses = responses_of(*config_);
  runner_ = runner_of(*config_);
  look_rounds_.clear();
  service_readers_.clear();
  by_hand_ = begun_by_hand(*config_);
  by_hand_looks_.clear();
  auto equipment = std::make_shared<Equipment>(config_);
  service_readers_.reserve(config_->drivers.size());
  for (const DriverSection& section : config_->drivers) {
    std::shared_ptr<Driver> driver = driver_here(*config_, section, clock_, runner_);
    equipment->add(driver);
    service_readers_.emplace_back();
    if (!driver) continue;
    auto deliver = [this](rules::Event event) {
      redact(event, config_->secrets);
      loop_.observe(std::move(event));
    };
    service_readers_.back() = std::make_unique<ServiceReader>(*driver, section, std::move(deliver),
                                                              plans_of(section, responses[section.service]));
    begin_to_read(section.service, *service_readers_.back());
  }
  equipment_ = std::move(equipment);
  for (auto& [interval, round] : look_rounds_) readers_.spawn("looks in a round", round.loop());
  Deeds::Tools tools;
  tools.config = config_;
  tools.scheduler = scheduler_.get();
  tools.equipment = equipment_;
  tools.reader_of = [this](const rules::ServiceName& service) { return reader_of(service); };
  tools.performer = std::make_shared<Performer>(config_->watcher.state_dir + "/incidents", resolver_, of_performer(),
                                                config_->secrets);
  remote_steps_ = runner_ == nullptr ? nullptr : std::make_shared<RemoteSteps>(config_, runner_);
  if (remote_steps_) tools.performer->send_elsewhere(elsewhere(remote_steps_));
  deeds_.equip(std::move(tools));
}

Performer::Services Watcher::of_performer() const {
  return {[of = equipment_](const rules::ServiceName& service) { return of->driver_of(service).get(); },
          [of = equipment_](const rules::ServiceName& service) { return of->dir_of(service); }};
}

void Watcher::begin_to_read(const rules::ServiceName& service, ServiceReader& reader) {
  if (!reader.asks_nobody()) return readers_.spawn("reader of " + service.text, reader.loop());
  look_rounds_.try_emplace(reader.interval(), io_.get_executor(), reader.interval()).first->second.add(reader);
}

// Windows go on where they were when we were away for a moment only. After a longer absence what was recorded would
// reach too far back to be about the present. What has no room is not read either: windows have the other
// half of it.
void Watcher::refill_windows() {
  rules::Duration longest{};
  for (const rules::SignalSpec& signal : config_->core.signals) longest = std::max(longest, signal.window_max);
  const std::vector<rules::Poll> polls = sample_files_.read(started_ - longest, memory_.size() / 2);
  if (polls.empty() || started_ - polls.back().ended > absence_max) return;
  for (const rules::Poll& poll : polls) {
    if (poll.ended < started_) engine_.refill(poll);
  }
  for (const rules::Poll& poll : polls) {
    memory_.kept_in_windows(poll.probe, poll.instance, engine_.kept(poll.probe, poll.instance));
  }
  log_info("refilled",
           fmt::format("polls={} from={:.0f}s_ago", polls.size(), rules::seconds(started_ - polls.front().ended)));
}

void Watcher::poll_came(rules::Poll poll) {
  redact(poll, config_->secrets);
  metrics_.observe_poll(poll);
  if (config_->watcher.record > rules::Duration::zero()) samples_.append(poll, samples_waiting_max);
  // One that brought nothing but its duration adds nothing to what is kept. One in so many is looked at all the same: a
  // page may have become empty.
  constexpr unsigned plain_polls_per_look = 61;
  const bool is_plain = poll.readings.size() == 1 && !poll.fault;
  if (is_plain && ++plain_polls_ % plain_polls_per_look != 0) return loop_.observe(std::move(poll));
  const rules::ProbeName probe = poll.probe;
  const std::size_t instance = poll.instance;
  loop_.observe(std::move(poll));
  memory_.kept_in_windows(probe, instance, engine_.kept(probe, instance));
}

void Watcher::start_loops() {
  auto deed = [this](Batch batch) { return deeds_.carry_out(std::move(batch)); };
  loops_.spawn("carry_out", loop_.carry_out(std::move(deed)));
  loops_.spawn("decide", loop_.decide());
  loops_.spawn("reports", deeds_.write_reports());
  loops_.spawn("outbox", outbox_.loop());
  loops_.spawn("heartbeat", heartbeat());
  loops_.spawn("life_sign", life_sign_.loop());
  loops_.spawn("housekeeping", housekeeping());
  loops_.spawn("server", server_.serve());
}

void Watcher::own_up_to_lost_state(const std::string& why) {
  rules::SelfDegraded degraded;
  degraded.at = clock_.now();
  degraded.reason = why + "; only observing until `rollbackd accept-state`";
  degraded.observe_only = true;
  loop_.observe(degraded);
  log_error("lost_state", "why=" + log_value(why) + " mode=observe");
}

// A deployment that began before this start still goes on: nobody else may act meanwhile.
void Watcher::hold_on_to_deployments() {
  for (const rules::ServiceView& service : view().services) {
    if (!service.deploying) continue;
    const std::string holder = deeds_.lock_for_deployment(service.service, "");
    if (!holder.empty()) log_warning("deployment", "service=" + service.service.text + " host=" + log_value(holder));
  }
}

asio::awaitable<int> Watcher::live() {
  const JournalState& found = journal_.found();
  if (!found.set_aside_as.empty()) log_error("lost_state", "set_aside_as=" + log_value(found.set_aside_as));
  if (found.observe_only) own_up_to_lost_state(found.observe_only_why);
  auto deliver = [this](rules::Poll poll) { poll_came(std::move(poll)); };
  const probes::Surroundings around{clock_, resolver_, make_trusted, &memory_};
  scheduler_ = std::make_unique<probes::Scheduler>(io_.get_executor(), probe_configs(), around, std::move(deliver));
  refill_windows();
  equip();
  if (left_at_work_) deeds_.take_over(*std::exchange(left_at_work_, std::nullopt));
  if (left_at_runner_) deeds_.find_again(*std::exchange(left_at_runner_, std::nullopt), remote_steps_);
  start_loops();
  co_await take_up_spool();
  hold_on_to_deployments();
  scheduler_->start();
  log_info("started",
           fmt::format("name={} version={} probes={} rules={} services={} mode={}", log_value(config_->watcher.name),
                       ROLLBACKD_VERSION, config_->probes.size(), config_->core.rules.size(),
                       config_->core.services.size(), rules::to_string(core().mode)));
  systemd_.ready(fmt::format("watching {} probes", config_->probes.size()));
  if (options_.rollback) loops_.spawn("rollback", roll_back_once());
  while (!stopping_) {
    co_await stop_timer_.async_wait(as_result);
  }
  co_await shut_down();
  co_return exit_code_;
}

void Watcher::stop() {
  if (stopping_) return;
  if (options_.stopping) options_.stopping(deeds_.step_in_flight());
  end();
}

void Watcher::end() {
  stopping_ = true;
  stop_timer_.cancel();
}

// A step in flight is not killed: it ends, its end is written down, and the next start goes on from there.
asio::awaitable<void> Watcher::shut_down() {
  log_info("stopping", deeds_.step_in_flight() ? "waiting_for=\"the step in flight\"" : "waiting_for=nothing");
  systemd_.stopping();
  engine_.hold_new_steps();
  co_await scheduler_->stop();
  co_await record_samples();
  co_await steps_.join();
  save_spans();
  co_await loop_.settled();
  co_await deeds_.reports_written();
  co_await look_at_rollback();
  readers_.cancel();
  loops_.cancel();
  server_.close();
  co_await readers_.join();
  co_await loops_.join();
  co_await outbox_.close();
  log_info("stopped", "");
}

asio::awaitable<void> Watcher::take_up_spool() {
  std::vector<std::string> unreadable;
  const std::vector<Spooled> spooled = read_spool(config_->watcher.state_dir, unreadable);
  for (const std::string& file : unreadable) log_warning("spool", "unreadable=" + log_value(file));
  for (const Spooled& entry : spooled) {
    const std::string refused = co_await take_up(entry.word);
    if (!refused.empty()) log_warning("spool", "file=" + log_value(entry.file) + " refused=" + log_value(refused));
    log_info("spool", "taken_up=" + log_value(entry.file));
  }
  loop_.decide_now();
  if (deeds_.deployment_under_way()) deeds_.release_ended_deployments(view());
  co_await loop_.settled();
  for (const Spooled& entry : spooled) remove_spooled(entry);
}

}  // namespace watcher
