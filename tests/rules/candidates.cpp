#include "measured.hpp"

using namespace measured;

// The application's own family, a pattern of prefixed ones, and a proxy's.
SignalSpec found_by_itself() {
  SignalSpec spec = error_rate();
  spec.of = std::vector<RatioOf>{
      {selector("requests_total{code=\"500\"}"), selector("requests_total")},
      {selector("{__name__=~\".+_requests_total\",code=\"500\"}"), selector("{__name__=~\".+_requests_total\"}"), 1},
  };
  return spec;
}

bool has_taken(const World& world) { return world.measurements().taken().contains(SignalName("error_rate")); }

TEST_CASE("what a release asks of others does not take the place of its own family when that is gone") {
  World world({found_by_itself()});
  world.poll(0, {{"requests_total{code=\"200\"}", 100}, {"payments_requests_total{code=\"200\"}", 100}});
  CHECK(world.measurements().taken().at(SignalName("error_rate")) == "requests_total");
  world.poll(5, {{"payments_requests_total{code=\"200\"}", 170}, {"payments_requests_total{code=\"500\"}", 30}});
  CHECK_FALSE(has_taken(world));
  world.poll(10, {{"requests_total{code=\"200\"}", 110}});
  CHECK(has_taken(world));
}

TEST_CASE("one of several prefixed families is not taken when the others are gone") {
  World world({found_by_itself()});
  world.poll(0, {{"shop_requests_total{code=\"200\"}", 100}, {"payments_requests_total{code=\"200\"}", 100}});
  CHECK_FALSE(has_taken(world));
  world.poll(5, {{"payments_requests_total{code=\"500\"}", 200}});
  CHECK_FALSE(has_taken(world));
}

TEST_CASE("a prefixed family that was taken is not exchanged for another one") {
  World world({found_by_itself()});
  world.poll(0, {{"shop_requests_total{code=\"200\"}", 100}});
  CHECK(has_taken(world));
  world.poll(5, {{"payments_requests_total{code=\"500\"}", 200}});
  CHECK_FALSE(has_taken(world));
  world.poll(10, {{"shop_requests_total{code=\"200\"}", 110}});
  CHECK(has_taken(world));
}
