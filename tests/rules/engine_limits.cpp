#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC section 2, sentence 25: the fuse and the cooldown.

using namespace world;

TEST_CASE("SPEC 2.25: a service is not called fused while its own incident switches it") {
  World w(usual());
  harm(w);
  bool was_acting = false;
  REQUIRE(w.run_until(
      [&] {
        if (!w.deeds.empty() && w.service().incident.has_value()) {
          was_acting = true;
          CHECK_FALSE(w.service().fused);
        }
        return w.outcome() == "recovered";
      },
      15min));
  CHECK(was_acting);
}

TEST_CASE("SPEC 2.25: at most one switch per revision, also when it is deployed again, fuse reset allows it") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  w.run(30min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "fused"; }, 15min));
  CHECK(w.deeds.size() == 1);
  CHECK(w.told(rules::Stage::failed) == 1);
  w.crash();
  w.run(1min);
  CHECK(w.service().fused);
  CHECK(w.ask(rules::FuseReset{rules::ServiceName("web")}).accepted);
  CHECK_FALSE(w.service().fused);
}

TEST_CASE("SPEC 2.25: at most three switches in 24 hours") {
  World w(with([](rules::CoreConfig& config) { config.services[0].fuse.mutations_per_hour = 100; }));
  w.run(5min);
  for (int deploy = 0; deploy < 4; ++deploy) {
    const std::string revision = "bad-" + std::to_string(deploy);
    w.reality["web"].sick.insert(revision);
    w.deploy(revision);
    REQUIRE(w.run_until([&] { return w.last() && w.last()->from.text == revision && w.last()->closed; }, 40min));
    CHECK(w.outcome() == (deploy < 3 ? "recovered" : "fused"));
    w.run(20min);
  }
  CHECK(w.deeds.size() == 3);
  w.run(24h);
  w.deploy("v1");
  w.run(10min);
  w.reality["web"].sick.insert("bad-5");
  w.deploy("bad-5");
  CHECK(w.run_until([&] { return w.outcome() == "recovered" && w.deeds.size() == 4; }, 40min));
}

TEST_CASE("SPEC 2.25: at most three actions an hour") {
  World w(armed_always([](rules::CoreConfig& config) {
    config.services[0].cooldown = 1min;
    config.rules[0].respond = {rules::ActionName("restart")};
  }));
  w.run(5min);
  for (int time = 0; time < 4; ++time) {
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.open().has_value() || w.outcome() == "fused"; }, 10min));
    w.run_until([&] { return w.phase() == "settling" || w.outcome() == "fused"; }, 3min);
    errors_off(w);
    REQUIRE(w.run_until([&] { return !w.open().has_value(); }, 20min));
  }
  CHECK(w.outcome() == "fused");
  CHECK(w.deeds.size() == 3);
}

TEST_CASE("SPEC 2.25: firings wait for the cooldown after the last mutating action and are rechecked") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  const Instant ended = *w.journal.services.at("web").mutation_ended;
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 10min));
  CHECK(w.open()->waiting_for.find("cooldown") != std::string::npos);
  REQUIRE(w.run_until([&] { return w.deeds.size() == 2; }, 15min));
  CHECK(w.deeds[1].at >= ended + 10min);
}

TEST_CASE("SPEC 2.25: a rule that clears during the cooldown starts nothing") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  w.deploy("v3");
  w.run(1min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 10min));
  errors_off(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "cleared"; }, 15min));
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("SPEC 2.25: by hand is counted, never refused, and needs force for a quarantined target") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  rules::RollbackByHand by_hand;
  by_hand.service = rules::ServiceName("web");
  by_hand.to = rules::Revision("bad");
  CHECK_FALSE(w.ask(by_hand).accepted);
  by_hand.force = true;
  CHECK(w.ask(by_hand).accepted);
  w.run(5s);
  CHECK(w.reality["web"].running.text == "bad");
  w.run(40min);
  int by_hand_uses = 0;
  for (const rules::FuseRecord& use : w.journal.fuse) by_hand_uses += use.use == rules::FuseUse::by_hand ? 1 : 0;
  CHECK(by_hand_uses == 1);
}

TEST_CASE(
    "SPEC 2.25: a fuse reset ends the cooldown as well, and what is measured counts from the rollback on all the "
    "same") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 10min));
  REQUIRE(w.open()->waiting_for.find("cooldown") != std::string::npos);
  REQUIRE(w.ask(rules::FuseReset{rules::ServiceName("web")}).accepted);
  w.run(10s);
  CHECK(w.count_performed("switch last-good") == 2);
  CHECK(w.violations.empty());
}

TEST_CASE(
    "SPEC 2.25: a rung that the fuse forbids, for it switches, gives way to one that switches nothing, and says so") {
  World w(with([](rules::CoreConfig& config) {
    config.services[0].fuse.switches_per_day = 1;
    config.rules[0].respond = {rules::ActionName("rollback"), rules::ActionName("restart")};
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  w.run(20min);
  w.deploy("bad2");
  REQUIRE(w.run_until([&] { return w.all().size() == 2 && w.count_performed("run restart") == 1; }, 20min));
  CHECK(w.count_performed("switch last-good") == 1);
  CHECK(w.told_text("rollback is passed over"));
}
