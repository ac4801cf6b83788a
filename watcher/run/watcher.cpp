#include "watcher/run/watcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "watcher/run/log.hpp"
#include "watcher/run/spool.hpp"
#include "watcher/samples/sample_text.hpp"
#include "watcher/steps/redact.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// How often the clocks are compared and systemd's watchdog is fed.
constexpr rules::Duration tick = std::chrono::seconds(1);
// How often spans are written for the next start; what is lost at a crash is at most this much of one.
constexpr int ticks_per_span_save = 5;
constexpr int ticks_per_disk_look = 60;
constexpr int ticks_per_trouble_look = 5;
// Samples that wait for the disk, in bytes; beyond that they are not recorded, and nothing else is lost.
constexpr std::size_t samples_waiting_max = 8 * 1024 * 1024;
// How long we may have been away for windows to go on.
constexpr rules::Duration absence_max = std::chrono::minutes(1);
// What a stop asks systemd for, again and again while a step of a plan ends.
constexpr rules::Duration stop_extension = std::chrono::seconds(30);
// What a deployment that found the host busy is told to wait before it tries again.
constexpr std::string_view busy_advice = "; try again when it has ended";

rules::CoreConfig core_of(const Config& config, const RunOptions& options) {
  rules::CoreConfig core = config.core;
  // A rollback by hand does what it was asked for and nothing by itself.
  if (options.dry_run || options.rollback) core.mode = rules::Mode::observe;
  return core;
}

rules::DurableState with_work_left(rules::DurableState durable, const std::optional<AtWork>& left) {
  if (left) durable.at_work = left->step;
  return durable;
}

std::string dir_of(const DriverSection& section, const Config& config) {
  return section.dir.empty() ? config.dir : section.dir;
}

rules::Answer refused(std::string text) {
  rules::Answer answer;
  answer.text = std::move(text);
  return answer;
}

// A reload's time alone with the watcher: the end of the scope, also by an exception, gives it to the next.
class ReloadTurn {
 public:
  ReloadTurn(bool& taken, asio::steady_timer& ended) : taken_(taken), ended_(ended) { taken_ = true; }
  ~ReloadTurn() {
    taken_ = false;
    ended_.cancel();
  }
  ReloadTurn(const ReloadTurn&) = delete;
  ReloadTurn& operator=(const ReloadTurn&) = delete;

 private:
  bool& taken_;
  asio::steady_timer& ended_;
};

std::string findings_text(const Loaded& loaded, const std::string& path) {
  std::string text;
  for (const Finding& finding : loaded.findings) {
    if (!text.empty()) text += '\n';
    text += format_finding(path, finding);
  }
  return text;
}

// Which of the settings that are taken at the start only is another one; empty: none.
std::string needs_restart(const WatcherSection& now, const WatcherSection& then) {
  if (now.state_dir != then.state_dir) return "state_dir";
  if (now.listen != then.listen) return "listen";
  if (now.control != then.control) return "control";
  if (now.control_group != then.control_group) return "control_group";
  if (now.record != then.record) return "record";
  return "";
}

}  // namespace

Watcher::Watcher(asio::io_context& io, SystemClock& clock, std::shared_ptr<const Config> config, RunOptions options,
                 std::unique_ptr<Journal> journal)
    : io_(io),
      clock_(clock),
      config_(std::move(config)),
      options_(std::move(options)),
      started_(clock.now()),
      journal_(io.get_executor(), std::move(journal)),
      left_at_work_(left_at_work(config_->watcher.state_dir)),
      engine_(core_of(*config_, options_), with_work_left(journal_.found().durable, left_at_work_), started_),
      sample_files_(config_->watcher.state_dir, config_->watcher.record),
      loop_(io.get_executor(), clock, engine_),
      outbox_(io.get_executor(), clock, config_->notifiers, config_->watcher.name, journal_),
      steps_(io.get_executor()),
      loops_(io.get_executor()),
      readers_(io.get_executor()),
      deeds_(io.get_executor(), Means{clock, loop_, journal_, outbox_, metrics_, steps_, config_->watcher.state_dir}),
      server_(io.get_executor(), *this, metrics_),
      reload_ended_(io, asio::steady_timer::time_point::max()),
      stop_timer_(io, asio::steady_timer::time_point::max()) {}

