#include "probes/net/blocking.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "probes/net/result.hpp"

namespace probes {

struct Blocking::State {
  std::mutex mutex;  // guards what follows
  bool busy = false;
  bool lacked_memory = false;
  std::shared_ptr<asio::steady_timer> waiting;  // none: nobody, so that no loop that is gone is posted to

  void finish(bool memory_sufficed) {
    const std::lock_guard lock(mutex);
    busy = false;
    lacked_memory = !memory_sufficed;
    if (!waiting) return;
    const auto ring = [bell = waiting] { bell->cancel(); };
    asio::post(waiting->get_executor(), ring);
  }
  // Returns whether the work is done.
  bool leave() {
    const std::lock_guard lock(mutex);
    waiting.reset();
    return !busy && !lacked_memory;
  }
  bool enter(std::shared_ptr<asio::steady_timer> waiter) {
    const std::lock_guard lock(mutex);
    if (busy) return false;
    busy = true;
    lacked_memory = false;
    waiting = std::move(waiter);
    return true;
  }
};

namespace {

// Leaves at the end of the scope, also when the waiting coroutine is destroyed.
template <class State>
struct Waiting {
  State& state;
  ~Waiting() { state.leave(); }
};

}  // namespace

Blocking::Blocking() : state_(std::make_shared<State>()) {}
Blocking::~Blocking() = default;

asio::awaitable<bool> Blocking::run(std::function<void()> work, rules::Duration limit) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  const std::shared_ptr<State> state = state_;
  const auto waiter = std::make_shared<asio::steady_timer>(executor, limit);
  if (!state->enter(waiter)) co_return false;
  const Waiting<State> waiting{*state};
  const auto body = [state, todo = std::move(work)] {
    bool memory_sufficed = true;
    try {
      todo();
    } catch (const std::bad_alloc&) {
      memory_sufficed = false;
    }
    state->finish(memory_sufficed);
  };
  try {
    std::thread(body).detach();
  } catch (const std::system_error&) {
    state->finish(true);
    co_return false;
  }
  co_await waiter->async_wait(as_result);
  co_return state->leave();
}

}  // namespace probes
