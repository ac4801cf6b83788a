#include <cmath>

#include "measured.hpp"

using namespace measured;

namespace {

// t is true, f false, u unknown: fields of the probe health.
World kleene() {
  World world({});
  world.poll(0, {{"t", 1}, {"f", 0}}, 0, "health");
  return world;
}

std::string spelt(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == 'T')
      out += "health.t == 1";
    else if (c == 'F')
      out += "health.f == 1";
    else if (c == 'U')
      out += "health.absent == 1";
    else if (c == 'B')
      out += "health.t > baseline(health.t)";
    else
      out += c;
  }
  return out;
}

}  // namespace

TEST_CASE("SPEC 2.1: conditions combine by Kleene logic, cannot measure is never bad") {
  const World world = kleene();
  const std::vector<std::pair<std::string, std::string>> cases{{"T", "bad"},
                                                               {"F", "good"},
                                                               {"U", "no_data"},
                                                               {"T and U", "no_data"},
                                                               {"F and U", "good"},
                                                               {"U and F", "good"},
                                                               {"U and U", "no_data"},
                                                               {"T or U", "bad"},
                                                               {"U or T", "bad"},
                                                               {"F or U", "no_data"},
                                                               {"not U", "no_data"},
                                                               {"not T", "good"},
                                                               {"not F", "bad"},
                                                               {"T and not F", "bad"},
                                                               {"not (T and U)", "no_data"},
                                                               {"not (F and U)", "bad"}};
  for (const auto& each : cases) {
    CAPTURE(each.first);
    CHECK(world.verdict(spelt(each.first)) == each.second);
  }
}

TEST_CASE("the leftmost comparison that decided is told, and all are listed") {
  const World world = kleene();
  const std::vector<std::pair<std::string, std::size_t>> cases{{"F or T or T", 1}, {"T and F and F", 1}, {"T and T", 0},
                                                               {"F or U", 1},      {"U or (F or T)", 2}, {"F or F", 0}};
  for (const auto& each : cases) {
    CAPTURE(each.first);
    CHECK(world.judge(spelt(each.first)).decisive == each.second);
  }
  const Judgement judgement = world.judge("health.f > 5 or 3 < health.t");
  REQUIRE(judgement.comparisons.size() == 2);
  CHECK(judgement.comparisons[0].text == "health.f > 5");
  CHECK(*judgement.comparisons[0].value.value == 0);
  CHECK(*judgement.comparisons[0].threshold == 5);
  CHECK(*judgement.comparisons[1].value.value == 1);
  CHECK(*judgement.comparisons[1].threshold == 3);
}

TEST_CASE("SPEC 2.2: every cause of unknown is told by its name") {
  World world({error_rate()});
  CHECK(world.verdict("health.up == 0") == "no_data");
  CHECK(world.verdict("nothing.up == 0") == "config_error");
  CHECK(world.verdict("nothing > 1") == "config_error");
  world.poll(0, {{"nan", NAN}, {"inf", HUGE_VAL}, {"zero", 0}, {"q{a=\"1\"}", 1}, {"q{a=\"2\"}", 2}}, 0, "health");
  CHECK(world.verdict("health.nan > 1") == "nan");
  CHECK(world.verdict("health.inf > 1") == "nan");
  CHECK(world.verdict("1 / health.zero > 1") == "nan");
  CHECK(world.verdict("health.zero / health.zero > 1") == "nan");
  CHECK(world.verdict("health.q > 1") == "config_error");
  CHECK(world.verdict("health.q{a=\"2\"} > 1") == "bad");
  CHECK(world.verdict("health.zero > baseline(health.zero)") == "no_baseline");
  CHECK(world.verdict("health.zero > before(health.zero)") == "no_data");
  for (const Cause cause : {Cause::deploying, Cause::warming_up, Cause::self_degraded, Cause::clock_jump}) {
    Scope scope;
    scope.blanket = cause;
    CHECK(world.verdict("health.up == 1", scope) == to_string(cause));
    CHECK(world.verdict("health.zero == 0 or error_rate > 1", scope) == to_string(cause));
  }
  world.fault(5, FaultKind::parse, "health");
  CHECK(world.verdict("health.zero == 0") == "parse_error");
  world.fault(10, FaultKind::dns, "health");
  CHECK(world.verdict("health.zero == 0") == "source_error");
  CHECK(world.verdict("health.up == 0") == "source_error");
  world.wait_until(23);
  CHECK(world.verdict("health.up == 0") == "stale");
}

