#include <cmath>

#include "measured.hpp"
#include "rules/conditions/decide.hpp"

using namespace measured;

TEST_CASE("SPEC 2.6: a window with fewer than min_count requests grows until it has them, to window_max at most") {
  World world({error_rate()});
  world.traffic(0, 300, 0.2, 0.2);
  const Measured grown = world.signal("error_rate");
  CHECK(grown.count == 50);
  CHECK(grown.window == std::chrono::seconds(125));
  CHECK(*grown.value == 0.5);

  SignalSpec bounded = error_rate();
  bounded.window_max = std::chrono::seconds(90);
  World small({bounded});
  small.traffic(0, 300, 0.2, 0.2);
  CHECK(small.value("error_rate") == "too_few_samples");
  CHECK(small.signal("error_rate").window == std::chrono::seconds(90));
  CHECK(small.signal("error_rate").count == 36);
}

TEST_CASE("SPEC 2.6: with too few requests only 5 errors and the Wilson bound past the threshold are bad") {
  struct Case {
    double ok;
    double bad;
    std::string condition;
    std::string verdict;
  };
  const std::vector<Case> cases{{10, 4, "error_rate > 5%", "too_few_samples"},
                                {35, 5, "error_rate > 5%", "too_few_samples"},
                                {10, 5, "error_rate > 5%", "bad"},
                                {10, 5, "5% < error_rate", "bad"},
                                {10, 5, "error_rate >= 5%", "bad"},
                                {10, 5, "error_rate > 2 * 2.5%", "bad"},
                                {10, 5, "error_rate > 20%", "too_few_samples"},
                                {40, 0, "error_rate > 5%", "too_few_samples"},
                                {40, 0, "error_rate < 5%", "too_few_samples"},
                                {10, 5, "not error_rate > 5%", "good"},
                                {10, 5, "error_rate + 0 > 5%", "too_few_samples"},
                                {10, 5, "error_rate == 5%", "too_few_samples"},
                                {10, 30, "1 - 5% > error_rate", "bad"}};
  for (const Case& each : cases) {
    CAPTURE(each.condition);
    CAPTURE(each.bad);
    World world({error_rate()});
    world.poll(0, {{"requests_total{code=\"200\"}", 0}, {"requests_total{code=\"500\"}", 0}});
    world.poll(60, {{"requests_total{code=\"200\"}", each.ok}, {"requests_total{code=\"500\"}", each.bad}});
    CHECK(world.verdict(each.condition) == each.verdict);
    CHECK(world.value("error_rate") == "too_few_samples");
  }
}

TEST_CASE("what few requests decide shows how many of them failed") {
  World world({error_rate()});
  world.poll(0, {{"requests_total{code=\"500\"}", 0}});
  world.poll(60, {{"requests_total{code=\"500\"}", 12}});
  const rules::Judgement sure = world.judge("error_rate > 5%");
  CHECK(sure.verdict == rules::Verdict::bad);
  CHECK(sure.comparisons[0].value.value == 1.0);
  CHECK(sure.comparisons[0].value.count == 12);
  CHECK(world.signal("error_rate").value == std::nullopt);
}

TEST_CASE("SPEC 2.6: the Wilson bounds are those of the score interval at one-sided 99 %") {
  CHECK(wilson_lower(5, 15) == doctest::Approx(0.1308).epsilon(0.001));
  CHECK(wilson_upper(0, 49) == doctest::Approx(0.0995).epsilon(0.001));
  CHECK(wilson_lower(0, 20) == doctest::Approx(0).epsilon(1e-9));
  CHECK(wilson_upper(20, 20) == doctest::Approx(1));
  CHECK(decide_few(CompareOp::greater, 30, 20, 0.5) == Verdict::bad);
}

