#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "probes/clock.hpp"
#include "probes/config.hpp"
#include "probes/net/task_group.hpp"
#include "probes/probe.hpp"
#include "rules/base/names.hpp"
#include "rules/base/poll.hpp"
#include "rules/base/time.hpp"

namespace probes {

namespace asio = boost::asio;

// Polls every target at its interval. Polls are spread over the interval by a hash of probe and instance, so that a
// restart changes nothing; pages of metrics stand at places of their own. One tick serves all of them; polls of one
// target never overlap; a target that hangs holds up nobody but itself. All on the executor's one thread.
//
// Who polls is not the targets but workers, each one coroutine, of which there are as many as polls in flight: a
// coroutine that waits for each of a thousand targets would take more memory than all else that is kept of them.
class Scheduler {
 public:
  // Targets refer to their part of it, so that nobody has a copy.
  using Configs = std::shared_ptr<const std::vector<ProbeConfig>>;
  using Deliver = std::function<void(rules::Poll)>;
  using MakeProbes = std::function<std::vector<std::unique_ptr<Probe>>(const ProbeConfig&, Surroundings)>;

  // `deliver` gets every poll as it ends, on the loop; it must not call back into the scheduler except for poll_now().
  // What `around` refers to must outlive the scheduler. `make` is for tests.
  Scheduler(asio::any_io_executor executor, const Configs& configs, Surroundings around, Deliver deliver,
            MakeProbes make = make_probes);
  ~Scheduler();  // after stop(), or without start()
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Begins to poll: each target for the first time within min(interval, 5s).
  void start();
  // Polls all instances of the probe at once; a poll in flight counts. Nothing happens for an unknown name.
  void poll_now(const rules::ProbeName& probe);
  // For a reload: probes whose configuration did not change keep their connections and their place in time; those
  // that changed or went are cancelled, and what they still bring is dropped.
  void replace(const Configs& configs);
  // Cancels everything and returns when nothing runs any more. Nothing is delivered after that.
  asio::awaitable<void> stop();

  // How late the loop was at most, at the ticks of the last one to two seconds.
  rules::Duration loop_lag() const;
  // Polls that were due while the one before was still in flight, since the start.
  std::uint64_t skipped() const { return skipped_; }
  // Coroutines that poll or wait to: as many as polls were in flight at once, not as targets.
  std::size_t workers() const { return workers_.size(); }

 private:
  struct Target;
  struct Worker;
  class InFlight;
  struct Due {
    rules::Instant at;
    Target* target;
    bool operator>(const Due& other) const { return at > other.at; }
  };
  using TargetList = std::vector<std::unique_ptr<Target>>;

  void add(const Configs& configs, const ProbeConfig& config);
  void plan_new(rules::Instant now);
  void begin_poll(Target& target);
  void end_poll(Target& target);
  void give_up(Target& target);
  Worker& idle_worker();
  asio::awaitable<void> work(Worker& worker);
  asio::awaitable<void> tick();
  void note_lag(rules::Instant planned, rules::Instant now);
  rules::Instant next_wake(rules::Instant now) const;
  void start_due(rules::Instant now);
  void bury();

  asio::any_io_executor executor_;
  Surroundings around_;
  Deliver deliver_;
  MakeProbes make_;
  TargetList targets_;
  TargetList retired_;  // by a reload, until their last poll has ended
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;  // the one that worked last comes first: what it uses is in the cache
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  TaskGroup ticking_;
  asio::steady_timer timer_;
  bool running_ = false;
  std::size_t in_flight_ = 0;
  std::uint64_t skipped_ = 0;
  rules::Instant wakes_at_{};    // when the next tick is planned
  rules::Duration lag_total_{};  // all lateness since the start; differences say how late we were during a poll
  rules::Duration lag_now_{};
  rules::Duration lag_before_{};
  rules::Instant lag_since_{};  // when lag_now_ began to count
};

}  // namespace probes
