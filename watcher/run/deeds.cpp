#include "watcher/run/deeds.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "watcher/notify/notifiers.hpp"
#include "watcher/run/log.hpp"
#include "watcher/serve/metrics.hpp"
#include "watcher/steps/see_out.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// How long an intent that cannot be written is tried again before its deed is put off: somebody who has a short look
// into the database is nobody's business. The engine has the patience for more.
constexpr rules::Duration intent_patience = std::chrono::seconds(5);
constexpr rules::Duration intent_retry = std::chrono::seconds(1);

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

rules::StepResult failed(std::string detail) {
  rules::StepResult result;
  result.status = rules::StepStatus::failed;
  result.detail = std::move(detail);
  return result;
}

rules::StepResult succeeded() {
  rules::StepResult result;
  result.status = rules::StepStatus::succeeded;
  return result;
}

rules::StepResult put_off(std::string detail) {
  rules::StepResult result = failed(std::move(detail));
  result.status = rules::StepStatus::skipped;
  return result;
}

// Takes them out: all rules' spans at once are a megabyte.
std::vector<rules::Record> take_records(Batch& batch) {
  const auto is_save = [](const rules::Command& command) { return std::holds_alternative<rules::Save>(command); };
  std::vector<rules::Record> records;
  records.reserve(static_cast<std::size_t>(std::count_if(batch.begin(), batch.end(), is_save)));
  for (rules::Command& command : batch) {
    if (auto* save = std::get_if<rules::Save>(&command)) records.push_back(std::move(save->record));
  }
  return records;
}

// Whether it may only be done when the Saves of its batch are on disk.
bool rests_on_intent(const rules::Command& command) {
  return std::holds_alternative<rules::Perform>(command) || std::holds_alternative<rules::LockHost>(command);
}

}  // namespace

Deeds::Deeds(const asio::any_io_executor& executor, Means means)
    : executor_(executor), means_(means), report_timer_(executor, asio::steady_timer::time_point::max()) {}

void Deeds::equip(Tools tools) { tools_ = std::move(tools); }

asio::awaitable<void> Deeds::carry_out(Batch batch) {
  const bool durable = co_await make_durable(batch);
  for (rules::Command& command : batch) {
    if (durable || !rests_on_intent(command)) do_command(command);
  }
}

// Saves and the messages that tell of them are one transaction, before anything that rests on them.
asio::awaitable<bool> Deeds::make_durable(Batch& batch) {
  std::vector<rules::Record> records = take_records(batch);
  std::vector<OutboxEntry> messages = messages_of(batch);
  if (records.empty() && messages.empty()) co_return true;
  for (const rules::Record& record : records) count(record);
  records.insert(records.begin(), owed_records_.begin(), owed_records_.end());
  std::vector<OutboxEntry> owed = means_.outbox.take_owed();
  messages.insert(messages.begin(), std::make_move_iterator(owed.begin()), std::make_move_iterator(owed.end()));
  const bool has_messages = !messages.empty();
  const bool has_intents = std::any_of(batch.begin(), batch.end(), rests_on_intent);
  const rules::Duration patience = has_intents ? intent_patience : rules::Duration::zero();
  const std::optional<JournalFault> fault = co_await save_patiently(records, messages, patience);
  owed_records_.clear();
  if (fault) {
    owe(std::move(records));
    means_.outbox.owe(std::move(messages));
    fail_intents(batch, *fault);
  }
  if (has_messages) means_.outbox.wake();
  co_return !fault;
}

// Waiting helps neither a disk that is full nor a queue that is.
asio::awaitable<std::optional<JournalFault>> Deeds::save_patiently(const std::vector<rules::Record>& records,
                                                                   const std::vector<OutboxEntry>& messages,
                                                                   rules::Duration patience) {
  const std::size_t refused = means_.journal.refused();
  asio::steady_timer timer(executor_);
  std::optional<JournalFault> fault;
  const rules::Instant began = means_.clock.now();
  for (rules::Duration paused{};; paused += intent_retry) {
    fault = co_await means_.journal.save(records, messages);
    // An attempt on a locked journal takes seconds itself.
    const rules::Duration waited = std::max<rules::Duration>(paused, means_.clock.now() - began);
    const bool is_hopeless = fault && (fault->full || means_.journal.refused() != refused);
    if (!fault || is_hopeless || waited >= patience) break;
    timer.expires_after(intent_retry);
    co_await timer.async_wait(as_result);
  }
  co_return fault;
}

