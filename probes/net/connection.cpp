#include "probes/net/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <cassert>
#include <cstring>
#include <sstream>
#include <utility>

#include "probes/net/faults.hpp"
#include "probes/net/result.hpp"
#include "probes/net/tls.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;
using MaybeFault = std::optional<Fault>;

constexpr const char* read_verb = "read from";

// Bytes that are waited for at once. The kernel wakes us earlier when it has no room for so many, or the peer closes.
constexpr std::uint64_t wake_up_max = 256 * 1024;

std::array<char, read_buffer_size>& read_buffer() {
  static thread_local const auto buffer = std::make_unique<std::array<char, read_buffer_size>>();
  return *buffer;
}

std::string text_of(const asio::ip::tcp::endpoint& endpoint) {
  std::ostringstream out;
  out << endpoint;
  return out.str();
}

Fault fault_of(const std::string& attempt, const TlsSession::Step& step) {
  using Next = TlsSession::Next;
  switch (step.next) {
    case Next::closed:
      return network_fault(attempt, asio::error::eof);
    case Next::broken:
      return network_fault(attempt, boost::system::error_code(step.error, boost::system::system_category()));
    case Next::refused:
      return {FaultKind::tls, attempt + ": " + step.what + "; check the certificate, tls.ca_file and tls.server_name"};
    case Next::done:
    case Next::wait_read:
    case Next::wait_write:
      break;
  }
  return {FaultKind::tls, attempt + ": unexpected end of a step"};
}

}  // namespace

Connection::Connection(const asio::any_io_executor& executor) : socket_(executor) {}

Connection::~Connection() = default;

void Connection::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

asio::awaitable<MaybeFault> Connection::connect(std::vector<asio::ip::tcp::endpoint> endpoints, Deadline& deadline) {
  MaybeFault fault;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    // An address that does not answer leaves time for those after it.
    const auto share = deadline.left() / static_cast<std::int64_t>(endpoints.size() - i);
    fault = co_await connect_one(endpoints.at(i), share, deadline);
    if (!fault || fault->kind == FaultKind::cancelled) break;
  }
  co_return fault;
}

asio::awaitable<MaybeFault> Connection::connect_one(asio::ip::tcp::endpoint endpoint, rules::Duration limit,
                                                    Deadline& deadline) {
  peer_ = text_of(endpoint);
  const std::string attempted = attempt("connect");
  boost::system::error_code error;
  socket_.close(error);
  socket_.open(endpoint.protocol(), error);
  if (error) co_return network_fault(attempted, error);
  Deadline share(socket_.get_executor());
  share.arm(limit, [this] { cancel(); });
  const auto [failed] = co_await socket_.async_connect(endpoint, as_result);
  if (failed == asio::error::operation_aborted) {
    if (share.passed() || deadline.passed()) co_return timeout_fault(attempted, limit);
    co_return cancelled_fault(attempted);
  }
  if (failed) co_return network_fault(attempted, failed);
  socket_.non_blocking(true, error);
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  co_return MaybeFault();
}

asio::awaitable<MaybeFault> Connection::wait(asio::socket_base::wait_type what, const char* verb, Deadline& deadline) {
  if (deadline.passed()) co_return timeout_fault(attempt(verb), deadline.limit());
  const auto [error] = co_await socket_.async_wait(what, as_result);
  if (error) co_return interruption(error, verb, deadline);
  co_return MaybeFault();
}

Fault Connection::interruption(const boost::system::error_code& error, const char* verb,
                               const Deadline& deadline) const {
  if (deadline.passed()) return timeout_fault(attempt(verb), deadline.limit());
  if (error == asio::error::operation_aborted) return cancelled_fault(attempt(verb));
  return network_fault(attempt(verb), error);
}

asio::awaitable<MaybeFault> Connection::start_tls(const TlsOptions& options, const std::string& host,
                                                  Deadline& deadline) {
  constexpr const char* verb = "TLS handshake with";
  auto made = TlsSession::make(options, host, socket_.native_handle());
  if (const auto* error = std::get_if<std::string>(&made))
    co_return Fault{FaultKind::tls, attempt(verb) + ": " + *error};
  tls_ = std::move(std::get<std::unique_ptr<TlsSession>>(made));
  for (;;) {
    const TlsSession::Step step = tls_->handshake();
    if (step.next == TlsSession::Next::done) co_return MaybeFault();
    auto what = asio::socket_base::wait_read;
    if (step.next == TlsSession::Next::wait_write)
      what = asio::socket_base::wait_write;
    else if (step.next != TlsSession::Next::wait_read)
      co_return fault_of(attempt(verb), step);
    MaybeFault fault = co_await wait(what, verb, deadline);
    if (fault) co_return fault;
  }
}

