#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <set>
#include <tuple>

#include "rules/base/time.hpp"

namespace probes {

namespace asio = boost::asio;

// Calls a function when a time has passed, unless disarmed before. The function cancels what is being waited for; the
// waiting coroutine then asks passed() why. All on the one thread that runs the executor's context.
//
// A thousand polls a second arm and disarm as many deadlines, and nearly none passes: arming is an insertion into an
// ordered set of the context, whose one timer stands at the earliest of them.
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
  bool passed() const { return passed_; }
  // As armed.
  rules::Duration limit() const { return limit_; }
  // Time left until the armed deadline, at least 0.
  rules::Duration left() const;

 private:
  class Queue;
  struct Entry {
    std::chrono::steady_clock::time_point at;
    Deadline* deadline;
    bool operator<(const Entry& other) const { return std::tie(at, deadline) < std::tie(other.at, other.deadline); }
  };
  void pass();

  Queue& queue_;
  std::set<Entry>::node_type spare_;  // our place in the queue while we are not in it: arming allocates nothing
  std::set<Entry>::iterator place_;   // while armed
  std::function<void()> on_pass_;
  rules::Duration limit_{};
  bool armed_ = false;
  bool passed_ = false;
};

}  // namespace probes
