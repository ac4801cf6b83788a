#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "watcher/run/sd_notify.hpp"

namespace {

// systemd's end of the protocol.
class Manager {
 public:
  explicit Manager(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)), path_(path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    REQUIRE(bind(fd_, static_cast<const sockaddr*>(static_cast<const void*>(&address)), length) == 0);
  }
  ~Manager() {
    close(fd_);
    if (path_[0] != '@') unlink(path_.c_str());
  }
  std::string receive() const {
    char buffer[256];
    const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    return got < 0 ? "" : std::string(buffer, static_cast<std::size_t>(got));
  }

 private:
  int fd_;
  std::string path_;
};

}  // namespace

TEST_CASE("systemd hears of readiness, watchdog and stop, by a path and by an abstract address") {
  for (const std::string prefix : {"/tmp/rollbackd-notify-", "@rollbackd-notify-"}) {
    const std::string path = prefix + std::to_string(getpid());
    const Manager manager(path);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    const watcher::SdNotify systemd;
    CHECK(getenv("NOTIFY_SOCKET") == nullptr);
    CHECK(getenv("WATCHDOG_USEC") == nullptr);
    REQUIRE(systemd.watchdog_period());
    CHECK(*systemd.watchdog_period() == std::chrono::seconds(30));
    systemd.ready("watching 3 probes");
    CHECK(manager.receive() == "READY=1\nSTATUS=watching 3 probes");
    systemd.feed_watchdog();
    CHECK(manager.receive() == "WATCHDOG=1");
    systemd.extend_timeout(std::chrono::seconds(2));
    CHECK(manager.receive() == "EXTEND_TIMEOUT_USEC=2000000");
    systemd.stopping();
    CHECK(manager.receive() == "STOPPING=1");
  }
}

TEST_CASE("a watchdog that is another process's is not ours to feed") {
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  const watcher::SdNotify systemd;
  CHECK_FALSE(systemd.watchdog_period());
  systemd.feed_watchdog();  // without NOTIFY_SOCKET: nothing happens
}
