#include "measured.hpp"

// What windows keep, in bytes, and what becomes of it when there is no room.

using namespace measured;

TEST_CASE("what is kept of a target grows with its series and samples, and is told") {
  World world({error_rate()});
  const std::size_t nothing = world.measurements().kept(ProbeName("app"), 0);
  world.poll(0, {{"requests_total{code=\"200\"}", 1}});
  const std::size_t one = world.measurements().kept(ProbeName("app"), 0);
  CHECK(one > nothing);
  for (int s = 5; s <= 60; s += 5) world.poll(s, {{"requests_total{code=\"200\"}", s}});
  const std::size_t samples = world.measurements().kept(ProbeName("app"), 0);
  CHECK(samples >= one + 12 * 16);
  world.poll(65, {{"requests_total{code=\"" + std::string(500, 'x') + "\"}", 1}});
  CHECK(world.measurements().kept(ProbeName("app"), 0) >= samples + 500);
  CHECK(world.measurements().kept(ProbeName("app"), 1) == 0);
  CHECK(world.measurements().kept(ProbeName("nobody"), 0) == 0);
}

TEST_CASE("a poll that there is no room for empties what is kept, is unknown, and windows begin anew") {
  World world({error_rate()});
  for (int s = 0; s <= 60; s += 5) {
    world.poll(s, {{"requests_total{code=\"200\"}", s * 10}, {"requests_total{code=\"500\"}", s}});
  }
  CHECK(world.value("error_rate") == "0.090909");
  world.fault(65, FaultKind::no_memory);
  CHECK(world.value("error_rate") == "no_memory");
  CHECK(world.measurements().kept(ProbeName("app"), 0) < 1000);
  for (int s = 70; s <= 100; s += 5) {
    world.poll(s, {{"requests_total{code=\"200\"}", s * 10}, {"requests_total{code=\"500\"}", 60}});
    CHECK(world.value("error_rate") == "warming_up");
  }
  // Neither what was counted before nor what a series had when it came again is an increase.
  for (int s = 105; s <= 130; s += 5) {
    world.poll(s, {{"requests_total{code=\"200\"}", s * 10}, {"requests_total{code=\"500\"}", 60}});
  }
  CHECK(world.value("error_rate") == "0");
}