Watcher::~Watcher() = default;

std::string Watcher::listen() { return server_.listen(config_->watcher); }

// Drivers, readers and performer as the configuration has them. The readers of before must have ended.
void Watcher::equip() {
  Deeds::Tools tools;
  std::map<rules::ServiceName, Driver*> drivers;
  std::map<rules::ServiceName, std::string> dirs;
  services_.clear();
  for (const DriverSection& section : config_->drivers) {
    dirs[section.service] = dir_of(section, *config_);
    std::shared_ptr<Driver> driver = make_driver(section, config_->watcher.state_dir, clock_);
    if (!driver) continue;
    auto deliver = [this](rules::Event event) {
      redact(event, config_->secrets);
      loop_.observe(std::move(event));
    };
    Service& service = services_[section.service];
    service.driver = driver;
    service.reader = std::make_unique<ServiceReader>(io_.get_executor(), *driver, section, std::move(deliver));
    readers_.spawn("reader of " + section.service.text, service.reader->loop());
    drivers[section.service] = driver.get();
    tools.drivers[section.service] = driver;
    tools.readers[section.service] = service.reader.get();
  }
  const std::string incidents_dir = config_->watcher.state_dir + "/incidents";
  tools.config = config_;
  tools.scheduler = scheduler_.get();
  tools.performer =
      std::make_shared<Performer>(incidents_dir, resolver_, std::move(drivers), std::move(dirs), config_->secrets);
  deeds_.equip(std::move(tools));
}

// Windows go on where they were when we were away for a moment only. After a longer absence what was recorded would
// reach too far back to be about the present.
void Watcher::refill_windows() {
  rules::Duration longest{};
  for (const rules::SignalSpec& signal : config_->core.signals) longest = std::max(longest, signal.window_max);
  const std::vector<rules::Poll> polls = sample_files_.read(started_ - longest);
  if (polls.empty() || started_ - polls.back().ended > absence_max) return;
  for (const rules::Poll& poll : polls) {
    if (poll.ended < started_) engine_.refill(poll);
  }
  log_info("refilled",
           fmt::format("polls={} from={:.0f}s_ago", polls.size(), rules::seconds(started_ - polls.front().ended)));
}

asio::awaitable<void> Watcher::record_samples() {
  if (samples_.empty()) co_return;
  const std::string text = std::exchange(samples_, std::string());
  const rules::Instant at = clock_.now();
  std::optional<std::string> problem;
  auto append = [&](Journal&) { problem = sample_files_.append(text, at); };
  std::function<void(Journal&)> work = std::ref(append);
  co_await journal_.use(std::move(work));
  if (problem && recording_) log_warning("samples", "what=" + log_value(*problem));
  recording_ = !problem;
}

void Watcher::poll_came(rules::Poll poll) {
  redact(poll, config_->secrets);
  metrics_.observe_poll(poll);
  const bool records = config_->watcher.record > rules::Duration::zero() && samples_.size() < samples_waiting_max;
  if (records) append_samples(samples_, poll);
  loop_.observe(std::move(poll));
}

void Watcher::start_loops() {
  auto deed = [this](Batch batch) { return deeds_.carry_out(std::move(batch)); };
  loops_.spawn("carry_out", loop_.carry_out(std::move(deed)));
  loops_.spawn("decide", loop_.decide());
  loops_.spawn("reports", deeds_.write_reports());
  loops_.spawn("outbox", outbox_.loop());
  loops_.spawn("heartbeat", heartbeat());
  loops_.spawn("housekeeping", housekeeping());
  loops_.spawn("server", server_.serve());
}

void Watcher::own_up_to_lost_state() {
  if (!journal_.found().observe_only) return;
  rules::SelfDegraded degraded;
  degraded.at = clock_.now();
  degraded.reason = "a damaged database was set aside; only observing until `rollbackd accept-state`";
  degraded.observe_only = true;
  loop_.observe(degraded);
  log_error("lost_state", "set_aside_as=" + log_value(journal_.found().set_aside_as) +
                              " why=" + log_value(journal_.found().set_aside_why) + " mode=observe");
}

