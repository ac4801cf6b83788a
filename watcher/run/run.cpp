#include "watcher/run/run.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "watcher/clock.hpp"
#include "watcher/drivers/own_container.hpp"
#include "watcher/journal/host_copy.hpp"
#include "watcher/journal/journal.hpp"
#include "watcher/notify/curl_library.hpp"
#include "watcher/run/heap.hpp"
#include "watcher/run/log.hpp"
#include "watcher/run/watcher.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

int fail(const std::string& what) {
  log_error("cannot_start", "what=" + log_value(what));
  return 1;
}

asio::awaitable<void> heed_signals(asio::signal_set& signals, Watcher& watcher) {
  for (;;) {
    const auto [error, number] = co_await signals.async_wait(as_result);
    if (error) co_return;
    if (number == SIGHUP) {
      watcher.reload_on_signal();
    } else {
      watcher.stop();
    }
  }
}

asio::awaitable<void> live(Watcher& watcher, asio::signal_set& signals, int& exit_code) {
  exit_code = co_await watcher.live();
  signals.cancel();
}

}  // namespace

int run(Config config, RunOptions options) {
  // A closed pipe is an error, not the end. Nothing else of the process is changed: what a step starts, the application
  // too, inherits umask, limits, nice value and OOM score. Our own files get their mode when they are made.
  std::signal(SIGPIPE, SIG_IGN);
  // Whoever rolls back by hand reads its steps, which the lines of the log would tear apart.
  start_log(options.rollback ? LogOf::trouble : LogOf::everything);
  // Somebody should be told in the night: that it cannot be is said at the start.
  if (!config.notifiers.empty() && curl_library().problem) return fail(*curl_library().problem);
  SystemClock clock;
  auto opened = open_beside(config.watcher.state_dir, host_copy_place(config.watcher.state_dir));
  if (const auto* fault = std::get_if<JournalFault>(&opened)) return fail(fault->what);
  auto journal = std::move(std::get<std::unique_ptr<Journal>>(opened));
  ask_for_own_container();
  asio::io_context io(1);
  auto shared_config = std::make_shared<const Config>(std::move(config));
  Watcher watcher(io, clock, std::move(shared_config), std::move(options), std::move(journal));
  const std::string problem = watcher.listen();
  if (!problem.empty()) return fail(problem);
  asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
  probes::TaskGroup tasks(io.get_executor());
  int exit_code = 1;
  tasks.spawn("signals", heed_signals(signals, watcher));
  tasks.spawn("watcher", live(watcher, signals, exit_code));
  keep_freed_blocks();
  io.run();
  return exit_code;
}

}  // namespace watcher
