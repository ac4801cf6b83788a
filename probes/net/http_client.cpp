#include "probes/net/http_client.hpp"

#include <boost/asio/this_coro.hpp>
#include <optional>

#include "probes/net/connection.hpp"
#include "probes/net/dial.hpp"
#include "probes/net/faults.hpp"
#include "probes/net/reply_parser.hpp"
#include "probes/net/result.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;
using MaybeFault = std::optional<Fault>;
using Outcome = std::variant<HttpReply, Fault>;

// Bytes of an answer that are read without giving others their turn.
constexpr std::size_t at_once_max = 1024 * 1024;

// One request on its way. Lives in the frame of fetch(), and disarms the deadline with its end.
struct Exchange {
  const PreparedRequest& request;
  const BodySink* sink;
  Deadline& deadline;
  bool answered = false;  // a byte of the answer came

  ~Exchange() { deadline.disarm(); }
  std::string attempt() const { return "read from " + request.url().authority; }
};

}  // namespace

struct HttpClient::State {
  State(Resolver& resolver_, std::shared_ptr<const TlsOptions> tls_) : resolver(resolver_), tls(std::move(tls_)) {}

  asio::awaitable<Outcome> fetch(const PreparedRequest& request, BodySink sink);
  asio::awaitable<MaybeFault> open(Exchange& exchange);
  asio::awaitable<Outcome> ask(Exchange& exchange);

  Resolver& resolver;
  std::shared_ptr<const TlsOptions> tls;  // nullptr: as usual
  std::optional<Deadline> deadline;
  std::unique_ptr<Connection> connection;
  rules::SharedText connected_to;  // the connection's origin
};

asio::awaitable<MaybeFault> HttpClient::State::open(Exchange& exchange) {
  const auto executor = co_await asio::this_coro::executor;
  connection = std::make_unique<Connection>(executor);
  connected_to = {};
  const Url& url = exchange.request.url();
  MaybeFault fault = co_await dial(resolver, *connection, url.host, url.port, exchange.deadline);
  if (fault) co_return fault;
  if (url.tls) {
    const TlsOptions usual;
    const TlsOptions& options = tls ? *tls : usual;
    fault = co_await connection->start_tls(options, url.host, exchange.deadline);
    if (fault) co_return fault;
  }
  connected_to = exchange.request.origin();
  co_return MaybeFault();
}

// Sends the request and reads the answer. Leaves the connection usable, or closes it.
asio::awaitable<Outcome> HttpClient::State::ask(Exchange& exchange) {
  std::string_view unsent = exchange.request.text();
  unsent.remove_prefix(connection->send_now(unsent));
  if (!unsent.empty()) {
    MaybeFault fault = co_await connection->send(unsent, exchange.deadline);
    if (fault) co_return std::move(*fault);
  }
  const HttpRequest& request = exchange.request.request();
  ReplyParser parser(request, exchange.sink);
  std::string carried;
  for (std::size_t at_once = 0; !parser.done();) {
    Connection::Received received;
    if (at_once < at_once_max) received = connection->receive_more(carried);
    if (received.fresh == 0) {
      connection->expect(parser.missing());
      if (connection->is_plain()) {
        if (exchange.deadline.passed()) co_return connection->too_late(exchange.deadline);
        const auto [error, count] = co_await connection->receive_piece();
        received = connection->received(carried, error, count, exchange.deadline);
      } else {
        received = co_await connection->receive_tls(carried, exchange.deadline);
      }
      at_once = 0;
    }
    at_once += received.fresh;
    if (received.fault) co_return std::move(*received.fault);
    exchange.answered = exchange.answered || received.fresh > 0;
    if (received.fresh == 0) {
      if (!parser.end(received.end)) co_return network_fault(exchange.attempt(), asio::error::eof);
      break;
    }
    const std::size_t used = parser.push(received.bytes);
    if (parser.fault()) co_return Fault{parser.fault()->kind, exchange.attempt() + ": " + parser.fault()->what};
    carried.assign(received.bytes.substr(used));
    if (carried.size() > header_max) co_return Fault{FaultKind::parse, exchange.attempt() + ": the answer is not HTTP"};
  }
  // Bytes after the answer would be taken for the next one's.
  if (!parser.keep_alive() || !carried.empty()) connection.reset();
  co_return parser.take();
}

asio::awaitable<Outcome> HttpClient::State::fetch(const PreparedRequest& request, BodySink sink) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  if (request.fault()) co_return *request.fault();
  if (!deadline) deadline.emplace(executor);
  Exchange exchange{request, sink ? &sink : nullptr, *deadline};
  deadline->arm(request.request().limit, [this] {
    if (connection) connection->cancel();
  });
  bool kept = connection && connected_to == request.origin() && request.repeatable();
  for (;;) {
    if (!kept) {
      MaybeFault fault = co_await open(exchange);
      if (fault) {
        connection.reset();
        co_return std::move(*fault);
      }
    }
    Outcome outcome = co_await ask(exchange);
    const auto* failed = std::get_if<Fault>(&outcome);
    if (failed == nullptr) co_return outcome;
    connection.reset();
    if (!kept || exchange.answered || failed->kind != FaultKind::reset) co_return outcome;
    kept = false;
  }
}

HttpClient::HttpClient(Resolver& resolver, TlsOptions tls) : state_(std::make_unique<State>(resolver, nullptr)) {
  if (tls != TlsOptions()) state_->tls = std::make_shared<const TlsOptions>(std::move(tls));
}
HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient HttpClient::another() const { return HttpClient(std::make_unique<State>(state_->resolver, state_->tls)); }

asio::awaitable<Outcome> HttpClient::fetch(const PreparedRequest& request) { return state_->fetch(request, nullptr); }

asio::awaitable<Outcome> HttpClient::fetch(const PreparedRequest& request, BodySink sink) {
  return state_->fetch(request, std::move(sink));
}

}  // namespace probes
