// The floor under what a poll can cost: the same requests to the same targets, received whole and thrown away, by one
// epoll loop that knows nothing of HTTP, rules and records. Usage: floor_bench PORT PATH TARGETS INTERVAL SECONDS;
// prints microseconds of CPU a poll. `whole_program.py --floor FLOOR_BENCH` has it take its turn beside the program.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t buffer_size = 64 * 1024;

struct Target {
  int socket = -1;
  std::string request;
  std::size_t left = 0;  // bytes of the answer that are still to come
  bool begun = false;
};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int connected(int port) {
  const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(one, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return one;
}

// How long the whole answer is, from its beginning.
std::size_t length_of(std::string_view begin) {
  constexpr std::string_view field = "Content-Length: ";
  const std::size_t at = begin.find(field);
  const std::size_t end = begin.find("\r\n\r\n");
  if (at == std::string_view::npos || end == std::string_view::npos) return begin.size();
  std::size_t body = 0;
  std::from_chars(begin.data() + at + field.size(), begin.data() + begin.size(), body);
  return end + 4 + body;
}

void receive(Target& target, std::array<char, buffer_size>& buffer) {
  const ssize_t got = recv(target.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got <= 0) return;
  const auto count = static_cast<std::size_t>(got);
  if (!target.begun) target.left = length_of(std::string_view(buffer.data(), count));
  target.left -= std::min(target.left, count);
  target.begun = target.left > 0;
}

// When a poll is due: targets stand at as many places in the interval as the scheduler's, and share wake-ups as its
// polls do.
Clock::time_point due(std::size_t poll, std::size_t targets, Clock::time_point begun, Clock::duration interval) {
  const std::size_t places = std::clamp<std::size_t>(targets / 25, 4, 20);
  const auto rounds = static_cast<Clock::rep>(poll / targets);
  const auto place = static_cast<Clock::rep>(poll % targets * places / targets);
  return begun + interval * rounds + interval / static_cast<Clock::rep>(places) * place;
}

std::size_t poll_all(std::vector<Target>& targets, int poller, Clock::duration interval, Clock::duration during) {
  static std::array<char, buffer_size> buffer;
  std::array<epoll_event, 128> events{};
  const auto begun = Clock::now();
  std::size_t asked = 0;
  for (auto present = begun; present < begun + during; present = Clock::now()) {
    for (; due(asked, targets.size(), begun, interval) <= present; ++asked) {
      const Target& target = targets[asked % targets.size()];
      if (send(target.socket, target.request.data(), target.request.size(), MSG_NOSIGNAL) < 0) std::exit(1);
    }
    const auto idle =
        std::chrono::ceil<std::chrono::milliseconds>(due(asked, targets.size(), begun, interval) - Clock::now());
    const int wait = static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(idle.count(), 0, 1000));
    const int ready = epoll_wait(poller, events.data(), static_cast<int>(events.size()), wait);
    for (int i = 0; i < ready; ++i) receive(targets[events.at(static_cast<std::size_t>(i)).data.u32], buffer);
  }
  return asked;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: floor_bench PORT PATH TARGETS INTERVAL SECONDS\n", stderr);
    return 2;
  }
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Target> targets(static_cast<std::size_t>(std::atoi(argv[3])));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i] = {connected(std::atoi(argv[1])),
                  "GET " + std::string(argv[2]) + " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: floor\r\n\r\n"};
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(i);
    epoll_ctl(poller, EPOLL_CTL_ADD, targets[i].socket, &event);
  }
  const auto interval = std::chrono::seconds(std::atoi(argv[4]));
  poll_all(targets, poller, interval, std::chrono::seconds(2));
  const double before = cpu_seconds();
  const std::size_t polls = poll_all(targets, poller, interval, std::chrono::seconds(std::atoi(argv[5])));
  std::printf("%.1f\n", (cpu_seconds() - before) / static_cast<double>(polls) * 1e6);
  return 0;
}
