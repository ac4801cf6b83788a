#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/base/time.hpp"

namespace watcher {

// systemd's readiness protocol (sd_notify(3)), without its library: one datagram a message.
// Without NOTIFY_SOCKET every call does nothing.
class SdNotify {
 public:
  // Takes NOTIFY_SOCKET and WATCHDOG_USEC out of the environment, so that no child answers in our name.
  SdNotify();

  void ready(std::string_view status) const;
  void status(std::string_view text) const;
  void stopping() const;
  void feed_watchdog() const;
  // Lets a stop take this much longer, while a step of a plan ends.
  void extend_timeout(rules::Duration by) const;

  // How often the watchdog wants to be fed at least; none without one.
  std::optional<rules::Duration> watchdog_period() const { return watchdog_; }

 private:
  void send(std::string_view message) const;

  std::string socket_;
  std::optional<rules::Duration> watchdog_;
};

}  // namespace watcher
