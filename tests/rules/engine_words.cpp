#include <doctest/doctest.h>

#include "engine_world.hpp"

// What messages say, so that nobody has to guess what follows from them.

using namespace world;
using rules::Stage;

TEST_CASE("that rules cannot be observed is told with over how long, what follows from it, and what to do") {
  World w(usual());
  w.run(5min);
  w.reality["web"].probes_work = false;
  w.run(30min);
  REQUIRE(w.told(Stage::blind) == 1);
  CHECK(
      w.told_text("Less than 60 % of the last 1m30s could be observed: so none of them can fire, and nothing is done "
                  "by itself meanwhile."));
  CHECK(w.told_text("\n`rollbackd check --online` asks its probes once and says what is wrong"));
  CHECK(w.told_text("`rollbackd rollback web --plan` shows what can be done by hand."));
}

TEST_CASE("a rule that is only told says that this is why nothing is done") {
  World w(with([](rules::CoreConfig& config) { config.rules[0].severity = rules::Severity::p3; }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "open"; }, 10min));
  w.run(1s);
  CHECK(w.told_text("Nothing is done: rule errors is P3, which is only told; "));
}

TEST_CASE("a watcher that is killed before anything was changed tells nobody that it polls again") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].steps.insert(config.actions[0].steps.begin(), capture("logs.txt"));
  }));
  w.scripts["capture logs.txt"].takes = 8s;
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 10min));
  w.run(1s);
  w.crash();
  REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.told(Stage::started) == 1);
  CHECK_FALSE(w.told_text("waits: until its rules are"));
  CHECK(w.told(Stage::late) == 0);
}
