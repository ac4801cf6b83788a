#include "watcher/serve/client.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
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
#include <cerrno>
#include <exception>
#include <thread>
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

// While others take every place: some 7 s in all, each time a little later than they.
constexpr int tries_max = 10;
constexpr rules::Duration first_pause = std::chrono::milliseconds(50);
constexpr rules::Duration last_pause = std::chrono::seconds(1);
constexpr rules::Duration row_limit = std::chrono::seconds(10);  // in the kernel's row of those who want to connect

std::string no_answer(const std::string& path, const std::string& what, const std::string& advice) {
  return "ask the watcher at " + path + ": " + what + "; " + advice;
}

std::string not_connected(const std::string& path, error_code error) {
  if (error == asio::error::access_denied) {
    return no_answer(path, "permission denied", "use root, the watcher's user or a member of watcher.control_group");
  }
  if (error == asio::error::try_again) {
    return no_answer(path, "others open connections faster than it takes them", "who does that? `ss -xp` shows them");
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

// What became of one try.
struct Try {
  Answer answer;
  bool is_turned_away = false;  // there was no place for us
  bool is_cut_off = false;      // it closed without a word; what was asked may be done all the same
};

// Others may connect faster than it takes them: then we wait in their row, as no asynchronous connect can.
error_code connect(local::socket& socket, const std::string& path, rules::Duration limit) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(limit);
  const timeval row{whole.count(), 0};
  error_code error;
  socket.open(local(), error);
  if (error) return error;
  const int descriptor = socket.native_handle();
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &row, sizeof(row));
  const local::endpoint endpoint(path);
  const bool is_connected = ::connect(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
  return is_connected ? error_code() : error_code(errno, boost::system::system_category());
}

asio::awaitable<void> exchange(local::socket& socket, std::string path, ApiRequest request, Try& made) {
  http::request<http::string_body> message = message_of(request);
  co_await http::async_write(socket, message, as_result);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(reply_max);
  // Also after a failed write: a server that turned us away has said why before it closed.
  const auto [unread, received] = co_await http::async_read(socket, buffer, parser, as_result);
  if (unread) {
    made.is_cut_off = true;
    made.answer =
        no_answer(path, "it closed the connection before it had answered",
                  "whether it did what was asked is not known: ask `rollbackd status`. Does it stop right now, or do "
                  "others open connections faster than it answers? look into its log");
    co_return;
  }
  made.is_turned_away = parser.get().result() == http::status::service_unavailable &&
                        parser.get().find(http::field::retry_after) != parser.get().end();
  made.answer = reply_of(parser.release());
}

Try try_once(const std::string& path, const ApiRequest& request, rules::Duration limit) {
  Try made;
  asio::io_context io(1);
  local::socket socket(io);
  const error_code refused = connect(socket, path, std::min(limit, row_limit));
  if (refused) {
    made.answer = not_connected(path, refused);
    return made;
  }
  const auto on_done = [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  };
  asio::co_spawn(io, exchange(socket, path, request, made), on_done);
  io.run_for(limit);
  if (io.stopped()) return made;
  error_code ignored;
  socket.close(ignored);
  io.run();
  Try late;
  late.answer =
      no_answer(path, "no answer within " + rules::to_string(limit), "does the watcher hang? look into its log");
  return late;
}

}  // namespace

std::variant<ApiReply, std::string> call(const std::string& socket_path, const ApiRequest& request,
                                         rules::Duration limit) {
  // One byte less than the kernel's field: it ends with a zero.
  if (socket_path.size() >= sizeof(sockaddr_un::sun_path))
    return no_answer(socket_path, "the path is too long", "shorten it");
  rules::Duration pause = first_pause;
  for (int tries = 1;; ++tries) {
    Try made = try_once(socket_path, request, limit);
    // What only asks may be asked twice; what does something may not, unless it was not even read.
    const bool is_worth_another = made.is_turned_away || (made.is_cut_off && request.method == "GET");
    if (!is_worth_another || tries == tries_max) return std::move(made.answer);
    std::this_thread::sleep_for(pause);
    pause = std::min<rules::Duration>(2 * pause, last_pause);
  }
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
