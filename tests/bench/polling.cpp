// What polling costs as a whole: one process that polls a thousand keep-alive targets once a second, with scheduler,
// sockets, judging and everything. The targets are served by another process, so that its work is not counted.
// Prints JSON. Usage: polling_bench [TARGETS [SECONDS]]
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/net/resolver.hpp"
#include "probes/net/task_group.hpp"
#include "probes/scheduler.hpp"
#include "real_clock.hpp"

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n"
    R"({"status":"ok","database":"connected"})";

// One connection to the server: answers each request that ends with an empty line.
class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : socket_(std::move(socket)) {}
  void serve() {
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](const auto& error, std::size_t count) {
      if (error) return;
      if (std::string_view(self->buffer_.data(), count).ends_with("\r\n\r\n"))
        self->reply();
      else
        self->serve();
    });
  }

 private:
  void reply() {
    asio::async_write(socket_, asio::buffer(answer), [self = shared_from_this()](const auto& error, std::size_t) {
      if (!error) self->serve();
    });
  }
  tcp::socket socket_;
  std::array<char, 2048> buffer_{};
};

void accept_on(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](const auto& error, tcp::socket socket) {
    if (!error) std::make_shared<Session>(std::move(socket))->serve();
    accept_on(acceptor);
  });
}

// Serves in a process of its own until its parent goes. Returns the process and its port.
struct Server {
  pid_t pid = -1;
  std::uint16_t port = 0;
};

Server start_server() {
  asio::io_context loop;
  tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  acceptor.listen(asio::socket_base::max_listen_connections);
  Server server{-1, acceptor.local_endpoint().port()};
  loop.notify_fork(asio::io_context::fork_prepare);
  server.pid = fork();
  if (server.pid != 0) {
    loop.notify_fork(asio::io_context::fork_parent);
    return server;
  }
  loop.notify_fork(asio::io_context::fork_child);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  accept_on(acceptor);
  loop.run();
  _exit(0);
}

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
  probes::Scheduler scheduler(loop.get_executor(), targets(count, server.port), {clock, resolver}, deliver);
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
