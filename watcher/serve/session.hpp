#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <string>

#include "watcher/serve/api.hpp"
#include "watcher/serve/metrics.hpp"
#include "watcher/serve/seats.hpp"

namespace watcher {

using StreamSocket = asio::generic::stream_protocol::socket;

// Whom a connection is with.
struct Visitor {
  bool allowed = true;
  bool trusted = false;  // over the control socket
  bool exposed = false;  // over a TCP address that is not loopback
  bool crowded = false;  // in a place that is kept free: is told whether we live, and no more
  std::string name;
  Seats::Owner owner{};  // of the other end, where the kernel knows it
};

// Answers requests on one connection until it is closed, idle for too long, or sends what is not HTTP.
// The references must outlive it.
asio::awaitable<void> converse(StreamSocket socket, Visitor visitor, Host& host, Metrics& metrics, Seats& seats);

// Says that there are too many connections, without waiting, and closes.
void turn_away(StreamSocket socket);

}  // namespace watcher
