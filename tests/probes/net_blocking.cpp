#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <new>

#include "probes/net/blocking.hpp"

namespace {

namespace asio = boost::asio;

asio::awaitable<void> note(probes::Blocking& blocking, std::function<void()> work, bool& done) {
  done = co_await blocking.run(std::move(work), std::chrono::minutes(1));
}

bool run(probes::Blocking& blocking, std::function<void()> work) {
  asio::io_context io;
  bool done = false;
  asio::co_spawn(io, note(blocking, std::move(work), done), asio::detached);
  io.run();
  return done;
}

}  // namespace

TEST_CASE("work for which memory runs out is not done, and nothing else is lost") {
  probes::Blocking blocking;
  const auto lacks_memory = [] { throw std::bad_alloc(); };
  CHECK_FALSE(run(blocking, lacks_memory));
  bool ran = false;
  const auto is_well = [&ran] { ran = true; };
  CHECK(run(blocking, is_well));
  CHECK(ran);
}
