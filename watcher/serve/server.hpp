#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "watcher/config/config.hpp"
#include "watcher/serve/api.hpp"
#include "watcher/serve/metrics.hpp"
#include "watcher/serve/seats.hpp"

namespace watcher {

// Serves API and metrics on TCP (`watcher.listen`) and on the control socket (`watcher.control`), on the loop's thread.
class Server {
 public:
  // `host` and `metrics` must outlive it.
  Server(asio::any_io_executor executor, Host& host, Metrics& metrics);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds both addresses. Returns what went wrong, for people; empty on success. `listen = "off"` and an empty
  // `control` leave theirs out.
  std::string listen(const WatcherSection& watcher);
  // How many may be connected at the same time, from now on.
  void allow(const Places& places);
  // Accepts and answers until cancelled or closed; returns when no connection is left.
  asio::awaitable<void> serve();
  // Stops listening, removes the control socket and closes every connection.
  void close();

  // Why no command reaches us: the control socket's file is not what we made any more. Empty: they do.
  std::string why_not_reached() const;
  // Makes the control socket anew where it is ours no more, if nothing stands in its way and the way to it is still
  // ours alone. Returns why it could not, for people; empty: commands reach us. Connections that stand go on.
  std::string reach_again();
  // The TCP port that is listened on, 0 when none.
  std::uint16_t port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace watcher
