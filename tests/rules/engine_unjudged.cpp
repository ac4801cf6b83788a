#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC 2.17: what proves itself has to be judged. That nothing could be measured proves nothing.

using namespace std::chrono_literals;
using namespace world;

namespace {

// In the night, after a day that could be judged.
void deployed_at_night(World& w) {
  w.run(5min);
  w.reality["web"].requests_per_second = 0;
  w.run(5min);
  w.deploy("v2");
}

}  // namespace

TEST_CASE("a release without a visitor is not good, and the morning's errors roll it back") {
  World w(usual());
  deployed_at_night(w);
  w.run(6h);
  CHECK(w.standing("v2") == rules::Standing::candidate);
  w.reality["web"].requests_per_second = 40;
  w.reality["web"].sick.insert("v2");
  REQUIRE(w.run_until([&] { return w.closed() && w.outcome() == "recovered"; }, 30min));
  CHECK(w.service().revision.text == "v1");
}

TEST_CASE("a release bakes from its first visitors on") {
  World w(usual());
  deployed_at_night(w);
  w.run(6h);
  w.reality["web"].requests_per_second = 40;
  w.run(50min);
  CHECK(w.standing("v2") == rules::Standing::candidate);
  w.run(20min);
  CHECK(w.standing("v2") == rules::Standing::good);
}

TEST_CASE("a release whose page has lost what it was judged by is good only after a day") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.reality["web"].has_counters = false;
  w.run(23h);
  CHECK(w.standing("v2") == rules::Standing::candidate);
  w.run(3h);
  CHECK(w.standing("v2") == rules::Standing::good);
}

TEST_CASE("what never could be judged keeps nobody from being good") {
  World w(usual());
  w.reality["web"].requests_per_second = 0;
  w.run(5min);
  w.deploy("v2");
  w.run(70min);
  CHECK(w.standing("v2") == rules::Standing::good);
}

TEST_CASE("a release that was judged once is not judged anew for every hour without visitors, also over a restart") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(10min);
  w.reality["web"].requests_per_second = 0;
  w.run(20min);
  w.crash();
  w.run(50min);
  CHECK(w.standing("v2") == rules::Standing::good);
}

TEST_CASE("a service that the configuration has no more does not bake while its incident goes on") {
  const auto brief = [](rules::CoreConfig& config) {
    config.services[0].bake = 10min;
    config.services[0].ask_timeout = 3h;
    for (rules::RuleSpec& rule : config.rules) rule.severity = rules::Severity::p2;
  };
  World w(with(brief));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
  rules::CoreConfig renamed = with(brief);
  renamed.services[0].name = rules::ServiceName("renamed");
  renamed.rules.clear();
  w.reload(renamed);
  w.run(1h);
  CHECK(w.standing("bad") != rules::Standing::good);
}
