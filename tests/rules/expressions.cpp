#include <cmath>

#include "measured.hpp"
#include "rules/signals/expression_value.hpp"

using namespace measured;

namespace {

World instant(const std::string& text, const Page& page) {
  World world({expression(text)});
  world.poll(0, page);
  return world;
}

std::vector<PromqlPoint> points(const std::vector<std::pair<double, double>>& samples) {
  std::vector<PromqlPoint> out;
  for (const auto& [second, value] : samples) out.push_back({at(second), value});
  return out;
}

}  // namespace

TEST_CASE("an expression means what it means in PromQL") {
  const Page page{{"a{x=\"1\",y=\"p\"}", 10},
                  {"a{x=\"1\",y=\"q\"}", 20},
                  {"a{x=\"2\",y=\"q\"}", 40},
                  {"b{x=\"1\"}", 3},
                  {"b{x=\"2\"}", 5},
                  {"use", 30},
                  {"size", 40},
                  {"e{z=\"\"}", 8},
                  {"n{x=\"1\"}", NAN},
                  {"n{x=\"2\"}", 4}};
  const std::vector<std::pair<std::string, std::string>> cases{{"use / size", "0.75"},
                                                               {"use", "30"},
                                                               {"1 - use / size", "0.25"},
                                                               {"-use + 2 * (size - 1)", "48"},
                                                               {"2 - 3 - use", "-31"},
                                                               {"sum(a)", "70"},
                                                               {"avg(a{x=\"1\"})", "15"},
                                                               {"min(a)", "10"},
                                                               {"max(a) - min(a)", "30"},
                                                               {"a{x=\"2\"}", "40"},
                                                               {"max(sum by (x) (a))", "40"},
                                                               {"min(sum(a) by (x))", "30"},
                                                               {"max(sum by (x) (a) / b)", "10"},
                                                               {"sum(sum by (x) (a) * b)", "290"},
                                                               {"e + use", "38"},
                                                               {"min(n)", "4"},
                                                               {"sum(n)", "nan"},
                                                               {"a", "config_error"},
                                                               {"sum by (x) (a)", "config_error"},
                                                               {"absent", "no_data"},
                                                               {"a{x=\"2\"} / b{x=\"2\"}", "no_data"},
                                                               {"use / (size - 40)", "nan"}};
  for (const auto& each : cases) {
    CAPTURE(each.first);
    CHECK(instant(each.first, page).value("x") == each.second);
  }
}

TEST_CASE("rate and increase extrapolate as Prometheus does") {
  // Samples every 10 s from 5 to 55 within 0 to 60: to both edges, because they are nearer than 1.1 distances.
  CHECK(*extrapolated(PromqlRange::increase, points({{5, 100}, {15, 110}, {25, 120}, {35, 130}, {45, 140}, {55, 150}}),
                      at(0), at(60)) == doctest::Approx(60));
  CHECK(*extrapolated(PromqlRange::rate, points({{5, 100}, {55, 150}}), at(0), at(60)) == doctest::Approx(1));
  // Far from the edge: by half a distance.
  CHECK(*extrapolated(PromqlRange::increase, points({{40, 100}, {50, 110}, {60, 120}}), at(0), at(60)) ==
        doctest::Approx(25));
  // Never to below zero: the counter began 2 s before its first sample.
  CHECK(*extrapolated(PromqlRange::increase, points({{10, 2}, {20, 12}, {30, 22}}), at(0), at(30)) ==
        doctest::Approx(22));
  CHECK_FALSE(extrapolated(PromqlRange::rate, points({{10, 2}}), at(0), at(30)).has_value());
}

TEST_CASE("a rate needs 60 % of its range, and its window does not span a reset") {
  World world({expression("sum(rate(c_total[1m]))")});
  for (int s = 0; s <= 30; s += 5) world.poll(s, {{"c_total", 100 + s * 2}});
  CHECK(world.value("x") == "warming_up");
  for (int s = 35; s <= 90; s += 5) world.poll(s, {{"c_total", 100 + s * 2}});
  CHECK(world.value("x") == "2");
  world.poll(95, {{"c_total", 1}});
  CHECK(world.value("x") == "counter_reset");
}

TEST_CASE("an error rate in PromQL is the ratio of two rates") {
  World world({expression("sum(rate(requests_total{code=~\"5..\"}[1m])) / sum(rate(requests_total[1m]))")});
  world.traffic(0, 90, 15, 5);
  CHECK(*world.signal("x").value == doctest::Approx(0.25));
  CHECK(world.measurements().windowed(condition("x > 1")));
  CHECK_FALSE(World({expression("a / b")}).measurements().windowed(condition("x > 1")));
}

TEST_CASE("the newest part of a rate is that since the scrape before last") {
  World world({expression("sum(increase(c_total[1m]))")});
  for (int s = 0; s <= 60; s += 5) world.poll(s, {{"c_total", s}});
  world.poll(65, {{"c_total", 1060}});
  CHECK(*world.signal("x", {}, Part::newest).value == doctest::Approx(1005));
}

TEST_CASE("what is recent of a share is as much of its ranges as makes it a number") {
  World world({expression("sum(rate(requests_total{code=~\"5..\"}[1m])) / sum(rate(requests_total[1m]))")});
  world.traffic(0, 60, 15, 5);
  world.traffic(65, 65, 20, 0);
  world.traffic(70, 80, 0, 0);
  CHECK(world.value("x") != "0");
  CHECK(world.signal("x", {}, Part::newest).value == 0.0);
  CHECK(world.signal("x", {}, Part::recent).value == 0.0);
}

TEST_CASE("series of several instances are told apart by the label instance") {
  World world({expression("max(use / size)")}, {}, 2);
  world.poll(0, {{"use", 1}, {"size", 4}}, 0);
  world.poll(1, {{"use", 3}, {"size", 4}}, 1);
  CHECK(world.value("x") == "0.75");
  World several({expression("use / size")}, {}, 2);
  several.poll(0, {{"use", 1}, {"size", 4}}, 0);
  several.poll(1, {{"use", 3}, {"size", 4}}, 1);
  CHECK(several.value("x") == "config_error");
}
