#include "measured.hpp"

using namespace measured;

TEST_CASE("SPEC 2.5: a window is usable from 60 % of its length on, before that it is warming up") {
  World world({error_rate()});
  world.traffic(0, 35, 20, 2);
  CHECK(world.value("error_rate") == "warming_up");
  world.traffic(40, 40, 20, 2);
  CHECK(world.value("error_rate") == "0.090909");
  CHECK(world.signal("error_rate").window == std::chrono::seconds(40));
}

TEST_CASE("SPEC 2.5: a window ends at the newest sample and begins at the newest one at or before T - window") {
  World world({error_rate()});
  world.poll(0, {{"requests_total{code=\"200\"}", 0}});
  world.poll(7, {{"requests_total{code=\"200\"}", 1000}});
  for (const int s : {30, 40, 50, 60, 65}) world.poll(s, {{"requests_total{code=\"200\"}", 1000}});
  world.poll(69, {{"requests_total{code=\"200\"}", 1200}});
  const Measured measured = world.signal("error_rate");
  CHECK(measured.window == std::chrono::seconds(62));
  CHECK(measured.count == 200);
  CHECK(measured.newest == at(69));
}

TEST_CASE("SPEC 2.5: a ratio is increase over increase of the same scrapes, without extrapolation") {
  World world({error_rate()});
  for (int s = 0; s <= 100; s += 10) {
    world.poll(s, {{"requests_total{code=\"200\"}", 500 + s * 3}, {"requests_total{code=\"503\"}", 70 + s}});
  }
  const Measured measured = world.signal("error_rate");
  CHECK(measured.count == 240);
  CHECK(measured.errors == 60);
  CHECK(*measured.value == 0.25);
}

TEST_CASE("SPEC 2.5: differences are taken per series, one born inside counts from 0, one that vanished is left out") {
  World world({error_rate()});
  for (int s = 0; s <= 60; s += 5) {
    Page page{{"requests_total{code=\"200\"}", s * 10}};
    if (s >= 30) page.push_back({"requests_total{code=\"500\"}", 100 + s});
    if (s < 50) page.push_back({"requests_total{code=\"502\"}", 5000 + s * 100});
    world.poll(s, page);
  }
  const Measured measured = world.signal("error_rate");
  CHECK(measured.errors == 160);
  CHECK(measured.count == 760);
}

TEST_CASE("SPEC 2.5: a series that was away for some scrapes goes on from what it had") {
  World world({error_rate()});
  for (int s = 0; s <= 100; s += 5) {
    Page page{{"requests_total{code=\"200\"}", s * 10}};
    if (s < 20 || s > 60) page.push_back({"requests_total{code=\"500\"}", 100000});
    world.poll(s, page);
  }
  CHECK(world.signal("error_rate").errors == 0);
}

TEST_CASE("SPEC 2.5: a numerator that is absent while the denominator is there is 0") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 0);
  CHECK(world.value("error_rate") == "0");
}

TEST_CASE("SPEC 2.5: a denominator that is absent is no_data, one that did not move no_traffic") {
  World world({error_rate()});
  for (int s = 0; s <= 60; s += 5) world.poll(s, {{"other_total", s}});
  CHECK(world.value("error_rate") == "no_data");
  World idle({error_rate()});
  for (int s = 0; s <= 60; s += 5) idle.poll(s, {{"requests_total{code=\"200\"}", 1000}});
  CHECK(idle.value("error_rate") == "no_traffic");
}

TEST_CASE("SPEC 2.5: a decrease is a reset, the window begins anew and is counter_reset until it is usable") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 5);
  for (int s = 65; s <= 100; s += 5) {
    world.poll(s, {{"requests_total{code=\"200\"}", (s - 65) * 10}});
    CHECK(world.value("error_rate") == "counter_reset");
  }
  world.poll(105, {{"requests_total{code=\"200\"}", 400}, {"requests_total{code=\"500\"}", 4}});
  CHECK(world.signal("error_rate").errors == 4);
  CHECK(world.signal("error_rate").count == 404);
}

