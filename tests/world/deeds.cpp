#include <algorithm>
#include <utility>

#include "watcher.hpp"

// What the process does with the core's commands.

namespace sim {

using namespace rules;

namespace {

constexpr Duration intent_patience = 5s;
constexpr Duration intent_retry = 1s;
constexpr Duration answer_takes = 5ms;

bool rests_on_intent(const Command& command) {
  return std::holds_alternative<Perform>(command) || std::holds_alternative<LockHost>(command);
}

std::string purpose_of(const IncidentId& incident) { return "incident " + incident.text; }

}  // namespace

void Watcher::push(Batch batch) {
  if (batch.empty()) return;
  batches_.push_back(std::move(batch));
  carry_out();
}

void Watcher::carry_out() {
  if (std::exchange(carrying_out_, true)) return;
  while (!batches_.empty() && !dying_) {
    const Batch& batch = batches_.front();
    if (!survives()) break;
    const bool durable = make_durable(batch);
    if (writing_since_ || !survives()) break;
    const Batch taken = std::move(batches_.front());
    batches_.pop_front();
    for (const Command& command : taken) {
      if (durable || !rests_on_intent(command)) do_command(command);
      if (!std::holds_alternative<Note>(command) && !survives()) break;
    }
  }
  carrying_out_ = false;
}

bool Watcher::make_durable(const Batch& batch) {
  std::vector<Record> records = owed_;
  std::vector<Tell> tells = owed_tells_;
  for (const Command& command : batch) {
    if (const auto* save = std::get_if<Save>(&command)) records.push_back(save->record);
    if (const auto* tell = std::get_if<Tell>(&command)) tells.push_back(*tell);
  }
  if (records.empty() && tells.empty()) return true;
  const std::string fault = journal_.commit(records, now());
  if (fault.empty()) {
    owed_.clear();
    owed_tells_.clear();
    unsynced_tells_.clear();
    writing_since_.reset();
    // Messages are part of the transaction: from here on they are delivered whatever happens.
    for (const Record& record : records) outside_.witness.saved(*this, record);
    for (const Tell& tell : tells) outside_.witness.told(*this, tell);
    return true;
  }
  if (journal_.disk == Disk::sync_fails) unsynced_tells_ = tells;
  const bool has_intents = std::any_of(batch.begin(), batch.end(), rests_on_intent);
  if (!writing_since_) writing_since_ = now();
  if (has_intents && journal_.disk != Disk::full && now() < *writing_since_ + intent_patience) {
    later(intent_retry, [this] {
      carry_out();
      turn();
    });
    return false;
  }
  writing_since_.reset();
  const auto is_of_spans = [](const Record& one) {
    return std::holds_alternative<SpanRecord>(one) || std::holds_alternative<SpansHeld>(one);
  };
  if (std::erase_if(records, is_of_spans) > 0) span_keeping_.forget();
  owed_ = std::move(records);
  owed_tells_ = std::move(tells);
  call_off(batch, fault);
  return false;
}

// An intent that is not on disk must not become a deed.
void Watcher::call_off(const Batch& batch, const std::string& fault) {
  if (trouble_.empty()) {
    trouble_ = fault;
    observe(SelfDegraded{now(), fault, true, false});
  }
  for (const Command& command : batch) {
    const std::string detail = "not started: its intent could not be written: " + fault;
    if (const auto* perform = std::get_if<Perform>(&command)) {
      batches_.push_back(engine_->complete(perform->id, {StepStatus::skipped, {}, detail, "", 0}, now()));
    }
    if (const auto* lock = std::get_if<LockHost>(&command)) {
      batches_.push_back(engine_->complete(lock->id, {StepStatus::failed, {}, detail, "", 0}, now()));
    }
  }
}

void Watcher::do_command(const Command& command) {
  outside_.witness.did(*this, command);
  if (const auto* x = std::get_if<PollNow>(&command)) {
    later(10ms, [this, probe = x->probe.text] { begin_poll(probe); });
  }
  if (const auto* x = std::get_if<ReadRevision>(&command)) {
    later(answer_takes, [this, service = x->service.text] { look(service); });
  }
  if (const auto* x = std::get_if<Perform>(&command)) perform(*x);
  if (const auto* x = std::get_if<LockHost>(&command)) {
    const std::string holder = outside_.host.take_lock(number_, purpose_of(x->id.incident), now());
    later(answer_takes, [this, id = x->id, holder] {
      complete(id, holder.empty() ? StepStatus::succeeded : StepStatus::failed, holder);
    });
  }
  if (const auto* x = std::get_if<ReleaseHost>(&command)) {
    outside_.host.release_lock(number_, purpose_of(x->incident));
  }
  if (const auto* x = std::get_if<CancelStep>(&command)) {
    later(50ms, [this, id = x->id] { cancel(id); });
  }
}

void Watcher::perform(const Perform& command) {
  outside_.witness.performs(*this, command);
  const auto found = fates.find(std::string(kind_of(command.step)));
  const Fate fate = found == fates.end() ? Fate::succeeds : found->second;
  Duration takes = outside_.dice.between(200ms, 6s);
  if (fate == Fate::is_slow) takes = outside_.dice.between(30s, 100s);
  if (fate == Fate::times_out) takes = command.step.timeout;
  if (command.mutating) {
    outside_.host.at_work.push_back({number_, command.id, command.context.service, now() + takes});
  }
  const bool effects = fate == Fate::succeeds || fate == Fate::fails_done || fate == Fate::is_slow;
  const bool good = fate == Fate::succeeds || fate == Fate::lies || fate == Fate::is_slow;
  StepStatus status = good ? StepStatus::succeeded : StepStatus::failed;
  if (fate == Fate::times_out) status = StepStatus::timed_out;
  // The command goes on though its watcher dies; the answer is then lost.
  outside_.agenda.add(Agenda::of_the_world, takes, [this, command, effects] {
    const auto at = std::find_if(outside_.host.at_work.begin(), outside_.host.at_work.end(),
                                 [&](const AtWork& one) { return one.watcher == number_ && one.step == command.id; });
    if (at == outside_.host.at_work.end()) return;
    outside_.host.at_work.erase(at);
    if (effects) take_effect(command);
  });
  end_later(takes, command.id, status, status == StepStatus::succeeded ? "" : "exit 1");
}

void Watcher::end_later(Duration in, const StepId& step, StepStatus status, const std::string& detail) {
  running_[step] = ++runs_;
  later(in, [this, step, status, detail, run = runs_] {
    const auto found = running_.find(step);
    if (found == running_.end() || found->second != run) return;
    running_.erase(found);
    outside_.witness.ended(*this, step);
    complete(step, status, detail);
  });
}

void Watcher::take_effect(const Perform& command) {
  Application& app = *outside_.host.applications.at(command.context.service.text);
  if (std::holds_alternative<SwitchStep>(command.step.what)) {
    app.deploy(command.context.to.empty() ? "v1" : command.context.to.text, now());
  } else if (const auto* run = std::get_if<RunStep>(&command.step.what)) {
    if (run->argv.front() == "restart") app.restart(now());
  }
}

void Watcher::complete(const StepId& step, StepStatus status, const std::string& detail) {
  push(engine_->complete(step, {status, {}, detail, "", 0}, now()));
  turn();
}

void Watcher::cancel(const StepId& step) {
  std::erase_if(outside_.host.at_work, [&](const AtWork& one) { return one.watcher == number_ && one.step == step; });
  if (running_.erase(step) == 0) return;
  outside_.witness.ended(*this, step);
  complete(step, StepStatus::interrupted, "cancelled");
}

// What an earlier life of ours left at work is waited for.
void Watcher::see_out(const StepId& step) {
  for (const AtWork& one : outside_.host.at_work) {
    if (one.watcher != number_ || one.step != step) continue;
    const Duration left = std::max<Duration>(one.until - now(), Duration::zero());
    return end_later(left + 1ms, step, StepStatus::interrupted, "it ended by itself");
  }
}

}  // namespace sim
