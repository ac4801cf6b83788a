#include "watcher/serve/session.hpp"

#include <array>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <sstream>
#include <utility>

#include "probes/net/deadline.hpp"
#include "probes/net/result.hpp"
#include "watcher/serve/access.hpp"
#include "watcher/serve/problem.hpp"
#include "watcher/serve/target.hpp"

namespace watcher {

namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using probes::as_result;
using Parser = http::request_parser<http::string_body>;
using Response = http::response<http::string_body>;

constexpr unsigned http_1_1 = 11;
constexpr std::uint32_t header_max = 16 * 1024;  // bytes; a browser's cookies for localhost may be a few KiB
constexpr std::uint64_t body_max = 64 * 1024;    // bytes; the longest body is a pause with a reason
constexpr rules::Duration idle_max = std::chrono::seconds(75);      // more than a scrape interval of 1m
constexpr rules::Duration request_max = std::chrono::seconds(10);   // from its first byte to its last
constexpr rules::Duration response_max = std::chrono::seconds(30);  // for a reader that is slow
constexpr rules::Duration prompt_max = std::chrono::seconds(1);     // one that takes longer may have to make way
constexpr std::size_t small_max = 4 * 1024;                         // bytes; the kernel takes that without a reader
constexpr rules::Duration drain_max = std::chrono::seconds(1);      // for what still comes after a mistake

std::string text_of(boost::core::string_view text) { return std::string(text.data(), text.size()); }

// The request as the API sees it.
ApiRequest request_of(const Parser& parser, const Visitor& visitor) {
  const auto& message = parser.get();
  ApiRequest request;
  request.method = text_of(message.method_string());
  if (message.method() == http::verb::head) request.method = "GET";
  request.target = text_of(message.target());
  request.body = message.body();
  request.authorization = text_of(message[http::field::authorization]);
  request.host = text_of(message[http::field::host]);
  request.trusted = visitor.trusted;
  request.exposed = visitor.exposed;
  request.by = visitor.name;
  return request;
}

asio::awaitable<ApiReply> answer(ApiRequest request, Host& host, Metrics& metrics) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  if (request.method != "GET" || path != "/metrics") co_return co_await handle(host, std::move(request));
  const std::optional<Target> target = parse_target(request.target);
  if (!target) co_return problem(400, "the target is not a path with an optional query");
  std::optional<ApiReply> refusal = refused(host.config().watcher, request, *target);
  if (refusal) co_return std::move(*refusal);
  ApiReply reply;
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body = metrics.text(host.view());
  co_return reply;
}

// What to say to a request that could not be read; nothing where nobody listens any more.
std::optional<ApiReply> complaint(error_code error) {
  if (error == http::error::body_limit) {
    return problem(413, "the body is larger than " + std::to_string(body_max) + " bytes");
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return problem(431, "the header is larger than " + std::to_string(header_max) + " bytes");
  }
  const bool is_gone = error == http::error::end_of_stream || error == http::error::partial_message;
  if (is_gone || error.category() != http::make_error_code(http::error::end_of_stream).category()) return std::nullopt;
  return problem(400, "this is not an HTTP request: " + error.message());
}

