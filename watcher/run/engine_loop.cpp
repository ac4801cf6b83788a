#include "watcher/run/engine_loop.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// However far the engine's deadline is, it is asked again after this long: a bound on what a lost deadline can cost.
constexpr rules::Duration idle_max = std::chrono::seconds(10);

}  // namespace

EngineLoop::EngineLoop(const asio::any_io_executor& executor, const probes::Clock& clock, rules::Engine& engine)
    : clock_(clock),
      engine_(engine),
      decide_timer_(executor),
      batch_timer_(executor, asio::steady_timer::time_point::max()),
      settled_timer_(executor, asio::steady_timer::time_point::max()) {}

void EngineLoop::wake_decider() {
  if (std::exchange(observed_, true)) return;  // it is woken already
  decide_timer_.cancel();
}

void EngineLoop::push(Batch batch) {
  if (batch.empty()) return;
  batches_.push_back(std::move(batch));
  ++pushed_;
  batch_timer_.cancel();
}

void EngineLoop::observe(rules::Event event) {
  engine_.observe(std::move(event));
  wake_decider();
}

void EngineLoop::complete(const rules::StepId& step, const rules::StepResult& result) {
  push(engine_.complete(step, result, clock_.now()));
  wake_decider();
}

rules::Answer EngineLoop::request(const rules::Request& request) {
  rules::Answer answer = engine_.request(request, clock_.now());
  decide_now();
  wake_decider();
  return answer;
}

void EngineLoop::reload(rules::CoreConfig core) {
  push(engine_.reload(std::move(core), clock_.now()));
  wake_decider();
}

void EngineLoop::decide_now() { push(engine_.advance(clock_.now())); }

asio::awaitable<void> EngineLoop::decide() {
  for (;;) {
    observed_ = false;
    push(engine_.advance(clock_.now()));
    const std::optional<rules::Instant> deadline = engine_.next_deadline();
    rules::Duration wait = idle_max;
    if (deadline) wait = std::min(wait, *deadline - clock_.now());
    if (observed_ || wait <= rules::Duration::zero()) wait = rules::Duration::zero();
    decide_timer_.expires_after(wait);
    co_await decide_timer_.async_wait(as_result);
  }
}

asio::awaitable<void> EngineLoop::carry_out(CarryOut deed) {
  for (;;) {
    while (batches_.empty()) {
      co_await batch_timer_.async_wait(as_result);
    }
    Batch batch = std::move(batches_.front());
    batches_.pop_front();
    co_await deed(std::move(batch));
    ++carried_out_;
    settled_timer_.cancel();
  }
}

asio::awaitable<void> EngineLoop::settled() {
  const std::uint64_t target = pushed_;
  while (carried_out_ < target) {
    co_await settled_timer_.async_wait(as_result);
  }
}

}  // namespace watcher
