#include "watcher/run/look_round.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "probes/net/cancelled.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// So many look in one go; then polls, and who decides on what was seen, have their turn.
constexpr int looks_in_a_row = 16;

}  // namespace

LookRound::LookRound(const asio::any_io_executor& executor, rules::Duration interval)
    : interval_(interval), timer_(executor) {}

void LookRound::add(ServiceReader& reader) {
  reader.wake_by(&timer_);
  readers_.push_back(&reader);
}

asio::awaitable<void> LookRound::look(Who who) {
  int looks = 0;
  for (ServiceReader* const reader : readers_) {
    if (who == Who::asked && !reader->is_asked()) continue;
    co_await reader->look(true);
    const bool ended = co_await probes::cancelled();
    if (ended) co_return;
    if (++looks % looks_in_a_row == 0) co_await asio::post(as_result);
  }
}

asio::awaitable<LookRound::Who> LookRound::wait() {
  const auto is_asked = [](const ServiceReader* reader) { return reader->is_asked(); };
  if (std::any_of(readers_.begin(), readers_.end(), is_asked)) co_return Who::asked;
  timer_.expires_after(interval_);
  const auto until = timer_.expiry();
  timer_.expires_at(until - until.time_since_epoch() % interval_);
  const auto [woken] = co_await timer_.async_wait(as_result);
  co_return woken ? Who::asked : Who::all;
}

asio::awaitable<void> LookRound::loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  Who who = Who::all;
  for (;;) {
    co_await look(who);
    // Both: a driver may have swallowed it, and it may have come while waiting.
    const bool ended_in_look = co_await probes::cancelled();
    if (ended_in_look) co_return;
    who = co_await wait();
    const bool ended_in_wait = co_await probes::cancelled();
    if (ended_in_wait) co_return;
  }
}

}  // namespace watcher
