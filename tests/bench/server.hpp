#pragma once

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace bench {

namespace asio = boost::asio;

// A target in a process of its own, so that its work and its memory are not counted.

inline constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n"
    R"({"status":"ok","database":"connected"})";

// One connection to the server: answers each request that ends with an empty line.
class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}
  void serve() {
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](const auto& error, std::size_t count) {
      if (error) return;
      if (std::string_view(self->buffer_.data(), count).ends_with("\r\n\r\n"))
        self->reply();
      else
        self->serve();
    });
  }

 private:
  void reply() {
    asio::async_write(socket_, asio::buffer(answer), [self = shared_from_this()](const auto& error, std::size_t) {
      if (!error) self->serve();
    });
  }
  asio::ip::tcp::socket socket_;
  std::array<char, 2048> buffer_{};
};

inline void accept_on(asio::ip::tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](const auto& error, asio::ip::tcp::socket socket) {
    if (!error) std::make_shared<Session>(std::move(socket))->serve();
    accept_on(acceptor);
  });
}

// Serves in a process of its own until its parent goes. Returns the process and its port.
struct Server {
  pid_t pid = -1;
  std::uint16_t port = 0;
};

inline Server start_server() {
  asio::io_context loop;
  asio::ip::tcp::acceptor acceptor(loop, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  acceptor.listen(asio::socket_base::max_listen_connections);
  Server server{-1, acceptor.local_endpoint().port()};
  loop.notify_fork(asio::io_context::fork_prepare);
  server.pid = fork();
  if (server.pid != 0) {
    loop.notify_fork(asio::io_context::fork_parent);
    return server;
  }
  loop.notify_fork(asio::io_context::fork_child);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  accept_on(acceptor);
  loop.run();
  _exit(0);
}

}  // namespace bench
