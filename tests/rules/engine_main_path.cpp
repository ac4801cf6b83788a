#include <doctest/doctest.h>

#include "engine_world.hpp"

using namespace world;
using rules::Standing;

TEST_CASE("a bad deploy is detected, rolled back, verified and closed as recovered") {
  World w(usual());
  w.run(5min);
  CHECK(w.service().revision.text == "v1");
  CHECK(w.standing("v1") == Standing::good);
  CHECK(w.outcome() == "none");

  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.reality["web"].running.text == "v1");
  CHECK(w.performed() == std::vector<std::string>{"switch last-good"});
  const rules::IncidentRecord incident = *w.last();
  CHECK(incident.from.text == "bad");
  CHECK(incident.to.text == "v1");
  CHECK(incident.rules.front().rule.text == "errors");
  CHECK(w.standing("bad") == Standing::bad);
  CHECK(w.standing("v1") == Standing::good);
  CHECK(w.told(rules::Stage::started) == 1);
  CHECK(w.told(rules::Stage::completed) == 1);
  CHECK(w.violations.empty());

  w.run(2h);
  CHECK(w.all().size() == 1);
}

TEST_CASE("a good deploy is left alone and becomes good when it is baked") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(30min);
  CHECK(w.service().state == rules::ServiceState::armed);
  CHECK(w.standing("v2") == Standing::candidate);
  w.run(35min);
  CHECK(w.standing("v2") == Standing::good);
  CHECK(w.service().state == rules::ServiceState::disarmed);
  CHECK(w.outcome() == "none");
  CHECK(w.deeds.empty());
}
