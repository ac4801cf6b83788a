#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <optional>
#include <string>
#include <variant>

namespace watcher {

namespace asio = boost::asio;

// Listening sockets, or what went wrong: what was attempted, on what, what happened, what to do.

// "127.0.0.1:9877", "[::1]:9877", "localhost:9877"; port 0 takes a free one.
std::variant<asio::ip::tcp::endpoint, std::string> parse_listen(const std::string& text);
std::variant<asio::ip::tcp::acceptor, std::string> bind_tcp(const asio::any_io_executor& executor,
                                                            const std::string& listen);

// Why bind_tcp() would fail now; empty: it would not. Nobody can connect meanwhile.
std::string why_not_bound(const asio::any_io_executor& executor, const std::string& listen);
// Whether a process accepts connections on the Unix socket at that path.
bool somebody_answers(const asio::any_io_executor& executor, const std::string& path);

// The control socket: for root, ourselves and, if given, the members of a group. A socket that nobody answers on any
// more is replaced; one that somebody answers on is not.
struct ControlSocket {
  asio::local::stream_protocol::acceptor acceptor;
  std::optional<unsigned> group;  // group id whose members may use it
};
std::variant<ControlSocket, std::string> bind_control(const asio::any_io_executor& executor, const std::string& path,
                                                      const std::string& group);

}  // namespace watcher
