#include "probes/net/turn.hpp"

namespace probes {

asio::awaitable<void> Turn::wait() {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this](auto&& waiting) { waiting_.emplace(std::move(waiting)); }, asio::use_awaitable);
}

void Turn::give() {
  if (!waiting_) return;
  Waiting resumed = std::move(*waiting_);
  waiting_.reset();  // it may wait again before it returns to us
  resumed();
}

}  // namespace probes