TEST_CASE("SPEC 2.5: windows do not span a restart that the start time alone tells") {
  World world({error_rate()});
  for (int s = 0; s <= 60; s += 5) {
    world.poll(s, {{"requests_total{code=\"200\"}", s}, {"process_start_time_seconds", 1000}});
  }
  world.poll(65, {{"requests_total{code=\"200\"}", 9000}, {"process_start_time_seconds", 2000}});
  CHECK(world.value("error_rate") == "counter_reset");
  for (int s = 70; s <= 105; s += 5) {
    world.poll(s, {{"requests_total{code=\"200\"}", 9000 + s}, {"process_start_time_seconds", 2000}});
  }
  CHECK(world.signal("error_rate").count == 105);
}

TEST_CASE("SPEC 2.5: windows do not span a restart that is told from outside") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 5);
  world.measurements().instance_restarted(ProbeName("app"), at(62));
  CHECK(world.value("error_rate") == "counter_reset");
  world.traffic(65, 70, 10, 5);
  CHECK(world.value("error_rate") == "counter_reset");
  world.traffic(75, 101, 10, 0);
  CHECK(world.signal("error_rate").errors == 0);
}

TEST_CASE("SPEC 2.5: a start time that moves by a second is the same process") {
  World world({error_rate()});
  for (int s = 0; s <= 60; s += 5) {
    world.poll(s, {{"requests_total{code=\"200\"}", s * 10}, {"process_start_time_seconds", 1000 + s % 2}});
  }
  CHECK(world.value("error_rate") == "0");
}

TEST_CASE("SPEC 2.5: a start time that goes back and forth is several_instances") {
  World world({error_rate()});
  for (int s = 0; s <= 60; s += 5) {
    const bool other = s % 10 == 0;
    world.poll(s, {{"requests_total{code=\"200\"}", other ? s * 10 : 90000 + s * 10},
                   {"process_start_time_seconds", other ? 1000 : 2000}});
  }
  CHECK(world.value("error_rate") == "several_instances");
  for (int s = 65; s <= 400; s += 5) {
    world.poll(s, {{"requests_total{code=\"200\"}", 90000 + s * 10}, {"process_start_time_seconds", 2000}});
  }
  CHECK(world.value("error_rate") == "0");
}

TEST_CASE("SPEC 2.5: series are summed per instance, each over its own window") {
  World world({error_rate()}, {}, 2);
  for (int s = 0; s <= 60; s += 5) {
    world.poll(s, {{"requests_total{code=\"200\"}", s}}, 0);
    world.poll(s + 2, {{"requests_total{code=\"200\"}", 7000 + s}, {"requests_total{code=\"500\"}", s}}, 1);
  }
  const Measured measured = world.signal("error_rate");
  CHECK(measured.count == 180);
  CHECK(measured.errors == 60);
  world.poll(65, {{"requests_total{code=\"200\"}", 0}}, 0);
  world.poll(67, {{"requests_total{code=\"200\"}", 7065}, {"requests_total{code=\"500\"}", 65}}, 1);
  CHECK(world.value("error_rate") == "counter_reset");
}

TEST_CASE("SPEC 2.5: samples from before the scope do not count, and a window cut there is unknown with its cause") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 5);
  Scope scope;
  scope.not_before = at(61);
  CHECK(world.value("error_rate", scope) == "warming_up");
  world.traffic(65, 95, 10, 0);
  scope.not_before_cause = Cause::clock_jump;
  CHECK(world.value("error_rate", scope) == "clock_jump");
  world.traffic(100, 101, 10, 0);
  world.traffic(105, 105, 10, 0);
  CHECK(world.value("error_rate", scope) == "0");
}

TEST_CASE("a window does not reach over a silence that is longer than window_max") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 5);
  world.traffic(900, 905, 10, 0);
  CHECK(world.value("error_rate") == "warming_up");
}

TEST_CASE("the newest part is what came since the poll before last, and more where that is too little to be known") {
  SignalSpec spec = error_rate();
  spec.min_count = 10;
  World world({spec});
  world.traffic(0, 60, 10, 5);
  CHECK(world.verdict("error_rate > 5%") == "bad");
  CHECK(world.verdict("error_rate > 5%", {}, Part::newest) == "bad");
  world.traffic(65, 65, 10, 0);
  CHECK(world.verdict("error_rate > 5%", {}, Part::newest) == "bad");
  world.traffic(70, 70, 10, 0);
  CHECK(world.verdict("error_rate > 5%") == "bad");
  CHECK(world.verdict("error_rate > 5%", {}, Part::newest) == "good");
  CHECK(world.signal("error_rate", {}, Part::newest).count == 100);
  world.traffic(75, 80, 0.5, 0);
  CHECK(world.signal("error_rate", {}, Part::newest).count == 55);
  CHECK(world.verdict("error_rate > 5%", {}, Part::newest) == "good");
}

