#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "rules/base/time.hpp"

namespace probes {

namespace asio = boost::asio;

// Does what may block (a file system that hangs) on a thread of its own, one piece of work at a time. Nothing joins
// the thread: it may hang for ever.
class Blocking {
 public:
  Blocking();
  ~Blocking();
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

  // Whether `work` was done within the limit. False also while earlier work still hangs, and where it ran out of
  // memory. What `work` writes to must be shared with it, and be read only after true.
  asio::awaitable<bool> run(std::function<void()> work, rules::Duration limit);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the thread
};

}  // namespace probes
