#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "rules/base/time.hpp"

namespace probes {

namespace asio = boost::asio;

// Calls a function when a time has passed, unless disarmed before. The function cancels what is being waited for; the
// waiting coroutine then asks passed() why. All on one thread or strand.
class Deadline {
 public:
  explicit Deadline(const asio::any_io_executor& executor);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // A deadline that was armed before is forgotten.
  void arm(rules::Duration limit, std::function<void()> on_pass);
  void disarm();
  // Since the last arm().
  bool passed() const;
  // As armed.
  rules::Duration limit() const;
  // Time left until the armed deadline, at least 0.
  rules::Duration left() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the timer's handler, which may run after our end
};

}  // namespace probes
