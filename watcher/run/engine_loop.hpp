#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "probes/clock.hpp"
#include "rules/engine/engine.hpp"

namespace watcher {

namespace asio = boost::asio;

// Commands that were decided together. All Saves among them are made durable before any other is carried out.
using Batch = std::vector<rules::Command>;

// Turns the engine's crank: events in, batches of commands out, in the order in which they were decided.
// Everything runs on the loop's one thread; nothing here waits for a deed.
class EngineLoop {
 public:
  using CarryOut = std::function<asio::awaitable<void>(Batch)>;

  // `engine` and `clock` must outlive it.
  EngineLoop(const asio::any_io_executor& executor, const probes::Clock& clock, rules::Engine& engine);

  void observe(rules::Event event);
  void complete(const rules::StepId& step, const rules::StepResult& result);
  rules::Answer request(const rules::Request& request);
  void reload(rules::CoreConfig core);
  // Decides on what was observed at once instead of at the loop's next turn.
  void decide_now();
  // A batch of our own (spans to be saved), in line with the engine's.
  void push(Batch batch);

  // Decides when something was observed and at every deadline of the engine. Runs until cancelled.
  asio::awaitable<void> decide();
  // Carries batches out, one after the other. Runs until cancelled.
  asio::awaitable<void> carry_out(CarryOut deed);
  // Returns when everything that has been decided up to now has been carried out as far as it was durable.
  asio::awaitable<void> settled();

  std::size_t waiting() const { return batches_.size(); }

 private:
  void wake_decider();

  const probes::Clock& clock_;
  rules::Engine& engine_;
  asio::steady_timer decide_timer_;   // the engine's deadline; cancelled when something was observed
  asio::steady_timer batch_timer_;    // never expires; cancelled when there is a batch
  asio::steady_timer settled_timer_;  // never expires; cancelled when a batch was carried out
  bool observed_ = false;
  std::deque<Batch> batches_;
  std::uint64_t pushed_ = 0;
  std::uint64_t carried_out_ = 0;
};

}  // namespace watcher