// The reserve that intents are written from when the disk is full: without it people are asked instead.
asio::awaitable<void> Watcher::look_at_disk() {
  const std::optional<JournalFault> fault = co_await journal_.keep_reserve();
  const bool held = co_await journal_.reserve_held();
  const std::optional<JournalFault> unsaved = co_await journal_.alive(clock_.now());
  std::string trouble;
  if (!held) trouble = fault ? fault->what : "the disk reserve under the state directory is gone";
  if (unsaved) trouble = unsaved->what;
  const bool over = trouble.empty() && deeds_.save_failed();
  deeds_.forget_failed_save();
  if (trouble == disk_trouble_ && !over) co_return;
  disk_trouble_ = trouble;
  rules::SelfDegraded degraded;
  degraded.at = clock_.now();
  degraded.reason = trouble;
  degraded.ask_instead_of_act = !trouble.empty();
  loop_.observe(degraded);
}

// A deployment that began before this start still goes on: nobody else may act meanwhile.
void Watcher::hold_on_to_deployments() {
  for (const rules::ServiceView& service : view().services) {
    if (!service.deploying) continue;
    const std::string holder = deeds_.lock_for_deployment(service.service);
    if (!holder.empty()) log_warning("deployment", "service=" + service.service.text + " host=" + log_value(holder));
  }
}

asio::awaitable<int> Watcher::live() {
  own_up_to_lost_state();
  auto deliver = [this](rules::Poll poll) { poll_came(std::move(poll)); };
  const probes::Surroundings around{clock_, resolver_};
  scheduler_ = std::make_unique<probes::Scheduler>(io_.get_executor(), config_->probes, around, std::move(deliver));
  refill_windows();
  equip();
  if (left_at_work_) deeds_.take_over(*std::exchange(left_at_work_, std::nullopt));
  start_loops();
  co_await take_up_spool();
  hold_on_to_deployments();
  scheduler_->start();
  log_info("started",
           fmt::format("name={} version={} probes={} rules={} services={} mode={}", log_value(config_->watcher.name),
                       ROLLBACKD_VERSION, config_->probes.size(), config_->core.rules.size(),
                       config_->core.services.size(), rules::to_string(core_of(*config_, options_).mode)));
  systemd_.ready(fmt::format("watching {} probes", config_->probes.size()));
  if (options_.rollback) loops_.spawn("rollback", roll_back_once());
  while (!stopping_) {
    co_await stop_timer_.async_wait(as_result);
  }
  co_await shut_down();
  co_return exit_code_;
}

void Watcher::stop() {
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
  readers_.cancel();
  loops_.cancel();
  server_.close();
  co_await readers_.join();
  co_await loops_.join();
  co_await outbox_.close();
  log_info("stopped", "");
}

void Watcher::look_at_clock() {
  const std::optional<rules::Duration> jump = clock_.take_jump();
  if (!jump) return;
  log_warning("clock_jump", fmt::format("by={:.1f}s", rules::seconds(*jump)));
  loop_.observe(rules::ClockJump{clock_.now(), *jump});
}

// The outbox counts in its own way; what is new since the last look is handed to the metrics.
void Watcher::count_notifications() {
  for (const auto& [name, counts] : outbox_.counts()) {
    Outbox::Counts& known = counted_[name];
    for (; known.delivered < counts.delivered; ++known.delivered) metrics_.count_notification(name, "delivered");
    for (; known.failed < counts.failed; ++known.failed) metrics_.count_notification(name, "failed");
    for (; known.given_up < counts.given_up; ++known.given_up) metrics_.count_notification(name, "given_up");
  }
}

void Watcher::save_spans() {
  Batch batch;
  for (rules::SpanRecord& span : engine_.spans(clock_.now())) batch.push_back(rules::Save{std::move(span)});
  loop_.push(std::move(batch));
}

