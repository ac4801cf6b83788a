// What polling costs as a whole: one process that polls a thousand keep-alive targets once a second, with scheduler,
// sockets, judging and everything. The targets are served by another process, so that its work is not counted.
// Prints JSON. Usage: polling_bench [TARGETS [SECONDS]]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "probes/net/resolver.hpp"
#include "probes/net/task_group.hpp"
#include "probes/scheduler.hpp"
#include "real_clock.hpp"
#include "server.hpp"

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using bench::Server;
using bench::start_server;

struct CpuTime {
  rules::Duration user{};
  rules::Duration system{};
};

CpuTime cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return {of(usage.ru_utime), of(usage.ru_stime)};
}

// Runs the loop as the watcher does: without a look at the clock for each handler, which run_for() takes.
void run_for(asio::io_context& loop, std::chrono::seconds length) {
  asio::steady_timer end(loop, length);
  end.async_wait([&loop](const auto&) { loop.stop(); });
  loop.run();
  loop.restart();
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  long size = 0;
  long resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

std::vector<probes::ProbeConfig> targets(std::size_t count, std::uint16_t port) {
  std::vector<probes::ProbeConfig> configs(count);
  for (std::size_t i = 0; i < count; ++i) {
    probes::HttpProbe what;
    what.urls.push_back({"http://127.0.0.1:" + std::to_string(port) + "/api/health", false});
    what.expect.status = {{200, 299}};
    configs[i].name = rules::ProbeName("target" + std::to_string(i));
    configs[i].interval = 1s;
    configs[i].timeout = 1s;
    configs[i].what = std::move(what);
  }
  return configs;
}

struct Figures {
  std::vector<double> late_ms;  // between a poll's place in time and its start
  std::size_t polls = 0;
  std::size_t failed = 0;
};

double percentile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000;
  const auto length = std::chrono::seconds(argc > 2 ? std::strtol(argv[2], nullptr, 10) : 10);
  const Server server = start_server();
  asio::io_context loop(1);
  const tests::RealClock clock;
  probes::Resolver resolver;
  Figures figures;
  bool measuring = false;
  std::vector<rules::Instant> last(count);
  const auto deliver = [&](const rules::Poll& poll) {
    const std::size_t number = std::strtoul(poll.probe.text.c_str() + 6, nullptr, 10);
    const rules::Instant before = std::exchange(last[number], poll.started);
    if (!measuring) return;
    ++figures.polls;
    if (poll.up != rules::Up::up) ++figures.failed;
    figures.late_ms.push_back(std::max(0.0, rules::seconds(poll.started - before - 1s) * 1000));
  };
  const auto configs = std::make_shared<const std::vector<probes::ProbeConfig>>(targets(count, server.port));
  probes::Scheduler scheduler(loop.get_executor(), configs, {clock, resolver}, deliver);
  scheduler.start();
  run_for(loop, 3s);  // every target has its connection and has been polled twice
  figures.late_ms.reserve(count * static_cast<std::size_t>(length.count() + 1));
  measuring = true;
  const CpuTime before = cpu_time();
  run_for(loop, length);
  const CpuTime after = cpu_time();
  measuring = false;
  const double resident = resident_mib();
  probes::TaskGroup last_task(loop.get_executor());
  last_task.spawn("stop", scheduler.stop());
  loop.run();
  kill(server.pid, SIGKILL);
  waitpid(server.pid, nullptr, 0);

  const auto per_poll = [&](rules::Duration cpu) {
    return figures.polls == 0 ? 0 : rules::seconds(cpu) * 1e6 / static_cast<double>(figures.polls);
  };
  const double user = per_poll(after.user - before.user);
  const double system = per_poll(after.system - before.system);
  std::printf("{\"targets\": %zu, \"seconds\": %lld, \"polls\": %zu, \"failed\": %zu, \"skipped\": %llu,\n", count,
              static_cast<long long>(length.count()), figures.polls, figures.failed,
              static_cast<unsigned long long>(scheduler.skipped()));
  std::printf(" \"cpu_us_per_poll\": %.2f, \"user_us_per_poll\": %.2f, \"system_us_per_poll\": %.2f,\n", user + system,
              user, system);
  std::printf(" \"resident_mib\": %.1f,\n", resident);
  std::printf(" \"late_ms\": {\"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"max\": %.2f}}\n",
              percentile(figures.late_ms, 0.5), percentile(figures.late_ms, 0.9), percentile(figures.late_ms, 0.99),
              percentile(figures.late_ms, 1.0));
  return figures.polls > figures.failed ? 0 : 1;
}