// Spans are saved anew in a few seconds, all of them after this: an old one is worth nothing.
void Deeds::owe(std::vector<rules::Record> records) {
  const auto is_of_spans = [](const rules::Record& record) {
    return std::holds_alternative<rules::SpanRecord>(record) || std::holds_alternative<rules::SpansHeld>(record);
  };
  if (std::erase_if(records, is_of_spans) > 0) ++spans_lost_;
  if (std::ssize(records) > owed_max) records.erase(records.begin(), records.end() - owed_max);
  owed_records_ = std::move(records);
}

std::vector<OutboxEntry> Deeds::messages_of(const Batch& batch) {
  std::vector<OutboxEntry> messages;
  for (const rules::Command& command : batch) {
    const auto* tell = std::get_if<rules::Tell>(&command);
    if (tell == nullptr) continue;
    log_tell(*tell);
    std::vector<OutboxEntry> more = means_.outbox.entries(*tell);
    for (OutboxEntry& entry : more) messages.push_back(std::move(entry));
  }
  return messages;
}

// An intent that is not on disk must not become a deed.
void Deeds::fail_intents(const Batch& batch, const JournalFault& fault) {
  if (save_fault_ != fault.what) {
    save_fault_ = fault.what;
    log_error("journal", "what=" + log_value(fault.what));
    rules::SelfDegraded degraded;
    degraded.at = means_.clock.now();
    degraded.reason = fault.what;
    degraded.ask_instead_of_act = true;
    means_.loop.observe(degraded);
  }
  for (const rules::Command& command : batch) {
    const std::string detail = "not started: its intent could not be written: " + fault.what;
    if (const auto* perform = std::get_if<rules::Perform>(&command)) means_.loop.complete(perform->id, put_off(detail));
    if (const auto* lock = std::get_if<rules::LockHost>(&command)) means_.loop.complete(lock->id, failed(detail));
  }
}

void Deeds::do_command(rules::Command& command) {
  std::visit(overloaded{
                 [this](rules::PollNow& now) { tools_.scheduler->poll_now(now.probe); },
                 [this](rules::ReadRevision& read) {
                   ServiceReader* const reader = tools_.reader_of(read.service);
                   if (reader != nullptr) reader->read_now();
                 },
                 [this](rules::Perform& step) { perform(step); },
                 [this](rules::LockHost& lock) { lock_host(lock); },
                 [this](rules::ReleaseHost& release) { host_locks_.erase(release.incident); },
                 [this](rules::CancelStep& cancel) {
                   const auto running = running_.find(cancel.id);
                   if (running != running_.end()) running->second.cancel.emit(asio::cancellation_type::terminal);
                 },
                 [](rules::Tell&) {},  // logged and queued by make_durable
                 [](rules::Save&) {},
                 [this](rules::WriteReport& report) {
                   reports_due_.insert(report.incident);
                   report_timer_.cancel();
                 },
                 [](rules::Note& note) { log_note(note); },
             },
             command);
}

void Deeds::perform(rules::Perform& command) {
  std::shared_ptr<Driver> driver = tools_.equipment->driver_of(command.context.service);
  means_.tasks.spawn("step", perform_step(std::move(command), tools_.performer, std::move(driver)));
}

// `driver` is only held: a reload may drop it while the step still switches.
asio::awaitable<void> Deeds::perform_step(rules::Perform command, std::shared_ptr<Performer> performer,
                                          [[maybe_unused]] std::shared_ptr<Driver> driver) {
  const rules::StepId id = command.id;
  probes::Started started;
  if (command.mutating) {
    started = [this, id](pid_t pid, rules::Duration limit) { note_at_work(id, pid, limit); };
  }
  auto work = performer->perform(std::move(command), std::move(started));
  co_await see_through(id, std::move(work));
}

