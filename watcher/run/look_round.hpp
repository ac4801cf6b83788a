#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "watcher/run/service_reader.hpp"

namespace watcher {

// Readers that ask nobody and have the same interval, one after the other: they share one wake-up and one coroutine. A
// coroutine that waits for each of a thousand services would take a kilobyte of each.
class LookRound {
 public:
  LookRound(const asio::any_io_executor& executor, rules::Duration interval);
  LookRound(const LookRound&) = delete;
  LookRound& operator=(const LookRound&) = delete;

  // Before loop(); it must outlive this.
  void add(ServiceReader& reader);
  // All look at once, then at each whole interval, and one that is asked to at once. Runs until cancelled.
  asio::awaitable<void> loop();

 private:
  enum class Who { all, asked };
  asio::awaitable<void> look(Who who);
  asio::awaitable<Who> wait();

  rules::Duration interval_;
  std::vector<ServiceReader*> readers_;
  asio::steady_timer timer_;
};

}  // namespace watcher
