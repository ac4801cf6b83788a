#include <doctest/doctest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <string>

#include "probes/net/child.hpp"

namespace {

using namespace std::chrono_literals;

// How many of the commands ended as they should.
boost::asio::awaitable<int> run_in_turn(int commands) {
  int right = 0;
  for (int code = 0; code < commands; ++code) {
    probes::ChildSpec spec;
    spec.argv.assign({"/bin/sh", "-c", "echo said; exit " + std::to_string(code)});
    spec.limit = 30s;
    const probes::ChildResult result = co_await probes::run_child(std::move(spec));
    const bool exited = result.end == probes::ChildEnd::exited && result.exit_code == code;
    if (exited && result.output_stdout == "said\n") ++right;
  }
  co_return right;
}

}  // namespace

TEST_CASE("commands on one loop each end with their own exit code, side by side and one after another") {
  // The loop reuses what it kept of a former child's descriptor, with an event that may still be under way.
  constexpr int commands = 100;
  constexpr int side_by_side = 6;
  boost::asio::io_context loop;
  int right = 0;
  for (int i = 0; i < side_by_side; ++i) {
    boost::asio::co_spawn(loop, run_in_turn(commands), [&right](const std::exception_ptr& error, int ended) {
      CHECK_FALSE(error);
      right += ended;
    });
  }
  loop.run();
  CHECK(right == commands * side_by_side);
}
