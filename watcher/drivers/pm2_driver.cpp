#include "watcher/drivers/pm2_driver.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "probes/net/process.hpp"
#include "watcher/drivers/git_look.hpp"
#include "watcher/drivers/git_names.hpp"
#include "watcher/drivers/git_repository.hpp"
#include "watcher/drivers/git_state.hpp"
#include "watcher/drivers/pm2_head.hpp"
#include "watcher/drivers/pm2_processes.hpp"
#include "watcher/drivers/pm2_runner.hpp"
#include "watcher/report/time_limits.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// What was found while these processes ran; while they do, pm2 need not be asked again: node takes half a second.
struct Pm2Found {
  std::string head;
  std::string noted;  // to run, by the git driver
  std::vector<probes::ProcessId> processes;
  std::string revision;
};

class Pm2Service final : public Driver {
 public:
  Pm2Service(rules::ServiceName service, Pm2Driver config, const std::string& state_dir, rules::Duration switch_limit,
             const probes::Clock& clock)
      : service_(std::move(service)),
        config_(with_processes(std::move(config), service_)),
        clock_(clock),
        runner_(config_),
        repository_(GitRunner(config_.dir, {}, config_.user, {})),
        file_(state_dir, service_.text),
        checkout_(make_git_driver(service_, checkout_of(runner_), state_dir, switch_limit, clock,
                                  [this](rules::Duration limit) { return wait_until_online(limit); })) {}

  asio::awaitable<rules::RevisionRead> identify() override;
  void be_patient() override { patient_until_ = clock_.now() + driver_patience; }
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::ReadinessRead> still_ready(std::optional<rules::Revision> to) override;
  asio::awaitable<NameMeans> meaning_of(std::string name) override {
    co_return co_await checkout_->meaning_of(std::move(name));
  }
  asio::awaitable<std::vector<std::string>> taken_back(rules::Revision from, rules::Revision to,
                                                       std::size_t most) override {
    co_return co_await checkout_->taken_back(std::move(from), std::move(to), most);
  }
  asio::awaitable<std::vector<std::string>> taken_away(rules::Revision to, std::vector<std::string> files) override {
    co_return co_await checkout_->taken_away(std::move(to), std::move(files));
  }
  asio::awaitable<std::vector<EvidenceCommand>> evidence() override;
  std::vector<std::string> secrets() const override { return listed_.secrets; }
  asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) override;
  std::string aftermath() const override { return checkout_->aftermath(); }

 private:
  static Pm2Driver with_processes(Pm2Driver config, const rules::ServiceName& service);
  static GitDriver checkout_of(const Pm2Runner& runner);
  asio::awaitable<void> look(rules::RevisionRead& read);
  bool is_found(const GitLook& look) const;
  asio::awaitable<std::string> why_not_pm2();
  asio::awaitable<GitDone> wait_until_online(rules::Duration limit);

  rules::ServiceName service_;
  Pm2Driver config_;
  const probes::Clock& clock_;
  Pm2Runner runner_;
  GitRepository repository_;
  rules::Instant patient_until_;
  GitStateFile file_;
  std::unique_ptr<Driver> checkout_;
  GitNamed named_;
  Pm2Memory memory_;
  Pm2Found found_;
  Pm2Listing listed_;       // the newest
  bool was_there_ = false;  // one of them was seen
};

Pm2Driver Pm2Service::with_processes(Pm2Driver config, const rules::ServiceName& service) {
  if (config.processes.empty()) config.processes.push_back(service.text);
  return config;
}

GitDriver Pm2Service::checkout_of(const Pm2Runner& runner) {
  const Pm2Driver& config = runner.config();
  GitDriver out;
  out.dir = config.dir;
  out.build = config.build;
  out.user = config.user;
  out.build_timeout = config.build_timeout;
  out.restart_timeout = config.restart_timeout;
  std::vector<std::string> words(1, "restart");
  words.insert(words.end(), config.processes.begin(), config.processes.end());
  out.restart = runner.command(std::move(words));
  return out;
}

