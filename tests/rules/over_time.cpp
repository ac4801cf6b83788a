#include <cmath>

#include "measured.hpp"
#include "rules/signals/baseline.hpp"

using namespace measured;

namespace {

const std::vector<std::string> conditions{"avg(health.v, 1m) > 0", "slope(health.v, 1m) > 0", "max(health.v, 2m) > 0",
                                          "avg(health.up, 1m) > 0"};

// The value of an expression at the world's time, or the cause.
double number(const World& world, const std::string& text) {
  const Judgement judgement = world.judge(text + " > 0");
  CAPTURE(text);
  REQUIRE(judgement.comparisons[0].value.value.has_value());
  return *judgement.comparisons[0].value.value;
}

}  // namespace

TEST_CASE("functions over time are weighted by time") {
  World world({}, conditions);
  for (int s = 0; s <= 40; s += 10) world.poll(s, {{"v", 1}}, 0, "health");
  for (int s = 42; s <= 60; s += 2) world.poll(s, {{"v", 5}}, 0, "health");
  CHECK(number(world, "avg(health.v, 1m)") == doctest::Approx((40 * 1 + 20 * 5) / 60.0));
  CHECK(number(world, "max(health.v, 1m)") == 5);
  CHECK(number(world, "min(health.v, 1m)") == 1);
  CHECK(number(world, "quantile(health.v, 0.5, 1m)") == 1);
  CHECK(number(world, "quantile(health.v, 0.7, 1m)") == 5);
}

TEST_CASE("slope is by least squares, per second") {
  World world({}, conditions);
  for (int s = 0; s <= 60; s += 5) world.poll(s, {{"v", 100 - 2 * s}}, 0, "health");
  CHECK(number(world, "slope(health.v, 1m)") == doctest::Approx(-2));
}

TEST_CASE("a function over time needs 60 % of its window observed") {
  World world({}, conditions);
  for (int s = 0; s <= 35; s += 5) world.poll(s, {{"v", 1}}, 0, "health");
  CHECK(world.verdict("avg(health.v, 1m) > 0") == "warming_up");
  world.poll(40, {{"v", 1}}, 0, "health");
  CHECK(world.verdict("avg(health.v, 1m) > 0") == "bad");
  for (int s = 45; s <= 60; s += 5) world.poll(s, {}, 0, "health");
  CHECK(world.verdict("avg(health.v, 1m) > 0") == "bad");
  world.poll(90, {{"v", 1}}, 0, "health");
  CHECK(world.verdict("avg(health.v, 1m) > 0") == "warming_up");
}

TEST_CASE("over time, evidence from before the scope does not count") {
  World world({}, conditions);
  for (int s = 0; s <= 60; s += 5) world.poll(s, {{"v", s < 20 ? 100 : 1}}, 0, "health");
  Scope scope;
  scope.not_before = at(20);
  CHECK(world.verdict("max(health.v, 1m) > 50") == "bad");
  CHECK(world.verdict("max(health.v, 1m) > 50", scope) == "good");
  scope.not_before = at(30);
  CHECK(world.verdict("max(health.v, 1m) > 50", scope) == "warming_up");
}

TEST_CASE("the share of time up is known through an outage, everything else of the probe is not") {
  World world({}, conditions);
  for (int s = 0; s <= 30; s += 5) world.poll(s, {{"v", 1}}, 0, "health");
  for (int s = 35; s <= 60; s += 5) world.fault(s, FaultKind::refused, "health");
  CHECK(number(world, "avg(health.up, 1m)") == doctest::Approx(0.5));
  CHECK(world.verdict("avg(health.v, 1m) > 0") == "source_error");
}

TEST_CASE("a function over time of a signal, and its newest part") {
  World world({error_rate()}, {"avg(error_rate, 1m) > 5%"});
  world.traffic(0, 120, 20, 5);
  CHECK(*world.judge("avg(error_rate, 1m) > 5%").comparisons[0].value.value == doctest::Approx(0.2));
  CHECK(world.measurements().windowed(condition("avg(error_rate, 1m) > 5%")));
  CHECK(world.measurements().windowed(condition("error_rate > 5%")));
  CHECK_FALSE(world.measurements().windowed(condition("app.up == 0 and health.v > baseline(error_rate)")));
  world.traffic(125, 125, 20, 0);
  CHECK(world.verdict("avg(error_rate, 1m) > 5%", {}, Part::newest) == "bad");
  world.traffic(130, 130, 20, 0);
  CHECK(world.verdict("avg(error_rate, 1m) > 5%") == "bad");
  CHECK(world.verdict("avg(error_rate, 1m) > 5%", {}, Part::newest) == "good");
}