TEST_CASE("a confirmation right after a poll does not fire on what was over long before") {
  World world({error_rate()});
  world.traffic(0, 60, 6, 2);
  world.traffic(65, 75, 8, 0);
  CHECK(world.verdict("error_rate > 5%") == "bad");
  world.poll(75.006, {{"requests_total{code=\"200\"}", 13 * 30 + 3 * 40 + 1}, {"requests_total{code=\"500\"}", 130}});
  CHECK(world.verdict("error_rate > 5%", {}, Part::newest) == "good");
}

TEST_CASE("what is recent is the newest that has min_count, at most the window") {
  SignalSpec spec = error_rate();
  spec.min_count = 10;
  World world({spec});
  world.traffic(0, 60, 4, 2);
  world.traffic(65, 70, 4, 0);
  CHECK(world.signal("error_rate", {}, Part::recent).count == 20);
  CHECK(world.verdict("error_rate > 5%", {}, Part::recent) == "good");
  CHECK(world.verdict("error_rate > 5%") == "bad");
  world.traffic(75, 130, 0, 0);
  CHECK(world.verdict("error_rate > 5%", {}, Part::newest) == "no_traffic");
  CHECK(world.verdict("error_rate > 5%", {}, Part::recent) == world.verdict("error_rate > 5%"));
}

TEST_CASE("a signal goes stale when its newest sample is as old as max_gap, and valid_until says when") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 5);
  CHECK(world.judge("error_rate > 5%").valid_until == at(72.5));
  world.wait_until(72.4);
  CHECK(world.verdict("error_rate > 5%") == "bad");
  world.wait_until(72.5);
  CHECK(world.verdict("error_rate > 5%") == "stale");
}

TEST_CASE("of the candidates in the page the one that counted most requests is taken, of equals the first") {
  SignalSpec spec = error_rate();
  spec.of = std::vector<RatioOf>{{selector("small_total{code=\"500\"}"), selector("small_total")},
                                 {selector("large_total{code=\"500\"}"), selector("large_total")},
                                 {selector("equal_total{code=\"500\"}"), selector("equal_total")},
                                 {selector("outer_total{code=\"500\"}"), selector("outer_total"), 1}};
  World world({spec});
  world.poll(0, {{"small_total", 10}, {"large_total", 20}, {"equal_total", 20}, {"outer_total", 1e9}});
  CHECK(world.measurements().taken().at(SignalName("error_rate")) == "large_total");
}

TEST_CASE("of two candidates that count about the same the one that was taken stays") {
  SignalSpec spec = error_rate();
  spec.of = std::vector<RatioOf>{{selector("a_total{code=\"500\"}"), selector("a_total")},
                                 {selector("b_total{code=\"500\"}"), selector("b_total")},
                                 {selector("nearest_total{code=\"500\"}"), selector("nearest_total"), -1}};
  World world({spec});
  const auto taken = [&world] { return world.measurements().taken().at(SignalName("error_rate")); };
  world.poll(0, {{"a_total", 100}, {"b_total", 101}});
  CHECK(taken() == "b_total");
  world.poll(5, {{"a_total", 110}, {"b_total", 105}});
  CHECK(taken() == "b_total");
  world.poll(10, {{"a_total", 210}, {"b_total", 105}});
  CHECK(taken() == "b_total");
  // Clearly more, so that what was taken sees only a part.
  world.poll(15, {{"a_total", 212}, {"b_total", 105}});
  CHECK(taken() == "a_total");
  world.poll(20, {{"a_total", 212}, {"b_total", 420}});
  CHECK(taken() == "a_total");
  // What is better for more than its count is taken at once.
  world.poll(25, {{"a_total", 212}, {"b_total", 420}, {"nearest_total", 1}});
  CHECK(taken() == "nearest_total");
}

TEST_CASE("a higher rank is taken only where the page has nothing else, however many requests it counted") {
  SignalSpec spec = error_rate();
  spec.of = std::vector<RatioOf>{{selector("outer_total{code=\"500\"}"), selector("outer_total"), 1},
                                 {selector("inner_total{code=\"500\"}"), selector("inner_total")}};
  World world({spec});
  world.poll(0, {{"outer_total", 1000}});
  CHECK(world.measurements().taken().at(SignalName("error_rate")) == "outer_total");
  world.poll(5, {{"outer_total", 1000}, {"inner_total", 0}});
  CHECK(world.measurements().taken().at(SignalName("error_rate")) == "inner_total");
}

