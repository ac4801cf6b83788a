#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/body_end.hpp"
#include "probes/config.hpp"
#include "probes/net/deadline.hpp"
#include "probes/net/result.hpp"
#include "rules/base/fault.hpp"

namespace probes {

class TlsSession;

inline constexpr std::size_t piece_size = 512;  // bytes; each connection that waits for an answer has as many

// Bytes of one read. Connections of a thread share the buffer, so a thousand of them need one: what is read must be
// used before anything is awaited. It is no larger, so that what is read is still in the cache when it is parsed.
inline constexpr std::size_t read_buffer_size = 64 * 1024;

// One TCP connection, with TLS or without.
class Connection {
 public:
  explicit Connection(const asio::any_io_executor& executor);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Tries the endpoints one after another until the deadline; the last one's fault if none answers.
  asio::awaitable<std::optional<rules::Fault>> connect(std::vector<asio::ip::tcp::endpoint> endpoints,
                                                       Deadline& deadline);
  // `host` is the URL's; it is what the certificate must be for unless the options name another.
  asio::awaitable<std::optional<rules::Fault>> start_tls(const TlsOptions& options, const std::string& host,
                                                         Deadline& deadline);
  asio::awaitable<std::optional<rules::Fault>> send(std::string_view bytes, Deadline& deadline);
  // Sends without waiting and says how many bytes went; what did not go, for whatever reason, is for send().
  std::size_t send_now(std::string_view bytes);

  // What came, in the thread's buffer behind `carried`, which must be shorter than the buffer. Nothing read and no
  // fault: the peer closed in an orderly way.
  struct Received {
    std::string_view bytes;  // carried and read
    std::size_t fresh = 0;   // how many of them are new
    std::optional<rules::Fault> fault;
    BodyEnd end = BodyEnd::closed;  // what the peer's closing says of a body that it ends
  };
  // Without TLS: the operation waits for bytes, and received() makes of what it gives what came. In the caller's frame,
  // which spares each poll a coroutine; not to be begun when the deadline has passed.
  bool is_plain() const { return !tls_; }
  auto receive_piece() {
    piece_ = std::make_unique_for_overwrite<Piece>();
    return socket_.async_receive(asio::buffer(*piece_), in_this_frame);
  }
  Received received(std::string_view carried, const boost::system::error_code& error, std::size_t count,
                    const Deadline& deadline);
  rules::Fault too_late(const Deadline& deadline) const;
  // With TLS.
  asio::awaitable<Received> receive_tls(std::string_view carried, Deadline& deadline);
  // The same without waiting, after a read that filled the buffer: much of a large answer is there already. Nothing
  // read: the next that waits tells why.
  Received receive_more(std::string_view carried);
  // So many bytes of the answer, or more, are still to come: no need to wake up for a few of them. 0: not
  // known.
  void expect(std::uint64_t bytes);

  // What the deadline's function is to do.
  void cancel();

 private:
  asio::awaitable<std::optional<rules::Fault>> connect_one(asio::ip::tcp::endpoint endpoint, rules::Duration limit,
                                                           Deadline& deadline);
  // `verb` is for people, such as "read from".
  asio::awaitable<std::optional<rules::Fault>> wait(asio::socket_base::wait_type what, const char* verb,
                                                    Deadline& deadline);
  std::size_t read_now(std::size_t at);  // into the thread's buffer, from there on
  // Why waiting ended with an error.
  rules::Fault interruption(const boost::system::error_code& error, const char* verb, const Deadline& deadline) const;
  std::string attempt(const char* verb) const { return verb + (" " + peer_); }

  asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsSession> tls_;
  std::string peer_;      // address and port, for people
  bool is_more_ = false;  // perhaps: the last read was as large as it could be
  int wakes_at_ = 1;      // bytes; when fewer are there, and more may come, the socket is not readable
  // Asio receives the first bytes of what comes into here, which the usual answer of a health endpoint fits in. To wait
  // until the socket is readable would cost a system call and a wake-up more for each poll. There is none while no
  // answer is waited for.
  using Piece = std::array<char, piece_size>;
  std::unique_ptr<Piece> piece_;
};

}  // namespace probes
