#include "watcher/run/service_reader.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "probes/net/cancelled.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// Readiness costs a command or two and changes seldom: with every sixth look.
constexpr int looks_per_readiness = 6;

}  // namespace

ServiceReader::ServiceReader(const asio::any_io_executor& executor, Driver& driver, rules::Duration interval,
                             Deliver deliver)
    : driver_(driver), interval_(interval), deliver_(std::move(deliver)), timer_(executor) {}

void ServiceReader::read_now() {
  asked_ = true;
  timer_.cancel();
}

asio::awaitable<void> ServiceReader::wait() {
  if (asked_) co_return;
  timer_.expires_after(interval_);
  co_await timer_.async_wait(as_result);
}

asio::awaitable<void> ServiceReader::loop() {
  for (int look = 0;; ++look) {
    const bool ended = co_await probes::cancelled();
    if (ended) co_return;
    asked_ = false;
    rules::RevisionRead read = co_await driver_.identify();
    deliver_(std::move(read));
    if (look % looks_per_readiness == 0) {
      rules::ReadinessRead readiness = co_await driver_.ready(std::nullopt);
      deliver_(std::move(readiness));
    }
    co_await wait();
  }
}

}  // namespace watcher
