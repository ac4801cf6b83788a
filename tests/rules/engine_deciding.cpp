#include <doctest/doctest.h>

#include "engine_world.hpp"
#include "rules/conditions/deciding.hpp"

// SPEC 2.10: of a rule of several probes, samples are those of the probes by which it is bad.

using namespace std::chrono_literals;
using namespace world;
using rules::Comparison;
using rules::Judgement;
using rules::ProbeName;
using rules::Verdict;

namespace {

std::vector<std::size_t> decided(const std::string& text, const std::vector<Verdict>& verdicts) {
  Judgement judged;
  for (const Verdict verdict : verdicts) judged.comparisons.push_back({"", verdict, {}, {}, false, ""});
  return rules::deciding(condition(text), judged);
}

void poll(World& w, const std::string& probe, bool up) {
  rules::Poll out;
  out.probe = ProbeName(probe);
  out.started = out.ended = w.now();
  out.up = up ? rules::Up::up : rules::Up::down;
  if (!up) out.fault = rules::Fault{rules::FaultKind::refused, "refused"};
  w.observe(out);
}

}  // namespace

TEST_CASE("what decided: in an `or` that is bad what is bad, in an `and` all, and `not` turns it round") {
  using Places = std::vector<std::size_t>;
  const auto bad = Verdict::bad;
  const auto good = Verdict::good;
  const auto unknown = Verdict::unknown;
  CHECK(decided("a.up == 0 or b.up == 0", {good, bad}) == Places{1});
  CHECK(decided("a.up == 0 or b.up == 0", {bad, bad}) == Places{0, 1});
  CHECK(decided("a.up == 0 or b.up == 0", {unknown, bad}) == Places{1});
  CHECK(decided("a.up == 0 or b.up == 0", {good, good}) == Places{0, 1});
  CHECK(decided("a.up == 0 or b.up == 0", {unknown, good}) == Places{});
  CHECK(decided("a.up == 0 and b.up == 0", {bad, bad}) == Places{0, 1});
  CHECK(decided("a.up == 0 and b.up == 0", {bad, good}) == Places{1});
  CHECK(decided("not (a.up == 1 and b.up == 1)", {good, bad}) == Places{0});
  CHECK(decided("a.up == 0 or (b.up == 0 and c.up == 0)", {good, bad, bad}) == Places{1, 2});
}

TEST_CASE("polls of another probe are no samples of what is bad, nor its confirmation") {
  World w(with([](rules::CoreConfig& config) {
    config.rules[0] = rule("errors", "web_health.up == 0 or web_app.up == 0", 10s);
    // They are polled by this test alone.
    for (rules::ProbeShape& probe : config.probes) probe.max_gap = 1h;
  }));
  w.run(6min);
  w.reality["web"].poll_takes = [] { return rules::Duration(10h); };
  w.run(6s);
  poll(w, "web_app", false);
  for (int i = 0; i < 30; ++i) {
    w.run(1s);
    poll(w, "web_health", true);
  }
  CHECK(w.rule("errors").progress.bad_samples == 1);
  CHECK(w.rule("errors").progress.bad > 10s);
  CHECK(w.noted("confirming") == 0);
  poll(w, "web_app", false);
  CHECK(w.noted("confirming") == 1);
  poll(w, "web_health", true);
  CHECK(w.outcome() == "none");
  poll(w, "web_app", false);
  w.run(1s);
  CHECK(w.noted("firing") == 1);
}