// Apart from whatever waits for the disk: a disk that stalls is no reason for the service manager to kill us in the
// middle of a step.
asio::awaitable<void> Watcher::heartbeat() {
  rules::Duration beat = tick;
  if (const auto period = systemd_.watchdog_period()) beat = std::min<rules::Duration>(beat, *period / 2);
  asio::steady_timer timer(io_);
  for (;;) {
    look_at_clock();
    systemd_.feed_watchdog();
    if (stopping_) systemd_.extend_timeout(stop_extension);
    timer.expires_after(beat);
    co_await timer.async_wait(as_result);
    const bool ended = co_await probes::cancelled();
    if (ended) co_return;
  }
}

asio::awaitable<void> Watcher::housekeeping() {
  asio::steady_timer timer(io_);
  for (int count = 1;; ++count) {
    timer.expires_after(tick);
    co_await timer.async_wait(as_result);
    const bool ended = co_await probes::cancelled();
    if (ended) co_return;
    if (count % ticks_per_span_save == 0) {
      co_await record_samples();
      save_spans();
      co_await journal_.alive(clock_.now());
    }
    const bool is_troubled = deeds_.save_failed() || !disk_trouble_.empty();
    if (count % (is_troubled ? ticks_per_trouble_look : ticks_per_disk_look) == 1) {
      co_await look_at_disk();
    }
    if (deeds_.deployment_under_way()) deeds_.release_ended_deployments(view());
    count_notifications();
    metrics_.observe_loop_lag(scheduler_->loop_lag());
  }
}

asio::awaitable<void> Watcher::take_up_spool() {
  std::vector<std::string> unreadable;
  const std::vector<Spooled> spooled = read_spool(config_->watcher.state_dir, unreadable);
  for (const std::string& file : unreadable) log_warning("spool", "unreadable=" + log_value(file));
  for (const Spooled& entry : spooled) {
    if (const auto* mark_word = std::get_if<rules::DeployMark>(&entry.word)) {
      loop_.observe(*mark_word);
    } else {
      loop_.request(std::get<rules::Declare>(entry.word));
    }
    log_info("spool", "taken_up=" + log_value(entry.file));
  }
  loop_.decide_now();
  co_await loop_.settled();
  for (const Spooled& entry : spooled) remove_spooled(entry);
}

// What was deployed while nobody watched has to be known first, or it would not be what is rolled back: as many looks
// as have to agree.
asio::awaitable<void> Watcher::look_at_what_runs(rules::ServiceName service) {
  constexpr int looks_that_agree = 2;
  const auto found = services_.find(service);
  if (found == services_.end()) co_return;
  const std::shared_ptr<Driver> driver = found->second.driver;  // shared: a reload exchanges it
  for (int look = 0; look < looks_that_agree; ++look) {
    rules::Event read = co_await driver->identify();
    redact(read, config_->secrets);
    loop_.observe(std::move(read));
  }
  loop_.decide_now();
  co_await loop_.settled();
}

asio::awaitable<void> Watcher::roll_back_once() {
  co_await look_at_what_runs(options_.rollback->service);
  rules::Request wish = *options_.rollback;
  const rules::Answer answer = co_await request(std::move(wish));
  log_info("rollback", "answer=" + log_value(answer.text));
  exit_code_ = 1;
  if (!answer.accepted) {
    stop();
    co_return;
  }
  asio::steady_timer timer(io_);
  for (;;) {
    std::optional<rules::IncidentRecord> record = co_await incident(answer.incident);
    if (record && record->closed) {
      const bool recovered = record->outcome == rules::Outcome::recovered;
      exit_code_ = recovered ? 0 : 1;
      break;
    }
    timer.expires_after(tick);
    co_await timer.async_wait(as_result);
  }
  stop();
}

rules::EngineView Watcher::view() const { return engine_.view(clock_.now()); }

std::vector<std::string> Watcher::not_ready() const {
  std::vector<std::string> reasons;
  const rules::EngineView now_view = view();
  for (const rules::ProbeView& probe : now_view.probes) {
    if (!probe.last) reasons.push_back("probe " + probe.probe.text + " has not been polled yet");
  }
  for (const std::string& reason : now_view.degraded) reasons.push_back(reason);
  if (stopping_) reasons.push_back("stopping");
  return reasons;
}

