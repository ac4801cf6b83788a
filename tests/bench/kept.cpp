#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "probes/memory_budget.hpp"
#include "probes/net/resolver.hpp"
#include "probes/net/task_group.hpp"
#include "probes/scheduler.hpp"
#include "real_clock.hpp"
#include "server.hpp"

// What polling keeps of each target between two polls, in bytes, and how often it asks for memory.

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

std::shared_ptr<const std::vector<probes::ProbeConfig>> targets(std::size_t count, std::uint16_t port) {
  std::vector<probes::ProbeConfig> configs(count);
  for (std::size_t i = 0; i < count; ++i) {
    probes::HttpProbe what;
    what.urls.push_back({"http://127.0.0.1:" + std::to_string(port) + "/api/health", false});
    configs[i].name = rules::ProbeName("target" + std::to_string(i));
    configs[i].interval = 1h;
    configs[i].timeout = 1h;
    configs[i].what = std::move(what);
  }
  return std::make_shared<const std::vector<probes::ProbeConfig>>(std::move(configs));
}

struct Counted {
  double bytes = 0;  // in use when all have been polled
  // Of the poll that asked least often: one whose answer comes late waits, and asks more often.
  std::size_t allocations = 0;
};

// Polls them one after the other, three times over.
Counted poll_all(std::size_t count, std::uint16_t port) {
  const auto configs = targets(count, port);
  const std::size_t before = live_bytes();
  asio::io_context loop(1);
  const tests::RealClock clock;
  probes::Resolver resolver;
  probes::MemoryBudget memory;
  rules::Poll last_poll;
  std::size_t failed = 0;
  const auto deliver = [&](rules::Poll poll) {
    if (poll.up != rules::Up::up) ++failed;
    last_poll = std::move(poll);
  };
  probes::Scheduler scheduler(loop.get_executor(), configs, {clock, resolver, nullptr, &memory}, deliver);
  scheduler.start();
  Counted out;
  for (int round = 0; round < 3; ++round) {
    out.allocations = std::numeric_limits<std::size_t>::max();
    for (const probes::ProbeConfig& config : *configs) {
      const std::size_t allocations_before = allocations();
      scheduler.poll_now(config.name);
      while (last_poll.probe != config.name && loop.run_one() > 0) {
      }
      out.allocations = std::min(out.allocations, allocations() - allocations_before);
    }
  }
  CHECK(failed == 0);
  out.bytes = static_cast<double>(live_bytes() - before);
  probes::TaskGroup last(loop.get_executor());
  last.spawn("stop", scheduler.stop());
  loop.restart();
  loop.run();
  return out;
}

}  // namespace

TEST_CASE("kept: a health check keeps 2 KiB between polls, its connection included, and a poll allocates as often") {
  const bench::Server server = bench::start_server();
  const Counted few = poll_all(100, server.port);
  const Counted many = poll_all(400, server.port);
  kill(server.pid, SIGKILL);
  waitpid(server.pid, nullptr, 0);
  const double bytes = (many.bytes - few.bytes) / 300;
  CAPTURE(bytes);
  CHECK(bytes < 2 * 1024);
  CAPTURE(many.allocations);
  CHECK(many.allocations <= few.allocations + 1);
}
