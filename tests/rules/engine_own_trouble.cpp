#include <doctest/doctest.h>

#include <string>

#include "engine_world.hpp"

// While rollbackd cannot write down what it does it asks instead of acting, and only for as long.

using namespace world;

namespace {

const std::string full = "the disk is full";

void begin_trouble(World& w) { w.observe(rules::SelfDegraded{w.now(), full, true, false}); }
void end_trouble(World& w) { w.observe(rules::SelfDegraded{w.now(), "", false, false}); }

// Asked about a bad release, for no other reason than our own trouble.
void asked_in_trouble(World& w) {
  begin_trouble(w);
  w.run(5min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  CHECK(w.last()->asked.find(full) != std::string::npos);
}

rules::CoreConfig usual_with(const std::function<void(rules::CoreConfig&)>& change) {
  rules::CoreConfig config = usual();
  change(config);
  return config;
}

}  // namespace

TEST_CASE("what was asked only because of our own trouble is done when that is over") {
  World w(usual());
  asked_in_trouble(w);
  w.run(10min);
  CHECK(w.deeds.empty());
  CHECK(w.phase() == "asking");
  end_trouble(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.performed() == std::vector<std::string>{"switch last-good"});
  CHECK(w.told(rules::Stage::ask) == 1);
  CHECK(w.told_text("nobody has to approve it any more"));
  CHECK(w.violations.empty());
}

TEST_CASE("of questions that are withdrawn one after the other the first is told, for the story is four messages") {
  World w(usual());
  asked_in_trouble(w);
  w.lock_refused = true;
  end_trouble(w);
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 10min));
  begin_trouble(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  end_trouble(w);
  REQUIRE(w.run_until([&] { return w.phase() != "asking"; }, 10min));
  CHECK(w.told(rules::Stage::late) == 1);
}

TEST_CASE("another reason to ask outlives our own trouble") {
  const auto still_asks = [](World& w, const std::string& why) {
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
    CHECK(w.last()->asked.find(why) != std::string::npos);
    end_trouble(w);
    w.run(10min);
    CHECK(w.phase() == "asking");
    CHECK(w.deeds.empty());
  };
  SUBCASE("its mode") {
    World w(usual_with([](rules::CoreConfig& config) { config.rules[0].severity = rules::Severity::p2; }));
    begin_trouble(w);
    w.run(5min);
    w.deploy("bad");
    still_asks(w, "P2");
  }
  SUBCASE("the mode in force") {
    World w(usual_with([](rules::CoreConfig& config) { config.mode = rules::Mode::ask; }));
    begin_trouble(w);
    w.run(5min);
    w.deploy("bad");
    still_asks(w, "mode");
  }
  SUBCASE("not armed") {
    World w(usual());
    w.settle_on_v2();
    begin_trouble(w);
    w.reality["web"].extra_errors = 0.3;
    still_asks(w, "disarmed");
  }
  SUBCASE("the deploy mark") {
    World w(usual());
    w.run(5min);
    begin_trouble(w);
    w.mark(rules::MarkKind::begin, "bad", "web", rules::RollbackPolicy::ask);
    w.deploy("bad");
    w.run(30s);
    w.mark(rules::MarkKind::end, "bad", "web", rules::RollbackPolicy::ask);
    still_asks(w, "mark");
  }
}

TEST_CASE("a rule that recovered during our own trouble is not acted on after it") {
  World w(usual());
  asked_in_trouble(w);
  w.reality["web"].sick.clear();
  REQUIRE(w.run_until([&] { return w.outcome() == "cleared"; }, 10min));
  end_trouble(w);
  w.run(10min);
  CHECK(w.deeds.empty());
}

TEST_CASE("a rule that cannot be seen when our own trouble ends starts nothing until it is seen bad") {
  World w(usual());
  asked_in_trouble(w);
  w.reality["web"].probes_work = false;
  w.run(2min);
  end_trouble(w);
  w.run(3min);
  CHECK(w.deeds.empty());
  w.reality["web"].probes_work = true;
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("our own trouble that is gone after a restart keeps nobody asking") {
  World w(usual());
  asked_in_trouble(w);
  w.crash(3s);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(w.performed() == std::vector<std::string>{"switch last-good"});
}

TEST_CASE("what a person approved during our own trouble is done once, and not again after it") {
  World w(usual());
  asked_in_trouble(w);
  CHECK(w.ask(rules::Approve{w.last()->id, "somebody"}).accepted);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  end_trouble(w);
  w.run(30min);
  CHECK(w.performed() == std::vector<std::string>{"switch last-good"});
  CHECK(w.all().size() == 1);
}