asio::awaitable<rules::RevisionRead> Pm2Service::identify() {
  rules::RevisionRead read;
  read.service = service_;
  read.started = clock_.now();
  repository_.be_patient(read.started < patient_until_);
  read.by = "the HEAD of " + config_.dir + " when pm2 started " + config_.processes.front();
  read.error = repository_.why_not_ours();
  if (read.error.empty()) co_await look(read);
  if (read.revision) read.label = co_await tag_at(repository_, read.revision->text);
  read.ended = clock_.now();
  co_return read;
}

asio::awaitable<void> Pm2Service::look(rules::RevisionRead& read) {
  const std::optional<GitState> state = file_.read();
  if (!state) {
    read.error = file_.path() + " cannot be read; do remove it when what is checked out is what runs";
    co_return;
  }
  GitLook git = co_await look_at(repository_, *state, named_);
  read.error = git.error;
  if (!read.error.empty()) co_return;
  if (is_found(git)) {
    read.revision = rules::Revision(found_.revision);
    co_return;
  }
  found_ = {};
  read.error = runner_.why_not_asked();
  if (!read.error.empty()) co_return;
  const Pm2Answer answer = co_await runner_.list();
  const auto moved = co_await head_moved(repository_);
  if (const auto* const error = std::get_if<GitError>(&answer)) read.error = error->what;
  if (const auto* const error = std::get_if<GitError>(&moved)) read.error = error->what;
  if (!read.error.empty()) co_return;
  listed_ = std::get<Pm2Listing>(answer);
  const std::vector<Pm2Process>& processes = listed_.processes;
  if (processes.empty()) {
    read.instance_absent = true;
    // Where none was ever seen nobody can have deleted one.
    if (was_there_) read.stopped = listed_.why_deleted();
  }
  was_there_ |= !processes.empty();
  read.error = listed_.why_not();
  if (!read.error.empty()) co_return;
  if (std::all_of(processes.begin(), processes.end(), is_stopped)) {
    const std::string& first = processes.front().name;
    read.stopped = first + " was stopped, it did not end by itself; do pm2 start " + first;
    read.instance_absent = true;
  }
  const Pm2Runs runs = runs_of(processes, git, std::get<HeadMoved>(moved), memory_);
  read.error = runs.error;
  read.instances_differ = runs.differ;
  if (!read.error.empty()) co_return;
  read.revision = rules::Revision(runs.revision);
  found_ = {git.head, git.revision, {}, runs.revision};
  for (const Pm2Process& process : processes) {
    const auto id = process.is_online() ? probes::process_of(process.pid) : std::nullopt;
    if (!id) found_ = {};
    if (!id) break;
    found_.processes.push_back(*id);
  }
}

bool Pm2Service::is_found(const GitLook& look) const {
  if (found_.processes.empty() || found_.head != look.head || found_.noted != look.revision) return false;
  return std::all_of(found_.processes.begin(), found_.processes.end(), probes::is_running);
}

asio::awaitable<std::string> Pm2Service::why_not_pm2() {
  std::string refused = runner_.why_not_asked();
  if (!refused.empty()) co_return refused;
  const bool all_run =
      !found_.processes.empty() && std::all_of(found_.processes.begin(), found_.processes.end(), probes::is_running);
  if (all_run) co_return refused;
  const Pm2Answer answer = co_await runner_.list();
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return error->what;
  listed_ = std::get<Pm2Listing>(answer);
  refused = listed_.why_not();
  if (!refused.empty()) co_return refused;
  for (const Pm2Process& process : listed_.processes) {
    if (process.pid == ::getpid())
      co_return process.name + " is rollbackd itself: its restart would end the rollback in the middle; do name the " +
          "application's process";
  }
  co_return refused;
}