namespace {

// `counts` fall into (0, 0.1], (0.1, 0.5], (0.5, 1], (1, +Inf).
World histogram(const std::vector<double>& counts, SignalSpec spec = latency(), double scale = 1) {
  World world({std::move(spec)});
  const std::vector<std::string> bounds = scale == 1 ? std::vector<std::string>{"0.1", "0.5", "1.0", "+Inf"}
                                                     : std::vector<std::string>{"100", "500", "1000", "+Inf"};
  for (int s = 0; s <= 60; s += 5) {
    Page page;
    double sum = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      sum += s == 60 ? counts[i] : 0;
      page.push_back({"latency_bucket{le=\"" + bounds[i] + "\",route=\"/\"}", 100 + sum});
    }
    world.poll(s, page);
  }
  return world;
}

}  // namespace

TEST_CASE("SPEC 2.7: where the threshold is a bucket bound the decision is exact by counting") {
  const World at_limit = histogram({0, 95, 5, 0});
  CHECK(at_limit.verdict("p95 > 500ms") == "good");
  CHECK_FALSE(at_limit.judge("p95 > 500ms").comparisons[0].value.approximate);
  CHECK(at_limit.verdict("p95 <= 500ms") == "bad");
  const World past = histogram({0, 94, 6, 0});
  CHECK(past.verdict("p95 > 500ms") == "bad");
  CHECK(past.verdict("500ms < p95") == "bad");
  CHECK(past.verdict("p95 < 500ms") == "good");
  CHECK(past.verdict("p95 > 1") == "good");
}

TEST_CASE("SPEC 2.7: where both neighbouring bounds agree the decision is exact, also when strict") {
  SignalSpec strict = latency();
  strict.strict = true;
  const World world = histogram({0, 0, 100, 0}, strict);
  CHECK(world.verdict("p95 > 300ms") == "bad");
  CHECK_FALSE(world.judge("p95 > 300ms").comparisons[0].value.approximate);
  CHECK(world.verdict("p95 > 700ms") == "undecidable_bucket");
  CHECK(world.verdict("p95 + 0 > 300ms") == "undecidable_bucket");
  const World low = histogram({100, 0, 0, 0}, strict);
  CHECK(low.verdict("p95 > 300ms") == "good");
  CHECK(low.verdict("p95 > 20") == "good");
}

TEST_CASE("SPEC 2.7: inside the bucket it is interpolated as Prometheus does and marked approximate") {
  const World world = histogram({0, 0, 100, 0});
  CHECK(world.value("p95") == "0.975");
  CHECK(world.signal("p95").approximate);
  CHECK(world.verdict("p95 > 970ms") == "bad");
  CHECK(world.verdict("p95 > 980ms") == "good");
  CHECK(world.judge("p95 > 970ms").comparisons[0].value.approximate);
  CHECK(histogram({100, 0, 0, 0}).value("p95") == "0.095");
}

TEST_CASE("SPEC 2.7: in the +Inf bucket a threshold above the last bound is undecidable, one below is bad") {
  const World world = histogram({50, 0, 0, 50});
  CHECK(world.verdict("p95 > 3000ms") == "undecidable_bucket");
  CHECK(world.verdict("p95 > 1") == "bad");
  CHECK(world.verdict("p95 > 700ms") == "bad");
  CHECK(world.verdict("p95 > 200ms") == "bad");
  CHECK(world.value("p95") == "undecidable_bucket");
}

TEST_CASE("SPEC 2.7: quantile q needs n (1 - q) of at least 5, and min_count") {
  CHECK(histogram({0, 100, 0, 0}).verdict("p95 > 100ms") == "bad");
  CHECK(histogram({0, 99, 0, 0}).verdict("p95 > 100ms") == "too_few_samples");
  CHECK(histogram({0, 499, 0, 0}, latency(0.99)).verdict("p95 > 100ms") == "too_few_samples");
  CHECK(histogram({0, 500, 0, 0}, latency(0.99)).verdict("p95 > 100ms") == "bad");
  CHECK(histogram({0, 49, 0, 0}, latency(0.5)).verdict("p95 > 100ms") == "too_few_samples");
  CHECK(histogram({0, 0, 0, 0}).verdict("p95 > 100ms") == "no_traffic");
}

