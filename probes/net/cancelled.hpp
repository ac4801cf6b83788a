#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

namespace probes {

namespace asio = boost::asio;

// Whether the calling coroutine has been cancelled. A loop asks at every turn: what it awaits may have asked for
// cancellations not to be thrown (a child process is ended before it returns), and that holds from then on.
inline asio::awaitable<bool> cancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace probes