asio::awaitable<void> Deeds::see_through(rules::StepId id, asio::awaitable<rules::StepResult> work) {
  asio::cancellation_signal& cancel = running_[id].cancel;
  auto token = asio::bind_cancellation_slot(cancel.slot(), as_result);
  const auto [error, result] = co_await asio::co_spawn(executor_, std::move(work), token);
  running_.erase(id);
  if (error) std::rethrow_exception(error);
  means_.loop.complete(id, result);
}

void Deeds::take_over(AtWork at_work) {
  const rules::StepId id = at_work.step;
  log_warning("found_at_work", "incident=" + log_value(id.incident.text) +
                                   " pid=" + std::to_string(at_work.process.pid) + " by=\"a watcher that was killed\"");
  const rules::Duration grace = probes::ChildSpec().grace;
  means_.tasks.spawn("left at work", see_through(id, see_out(std::move(at_work), means_.clock, grace)));
}

void Deeds::find_again(rules::StepId step, std::shared_ptr<RemoteSteps> steps) {
  log_warning("found_at_work", "incident=" + log_value(step.incident.text) + " at=\"the runner\"");
  means_.tasks.spawn("at the runner", find_step(std::move(step), std::move(steps)));
}

// `steps` is held until the step's end: a reload exchanges it.
asio::awaitable<void> Deeds::find_step(rules::StepId step, std::shared_ptr<RemoteSteps> steps) {
  probes::Started started = [this, step](pid_t pid, rules::Duration limit) { note_at_work(step, pid, limit); };
  auto work = steps->find_again(step, std::move(started));
  co_await see_through(step, std::move(work));
}

// The host's lock has it for every other watcher, the state directory for our next start.
void Deeds::note_at_work(const rules::StepId& step, pid_t pid, rules::Duration limit) {
  std::optional<probes::ProcessId> process = probes::process_of(pid);
  if (!process) {
    log_warning("at_work", "pid=" + std::to_string(pid) + " what=\"/proc does not show it: a kill would lose it\"");
    return;
  }
  const AtWork at_work{step, std::move(*process), means_.clock.now() + limit, limit};
  const auto lock = host_locks_.find(step.incident);
  if (lock != host_locks_.end()) lock->second->note(at_work);
  if (const auto fault = write_at_work(means_.state_dir, at_work)) {
    log_warning("at_work", "what=" + log_value(fault->what));
  }
}

void Deeds::lock_host(const rules::LockHost& command) {
  std::string holder;
  std::unique_ptr<HostLock> lock = HostLock::try_take("incident " + command.id.incident.text, means_.state_dir, holder);
  if (!lock) {
    means_.loop.complete(command.id, failed(holder));
    return;
  }
  host_locks_[command.id.incident] = std::move(lock);
  means_.loop.complete(command.id, succeeded());
}

std::string Deeds::lock_for_deployment(const rules::ServiceName& service, const std::string& by) {
  if (deployment_locks_.contains(service)) return "";
  for (const auto& [other, held] : deployment_locks_) {
    if (!held.by.empty() && held.by != by) continue;
    deployment_locks_[service] = {held.lock, by};
    return "";
  }
  std::string holder;
  std::shared_ptr<HostLock> lock = HostLock::try_take("deployment of " + service.text, means_.state_dir, holder);
  if (!lock) return holder;
  deployment_locks_[service] = {std::move(lock), by};
  return "";
}

void Deeds::release_ended_deployments(const rules::EngineView& view) {
  const auto goes_on = [&view](const auto& lock) {
    return std::any_of(view.services.begin(), view.services.end(), [&lock](const rules::ServiceView& service) {
      return service.service == lock.first && service.deploying;
    });
  };
  // Also of a service that a reload took out of the configuration.
  std::erase_if(deployment_locks_, [&](const auto& lock) { return !goes_on(lock); });
}

void Deeds::count(const rules::Record& record) {
  const auto* incident = std::get_if<rules::IncidentRecord>(&record);
  if (incident == nullptr || !incident->closed || !counted_.insert(incident->id).second) return;
  means_.metrics.count_incident(*incident);
}

}  // namespace watcher