TEST_CASE("restarts counts new start times, falling counters and what is told from outside, each restart once") {
  World world({error_rate()});
  world.poll(0, {{"process_start_time_seconds", 100}});
  CHECK(world.verdict("restarts(app, 10m) > 0") == "good");
  world.poll(5, {{"process_start_time_seconds", 200}});
  world.fault(10, FaultKind::refused);
  CHECK(*world.judge("restarts(app, 10m) > 0").comparisons[0].value.value == 1);
  world.measurements().instance_restarted(ProbeName("app"), at(12));
  world.poll(15, {{"process_start_time_seconds", 300}});
  CHECK(*world.judge("restarts(app, 10m) > 0").comparisons[0].value.value == 2);
  Scope scope;
  scope.not_before = at(8);
  CHECK(*world.judge("restarts(app, 10m) > 0", scope).comparisons[0].value.value == 1);
  world.poll(612, {{"process_start_time_seconds", 300}});
  CHECK(*world.judge("restarts(app, 10m) > 0").comparisons[0].value.value == 0);

  World falling({error_rate()});
  falling.poll(0, {{"requests_total{code=\"200\"}", 100}, {"requests_total{code=\"500\"}", 50}});
  falling.poll(5, {{"requests_total{code=\"200\"}", 10}, {"requests_total{code=\"500\"}", 5}});
  CHECK(*falling.judge("restarts(app, 10m) > 0").comparisons[0].value.value == 1);
}

TEST_CASE("after a reload the history of an unchanged value goes on") {
  World world({}, conditions);
  for (int s = 0; s <= 60; s += 5) world.poll(s, {{"v", 1}}, 0, "health");
  World reloaded({}, conditions);
  reloaded.measurements().adopt(std::move(world.measurements()));
  reloaded.wait_until(60);
  CHECK(reloaded.verdict("avg(health.v, 1m) > 0") == "bad");
}

TEST_CASE("probes of a condition are those whose polls can change it") {
  const World world({error_rate()});
  const auto probes = world.measurements().probes_of(
      condition("error_rate > 5% or health.up == 0 and restarts(app, 5m) > 2 and 1 > baseline(other.x)"));
  CHECK(probes == std::set<ProbeName>{ProbeName("app"), ProbeName("health")});
}

TEST_CASE("SPEC 2.9: a baseline is the median weighted by time of at least 10 minutes") {
  BaselineCollector collector;
  constexpr Duration max_gap = std::chrono::seconds(150);
  for (int minute = 0; minute <= 9; ++minute) collector.observe("p95", at(minute * 60), minute < 3 ? 9 : 2, max_gap);
  CHECK(collector.freeze().empty());
  collector.observe("p95", at(600), 2, max_gap);
  CHECK(collector.freeze() == FrozenValues{{"p95", 2}});
}

TEST_CASE("SPEC 2.9: time while a rule is bad, and silence beyond max_gap, is not covered") {
  BaselineCollector collector;
  constexpr Duration max_gap = std::chrono::seconds(12);
  for (int s = 0; s <= 590; s += 10) collector.observe("p95", at(s), 1, max_gap);
  collector.interrupt("p95");
  collector.observe("p95", at(800), 1, max_gap);
  CHECK(collector.freeze().empty());
  collector.observe("p95", at(2000), 1, max_gap);
  CHECK(collector.freeze().size() == 1);

  BaselineCollector restored;
  restored.restore(collector.bins());
  CHECK(restored.freeze() == collector.freeze());
  restored.clear();
  CHECK(restored.freeze().empty());
}

TEST_CASE("the number of values that a baseline keeps is bounded, its median stays close") {
  BaselineCollector collector;
  for (int s = 0; s <= 20'000; ++s) collector.observe("x", at(s), (s * 7919) % 20'000, std::chrono::seconds(12));
  CHECK(collector.bins().at("x").size() <= 4096);
  CHECK(collector.freeze().at("x") == doctest::Approx(10'000).epsilon(0.01));
}