std::size_t Connection::send_now(std::string_view bytes) {
  if (tls_) return 0;
  boost::system::error_code error;
  return socket_.send(asio::buffer(bytes), 0, error);
}

asio::awaitable<MaybeFault> Connection::send(std::string_view bytes, Deadline& deadline) {
  constexpr const char* verb = "send to";
  while (!bytes.empty()) {
    auto what = asio::socket_base::wait_write;
    if (tls_) {
      const TlsSession::Step step = tls_->write(bytes);
      bytes.remove_prefix(step.count);
      if (step.next == TlsSession::Next::done) continue;
      if (step.next == TlsSession::Next::wait_read)
        what = asio::socket_base::wait_read;
      else if (step.next != TlsSession::Next::wait_write)
        co_return fault_of(attempt(verb), step);
    } else {
      boost::system::error_code error;
      bytes.remove_prefix(socket_.send(asio::buffer(bytes), 0, error));
      if (!error || error == asio::error::interrupted) continue;
      if (error != asio::error::would_block) co_return network_fault(attempt(verb), error);
    }
    MaybeFault fault = co_await wait(what, verb, deadline);
    if (fault) co_return fault;
  }
  co_return MaybeFault();
}

Fault Connection::too_late(const Deadline& deadline) const {
  return timeout_fault(attempt(read_verb), deadline.limit());
}

Connection::Received Connection::received(std::string_view carried, const boost::system::error_code& error,
                                          std::size_t count, const Deadline& deadline) {
  assert(carried.size() + piece_size < read_buffer_size);
  const std::unique_ptr<Piece> piece = std::move(piece_);
  if (error && error != asio::error::eof) return {{}, 0, interruption(error, read_verb, deadline)};
  char* const buffer = read_buffer().data();
  std::memcpy(buffer, carried.data(), carried.size());
  std::memcpy(buffer + carried.size(), piece->data(), count);
  std::size_t fresh = count;
  is_more_ = count == piece_size;
  if (is_more_) fresh += read_now(carried.size() + count);
  return {std::string_view(buffer, carried.size() + fresh), fresh, std::nullopt};
}

// When there is nothing, or the peer has closed, the next one that waits tells.
std::size_t Connection::read_now(std::size_t at) {
  const std::size_t room = read_buffer_size - at;
  boost::system::error_code none;
  const std::size_t count = socket_.receive(asio::buffer(read_buffer().data() + at, room), 0, none);
  is_more_ = count == room;
  return count;
}

Connection::Received Connection::receive_more(std::string_view carried) {
  if (!is_more_ || tls_) return {};
  assert(carried.size() < read_buffer_size);
  char* const buffer = read_buffer().data();
  std::memmove(buffer, carried.data(), carried.size());
  const std::size_t fresh = read_now(carried.size());
  return {std::string_view(buffer, carried.size() + fresh), fresh, std::nullopt};
}

void Connection::expect(std::uint64_t bytes) {
  if (tls_) return;
  const int wakes_at = static_cast<int>(std::clamp<std::uint64_t>(bytes, 1, wake_up_max));
  if (wakes_at == wakes_at_) return;
  boost::system::error_code error;
  socket_.set_option(asio::socket_base::receive_low_watermark(wakes_at), error);
  if (!error) wakes_at_ = wakes_at;
}

asio::awaitable<Connection::Received> Connection::receive_tls(std::string_view carried, Deadline& deadline) {
  assert(carried.size() < read_buffer_size);
  for (;;) {
    // First of all: TLS may hold decrypted bytes that no socket event tells of.
    char* const buffer = read_buffer().data();
    std::memcpy(buffer, carried.data(), carried.size());
    const TlsSession::Step step = tls_->read(buffer + carried.size(), read_buffer_size - carried.size());
    auto what = asio::socket_base::wait_read;
    if (step.next == TlsSession::Next::done || step.next == TlsSession::Next::closed) {
      co_return Received{std::string_view(buffer, carried.size() + step.count), step.count, std::nullopt,
                         step.said ? BodyEnd::closed : BodyEnd::unsaid};
    }
    if (step.next == TlsSession::Next::wait_write)
      what = asio::socket_base::wait_write;
    else if (step.next != TlsSession::Next::wait_read)
      co_return Received{{}, 0, fault_of(attempt(read_verb), step)};
    MaybeFault fault = co_await wait(what, read_verb, deadline);
    if (fault) co_return Received{{}, 0, std::move(fault)};
  }
}

}  // namespace probes
