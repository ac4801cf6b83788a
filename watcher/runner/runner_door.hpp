#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "watcher/runner/runner.hpp"

namespace watcher {

inline constexpr std::size_t askers_max = 64;  // connections at a time; beyond it silent ones make way

// The socket on which the runner is asked: by root, by the user of the watcher, and by nobody else. The kernel says who
// it is. To be used from the executor's thread only.
class RunnerDoor {
 public:
  // `runner` must outlive it.
  RunnerDoor(const asio::any_io_executor& executor, Runner& runner);
  ~RunnerDoor();

  // Makes the socket (0660, of that user's group). What went wrong, for people; empty on success.
  std::string listen(const std::string& path, const std::string& user);
  // Until close(), and until every connection has ended.
  asio::awaitable<void> serve();
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace watcher
