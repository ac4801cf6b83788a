#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"

// What goes down again and again, and is up in between, no rule with a `for` fires for.

using namespace world;

namespace {

constexpr Duration up_for = 40s;
constexpr Duration down_for = 15s;

void crash_loop(World& w, Duration length) {
  const Duration end = w.since_start() + length;
  while (w.since_start() < end) {
    w.reality["web"].unhealthy = {"v1"};
    w.run(down_for);
    w.reality["web"].unhealthy.clear();
    w.reality["web"].process_start += 60;
    w.run(up_for);
  }
}

long told_of(const World& w, const std::string& part) {
  return std::count_if(w.tells.begin(), w.tells.end(), [&](const rules::Tell& tell) {
    return tell.stage == rules::Stage::fault && tell.title.find(part) != std::string::npos;
  });
}

rules::CoreConfig only_down() {
  return with([](rules::CoreConfig& config) {
    config.rules.erase(config.rules.begin());
    config.rules[0].severity = rules::Severity::p0;
  });
}

}  // namespace

TEST_CASE("an application that crashes again and again between two polls is told once, with a rule for it") {
  World w(only_down());
  w.run(10min);
  crash_loop(w, 1h);
  CHECK(w.all().empty());
  REQUIRE(told_of(w, "web: web_health comes and goes, down 5 times in 10m") == 1);
  CHECK(told_of(w, "comes and goes") == 1);
  CHECK(w.told_text("when = \"avg(web_health.up, 10m) < 95%\""));
  CHECK(w.tells.back().context.severity == rules::Severity::p0);
  w.run(1h);
  crash_loop(w, 10min);
  CHECK(told_of(w, "comes and goes") == 2);
}

TEST_CASE("what is restarted again and again is told where its page says when it started") {
  World w(usual());
  w.reality["web"].process_start = 1000;
  w.run(10min);
  for (int i = 0; i < 20; ++i) {
    w.reality["web"].process_start += 60;
    w.run(1min);
  }
  CHECK(told_of(w, "web: web_app is restarted again and again, 5 times in 10m") == 1);
  CHECK(w.told_text("when = \"restarts(web_app, 10m) > 3\""));
}

TEST_CASE("flapping is told by no message of its own where a rule asks for it, or fires") {
  SUBCASE("a rule asks for it") {
    World w(with([](rules::CoreConfig& config) {
      config.rules[0] = rule("flaps", "avg(web_health.up, 10m) < 10%", 1min);
      config.rules[1] = rule("down", "web_health.up == 0", 30s);
    }));
    w.run(10min);
    crash_loop(w, 30min);
    CHECK(told_of(w, "comes and goes") == 0);
  }
  SUBCASE("a rule fires") {
    World w(with([](rules::CoreConfig& config) { config.rules[1].sustain = 5s; }));
    w.reality["web"].process_start = 0;
    w.run(10min);
    crash_loop(w, 10min);
    CHECK_FALSE(w.all().empty());
    CHECK(told_of(w, "comes and goes") == 0);
  }
  SUBCASE("now and then") {
    World w(usual());
    w.run(10min);
    for (int i = 0; i < 10; ++i) {
      crash_loop(w, 1min);
      w.run(7min);
    }
    CHECK(told_of(w, "comes and goes") == 0);
  }
}

TEST_CASE("one crash loop is told as one thing, and names no command that would be refused") {
  World w(with([](rules::CoreConfig& config) {
    for (rules::RuleSpec& rule : config.rules) rule.sustain = 5min;
  }));
  w.reality["web"].process_start = 1000;
  w.run(10min);
  w.tells.clear();
  // All of it goes down, and its windows begin anew, so that nothing can be observed either.
  for (int i = 0; i < 40; ++i) {
    w.reality["web"].crashing = {"v1"};
    w.run(15s);
    w.reality["web"].crashing.clear();
    w.reality["web"].process_start += 60;
    w.run(15s);
  }
  CHECK(told_of(w, "comes and goes") + told_of(w, "is restarted again and again") == 1);
  // Who heard that does not hear besides that its rules cannot be observed.
  for (const rules::Tell& tell : w.tells) {
    if (tell.stage == rules::Stage::blind) CHECK_FALSE(tell.said_by.empty());
  }
  CHECK(w.told_text("`rollbackd rollback web --to REVISION` acts now"));
  CHECK_FALSE(w.told_text("`rollbackd rollback web` acts now"));
}
