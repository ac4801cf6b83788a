#include <doctest/doctest.h>

#include "engine_world.hpp"

// What people are told when rules cannot be observed (SPEC 2.1).

using namespace std::chrono_literals;
using namespace world;
using rules::Stage;

TEST_CASE(
    "SPEC 2.1: a service that cannot be measured is told once, naming its rules and the cause, and once when it can") {
  World w(usual());
  w.run(5min);
  w.reality["web"].probes_work = false;
  w.run(1h);
  CHECK(w.told(Stage::blind) == 1);
  CHECK(w.told_text("\nerrors, down: "));
  CHECK(w.told_text("source_error"));
  CHECK(w.told(Stage::seeing) == 0);
  w.reality["web"].probes_work = true;
  w.run(10min);
  CHECK(w.told(Stage::blind) == 1);
  CHECK(w.told(Stage::seeing) == 1);
  // Later it is told anew.
  w.reality["web"].probes_work = false;
  w.run(1h);
  CHECK(w.told(Stage::blind) == 2);
}

TEST_CASE("SPEC 2.1: a declared deployment is no blindness, however long it takes") {
  World w(usual());
  w.run(5min);
  w.mark(rules::MarkKind::begin);
  w.run(12min);
  w.mark(rules::MarkKind::end);
  w.run(10min);
  CHECK(w.told(Stage::blind) == 0);
  CHECK(w.told(Stage::seeing) == 0);
  CHECK(w.noted("blind") == 0);
}

TEST_CASE("SPEC 2.1: a rule that goes blind for another cause later is told with it") {
  World w(with([](rules::CoreConfig& config) {
    add_service(config, "pg");
    config.rules.push_back(rule("other", "pg_health.up == 0", 1min));
  }));
  w.run(5min);
  w.reality["web"].probes_work = false;
  w.run(20min);
  REQUIRE(w.told(Stage::blind) == 1);
  w.reality["pg"].probes_work = false;
  w.run(20min);
  CHECK(w.told(Stage::blind) == 2);
  CHECK(w.told_text("\nother: "));
}