TEST_CASE("what can leave out our own requests is taken before what cannot, though that counts more for it") {
  SignalSpec spec = error_rate();
  const std::string own = "path!~\"/health\"";
  spec.of = std::vector<RatioOf>{{selector("all_total{code=\"500\"," + own + "}"), selector("all_total{" + own + "}")},
                                 {selector("by_path{code=\"500\"," + own + "}"), selector("by_path{" + own + "}")}};
  World world({spec});
  world.poll(0, {{"all_total", 100}, {"by_path{path=\"/health\"}", 60}, {"by_path{path=\"/\"}", 40}});
  CHECK(world.measurements().taken().at(SignalName("error_rate")) == "by_path{" + own + "}");
}

TEST_CASE("a histogram counts by its last bucket, a summary by its _count, when the one with most requests is sought") {
  SignalSpec spec = latency();
  spec.of = std::vector<QuantileOf>{{0.95, selector("a")}, {0.95, selector("b")}};
  World world({spec});
  world.poll(0,
             {{"a_bucket{le=\"1\"}", 50}, {"a_bucket{le=\"+Inf\"}", 50}, {"b{quantile=\"0.95\"}", 1}, {"b_count", 60}});
  CHECK(world.measurements().taken().at(SignalName("p95")) == "b");
  world.poll(
      5, {{"a_bucket{le=\"1\"}", 50}, {"a_bucket{le=\"+Inf\"}", 170}, {"b{quantile=\"0.95\"}", 1}, {"b_count", 60}});
  CHECK(world.measurements().taken().at(SignalName("p95")) == "a");
}

TEST_CASE("the first candidate whose denominator is in the page is taken, and told") {
  SignalSpec spec = error_rate();
  spec.of = std::vector<RatioOf>{{selector("absent_total{code=\"500\"}"), selector("absent_total")},
                                 {selector("requests_total{code=\"500\"}"), selector("requests_total")},
                                 {selector("other_total"), selector("other_total")}};
  World world({spec});
  world.traffic(0, 60, 10, 5);
  CHECK(world.value("error_rate") == "0.333333");
  CHECK(world.measurements().taken().at(SignalName("error_rate")) == "requests_total");
}

TEST_CASE("a page with more series than the limit makes its signals unknown and says why") {
  World world({error_rate()});
  Page page;
  for (int i = 0; i <= 10'000; ++i) page.push_back({"requests_total{path=\"" + std::to_string(i) + "\"}", 1});
  world.poll(0, page);
  CHECK(world.value("error_rate") == "config_error");
  CHECK(world.signal("error_rate").detail.find("more than 10000 series") == 0);
  for (int s = 5; s <= 60; s += 5) world.poll(s, {{"requests_total{code=\"200\"}", s * 10}});
  CHECK(world.value("error_rate") == "0");
}

TEST_CASE("after a reload an unchanged signal goes on and a new one begins with the next page") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 5);
  SignalSpec other = error_rate();
  other.name = SignalName("other");
  other.of = std::vector<RatioOf>{{selector("requests_total{code=\"500\"}"), selector("requests_total{code!=\"x\"}")}};
  World reloaded({other, error_rate()});
  reloaded.measurements().adopt(std::move(world.measurements()));
  reloaded.wait_until(60);
  CHECK(reloaded.value("error_rate") == "0.333333");
  CHECK(reloaded.value("other") == "warming_up");
  for (int s = 65; s <= 105; s += 5) {
    reloaded.poll(s, {{"requests_total{code=\"200\"}", 5000 + s * 10}, {"requests_total{code=\"500\"}", 900}});
  }
  CHECK(reloaded.signal("other").errors == 0);
  CHECK(reloaded.signal("other").count == 400);
}

TEST_CASE("polls that were broken off, and older ones, are ignored") {
  World world({error_rate()});
  world.traffic(0, 60, 10, 5);
  world.fault(61, FaultKind::cancelled);
  world.poll(30, {{"requests_total{code=\"200\"}", 0}});
  world.wait_until(62);
  CHECK(world.value("error_rate") == "0.333333");
}