asio::awaitable<rules::ReadinessRead> Pm2Service::ready(std::optional<rules::Revision> to) {
  found_ = {};
  rules::ReadinessRead read = co_await checkout_->ready(std::move(to));
  if (!read.ready) co_return read;
  std::string refused = co_await why_not_pm2();
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

asio::awaitable<rules::ReadinessRead> Pm2Service::still_ready(std::optional<rules::Revision> to) {
  rules::ReadinessRead read = co_await checkout_->still_ready(std::move(to));
  if (!read.ready) co_return read;
  std::string refused = co_await why_not_pm2();
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

asio::awaitable<rules::StepResult> Pm2Service::switch_to(SwitchRequest request) {
  co_await asio::this_coro::throw_if_cancelled(false);
  rules::StepResult refused;
  refused.nothing_begun = true;
  be_patient();
  found_ = {};
  refused.detail = co_await why_not_pm2();
  if (!refused.detail.empty()) co_return refused;
  rules::StepResult result = co_await checkout_->switch_to(std::move(request));
  found_ = {};
  co_return result;
}

// Of what pm2 says of a process, its environment stays out of everything that is kept.
asio::awaitable<std::vector<EvidenceCommand>> Pm2Service::evidence() {
  std::vector<EvidenceCommand> out(2);
  out[0].file = "pm2-processes.txt";
  for (const Pm2Process& one : listed_.processes) {
    out[0].known_said += one.name + " " + std::to_string(one.id) + ": " + one.status + ", pid " +
                         std::to_string(one.pid) + ", restarts " + std::to_string(one.restarts) + ", started " +
                         std::to_string(static_cast<std::int64_t>(rules::unix_seconds(one.started))) + "\n";
  }
  out[1].file = "pm2-logs.txt";
  std::vector<std::string> words{"logs", "--nostream", "--lines", "2000"};
  words.push_back(config_.processes.front());
  out[1].child = runner_.question(std::move(words), evidence_limit);
  co_return out;
}

// That pm2 says so is no proof: it restarts what ends at once as well.
asio::awaitable<GitDone> Pm2Service::wait_until_online(rules::Duration limit) {
  constexpr rules::Duration pause = std::chrono::milliseconds(500);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  const rules::Instant since = clock_.now();
  const rules::Instant end = since + limit;
  rules::Instant steady_from = since;
  std::optional<std::int64_t> restarts_before;
  std::string seen;
  std::string stopped;
  // Going back is not called off with the switch.
  const bool goes_back = co_await probes::cancelled();
  const auto moved = co_await head_moved(repository_);
  if (const auto* const error = std::get_if<GitError>(&moved)) co_return *error;
  while (true) {
    const Pm2Answer answer = co_await runner_.list();
    Pm2Progress so_far;
    if (const auto* const error = std::get_if<GitError>(&answer)) {
      so_far.awaited = error->what;
    } else {
      const auto& listing = std::get<Pm2Listing>(answer);
      const auto& processes = listing.processes;
      if (!restarts_before) restarts_before = restarts_of(processes);
      so_far = progress_of(processes, std::get<HeadMoved>(moved), *restarts_before);
      if (!listing.missing.empty()) so_far.awaited = listing.missing;
      if (processes.empty()) so_far.stopped = listing.why_deleted();
    }
    if (!so_far.failed.empty()) co_return GitError{so_far.failed};
    // For a moment pm2 calls stopped what it starts again.
    const std::string stopped_before = std::exchange(stopped, so_far.stopped);
    const rules::Instant now = clock_.now();
    if (!stopped.empty() && (stopped == stopped_before || now >= end)) co_return GitError{stopped, false, false, true};
    if (!so_far.awaited.empty() || so_far.seen != seen) steady_from = now;
    seen = so_far.seen;
    if (so_far.awaited.empty() && now - steady_from >= config_.steady) co_return GitDone();
    if (now >= end) {
      GitError late{so_far.awaited.empty() ? config_.processes.front() + " is not steady" : so_far.awaited};
      late.what += " after " + waited_text(since, end);
      late.timed_out = true;
      co_return late;
    }
    timer.expires_after(pause);
    co_await timer.async_wait(as_result);
    const bool called_off = co_await probes::cancelled();
    if (called_off && !goes_back) co_return GitError{"the step was called off", false, true};
  }
}

}  // namespace

std::unique_ptr<Driver> make_pm2_driver(const rules::ServiceName& service, const Pm2Driver& config,
                                        const std::string& state_dir, rules::Duration switch_limit,
                                        const probes::Clock& clock) {
  return std::make_unique<Pm2Service>(service, config, state_dir, switch_limit, clock);
}

}  // namespace watcher
