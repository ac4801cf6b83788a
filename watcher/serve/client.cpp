#include "watcher/serve/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <exception>
#include <utility>

#include "probes/net/result.hpp"
#include "rules/base/parse.hpp"

namespace watcher {

namespace {

namespace http = boost::beast::http;
using local = asio::local::stream_protocol;
using boost::system::error_code;
using probes::as_result;
using Answer = std::variant<ApiReply, std::string>;

constexpr std::uint64_t reply_max = 64 * 1024 * 1024;  // bytes: a thousand incidents with all their evidence

std::string no_answer(const std::string& path, const std::string& what, const std::string& advice) {
  return "ask the watcher at " + path + ": " + what + "; " + advice;
}

std::string not_connected(const std::string& path, error_code error) {
  if (error == asio::error::access_denied) {
    return no_answer(path, "permission denied", "use root, the watcher's user or a member of watcher.control_group");
  }
  return no_answer(path, error.message(), "is `rollbackd run` running, and with the same configuration?");
}

ApiReply reply_of(http::response<http::string_body> response) {
  ApiReply reply;
  reply.status = response.result_int();
  const auto type = response[http::field::content_type];
  reply.content_type.assign(type.data(), type.size());
  reply.body = std::move(response.body());
  return reply;
}

http::request<http::string_body> message_of(const ApiRequest& request) {
  constexpr unsigned http_1_1 = 11;
  http::request<http::string_body> message;
  message.method_string(request.method);
  message.target(request.target);
  message.version(http_1_1);
  message.set(http::field::host, "localhost");
  message.set(http::field::content_type, "application/json");
  message.keep_alive(false);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

asio::awaitable<void> exchange(local::socket& socket, std::string path, ApiRequest request, Answer& answer) {
  const local::endpoint endpoint(path);
  const auto [refused] = co_await socket.async_connect(endpoint, as_result);
  if (refused) {
    answer = not_connected(path, refused);
    co_return;
  }
  http::request<http::string_body> message = message_of(request);
  const auto [unsent, sent] = co_await http::async_write(socket, message, as_result);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(reply_max);
  // Also after a failed write: a server that turned us away has said why before it closed.
  const auto [unread, received] = co_await http::async_read(socket, buffer, parser, as_result);
  if (unread) {
    const error_code failed = unsent ? unsent : unread;
    answer = no_answer(path, failed.message(), "does it stop right now? look into its log");
    co_return;
  }
  answer = reply_of(parser.release());
}

}  // namespace

std::variant<ApiReply, std::string> call(const std::string& socket_path, const ApiRequest& request,
                                         rules::Duration limit) {
  // One byte less than the kernel's field: it ends with a zero.
  if (socket_path.size() >= sizeof(sockaddr_un::sun_path))
    return no_answer(socket_path, "the path is too long", "shorten it");
  asio::io_context io(1);
  local::socket socket(io);
  Answer answer;
  const auto on_done = [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  };
  asio::co_spawn(io, exchange(socket, socket_path, request, answer), on_done);
  io.run_for(limit);
  if (io.stopped()) return answer;
  error_code ignored;
  socket.close(ignored);
  io.run();
  return no_answer(socket_path, "no answer within " + rules::to_string(limit),
                   "does the watcher hang? look into its log");
}

std::string problem_detail(const ApiReply& reply) {
  if (reply.body.empty()) return "it answered with HTTP status " + std::to_string(reply.status) + " and no word of why";
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(reply.body, error);
  if (error || !value.is_object()) return reply.body;
  const auto* detail = value.get_object().if_contains("detail");
  if (detail == nullptr || !detail->is_string()) return reply.body;
  return std::string(detail->get_string().data(), detail->get_string().size());
}

}  // namespace watcher
