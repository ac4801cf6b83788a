#include "watcher/runner/lines.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "probes/net/result.hpp"
#include "rules/base/parse.hpp"

namespace watcher {

using boost::system::error_code;
using probes::as_result;

Lines::Lines(Socket socket) : socket_(std::move(socket)), deadline_(socket_.get_executor()) {}

asio::awaitable<std::optional<std::string>> Lines::read(std::size_t bytes_max, rules::Duration limit) {
  const auto give_up = [this] {
    error_code ignored;
    socket_.cancel(ignored);
  };
  if (limit > rules::Duration::zero()) deadline_.arm(limit, give_up);
  auto room = asio::dynamic_buffer(buffer_, bytes_max);
  const auto [error, size] = co_await asio::async_read_until(socket_, room, '\n', as_result);
  deadline_.disarm();
  if (error) {
    problem_ = error == asio::error::not_found ? "a line of more than " + std::to_string(bytes_max) + " bytes"
                                               : error.message();
    if (deadline_.passed()) problem_ = "nothing within " + rules::to_string(limit);
    co_return std::nullopt;
  }
  std::string line = buffer_.substr(0, size - 1);
  buffer_.erase(0, size);
  co_return line;
}

asio::awaitable<bool> Lines::write(std::string line, rules::Duration limit) {
  const auto give_up = [this] {
    error_code ignored;
    socket_.cancel(ignored);
  };
  line += '\n';
  deadline_.arm(limit, give_up);
  const auto buffer = asio::buffer(line);
  const auto [error, size] = co_await asio::async_write(socket_, buffer, as_result);
  deadline_.disarm();
  if (error) problem_ = error.message();
  co_return !error;
}

void Lines::hang_up() {
  error_code ignored;
  socket_.close(ignored);
}

void Lines::when_heard(std::function<void()> heard) {
  socket_.async_wait(Socket::wait_read, [heard = std::move(heard)](error_code error) {
    if (!error) heard();
  });
}

}  // namespace watcher
