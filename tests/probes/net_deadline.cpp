#include "probes/net/deadline.hpp"

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using probes::Deadline;

struct Fixture {
  asio::io_context loop;
  std::string passed;
  auto note(char name) {
    return [this, name] { passed += name; };
  }
};

TEST_CASE("deadlines of one loop pass in the order of their times, whatever the order in which they were armed") {
  Fixture it;
  Deadline late(it.loop.get_executor());
  Deadline early(it.loop.get_executor());
  Deadline middle(it.loop.get_executor());
  late.arm(30ms, it.note('l'));
  early.arm(10ms, it.note('e'));
  middle.arm(20ms, it.note('m'));
  it.loop.run();
  CHECK(it.passed == "eml");
  CHECK(late.passed());
  CHECK(late.limit() == 30ms);
  CHECK(late.left() == 0ms);
}

TEST_CASE("a deadline that was disarmed does not pass, and keeps no loop running") {
  Fixture it;
  Deadline deadline(it.loop.get_executor());
  deadline.arm(24h, it.note('d'));
  CHECK(deadline.left() > 23h);
  deadline.disarm();
  it.loop.run();  // returns
  CHECK(it.passed.empty());
  CHECK_FALSE(deadline.passed());
}

TEST_CASE("arming again forgets the earlier deadline, be it shorter or longer") {
  Fixture it;
  Deadline deadline(it.loop.get_executor());
  deadline.arm(24h, it.note('1'));
  deadline.arm(1ms, it.note('2'));
  it.loop.run();
  CHECK(it.passed == "2");
  deadline.arm(1ms, it.note('3'));
  CHECK_FALSE(deadline.passed());
  deadline.arm(5ms, it.note('4'));
  it.loop.restart();
  it.loop.run();
  CHECK(it.passed == "24");
}

TEST_CASE("what is called when a deadline passes may arm it again, and destroy others that are due") {
  Fixture it;
  Deadline first(it.loop.get_executor());
  auto second = std::make_unique<Deadline>(it.loop.get_executor());
  first.arm(0ms, [&] {
    it.passed += 'f';
    second.reset();
    first.arm(1ms, it.note('a'));
  });
  second->arm(0ms, it.note('s'));
  it.loop.run();
  CHECK(it.passed == "fa");
}

TEST_CASE("a limit below zero has passed") {
  Fixture it;
  Deadline deadline(it.loop.get_executor());
  deadline.arm(-1s, it.note('d'));
  CHECK(deadline.left() == 0ms);
  CHECK_FALSE(deadline.passed());  // only from the loop: who armed it is not called back from within arm()
  it.loop.run();
  CHECK(deadline.passed());
}

}  // namespace
