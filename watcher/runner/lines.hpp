#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <optional>
#include <string>

#include "probes/net/deadline.hpp"
#include "rules/base/time.hpp"

namespace watcher {

namespace asio = boost::asio;

// A connection on which either side says lines.
class Lines {
 public:
  using Socket = asio::local::stream_protocol::socket;
  explicit Lines(Socket socket);

  // The next line without its end. nullopt: the connection has ended, or the line is longer than `bytes_max`, or it did
  // not come within `limit` (0: there is none), or the caller was cancelled; problem() says which.
  asio::awaitable<std::optional<std::string>> read(std::size_t bytes_max, rules::Duration limit);
  // The end of the line is added. False: the other side does not take it.
  asio::awaitable<bool> write(std::string line, rules::Duration limit);
  // For people.
  const std::string& problem() const { return problem_; }
  // Calls it once when the other side closes or says more, unless the connection is destroyed before. It must not act.
  void when_heard(std::function<void()> heard);

  // What waits ends soon.
  void hang_up();

 private:
  Socket socket_;
  probes::Deadline deadline_;
  std::string buffer_;
  std::string problem_;
};

}  // namespace watcher
