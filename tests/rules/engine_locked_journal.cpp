#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"

// A journal that cannot be written for a while: what is not on disk is not done, and no incident ends for that
// (SPEC section 6).

using namespace std::chrono_literals;
using namespace world;

namespace {

// With a step before the switch, and one whose absence is to be made good.
rules::CoreConfig with_backup() {
  return with([](rules::CoreConfig& config) {
    config.actions[0].steps = {run("backup"), switch_step()};
    config.actions[0].on_failure = {run("maintenance on")};
  });
}

int told_of_it(const World& w) {
  return static_cast<int>(std::count_if(w.tells.begin(), w.tells.end(), [](const rules::Tell& one) {
    return one.text.find("waits: the journal is locked") != std::string::npos;
  }));
}

bool waits(const World& w) { return w.open() && w.open()->waiting_for == "the journal is locked"; }

}  // namespace

TEST_CASE("a step whose intent cannot be written is put off, told once, and done once it can") {
  World w(usual());
  harm(w);
  w.journal_locked = true;
  REQUIRE(w.run_until([&] { return waits(w); }, 10min));
  CHECK_FALSE(w.open()->past_no_return);
  CHECK_FALSE(w.open()->in_flight);
  w.run(2min);
  REQUIRE(w.run_until([&] { return waits(w); }, 10s));
  CHECK(w.deeds.empty());
  CHECK(told_of_it(w) == 1);
  CHECK(w.journal.ledger.at({"web", "bad"}).switches_away == 0);
  w.journal_locked = false;
  REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.count_performed("switch last-good") == 1);
  CHECK(w.journal.ledger.at({"web", "bad"}).switches_away == 1);
  const auto& fuse = w.journal.fuse;
  const auto undone = std::count_if(fuse.begin(), fuse.end(), [](const auto& use) { return use.undone; });
  CHECK(static_cast<long>(fuse.size()) - 2 * undone == 2);
  CHECK(w.violations.empty());
}

TEST_CASE("a journal that is locked again and again is told once, and then only to who follows each step") {
  World w(with_backup());
  harm(w);
  w.journal_locked = true;
  REQUIRE(w.run_until([&] { return waits(w); }, 10min));
  w.scripts["run backup"].takes = 30s;
  w.journal_locked = false;
  REQUIRE(w.run_until([&] { return w.count_performed("run backup") == 1; }, 10min));
  w.journal_locked = true;
  REQUIRE(w.run_until([&] { return waits(w); }, 10min));
  w.journal_locked = false;
  REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
  CHECK(told_of_it(w) == 2);
  CHECK(w.told(rules::Stage::late) == 1);
}

TEST_CASE(
    "a rule that clears while the first step cannot be written ends it as cleared, and a new release supersedes") {
  for (const bool is_new : {false, true}) {
    World w(usual());
    harm(w);
    w.journal_locked = true;
    REQUIRE(w.run_until([&] { return waits(w); }, 10min));
    if (is_new) {
      w.deploy("v3");
    } else {
      w.reality["web"].sick.clear();
    }
    REQUIRE(w.run_until([&] { return w.closed(); }, 10min));
    CHECK(w.outcome() == (is_new ? "superseded" : "cleared"));
    CHECK(w.deeds.empty());
  }
}

TEST_CASE("a plan that has begun waits with its next step, and goes on though the rule cleared meanwhile") {
  World w(with_backup());
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run backup") == 1; }, 10min));
  w.journal_locked = true;
  w.reality["web"].sick.clear();
  w.run(10min);
  CHECK(waits(w));
  CHECK(w.open()->past_no_return);
  w.journal_locked = false;
  REQUIRE(w.run_until([&] { return w.closed(); }, 20min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.performed() == std::vector<std::string>{"run backup", "switch last-good"});
}

TEST_CASE("a journal that stays locked for longer than a deployment may take ends it") {
  World w(with_backup());
  harm(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run backup") == 1; }, 10min));
  w.journal_locked = true;
  w.run(10min);
  REQUIRE(w.open());
  REQUIRE(w.run_until([&] { return w.closed(); }, 10min));
  CHECK(w.outcome() == "action_failed");
  CHECK(w.last()->outcome_detail.find("the journal is locked") != std::string::npos);
  CHECK(w.count_performed("switch last-good") == 0);
}

TEST_CASE("a crash while an intent cannot be written repeats nothing and loses nothing") {
  for (int commands = 1; commands < 60; ++commands) {
    CAPTURE(commands);
    World w(with_backup());
    harm(w);
    REQUIRE(w.run_until([&] { return w.count_performed("run backup") == 1; }, 10min));
    w.journal_locked = true;
    w.crash_after(commands);
    w.run(1min);
    w.journal_locked = false;
    REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
    CHECK(w.count_performed("run backup") == 1);
    CHECK(w.count_performed("switch last-good") <= 1);
    CHECK(w.violations.empty());
  }
}

TEST_CASE("an abort while an intent cannot be written ends it") {
  World w(usual());
  harm(w);
  w.journal_locked = true;
  REQUIRE(w.run_until([&] { return waits(w); }, 10min));
  CHECK(w.ask(rules::Abort{w.open()->id, "me"}).accepted);
  REQUIRE(w.run_until([&] { return w.closed(); }, 1min));
  CHECK(w.outcome() == "aborted");
}