TEST_CASE("SPEC 2.3: while up is 0, signals and fields of the same probe are unknown") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 5);
  world.poll(60, {{"queue", 7}}, 0, "health");
  world.fault(62, FaultKind::refused);
  CHECK(world.verdict("app.up == 0") == "bad");
  CHECK(world.value("error_rate") == "source_error");
  CHECK(world.verdict("app.duration > 0") == "source_error");
  CHECK(world.verdict("health.queue > 5") == "bad");
  world.fault(63, FaultKind::contradiction, "health");
  CHECK(world.verdict("health.queue > 5") == "source_error");
  world.traffic(65, 65, 10, 5);
  CHECK(world.value("error_rate") == "0.333333");
  CHECK(world.verdict("app.up == 0") == "good");
}

TEST_CASE("SPEC 2.3: a fault of the measuring path makes the probe's signals unknown at once") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 5);
  world.fault(62, FaultKind::status);
  CHECK(world.value("error_rate") == "source_error");
  CHECK(world.verdict("app.up == 0") == "source_error");
  CHECK(world.measurements().up(ProbeName("app"), at(62)) == Up::unknown);
  CHECK(world.measurements().last_poll(ProbeName("app"))->fault->kind == FaultKind::status);
}

TEST_CASE("up of several instances is the worst") {
  World world({}, {}, 2);
  world.poll(0, {}, 0);
  CHECK(world.verdict("app.up == 1") == "no_data");
  world.poll(1, {}, 1);
  CHECK(world.verdict("app.up == 1") == "bad");
  world.fault(2, FaultKind::dns, "app", 0);
  CHECK(world.verdict("app.up == 1") == "source_error");
  world.fault(3, FaultKind::timeout, "app", 1);
  CHECK(world.verdict("app.up == 0") == "bad");
}

TEST_CASE("a field is there only while the newest poll brought it") {
  World world({});
  world.poll(0, {{"a", 1}, {"b", 2}}, 0, "health");
  world.poll(5, {{"b", 3}}, 0, "health");
  CHECK(world.verdict("health.a == 1") == "no_data");
  CHECK(world.verdict("health.b == 3") == "bad");
  CHECK(world.verdict("health.duration == 100ms") == "bad");
}

TEST_CASE("SPEC 2.8: a share of memory is compared as it was read") {
  World world({});
  world.poll(0, {{"memory_used", 0.93}}, 0, "health");
  CHECK(world.verdict("health.memory_used > 90%") == "bad");
  CHECK(world.verdict("health.memory_used > 95%") == "good");
}

TEST_CASE("SPEC 2.9: a comparison without a baseline is left out of its and/or and shown as left out") {
  const World world = kleene();
  const std::vector<std::pair<std::string, std::string>> cases{
      {"T or B", "bad"},         {"F or B", "good"},     {"T and B", "bad"},       {"F and B", "good"},
      {"U and B", "no_data"},    {"B", "no_baseline"},   {"not B", "no_baseline"}, {"B and B", "no_baseline"},
      {"T and (B or B)", "bad"}, {"F or not B", "good"}, {"B or F", "good"}};
  for (const auto& each : cases) {
    CAPTURE(each.first);
    CHECK(world.verdict(spelt(each.first)) == each.second);
  }
  const Judgement judgement = world.judge(spelt("B or T"));
  CHECK(judgement.comparisons[0].left_out);
  CHECK_FALSE(judgement.comparisons[1].left_out);
  CHECK(judgement.decisive == 1);
  CHECK(world.judge("health.absent > 3 * baseline(health.t) or health.f == 1").comparisons[0].left_out);
}

TEST_CASE("SPEC 2.9: a baseline that there is, and the value before the incident, are compared with") {
  const World world = kleene();
  const FrozenValues baselines{{"health.t", 0.5}, {"health.q{a=\"b\"}", 7}};
  const FrozenValues before{{"health.t", 2}};
  Scope scope;
  scope.baselines = &baselines;
  scope.before = &before;
  CHECK(world.verdict("health.t > 3 * baseline(health.t)", scope) == "good");
  CHECK(world.verdict("health.t > 1.5 * baseline(health.t)", scope) == "bad");
  CHECK(world.verdict("health.t < baseline(health.q{a=\"b\"})", scope) == "bad");
  CHECK(world.verdict("health.t < before(health.t)", scope) == "bad");
  CHECK(*world.judge("health.t > 3 * baseline(health.t)", scope).comparisons[0].threshold == 1.5);
}
