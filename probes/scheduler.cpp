#include "probes/scheduler.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <string>
#include <utility>

#include "probes/net/result.hpp"
#include "probes/places.hpp"
#include "probes/scheduler_target.hpp"

namespace probes {

namespace {

using rules::Duration;
using rules::Fault;
using rules::FaultKind;
using rules::Instant;

constexpr Duration tick_length = std::chrono::milliseconds(10);  // one re-armed timer for all targets, not one each
constexpr Duration idle_max = std::chrono::seconds(1);           // between ticks while no poll is due or in flight
constexpr Duration first_poll_max = std::chrono::seconds(5);     // a watcher that just started knows something soon
constexpr Duration lag_period = std::chrono::seconds(1);
// Workers that wait: more than polls that share a wake-up. Others that a stall of the network made necessary end.
constexpr std::size_t idle_workers_max = 64;

bool is_page(const ProbeConfig& config) { return std::holds_alternative<PrometheusProbe>(config.what); }

// A time-out in which we were late ourselves says nothing about the target.
void excuse(rules::Poll& result, Duration lag, Duration timeout) {
  if (!result.fault || result.fault->kind != FaultKind::timeout || lag * 2 < timeout) return;
  result.up = rules::Up::unknown;
  result.fault->kind = FaultKind::not_measurable;
  result.fault->what += " (our own lag was " + std::to_string(rules::seconds(lag)) + "s of it: no evidence)";
}

}  // namespace

// Counts a poll, which begin_poll() has counted, until it ends, also when that is by a cancellation.
class Scheduler::InFlight {
 public:
  InFlight(Scheduler& scheduler, Target& target) : scheduler_(scheduler), target_(target) {}
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() { scheduler_.end_poll(target_); }

