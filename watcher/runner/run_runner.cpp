#include "watcher/runner/run_runner.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <memory>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "probes/net/result.hpp"
#include "watcher/clock.hpp"
#include "watcher/drivers/own_container.hpp"
#include "watcher/drivers/trusted_path.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/run/log.hpp"
#include "watcher/run/sd_notify.hpp"
#include "watcher/runner/runner_door.hpp"

namespace watcher {

namespace {

using probes::as_result;

constexpr unsigned kept_folder = 0711;  // the watcher walks through it to an incident's evidence
constexpr rules::Duration tick = std::chrono::seconds(1);
constexpr rules::Duration stop_extension = std::chrono::seconds(30);

int fail(const std::string& what) {
  log_error("cannot_start", "what=" + log_value(what));
  return 1;
}

// Why what is kept there would not be ours alone; empty: it is.
std::string why_not_kept(const std::string& dir) {
  if (const auto fault = make_folder(dir, kept_folder)) return fault->what;
  if (const auto unsafe = led_by_others(dir)) return "watcher.runner_dir " + dir + ": " + *unsafe;
  struct stat found {};
  if (::stat(dir.c_str(), &found) != 0 || found.st_uid != ::geteuid() || (found.st_mode & 022) != 0)
    return "watcher.runner_dir " + dir +
           " must belong to the user that the runner runs as, and nobody else may write it";
  return "";
}

struct Life {
  asio::io_context& io;
  Runner& runner;
  RunnerDoor& door;
  SdNotify systemd{};
  bool is_stopping = false;
  bool has_ended = false;

  asio::awaitable<void> heed(asio::signal_set& signals) {
    for (;;) {
      const auto [error, number] = co_await signals.async_wait(as_result);
      if (error) co_return;
      if (number == SIGHUP) runner.reload();
      if (number != SIGHUP) break;
    }
    is_stopping = true;
    systemd.stopping();
    log_info("stopping", runner.step_in_flight() ? "waiting_for=\"the step in flight\"" : "waiting_for=nothing");
    co_await runner.stop();
    door.close();
    has_ended = true;
  }

  asio::awaitable<void> feed() {
    rules::Duration beat = tick;
    if (const auto period = systemd.watchdog_period()) beat = std::min<rules::Duration>(beat, *period / 2);
    asio::steady_timer timer(io);
    while (!has_ended) {
      systemd.feed_watchdog();
      if (is_stopping) systemd.extend_timeout(stop_extension);
      timer.expires_after(beat);
      co_await timer.async_wait(as_result);
    }
  }
};

}  // namespace

int run_runner(Config config) {
  std::signal(SIGPIPE, SIG_IGN);
  start_log(LogOf::everything);
  const std::string socket = config.watcher.runner;
  const std::string user = config.watcher.runner_user;
  if (socket.empty()) return fail("watcher.runner is not set: write runner = \"/run/rollbackd-runner/socket\"");
  if (std::string why = why_not_kept(config.watcher.runner_dir); !why.empty()) return fail(why);
  ask_for_own_container();
  SystemClock clock;
  asio::io_context io(1);
  auto shared_config = std::make_shared<const Config>(std::move(config));
  Runner runner(io.get_executor(), clock, std::move(shared_config));
  RunnerDoor door(io.get_executor(), runner);
  runner.start();
  if (std::string why = door.listen(socket, user); !why.empty()) return fail(why);
  asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
  probes::TaskGroup tasks(io.get_executor());
  Life life{io, runner, door};
  tasks.spawn("signals", life.heed(signals));
  tasks.spawn("door", door.serve());
  tasks.spawn("heartbeat", life.feed());
  log_info("started", "runner=" + log_value(socket) + " for=" + log_value(user) + " version=" ROLLBACKD_VERSION);
  life.systemd.ready("waiting for the watcher");
  io.run();
  log_info("stopped", "");
  return 0;
}

}  // namespace watcher