ApiReply later(const std::string& why) {
  ApiReply reply = problem(503, why);
  reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

ApiReply crowded() { return later("too many connections at the same time; try again"); }
ApiReply too_much() { return later("others are still being sent as much as there is room for; try again"); }

// Why a request that could be read is not answered, as the reply to give; nothing when it may be.
std::optional<ApiReply> unanswered(const Parser& parser, const Visitor& visitor) {
  if (!visitor.allowed) {
    return problem(403, visitor.name +
                            " may not use the control socket: only root, the watcher's own user and the members of "
                            "watcher.control_group may");
  }
  // Whoever is in between may have read another one than we do.
  for (const http::field only_one : {http::field::host, http::field::authorization, http::field::transfer_encoding}) {
    if (parser.get().count(only_one) > 1)
      return problem(400, "the request has two " + text_of(http::to_string(only_one)) + " headers");
  }
  const std::string coding = text_of(parser.get()[http::field::transfer_encoding]);
  const bool is_chunked = boost::iequals(coding, "chunked") && parser.get().version() >= http_1_1;
  if (!coding.empty() && !is_chunked)
    return problem(501, "Transfer-Encoding \"" + coding + "\" is not known here, only \"chunked\" of HTTP/1.1 is");
  const std::string target = text_of(parser.get().target());
  if (visitor.crowded && target != "/healthz" && target != "/readyz") return crowded();
  return std::nullopt;
}

Response response_of(ApiReply reply, unsigned version, bool keep_alive) {
  Response response(static_cast<http::status>(reply.status), version);
  response.set(http::field::server, "rollbackd/" ROLLBACKD_VERSION);
  response.set(http::field::content_type, reply.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : reply.headers) response.set(name, value);
  response.keep_alive(keep_alive);
  response.body() = std::move(reply.body);
  response.prepare_payload();
  return response;
}

// One connection with what it needs between two requests.
class Session {
 public:
  Session(StreamSocket socket, Visitor visitor, Seats& seats)
      : socket_(std::move(socket)), visitor_(std::move(visitor)), deadline_(socket_.get_executor()), seats_(seats) {}

  asio::awaitable<void> run(Host& host, Metrics& metrics);

 private:
  asio::awaitable<bool> wait_for_request();
  asio::awaitable<error_code> read_request();
  asio::awaitable<bool> respond(Response response, bool head_only);
  asio::awaitable<void> complain(ApiReply reply);
  asio::awaitable<void> drain();
  void close();
  bool close_if_silent();

  StreamSocket socket_;
  Visitor visitor_;
  probes::Deadline deadline_;
  Seats& seats_;
  boost::beast::flat_buffer buffer_{header_max + body_max};
  std::optional<Parser> parser_;
};

void Session::close() {
  error_code ignored;
  socket_.close(ignored);
}

// Who has said something that we have not read yet is not silent: however many come in between, he is answered.
bool Session::close_if_silent() {
  error_code ignored;
  if (socket_.is_open() && socket_.available(ignored) > 0) return false;
  close();
  return true;
}

asio::awaitable<bool> Session::wait_for_request() {
  if (buffer_.size() > 0) co_return true;
  const Seats::Useless silent(seats_, Seats::Idle::silent, visitor_.owner, [this] { return close_if_silent(); });
  deadline_.arm(idle_max, [this] { close(); });
  const auto [error] = co_await socket_.async_wait(asio::socket_base::wait_read, as_result);
  deadline_.disarm();
  co_return !error;
}

asio::awaitable<error_code> Session::read_request() {
  parser_.emplace();
  parser_->header_limit(header_max);
  parser_->body_limit(body_max);
  deadline_.arm(request_max, [this] { close(); });
  Parser& parser = *parser_;
  const Seats::Useless silent(seats_, Seats::Idle::silent, visitor_.owner, [this] { return close_if_silent(); });
  const auto [error, size] = co_await http::async_read(socket_, buffer_, parser, as_result);
  deadline_.disarm();
  co_return error;
}

asio::awaitable<bool> Session::respond(Response response, bool head_only) {
  http::response_serializer<http::string_body> serializer(response);
  const Seats::Outgoing outgoing(seats_, response.body().size());
  std::optional<Seats::Useless> slow;
  deadline_.arm(prompt_max, [this, &slow] {
    slow.emplace(seats_, Seats::Idle::slow, visitor_.owner, [this] {
      close();
      return true;
    });
    deadline_.arm(response_max - prompt_max, [this] { close(); });
  });
  error_code failed;
  if (head_only) {
    const auto [error, size] = co_await http::async_write_header(socket_, serializer, as_result);
    failed = error;
  } else {
    const auto [error, size] = co_await http::async_write(socket_, serializer, as_result);
    failed = error;
  }
  deadline_.disarm();
  co_return !failed;
}

// The last word: what came after the mistake cannot be told from the next request.
asio::awaitable<void> Session::complain(ApiReply reply) {
  Response response = response_of(std::move(reply), http_1_1, false);
  co_await respond(std::move(response), false);
  error_code ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  co_await drain();
}

// Closing while bytes are unread would reset the connection and take our last word with it.
asio::awaitable<void> Session::drain() {
  std::array<char, 4096> discarded;
  const auto buffer = asio::buffer(discarded);
  const Seats::Useless over(seats_, Seats::Idle::silent, visitor_.owner, [this] {
    close();
    return true;
  });
  deadline_.arm(drain_max, [this] { close(); });
  error_code failed;
  while (!failed) {
    const auto [error, size] = co_await socket_.async_read_some(buffer, as_result);
    failed = error;
  }
  deadline_.disarm();
}

asio::awaitable<void> Session::run(Host& host, Metrics& metrics) {
  while (true) {
    const bool comes = co_await wait_for_request();
    if (!comes) co_return;
    const error_code error = co_await read_request();
    if (error) {
      auto reply = complaint(error);
      if (reply) co_await complain(std::move(*reply));
      co_return;
    }
    auto wrong = unanswered(*parser_, visitor_);
    if (wrong) {
      co_await complain(std::move(*wrong));
      co_return;
    }
    ApiRequest request = request_of(*parser_, visitor_);
    ApiReply reply = co_await answer(std::move(request), host, metrics);
    if (reply.body.size() > small_max && !seats_.bears(reply.body.size())) {
      seats_.make_way(Seats::Idle::slow);
      reply = too_much();
    }
    const bool keep_alive = parser_->get().keep_alive();
    const bool head_only = parser_->get().method() == http::verb::head;
    Response response = response_of(std::move(reply), parser_->get().version(), keep_alive);
    const bool sent = co_await respond(std::move(response), head_only);
    if (!sent || !keep_alive) co_return;
  }
}

}  // namespace

asio::awaitable<void> converse(StreamSocket socket, Visitor visitor, Host& host, Metrics& metrics, Seats& seats) {
  Session session(std::move(socket), std::move(visitor), seats);
  co_await session.run(host, metrics);
}

void turn_away(StreamSocket socket) {
  ApiReply reply = crowded();
  std::ostringstream busy;
  busy << response_of(std::move(reply), http_1_1, false);
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(busy.str()), ignored);
}

}  // namespace watcher
