#include "watcher/steps/see_out.hpp"

#include <signal.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "watcher/report/time_limits.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr rules::Duration look_interval = std::chrono::milliseconds(100);

rules::StepResult ended(std::string how) {
  rules::StepResult result;
  result.status = rules::StepStatus::interrupted;
  result.unseen = true;
  result.detail = std::move(how);
  return result;
}

// Whether it has ended within `limit`; a cancellation ends the waiting too. It is not our child: there is nothing to
// reap, and a look at /proc is all that tells it from another process with its number.
asio::awaitable<bool> gone_within(probes::ProcessId process, rules::Duration limit) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  const bool cancelled_before = co_await probes::cancelled();
  for (rules::Duration waited{}; probes::is_running(process); waited += look_interval) {
    const bool cancelled_now = co_await probes::cancelled();
    if (waited >= limit || cancelled_now != cancelled_before) co_return false;
    timer.expires_after(std::min(look_interval, limit - waited));
    co_await timer.async_wait(as_result);
  }
  co_return true;
}

}  // namespace

asio::awaitable<rules::StepResult> see_out(AtWork at_work, const probes::Clock& clock, rules::Duration grace) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const probes::ProcessId process = at_work.process;
  // However the wall clock was set meanwhile, it gets no more than it was given.
  const rules::Duration left = std::clamp(at_work.until - clock.now(), rules::Duration::zero(), at_work.limit);
  bool gone = co_await gone_within(process, left);
  if (gone) co_return ended("it ended by itself");
  const bool called_off = co_await probes::cancelled();
  const std::string why = called_off ? "it was called off" : "it " + took_longer(at_work.limit);
  // At each signal it is looked at again whether it still is the same process.
  if (!probes::signal_group(process, SIGTERM) && errno != ESRCH) {
    const std::string trouble = std::generic_category().message(errno);
    co_return ended(why + " and could not be ended: signal pid " + std::to_string(process.pid) + ": " + trouble);
  }
  gone = co_await gone_within(process, grace);
  if (!gone) {
    probes::signal_group(process, SIGKILL);
    gone = co_await gone_within(process, grace);
  }
  if (!gone) co_return ended(why + " and does not end, not even by KILL: pid " + std::to_string(process.pid));
  co_return ended(why + " and was ended");
}

}  // namespace watcher