asio::awaitable<std::vector<rules::IncidentRecord>> Watcher::incidents(std::size_t most) {
  co_return co_await journal_.incidents(most);
}

asio::awaitable<std::optional<rules::IncidentRecord>> Watcher::incident(rules::IncidentId id) {
  co_return co_await journal_.incident(std::move(id));
}

asio::awaitable<std::vector<rules::StepRecord>> Watcher::steps(rules::IncidentId id) {
  co_return co_await journal_.steps(std::move(id));
}

asio::awaitable<rules::Answer> Watcher::request(rules::Request request) {
  const bool accepts_state = std::holds_alternative<rules::AcceptState>(request);
  rules::Answer answer = loop_.request(request);
  co_await loop_.settled();
  if (accepts_state && answer.accepted) {
    const std::optional<JournalFault> fault = co_await journal_.accept_state();
    if (fault) answer.text += "; but only until the next start: " + fault->what;
  }
  co_return answer;
}

bool Watcher::knows(const rules::ServiceName& service) const {
  const std::vector<rules::ServiceSpec>& services = config_->core.services;
  return std::any_of(services.begin(), services.end(), [&](const auto& one) { return one.name == service; });
}

asio::awaitable<rules::Answer> Watcher::mark(rules::DeployMark mark) {
  if (!knows(mark.service)) co_return refused("there is no service \"" + mark.service.text + "\"");
  if (mark.kind == rules::MarkKind::begin) {
    const std::string holder = deeds_.lock_for_deployment(mark.service);
    if (!holder.empty()) co_return refused("the host is busy: " + holder + std::string(busy_advice));
  }
  const rules::MarkKind kind = mark.kind;
  const rules::ServiceName service = mark.service;
  loop_.observe(std::move(mark));
  loop_.decide_now();
  co_await loop_.settled();
  if (kind != rules::MarkKind::begin) deeds_.unlock_deployment(service);
  // What was deployed is looked at at once, not at the next turn.
  const auto known = services_.find(service);
  if (kind != rules::MarkKind::begin && known != services_.end()) known->second.reader->read_now();
  rules::Answer answer;
  answer.accepted = true;
  answer.text = "noted";
  co_return answer;
}

// One after the other: what one puts up, another that waits for the readers' end would wait for as well.
asio::awaitable<rules::Answer> Watcher::reload() {
  while (reloading_) {
    co_await reload_ended_.async_wait(as_result);
  }
  const ReloadTurn turn(reloading_, reload_ended_);
  co_return co_await reload_alone();
}

asio::awaitable<rules::Answer> Watcher::reload_alone() {
  Loaded loaded = load_config(config_->path);
  if (!loaded.config) {
    metrics_.set_reload_successful(false);
    const std::string text = findings_text(loaded, config_->path);
    log_error("reload", "refused=" + log_value(text));
    co_return refused("nothing was changed:\n" + text);
  }
  auto fresh = std::make_shared<const Config>(std::move(*loaded.config));
  const std::string fixed = needs_restart(config_->watcher, fresh->watcher);
  metrics_.set_reload_successful(fixed.empty());
  if (!fixed.empty()) co_return refused("nothing was changed: " + fixed + " needs a restart");
  readers_.cancel();
  co_await readers_.join();
  // What is being taken down must not be put up again.
  if (stopping_) co_return refused("nothing was changed: the watcher is stopping");
  config_ = std::move(fresh);
  loop_.reload(core_of(*config_, options_));
  scheduler_->replace(config_->probes);
  outbox_.replace(config_->notifiers);
  equip();
  co_await loop_.settled();
  log_info("reload", "file=" + log_value(config_->path));
  rules::Answer answer;
  answer.accepted = true;
  answer.text = "reloaded " + config_->path;
  co_return answer;
}

asio::awaitable<void> Watcher::reload_and_log() {
  const rules::Answer answer = co_await reload();
  if (!answer.accepted) log_warning("reload", "answer=" + log_value(answer.text));
}

void Watcher::reload_on_signal() {
  if (!stopping_) steps_.spawn("reload", reload_and_log());
}

}  // namespace watcher