TEST_CASE("SPEC 2.7: a window grows until a quantile has enough") {
  World world({latency()});
  for (int s = 0; s <= 300; s += 5) {
    world.poll(s, {{"latency_bucket{le=\"1\"}", s}, {"latency_bucket{le=\"+Inf\"}", s}});
  }
  CHECK(world.signal("p95").count == 100);
  CHECK(world.signal("p95").window == std::chrono::seconds(100));
}

TEST_CASE("SPEC 2.7: quantiles come from increases: what was before the window does not count") {
  World world({latency()});
  for (int s = 0; s <= 60; s += 5) {
    world.poll(s, {{"latency_bucket{le=\"1\"}", 100},
                   {"latency_bucket{le=\"2\"}", 100 + s * 10},
                   {"latency_bucket{le=\"+Inf\"}", 5000 + s * 10}});
  }
  CHECK(world.verdict("p95 > 1") == "bad");
  CHECK(world.verdict("p95 > 2") == "good");
}

TEST_CASE("a signal in milliseconds is compared in seconds") {
  SignalSpec spec = latency();
  spec.unit = Unit::milliseconds;
  const World world = histogram({0, 94, 6, 0}, spec, 1000);
  CHECK(world.verdict("p95 > 500ms") == "bad");
  CHECK(world.verdict("p95 > 1000ms") == "good");
  CHECK_FALSE(world.judge("p95 > 500ms").comparisons[0].value.approximate);
  CHECK(*world.signal("p95").value == doctest::Approx(0.5 + 0.5 / 6));
}

TEST_CASE("SPEC 2.7: a summary is taken as it is, and several cannot be combined") {
  World world({latency()});
  world.poll(0, {{"latency{quantile=\"0.5\"}", 0.1}, {"latency{quantile=\"0.95\"}", 0.7}});
  CHECK(world.value("p95") == "0.7");
  CHECK(world.verdict("p95 > 500ms") == "bad");
  world.poll(5, {{"latency{quantile=\"0.95\"}", NAN}});
  CHECK(world.value("p95") == "nan");
  world.poll(10, {{"latency{quantile=\"0.95\",a=\"1\"}", 1}, {"latency{quantile=\"0.95\",a=\"2\"}", 2}});
  CHECK(world.value("p95") == "config_error");
  world.poll(15, {{"latency{quantile=\"0.5\"}", 1}});
  CHECK(world.value("p95") == "no_data");
}

TEST_CASE("a quantile that the summary has not lies between its nearest, and is judged only where both agree") {
  World world({latency()});
  world.poll(
      0, {{"latency{quantile=\"0.9\"}", 0.1}, {"latency{quantile=\"0.99\"}", 0.7}, {"latency{quantile=\"0.999\"}", 5}});
  CHECK(world.value("p95") == "undecidable_bucket");
  CHECK(world.signal("p95").approximate);
  CHECK(world.signal("p95").detail == "latency: it has no quantile 0.95; it is at least 0.1; it is at most 0.7");
  CHECK(world.verdict("p95 > 500ms") == "undecidable_bucket");
  CHECK(world.verdict("p95 < 500ms") == "undecidable_bucket");
  CHECK(world.verdict("500ms < p95") == "undecidable_bucket");
  CHECK(world.verdict("p95 == 700ms") == "undecidable_bucket");
  CHECK(world.verdict("p95 + 0 > 90ms") == "undecidable_bucket");
  CHECK(world.verdict("p95 > p95") == "undecidable_bucket");
  // No more than a hundredth took longer, so no more than a twentieth did.
  CHECK(world.verdict("p95 > 700ms") == "good");
  CHECK(*world.judge("p95 > 700ms").comparisons[0].value.value == 0.7);
  // A tenth took longer, so a twentieth did.
  CHECK(world.verdict("p95 > 90ms") == "bad");
  CHECK(*world.judge("p95 > 90ms").comparisons[0].value.value == 0.1);
  CHECK(world.verdict("90ms < p95") == "bad");
  CHECK(world.verdict("1 - 910ms < p95") == "bad");
}

