#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

namespace probes {

namespace asio = boost::asio;

// Where one coroutine waits until it is its turn. Cheaper than a timer that never expires: no lock, no allocation, no
// way through the executor. All on the executor's one thread.
//
// A cancellation does not end the wait: who cancels a coroutine that may be waiting here gives it its turn, too, and
// the coroutine then looks whether it is still wanted.
class Turn {
 public:
  Turn() = default;
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // For one coroutine at a time.
  asio::awaitable<void> wait();
  // Resumes the coroutine at once, before this returns; does nothing when none waits.
  void give();

 private:
  using Waiting = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;
  std::optional<Waiting> waiting_;
};

}  // namespace probes
