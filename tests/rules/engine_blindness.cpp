#include <doctest/doctest.h>

#include <algorithm>

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

TEST_CASE(
    "a probe that cannot measure is told as severely as its rules, naming them, and explains that they are blind") {
  World w(with([](rules::CoreConfig& config) {
    for (rules::RuleSpec& one : config.rules) one.severity = rules::Severity::p3;
  }));
  w.run(5min);
  w.reality["web"].probes_work = false;
  w.run(1h);
  REQUIRE(w.told(Stage::blind) == 1);
  for (const rules::Tell& one : w.tells) {
    CAPTURE(one.title);
    if (one.stage == Stage::fault) CHECK(one.context.severity == rules::Severity::p3);
  }
  CHECK(w.told_text("Not judged while that lasts: errors"));
  w.reality["web"].probes_work = true;
  w.run(10min);
  REQUIRE(w.told(Stage::seeing) == 1);
  CHECK(w.tells.back().said_by.empty());
}

TEST_CASE("what one probe's fault explains has been heard of by it, in blindness, its end, and an incident's wait") {
  World w(with([](rules::CoreConfig& config) {
    config.rules = {rule("errors", "web_errors > 5%", 1min)};
    config.rules[0].mode = rules::Mode::notify;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 10min));
  const auto first = w.tells.size();
  w.reality["web"].probes_work = false;
  w.run(20min);
  w.reality["web"].probes_work = true;
  w.run(5min);
  int covered = 0;
  for (std::size_t i = first; i < w.tells.size(); ++i) {
    const rules::Tell& one = w.tells[i];
    CAPTURE(one.title);
    if (one.stage == Stage::fault || one.stage == Stage::progress) continue;
    REQUIRE_FALSE(one.said_by.empty());
    CHECK(one.said_by.front().stage == Stage::fault);
    CHECK(one.said_by.front().severity == rules::Severity::p1);
    ++covered;
  }
  CHECK(covered == 3);
}

TEST_CASE("a path that comes and goes is told once, and that it is well when it has been so for a while") {
  World w(usual());
  w.run(1min);
  const auto said = [&](const std::string& what) {
    return std::count_if(w.tells.begin(), w.tells.end(), [&](const rules::Tell& tell) { return tell.title == what; });
  };
  for (int times = 0; times < 20; ++times) {
    w.reality["web"].probes_work = !w.reality["web"].probes_work;
    w.run(15s);
  }
  CHECK(said("probe web_app cannot measure") == 2);
  CHECK(said("probe web_app measures again") == 1);
  w.run(4min);
  CHECK(said("probe web_app measures again") == 1);
  w.run(2min);
  CHECK(said("probe web_app measures again") == 2);
}

TEST_CASE("that a service can be observed again does not call a rule observed that has too few requests") {
  World w(usual());
  w.run(5min);
  w.reality["web"].probes_work = false;
  w.run(1h);
  w.reality["web"].probes_work = true;
  w.reality["web"].requests_per_second = 0.02;
  REQUIRE(w.run_until([&] { return w.told(Stage::seeing) == 1; }, 1h));
  const auto seeing =
      std::find_if(w.tells.begin(), w.tells.end(), [](const auto& one) { return one.stage == Stage::seeing; });
  INFO(seeing->text);
  CHECK(seeing->title == "web: it can be observed again");
  const auto blind =
      std::find_if(w.tells.begin(), w.tells.end(), [](const auto& one) { return one.stage == Stage::blind; });
  CHECK(seeing->context.severity == blind->context.severity);
  CHECK(seeing->text.find("Still unknown: errors: ") != std::string::npos);
}

TEST_CASE("what one poll alone could not measure is noted and not told, but where a service might act on it") {
  for (const bool is_armed : {false, true}) {
    CAPTURE(is_armed);
    World w(is_armed ? armed_always() : usual());
    w.run(5min);
    REQUIRE(w.tells.empty());
    const auto hiccup = [&] {
      w.reality["web"].probes_work = false;
      w.run(poll_every);
      w.reality["web"].probes_work = true;
      w.run(30s);
    };
    hiccup();
    CHECK(w.noted("probe_fault") == 2);
    CHECK(w.noted("probe_well") == 2);
    CHECK(w.told(Stage::fault) == (is_armed ? 4 : 0));
    if (is_armed) continue;
    w.reality["web"].probes_work = false;
    w.run(2 * poll_every);
    CHECK(w.told(Stage::fault) == 2);
    for (const rules::Tell& one : w.tells) CHECK(one.lasting.what.starts_with("probe web_"));
    w.reality["web"].probes_work = true;
    w.run(2 * poll_every);
    CHECK(w.told(Stage::fault) == 4);
    CHECK(w.tells.back().lasting.is_over);
  }
}

TEST_CASE("a probe that is polled seldom tells at its first fault") {
  World w(with([](rules::CoreConfig& config) {
    for (rules::ProbeShape& one : config.probes.own()) one.interval = 5min;
  }));
  w.run(5min);
  w.reality["web"].probes_work = false;
  w.run(poll_every);
  CHECK(w.told(Stage::fault) == 2);
}

TEST_CASE("a field that keeps on missing is told with what is missing, while the others count") {
  World w(usual());
  w.run(62s);
  const auto poll = [&](std::vector<rules::Missing> missing) {
    rules::Poll one;
    one.probe = rules::ProbeName("web_health");
    one.started = one.ended = w.now();
    one.up = rules::Up::up;
    one.missing = std::move(missing);
    w.observe(one);
    w.run(1ms);
  };
  const rules::Missing disk{"disk_used", rules::Cause::source_error, "the file system did not answer"};
  poll({{"memory_used", rules::Cause::no_data, "no process listens on port 3001"}});
  poll({disk});
  CHECK(w.told(Stage::fault) == 0);
  poll({disk});
  poll({disk});
  CHECK(w.told(Stage::fault) == 1);
  CHECK(w.tells.back().title == "probe web_health cannot measure disk_used");
  CHECK(w.told_text("the file system did not answer\nWhat else it measures counts all the same."));
  poll({});
  CHECK(w.told(Stage::fault) == 2);
  CHECK(w.tells.back().lasting.is_over);
}
