#include "probes/net/turn.hpp"

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include "probes/net/task_group.hpp"

namespace {

namespace asio = boost::asio;

struct Waiter {
  probes::Turn turn;
  int turns = 0;
  bool wanted = true;

  asio::awaitable<void> run() {
    while (wanted) {
      co_await turn.wait();
      ++turns;
    }
  }
};

TEST_CASE("a coroutine gets its turn at once, as often as it is given, and never for a turn before it waited") {
  asio::io_context loop;
  probes::TaskGroup group(loop.get_executor());
  Waiter waiter;
  waiter.turn.give();
  group.spawn("waiter", waiter.run());
  loop.poll();
  CHECK(waiter.turns == 0);
  waiter.turn.give();
  CHECK(waiter.turns == 1);
  waiter.turn.give();
  CHECK(waiter.turns == 2);
  group.cancel();
  waiter.wanted = false;
  waiter.turn.give();
  loop.poll();
  CHECK(waiter.turns == 3);
  CHECK(group.size() == 0);
}

}  // namespace
