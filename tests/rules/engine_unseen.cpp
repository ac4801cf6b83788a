#include <doctest/doctest.h>

#include "engine_world.hpp"

// An incident that changed nothing, and whose rules cannot be measured any more, neither stays open for ever nor ends
// as if it were over.

using namespace world;
using rules::Stage;

namespace {

const std::string since = "rule errors cannot be measured since ";

rules::CoreConfig telling() {
  return with([](rules::CoreConfig& config) { config.rules[0].mode = rules::Mode::notify; });
}

// Told of only, and then nothing can be measured.
void tell_and_lose(World& w) {
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 10min));
  w.reality["web"].probes_work = false;
}

// Rolled back once; what comes next fires in the cooldown, and then nothing can be measured.
void hold_and_lose(World& w) {
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 10min));
  w.reality["web"].probes_work = false;
}

rules::CoreConfig cooling() {
  return with([](rules::CoreConfig& config) { config.services[0].cooldown = 20min; });
}

}  // namespace

TEST_CASE("what is only told of and cannot be measured any more is told so once, and ends as not known after an hour") {
  World w(telling());
  tell_and_lose(w);
  w.run(2min);
  CHECK_FALSE(w.told_text(since));
  w.run(3min);
  CHECK(w.told_text(since));
  CHECK(w.told(Stage::late) == 1);
  CHECK(w.open()->waiting_for.find(since) == 0);
  SUBCASE("as it is") { w.run(50min); }
  SUBCASE("though the watcher starts again and again") {
    for (int i = 0; i < 5; ++i) {
      w.run(10min);
      w.crash();
    }
  }
  CHECK(w.phase() == "telling");
  REQUIRE(w.run_until([&] { return w.outcome() == "unverifiable"; }, 15min));
  CHECK(w.told(Stage::failed) == 1);
  CHECK(w.told_text("so whether it is over is not known"));
  w.run(3h);
  CHECK(w.all().size() == 1);
  // It is bad still: that is told anew.
  w.reality["web"].probes_work = true;
  CHECK(w.run_until([&] { return w.all().size() == 2 && w.phase() == "telling"; }, 10min));
  CHECK(w.deeds.empty());
}

TEST_CASE("what waits to be seen bad again says that it cannot be, ends after an hour, and acts when it is") {
  World w(cooling());
  hold_and_lose(w);
  REQUIRE(w.run_until([&] { return w.told_text("seen bad again or clear: " + since); }, 30min));
  const Instant told_at = w.now();
  REQUIRE(w.run_until([&] { return w.outcome() == "unverifiable"; }, 70min));
  CHECK(w.now() > told_at + 30min);
  CHECK(w.count_performed("switch last-good") == 1);
  w.run(1h);
  CHECK(w.all().size() == 2);
  w.reality["web"].probes_work = true;
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 2; }, 30min));
}

TEST_CASE("what can be measured again in time goes on, and says so to who hears of progress") {
  World w(telling());
  tell_and_lose(w);
  REQUIRE(w.run_until([&] { return w.told_text(since); }, 10min));
  w.reality["web"].probes_work = true;
  w.run(2min);
  CHECK(w.phase() == "telling");
  CHECK(w.open()->waiting_for.empty());
  CHECK(w.told_text("its rules can be measured again"));
  w.run(2h);
  CHECK(w.phase() == "telling");
  w.reality["web"].sick.clear();
  REQUIRE(w.run_until([&] { return w.closed(); }, 10min));
  CHECK(w.outcome() == "notified");
}

TEST_CASE("what the configuration has no rule of any more ends as that, and not as good again") {
  const auto without_errors = [](rules::CoreConfig config) {
    config.rules.erase(config.rules.begin());
    return config;
  };
  for (const bool asks : {false, true}) {
    CAPTURE(asks);
    World w(asks ? asking() : telling());
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == (asks ? "asking" : "telling"); }, 10min));
    w.reload(without_errors(asks ? asking() : telling()));
    w.run(10s);
    CHECK(w.outcome() == "aborted");
    CHECK(w.told_text("the configuration no longer has rule errors"));
    w.run(30min);
    CHECK(w.all().size() == 1);
  }
}

TEST_CASE("a P3 that nobody can see any more, or that the configuration drops, ends without calling anybody") {
  const auto light = [](rules::CoreConfig& config) {
    config.rules[0].severity = rules::Severity::p3;
    config.rules[0].respond.clear();
  };
  World w(with(light));
  tell_and_lose(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "unverifiable"; }, 90min));
  CHECK(w.told(Stage::late) == 0);
  CHECK(w.told(Stage::failed) == 0);
  CHECK(w.told_text("Nothing was changed."));
  CHECK_FALSE(w.told_text("people are needed"));
  World dropped(with(light));
  harm(dropped);
  REQUIRE(dropped.run_until([&] { return dropped.phase() == "telling"; }, 10min));
  dropped.reload(with([](rules::CoreConfig& config) { config.rules.erase(config.rules.begin()); }));
  dropped.run(10s);
  REQUIRE(dropped.outcome() == "aborted");
  CHECK(dropped.told(Stage::failed) == 0);
}
