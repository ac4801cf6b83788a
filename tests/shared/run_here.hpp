#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace tests {

namespace asio = boost::asio;

// Runs a coroutine to its end on a loop, and no longer.
template <class T>
T run_on(asio::io_context& loop, asio::awaitable<T> task) {
  std::optional<T> result;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, T value) {
    if (error) std::rethrow_exception(error);
    result.emplace(std::move(value));
  });
  loop.restart();
  while (!result && loop.run_one() > 0) {
  }
  return std::move(*result);
}

// Runs a coroutine to its end on a loop that runs nothing else.
template <class T>
T run_here(asio::awaitable<T> task) {
  asio::io_context loop;
  return run_on(loop, std::move(task));
}

}  // namespace tests
