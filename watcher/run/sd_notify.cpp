#include "watcher/run/sd_notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace watcher {

namespace {

std::string take_from_environment(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  unsetenv(name);
  return taken;
}

std::optional<rules::Duration> parse_microseconds(const std::string& text) {
  long long microseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), microseconds);
  if (error != std::errc{} || end != text.data() + text.size() || microseconds <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

}  // namespace

SdNotify::SdNotify() : socket_(take_from_environment("NOTIFY_SOCKET")) {
  const std::string period = take_from_environment("WATCHDOG_USEC");
  const std::string pid = take_from_environment("WATCHDOG_PID");
  if (pid.empty() || pid == std::to_string(getpid())) watchdog_ = parse_microseconds(period);
}

void SdNotify::ready(std::string_view status) const { send("READY=1\nSTATUS=" + std::string(status)); }
void SdNotify::status(std::string_view text) const { send("STATUS=" + std::string(text)); }
void SdNotify::stopping() const { send("STOPPING=1"); }
void SdNotify::feed_watchdog() const { send("WATCHDOG=1"); }

void SdNotify::extend_timeout(rules::Duration by) const {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(by).count();
  send("EXTEND_TIMEOUT_USEC=" + std::to_string(microseconds));
}

void SdNotify::send(std::string_view message) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract address
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // A lost message is repaired by the next: systemd's own client ignores failures here too.
  (void)sendto(fd, message.data(), message.size(), MSG_NOSIGNAL,
               static_cast<const sockaddr*>(static_cast<const void*>(&address)), length);
  close(fd);
}

}  // namespace watcher