 private:
  Scheduler& scheduler_;
  Target& target_;
};

Scheduler::Scheduler(asio::any_io_executor executor, const Configs& configs, Surroundings around, Deliver deliver,
                     MakeProbes make)
    : executor_(std::move(executor)),
      around_(around),
      deliver_(std::move(deliver)),
      make_(std::move(make)),
      ticking_(executor_),
      timer_(executor_) {
  for (const ProbeConfig& config : *configs) add(configs, config);
}

Scheduler::~Scheduler() { assert(!running_); }

void Scheduler::add(const Configs& configs, const ProbeConfig& config) {
  std::vector<std::unique_ptr<Probe>> probes = make_(config, around_);
  for (std::size_t instance = 0; instance < probes.size(); ++instance) {
    targets_.push_back(std::make_unique<Target>(configs, config, instance, std::move(probes[instance])));
  }
}

void Scheduler::start() {
  assert(!running_);
  running_ = true;
  const Instant now = around_.clock.now();
  lag_since_ = now;
  plan_new(now);
  ticking_.spawn("poll tick", tick());
}

// The first poll comes soon; those that follow are spread over the whole interval.
void Scheduler::plan_new(Instant now) {
  const std::int64_t places = places_for(targets_.size());
  for (const auto& target : targets_) {
    if (std::exchange(target->planned, true)) continue;
    const Duration interval = target->config->interval;
    const Duration aside = is_page(*target->config) ? page_aside(interval) : Duration::zero();
    target->grid = place_within(target->hash, now, interval, places) - aside;
    due_.push({place_within(target->hash, now, std::min(interval, first_poll_max), places) - aside, target.get()});
  }
}

void Scheduler::poll_now(const rules::ProbeName& probe) {
  if (!running_) return;
  for (const auto& target : targets_) {
    if (target->config->name == probe && target->worker == nullptr) begin_poll(*target);
  }
  timer_.cancel();  // from an idle pause to ticks that see our own lag
}

Scheduler::Worker& Scheduler::idle_worker() {
  if (idle_.empty()) {
    idle_.reserve(workers_.size() + 1);  // to go back there may not fail
    workers_.push_back(std::make_unique<Worker>(executor_));
    return *workers_.back();
  }
  Worker& worker = *idle_.back();
  idle_.pop_back();
  return worker;
}

void Scheduler::begin_poll(Target& target) try {
  Worker& worker = idle_worker();
  worker.target = &target;
  target.worker = &worker;
  ++in_flight_;
  if (worker.has_ended())
    worker.group.spawn("poll", work(worker));
  else
    worker.turn.give();
} catch (const std::bad_alloc&) {
  if (target.worker != nullptr) end_poll(target);
  ++skipped_;
}

void Scheduler::end_poll(Target& target) {
  std::exchange(target.worker, nullptr)->target = nullptr;
  --in_flight_;
  // Nothing to tick for: sleep on to the next poll, unless that comes no later.
  if (in_flight_ == 0 && !due_.empty() && due_.top().at > wakes_at_) timer_.cancel();
}

// One coroutine for many polls: to spawn one for each would cost as much as the rest of a poll.
asio::awaitable<void> Scheduler::work(Worker& worker) {
  for (;;) {
    Target& target = *worker.target;
    {
      const InFlight counted(*this, target);
      const Duration lag_at_start = lag_total_;
      bool is_given_up = target.probe == nullptr;
      try {
        if (!is_given_up) {
          rules::Poll result = co_await target.probe->poll();
          if (target.retired || !running_) co_return;
          excuse(result, lag_total_ - lag_at_start, target.config->timeout);
          deliver_(std::move(result));
        }
      } catch (const std::bad_alloc&) {
        is_given_up = true;
      }
      if (is_given_up) give_up(target);
    }
    // By what deliver_() led to; and of those that wait there are enough.
    if (target.retired || !running_ || idle_.size() == idle_workers_max) co_return;
    idle_.push_back(&worker);
    co_await worker.turn.wait();
    if (!running_) co_return;
  }
}

// Memory ran out in the middle of a poll: that poll is lost, and nothing else. A probe that was interrupted is made
// anew, because what it has half done (an answer half read on a connection that is kept) would be taken for the next.
void Scheduler::give_up(Target& target) try {
  target.probe.reset();
  target.probe = std::move(make_(*target.config, around_).at(target.instance));
  rules::Poll poll;
  poll.probe = target.config->name;
  poll.instance = target.instance;
  poll.started = poll.ended = around_.clock.now();
  poll.fault = rules::Fault{FaultKind::no_memory, "probe \"" + target.config->name.text +
                                                      "\": memory ran out; give rollbackd more, or less to watch"};
  if (!target.retired && running_) deliver_(std::move(poll));
} catch (const std::bad_alloc&) {
  ++skipped_;
}

asio::awaitable<void> Scheduler::tick() {
  wakes_at_ = around_.clock.now();
  while (running_) {
    const Instant now = around_.clock.now();
    note_lag(wakes_at_, now);
    bury();
    start_due(now);
    wakes_at_ = next_wake(now);
    timer_.expires_after(wakes_at_ - now);
    co_await timer_.async_wait(as_result);
  }
}

Instant Scheduler::next_wake(Instant now) const {
  if (in_flight_ > 0) return now + tick_length;
  const Instant latest = now + until_next(now, idle_max);
  if (due_.empty()) return latest;
  return std::min(std::max(due_.top().at, now + tick_length), latest);
}

void Scheduler::note_lag(Instant planned, Instant now) {
  const Duration lag = std::max(now - planned, Duration::zero());
  lag_total_ += lag;
  if (now - lag_since_ >= lag_period) {
    lag_before_ = lag_now_;
    lag_now_ = Duration::zero();
    lag_since_ = now;
  }
  lag_now_ = std::max(lag_now_, lag);
}

Duration Scheduler::loop_lag() const { return std::max(lag_before_, lag_now_); }

void Scheduler::start_due(Instant now) {
  while (!due_.empty() && due_.top().at <= now) {
    const Due due = due_.top();
    due_.pop();
    if (due.target->worker == nullptr)
      begin_poll(*due.target);
    else
      ++skipped_;
    due_.push({due.target->next_after(now), due.target});
  }
}

void Scheduler::replace(const Configs& configs) {
  TargetList before = std::exchange(targets_, {});
  std::vector<Due> dues;
  for (; !due_.empty(); due_.pop()) dues.push_back(due_.top());
  std::vector<const ProbeConfig*> added;
  for (const ProbeConfig& config : *configs) {
    const auto same = [&](const auto& target) { return target && *target->config == config; };
    if (std::none_of(before.begin(), before.end(), same)) added.push_back(&config);
    for (auto& target : before) {
      if (!same(target)) continue;
      target->config = &config;
      target->configs = configs;
      targets_.push_back(std::move(target));
    }
  }
  for (auto& target : before) {
    if (!target) continue;
    target->retired = true;
    if (target->worker != nullptr) target->worker->end();
    retired_.push_back(std::move(target));
  }
  for (const Due& due : dues) {
    if (!due.target->retired) due_.push(due);
  }
  for (const ProbeConfig* config : added) add(configs, *config);
  if (!running_) return;
  plan_new(around_.clock.now());
  timer_.cancel();  // one may be due before the next tick
}

// Takes away those that have ended: targets of before a reload, and workers that were ended with them or not needed.
void Scheduler::bury() {
  if (!retired_.empty()) {
    std::erase_if(retired_, [](const auto& target) { return target->worker == nullptr; });
  }
  if (workers_.size() == idle_.size() + in_flight_) return;
  std::erase_if(workers_, [](const auto& worker) { return worker->has_ended(); });
}

asio::awaitable<void> Scheduler::stop() {
  running_ = false;
  timer_.cancel();
  co_await ticking_.join();
  for (const auto& worker : workers_) worker->end();
  for (const auto& worker : workers_) {
    co_await worker->group.join();
  }
}

}  // namespace probes
