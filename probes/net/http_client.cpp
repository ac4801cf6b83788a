#include "probes/net/http_client.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <optional>

#include "probes/net/connection.hpp"
#include "probes/net/dial.hpp"
#include "probes/net/faults.hpp"
#include "probes/net/reply_parser.hpp"
#include "probes/net/result.hpp"
#include "probes/net/url.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;
using MaybeFault = std::optional<Fault>;
using Outcome = std::variant<HttpReply, Fault>;

// May be sent twice without harm: after a kept connection was closed under us, nobody knows whether the first arrived.
bool is_repeatable(const std::string& method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

bool breaks_header(char c) { return c == '\r' || c == '\n' || c == '\0'; }

bool is_sendable(std::string_view text) { return std::none_of(text.begin(), text.end(), breaks_header); }

bool has_header(const HttpRequest& request, std::string_view name) {
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const auto& header) {
    return std::equal(header.first.begin(), header.first.end(), name.begin(), name.end(), same);
  });
}

// Into `out`, which keeps its memory from poll to poll.
void write(const HttpRequest& request, const Url& url, std::string& out) {
  out.clear();
  out.append(request.method).append(" ").append(url.target).append(" HTTP/1.1\r\n");
  if (!has_header(request, "Host")) out.append("Host: ").append(url.authority).append("\r\n");
  if (!has_header(request, "User-Agent")) out.append("User-Agent: rollbackd\r\n");
  if (!has_header(request, "Accept")) out.append("Accept: */*\r\n");
  for (const auto& [name, value] : request.headers) out.append(name).append(": ").append(value).append("\r\n");
  if (!request.body.empty() || !is_repeatable(request.method)) {
    out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  out.append("\r\n").append(request.body);
}

MaybeFault unsendable(const HttpRequest& request) {
  if (!is_sendable(request.method)) return Fault{FaultKind::not_measurable, "the method contains a line break"};
  for (const auto& [name, value] : request.headers) {
    if (is_sendable(name) && is_sendable(value)) continue;
    return Fault{FaultKind::not_measurable, "the header " + name + " contains a line break"};
  }
  return std::nullopt;
}

std::string origin_of(const Url& url) {
  return (url.tls ? "https " : "http ") + url.host + " " + std::to_string(url.port);
}

// One request on its way. Lives in the frame of fetch(), and disarms the deadline with its end.
struct Exchange {
  const HttpRequest& request;
  const Url& url;
  const BodySink* sink;
  Deadline& deadline;
  bool answered = false;  // a byte of the answer came

  ~Exchange() { deadline.disarm(); }
  std::string attempt() const { return "read from " + url.authority; }
};

}  // namespace

struct HttpClient::State {
  State(Resolver& resolver_, TlsOptions tls_) : resolver(resolver_), tls(std::move(tls_)) {}

  asio::awaitable<Outcome> fetch(const HttpRequest& request, BodySink sink);
  asio::awaitable<MaybeFault> open(Exchange& exchange);
  asio::awaitable<Outcome> ask(Exchange& exchange);
  MaybeFault understand(const std::string& text);

  Resolver& resolver;
  TlsOptions tls;
  std::string url_text;  // what `url` was parsed from: polls ask the same again and again
  Url url;
  std::string origin;  // of `url`
  std::string wire;    // the request as it is sent
  std::optional<Deadline> deadline;
  std::unique_ptr<Connection> connection;
  std::string connected_to;
};

MaybeFault HttpClient::State::understand(const std::string& text) {
  if (text == url_text) return std::nullopt;
  auto parsed = parse_url(text);
  if (const auto* error = std::get_if<rules::SyntaxError>(&parsed)) {
    return Fault{FaultKind::not_measurable, "the address is wrong: " + error->what};
  }
  url = std::move(std::get<Url>(parsed));
  url_text = text;
  origin = origin_of(url);
  return std::nullopt;
}

asio::awaitable<MaybeFault> HttpClient::State::open(Exchange& exchange) {
  const auto executor = co_await asio::this_coro::executor;
  connection = std::make_unique<Connection>(executor);
  connected_to.clear();
  MaybeFault fault = co_await dial(resolver, *connection, exchange.url.host, exchange.url.port, exchange.deadline);
  if (fault) co_return fault;
  if (exchange.url.tls) {
    fault = co_await connection->start_tls(tls, exchange.url.host, exchange.deadline);
    if (fault) co_return fault;
  }
  connected_to = origin;
  co_return MaybeFault();
}

// Sends the request and reads the answer. Leaves the connection usable, or closes it.
asio::awaitable<Outcome> HttpClient::State::ask(Exchange& exchange) {
  const std::string_view unsent = std::string_view(wire).substr(connection->send_now(wire));
  if (!unsent.empty()) {
    MaybeFault fault = co_await connection->send(unsent, exchange.deadline);
    if (fault) co_return std::move(*fault);
  }
  ReplyParser parser(exchange.request.method == "HEAD", exchange.request.body_max, exchange.sink);
  std::string carried;
  while (!parser.done()) {
    Connection::Received received = co_await connection->receive(carried, exchange.deadline);
    if (received.fault) co_return std::move(*received.fault);
    exchange.answered = exchange.answered || received.fresh > 0;
    if (received.fresh == 0) {
      if (!parser.end()) co_return network_fault(exchange.attempt(), asio::error::eof);
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

asio::awaitable<Outcome> HttpClient::State::fetch(const HttpRequest& request, BodySink sink) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  MaybeFault fault = understand(request.url);
  if (!fault) fault = unsendable(request);
  if (fault) co_return std::move(*fault);
  const BodySink* const given = sink ? &sink : nullptr;
  write(request, url, wire);
  if (!deadline) deadline.emplace(executor);
  Exchange exchange{request, url, given, *deadline};
  deadline->arm(request.limit, [this] {
    if (connection) connection->cancel();
  });
  bool kept = connection && connected_to == origin && is_repeatable(request.method);
  for (;;) {
    if (!kept) {
      fault = co_await open(exchange);
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

HttpClient::HttpClient(Resolver& resolver, TlsOptions tls)
    : state_(std::make_unique<State>(resolver, std::move(tls))) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

asio::awaitable<Outcome> HttpClient::fetch(const HttpRequest& request) { return state_->fetch(request, nullptr); }

asio::awaitable<Outcome> HttpClient::fetch(const HttpRequest& request, BodySink sink) {
  return state_->fetch(request, std::move(sink));
}

}  // namespace probes
