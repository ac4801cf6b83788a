#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"

// SPEC section 2, sentence 21: what a rule may do by its severity, and how an ask ends.

using namespace world;

TEST_CASE("SPEC 2.21: P0 and P1 act, P2 asks, P3 notifies, a rule's mode overrides, watcher.mode caps") {
  struct Case {
    rules::Severity severity;
    std::optional<rules::Mode> mode;
    rules::Mode cap;
    std::string expected;
  };
  using rules::Mode;
  using rules::Severity;
  const std::vector<Case> cases{
      {Severity::p0, {}, Mode::act, "verifying"},
      {Severity::p1, {}, Mode::act, "verifying"},
      {Severity::p2, {}, Mode::act, "asking"},
      {Severity::p3, {}, Mode::act, "telling"},
      {Severity::p3, Mode::act, Mode::act, "verifying"},
      {Severity::p1, Mode::ask, Mode::act, "asking"},
      {Severity::p1, {}, Mode::ask, "asking"},
      {Severity::p0, {}, Mode::observe, "telling"},
      {Severity::p1, Mode::notify, Mode::act, "telling"},
  };
  for (const Case& one : cases) {
    CAPTURE(to_string(one.severity));
    CAPTURE(one.expected);
    World w(with([&](rules::CoreConfig& config) {
      config.mode = one.cap;
      config.rules[0].severity = one.severity;
      config.rules[0].mode = one.mode;
    }));
    harm(w);
    CHECK(w.run_until([&] { return w.phase() == one.expected; }, 10min));
    const bool acts = one.expected == "verifying";
    CHECK(w.deeds.size() == (acts ? 1U : 0U));
  }
}

TEST_CASE("SPEC 2.21: what was only told or observed is closed as such when the rules clear") {
  for (const rules::Mode mode : {rules::Mode::notify, rules::Mode::observe}) {
    World w(with([&](rules::CoreConfig& config) { config.rules[0].mode = mode; }));
    w.run(5min);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 10min));
    errors_off(w);
    CHECK(w.run_until([&] { return w.outcome() == (mode == rules::Mode::notify ? "notified" : "observed"); }, 10min));
  }
}

TEST_CASE("SPEC 2.21: an ask ends after its timeout by closing") {
  World w(usual());
  w.settle_on_v2();
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(29min);
  CHECK(w.phase() == "asking");
  w.run(2min);
  CHECK(w.outcome() == "aborted");
  CHECK(w.deeds.empty());
}

TEST_CASE("SPEC 2.21: an ask ends after its timeout by acting where ask.then says so") {
  World w(with([](rules::CoreConfig& config) {
    config.services[0].ask_then = rules::AskThen::act;
    config.rules[0].severity = rules::Severity::p2;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(29min);
  CHECK(w.deeds.empty());
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("SPEC 2.21: an ask is bound to its revision") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  const rules::IncidentId id = w.open()->id;
  w.deploy("v3");
  w.run(1min);
  CHECK(w.outcome() == "superseded");
  CHECK_FALSE(w.ask(rules::Approve{id, "me"}).accepted);
  CHECK(w.deeds.empty());
}

TEST_CASE("what is approved later is done for what is measured then, not for what was measured when it fired") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.run(8min);
  w.ask(rules::Approve{w.open()->id, "me"});
  REQUIRE(w.run_until([&] { return !w.performed().empty(); }, 1min));
  const std::vector<rules::TimelineEntry> lines = w.last()->timeline;
  const auto begins =
      std::find_if(lines.begin(), lines.end(), [](const auto& line) { return line.event == "action_started"; });
  REQUIRE(begins != lines.end());
  CAPTURE(begins->text);
  CHECK(begins->text.find("web_errors > 5%, it is ") != std::string::npos);
  CHECK(begins->text.find(" now, 8m") != std::string::npos);
  CHECK(begins->text.find(" after it fired") != std::string::npos);
}

TEST_CASE("SPEC 2.21: an approved ask is rechecked: a deployment that began meanwhile makes it wait") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  w.mark(rules::MarkKind::begin);
  w.ask(rules::Approve{w.open()->id, "me"});
  w.run(30s);
  CHECK(w.phase() == "held");
  CHECK(w.deeds.empty());
}

TEST_CASE("an approval does not cover a deploy mark that asks only since, and covers one that asked already") {
  for (const bool asked_before : {false, true}) {
    CAPTURE(asked_before);
    World w(asking());
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
    const auto mark = [&] { w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::ask); };
    if (asked_before) mark();
    w.mark(rules::MarkKind::begin);
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    if (!asked_before) mark();
    w.run(1s);
    w.mark(rules::MarkKind::end);
    REQUIRE(w.run_until([&] { return w.phase() != "held"; }, 10min));
    CHECK((w.phase() == "asking") == !asked_before);
    CAPTURE(w.phase());
    CHECK(w.run_until([&] { return !w.deeds.empty(); }, 1min) == asked_before);
    if (asked_before) continue;
    CHECK(w.open()->asked.find("mark says ask") != std::string::npos);
    REQUIRE(w.ask(rules::Approve{w.open()->id, "me"}).accepted);
    CHECK(w.run_until([&] { return !w.deeds.empty(); }, 1min));
  }
}