TEST_CASE("a summary whose highest quantile is below the one asked for can be bad, and not good") {
  World world({latency()});
  world.poll(0, {{"latency{quantile=\"0.5\"}", 1}});
  CHECK(world.value("p95") == "no_data");
  CHECK(world.verdict("p95 > 500ms") == "bad");
  CHECK(world.verdict("p95 > 2") == "no_data");
}

TEST_CASE("what is only known to lie between two values is not averaged over time") {
  World world({latency()}, {"avg(p95, 10s) > 500ms"});
  for (int s = 0; s <= 60; s += 5) world.poll(s, {{"latency{quantile=\"0.99\"}", 4}});
  CHECK(world.verdict("avg(p95, 10s) > 500ms") != "bad");
}

TEST_CASE("several summaries are combined by how many requests each had in the window") {
  World world({latency()});
  const auto page = [](double busy, double idle, double slow) {
    return Page{{"latency{quantile=\"0.95\",a=\"1\"}", 0.1},
                {"latency_count{a=\"1\"}", busy},
                {"latency{quantile=\"0.95\",a=\"2\"}", slow},
                {"latency_count{a=\"2\"}", idle}};
  };
  world.poll(0, page(1000, 500, 9));
  CHECK(world.value("p95") == "no_traffic");
  for (int s = 5; s <= 60; s += 5) world.poll(s, page(1000 + s * 10, 500, 9));
  CHECK(world.value("p95") == "0.1");  // the slow one had no requests
  CHECK_FALSE(world.signal("p95").approximate);
  for (int s = 65; s <= 120; s += 5) world.poll(s, page(1600 + s * 10, 500 + (s - 60) * 5, 9));
  CHECK(world.value("p95") ==
        "undecidable_bucket");  // a third of the requests is with the slow one, of which a twentieth took so long
  CHECK(world.signal("p95").approximate);
  CHECK(world.verdict("p95 > 5") == "undecidable_bucket");
  CHECK(world.verdict("p95 > 9") == "good");
  CHECK(world.verdict("p95 > 90ms") == "bad");
  CHECK(world.signal("p95").count > 800);
  CHECK(world.signal("p95").window == std::chrono::minutes(1));
}

TEST_CASE("each candidate is read in its own unit") {
  SignalSpec spec = latency();
  spec.of = std::vector<QuantileOf>{{0.95, selector("micro"), Unit::microseconds},
                                    {0.95, selector("milli"), Unit::milliseconds}};
  World micro({spec});
  micro.poll(0, {{"micro{quantile=\"0.95\"}", 4'000'000}});
  CHECK(micro.value("p95") == "4");
  World milli({spec});
  for (int s = 0; s <= 60; s += 5) {
    milli.poll(s, {{"milli_bucket{le=\"3000\"}", s},
                   {"milli_bucket{le=\"5000\"}", s * 10},
                   {"milli_bucket{le=\"+Inf\"}", s * 10}});
  }
  CHECK(milli.verdict("p95 > 3000ms") == "bad");
  CHECK_FALSE(milli.judge("p95 > 3000ms").comparisons[0].value.approximate);
  CHECK(milli.verdict("p95 > 5000ms") == "good");
}

TEST_CASE("a histogram without its +Inf bucket is no number") {
  World world({latency()});
  for (int s = 0; s <= 60; s += 5) world.poll(s, {{"latency_bucket{le=\"1\"}", s * 10}});
  CHECK(world.value("p95") == "nan");
}
