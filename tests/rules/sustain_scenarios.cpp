#include <doctest/doctest.h>

#include "sustain_driver.hpp"

using namespace sustain_test;
using rules::Cause;
using rules::RuleState;
using rules::Verdict;

namespace {

// A line of a scenario: samples with one verdict from `from` to `to` every `every` seconds.
struct Line {
  Verdict verdict;
  double from;
  double to;
  double every;
};

struct Scenario {
  const char* name;
  double sustain;
  double max_gap;
  std::vector<Line> lines;
  double end;
  const char* decisions;
};

constexpr Verdict bad = Verdict::bad;
constexpr Verdict good = Verdict::good;
constexpr Verdict unknown = Verdict::unknown;

void play(const Scenario& scenario) {
  CAPTURE(scenario.name);
  Driven driven(rule_for(scenario.sustain), scenario.max_gap);
  for (const Line& line : scenario.lines) driven.samples(line.from, line.to, line.every, line.verdict);
  driven.until(scenario.end);
  CHECK(driven.log() == scenario.decisions);
}

void play(const std::vector<Scenario>& scenarios) {
  for (const Scenario& scenario : scenarios) play(scenario);
}

}  // namespace

TEST_CASE("SPEC 2.10: a span begins with a bad verdict and fires when it holds all of `for`") {
  play({
      {"bad from the start", 300, 12.5, {{bad, 0, 295, 5}, {bad, 300.1, 300.1, 1}}, 301, "confirm 300, fired 300.1"},
      {"good before counts for nothing",
       300,
       12.5,
       {{good, 0, 95, 5}, {bad, 100, 395, 5}, {bad, 400.1, 400.1, 1}},
       401,
       "confirm 400, fired 400.1"},
      {"good all the time", 300, 12.5, {{good, 0, 3000, 5}}, 3000, ""},
      {"unknown all the time", 300, 12.5, {{unknown, 0, 3000, 5}}, 3000, ""},
      {"bad for one sample less than `for`", 300, 12.5, {{bad, 0, 290, 5}, {good, 295, 600, 5}}, 600, ""},
  });
}

TEST_CASE("SPEC 2.10: a verdict holds until it is stale and no longer") {
  Driven driven(rule_for(300));
  driven.sample(0, bad);
  driven.until(100);
  CHECK(driven.tracker.progress(at(100)).bad == span_of(12.5));
  CHECK(driven.tracker.unknown_time().at(Cause::stale) == span_of(87.5));
}

TEST_CASE("SPEC 2.10: time past the end of a verdict is unknown even when nobody looked in between") {
  Driven driven(rule_for(20));
  driven.tracker.observe(at(0), judged(bad, at(12)), {}, {}, rules::Fresh::sample);
  driven.tracker.observe(at(1000), judged(bad, at(1012)), {}, judged(bad, at(1012)), rules::Fresh::sample);
  driven.tracker.observe(at(1001), judged(bad, at(1013)), {}, judged(bad, at(1013)), rules::Fresh::sample);
  CHECK_FALSE(driven.tracker.take_fired());
  CHECK(driven.tracker.progress(at(1001)).bad == span_of(1));
}

TEST_CASE("SPEC 2.10: a gap longer than max_gap stretches the span and does not reset it") {
  play({
      // 0 to 112.5 counts, then from 160 on.
      {"silence",
       300,
       12.5,
       {{bad, 0, 100, 5}, {bad, 160, 345, 5}, {bad, 347.6, 347.6, 1}},
       348,
       "confirm 347.5, fired 347.6"},
      {"told unknown",
       300,
       12.5,
       {{bad, 0, 95, 5}, {unknown, 100, 145, 5}, {bad, 150, 345, 5}, {bad, 350.1, 350.1, 1}},
       351,
       "confirm 350, fired 350.1"},
  });
}

TEST_CASE("SPEC 2.10: the span ends when bad time falls below the quorum of its observed time") {
  play({
      // 95 s bad and 5 s good are 95 %: nothing is lost.
      {"above",
       300,
       12.5,
       {{bad, 0, 90, 5}, {good, 95, 95, 1}, {bad, 100, 295, 5}, {bad, 300.1, 300.1, 1}},
       301,
       "confirm 300, fired 300.1"},
      // 95 s bad and 15 s good are 86 %: the span begins anew at 110.
      {"below",
       300,
       12.5,
       {{bad, 0, 90, 5}, {good, 95, 105, 5}, {bad, 110, 405, 5}, {bad, 410.1, 410.1, 1}},
       411,
       "confirm 410, fired 410.1"},
      {"exactly the quorum",
       300,
       12.5,
       {{bad, 0, 85, 5}, {good, 90, 95, 5}, {bad, 100, 295, 5}, {bad, 300.1, 300.1, 1}},
       301,
       "confirm 300, fired 300.1"},
  });
  Driven flapping(rule_for(60));
  for (int i = 0; i < 100; ++i) flapping.sample(5 * i, i % 2 == 0 ? bad : good);
  CHECK(flapping.log().empty());
}

TEST_CASE("SPEC 2.10: the quorum is the rule's own") {
  rules::RuleSpec rule = rule_for(60);
  rule.quorum = 0.5;
  Driven driven(rule);
  for (int i = 0; i < 13; ++i) driven.sample(5 * i, i % 2 == 0 ? bad : good);
  driven.sample(61, bad);
  CHECK(driven.log() == "confirm 60, fired 61");
}

TEST_CASE("SPEC 2.10: the newest verdict must be bad") {
  play({
      // `for` is full at 300, but it is good since 275.
      {"full while good",
       300,
       12.5,
       {{bad, 0, 270, 5}, {good, 275, 300, 5}, {bad, 302, 302, 1}, {bad, 302.1, 302.1, 1}},
       303,
       "confirm 302, fired 302.1"},
      {"full while good, then good", 300, 12.5, {{bad, 0, 270, 5}, {good, 275, 400, 5}}, 400, ""},
  });
}

TEST_CASE("SPEC 2.10: it takes three bad samples, the confirmation included") {
  play({
      {"one sample that holds for long", 30, 250, {{bad, 0, 0, 1}}, 90, ""},
      {"one and its confirmation", 30, 250, {{bad, 0, 0, 1}, {bad, 31, 31, 1}}, 80, "confirm 31"},
      {"the third fires",
       30,
       250,
       {{bad, 0, 0, 1}, {bad, 100, 100, 1}, {bad, 100.1, 100.1, 1}},
       150,
       "confirm 100, fired 100.1"},
  });
}

TEST_CASE("SPEC 2.10: looking again at the same evidence is no sample") {
  Driven driven(rule_for(10), 250);
  driven.sample(0, bad);
  for (int i = 1; i < 50; ++i) {
    driven.tracker.observe(at(i), judged(bad, at(i + 250)), {}, judged(bad, at(i + 250)), rules::Fresh::same_evidence);
  }
  CHECK(driven.tracker.progress(at(50)).bad_samples == 1);
  CHECK_FALSE(driven.tracker.take_confirmation_request());
  CHECK_FALSE(driven.tracker.take_fired());
}

TEST_CASE("SPEC 2.10: `for = 0s` fires at the first confirmed bad") {
  play({
      {"confirmed", 0, 12.5, {{bad, 5, 5, 1}, {bad, 5.1, 5.1, 1}}, 6, "confirm 5, fired 5.1"},
      {"not confirmed", 0, 12.5, {{bad, 5, 5, 1}, {good, 5.1, 60, 5}}, 60, "confirm 5"},
      {"a new bad after a good confirmation is confirmed anew",
       0,
       12.5,
       {{bad, 5, 5, 1}, {good, 5.1, 5.1, 1}, {bad, 10, 10, 1}, {bad, 10.1, 10.1, 1}},
       11,
       "confirm 5, confirm 10, fired 10.1"},
      {"confirmation unknown",
       0,
       12.5,
       {{bad, 5, 5, 1}, {unknown, 5.1, 5.1, 1}, {bad, 10, 10, 1}},
       11,
       "confirm 5, fired 10"},
      {"unknown for longer than blind_after",
       0,
       12.5,
       {{bad, 5, 5, 1}, {unknown, 5.1, 70, 5}, {bad, 71, 71, 1}},
       72,
       "confirm 5, confirm 71"},
  });
}

TEST_CASE("SPEC 2.10: a span stretches over at most for / 0.6 and what is older slides out") {
  // `for` 60 s may stretch over 100 s.
  const auto alternating = [](double bad_time, double unknown_time) {
    Driven driven(rule_for(60), 1000);
    for (double t = 0; t < 2000; t += bad_time + unknown_time) {
      driven.sample(t, bad);
      driven.sample(t + bad_time / 2, bad);
      driven.sample(t + bad_time, unknown);
    }
    return driven.log();
  };
  CHECK(alternating(5, 5) == "");                      // half of 100 s
  CHECK(alternating(5.5, 4.5) == "");                  // 55 of 100 s
  CHECK(alternating(7, 3) == "confirm 84, fired 90");  // 70 of 100 s
}

TEST_CASE("SPEC 2.10: bad time that slid out no longer outweighs good time") {
  Driven driven(rule_for(60), 1000);
  driven.sample(0, bad);
  driven.sample(40, good);
  driven.sample(44, unknown);
  driven.sample(110, bad);  // only 10..40 of the first bad time is left: 30 s against 4 s good
  CHECK(driven.tracker.progress(at(110)).bad == rules::Duration::zero());
}

TEST_CASE("SPEC 2.11: the end of `for` has a timer of its own between two polls") {
  Driven driven(rule_for(28));
  driven.samples(0, 25, 5, bad);
  REQUIRE(driven.tracker.deadline());
  CHECK(*driven.tracker.deadline() == at(28));
  driven.until(29);
  CHECK(driven.log() == "confirm 28");
  CHECK(driven.tracker.state() == RuleState::confirming);
}

TEST_CASE("SPEC 2.11: it fires only when it is still bad at the confirmation") {
  play({
      {"bad", 28, 12.5, {{bad, 0, 25, 5}, {bad, 28.1, 28.1, 1}}, 29, "confirm 28, fired 28.1"},
      {"good", 28, 12.5, {{bad, 0, 25, 5}, {good, 28.1, 60, 1}}, 60, "confirm 28"},
      {"a good one counts as a sample: the span goes on",
       28,
       12.5,
       {{bad, 0, 25, 5}, {good, 28.1, 28.1, 1}, {bad, 30, 30, 1}, {bad, 30.1, 30.1, 1}},
       31,
       "confirm 28, confirm 30, fired 30.1"},
      {"unknown keeps the credit: the next bad verdict fires at once",
       28,
       12.5,
       {{bad, 0, 25, 5}, {unknown, 28.1, 28.1, 1}, {bad, 33, 33, 1}},
       34,
       "confirm 28, fired 33"},
      {"no answer keeps the credit, too", 28, 12.5, {{bad, 0, 25, 5}, {bad, 60, 60, 1}}, 61, "confirm 28, fired 60"},
      {"unknown, then good: the credit is gone",
       28,
       12.5,
       {{bad, 0, 25, 5}, {unknown, 28.1, 28.1, 1}, {good, 33, 43, 5}, {bad, 48, 48, 1}, {bad, 48.1, 48.1, 1}},
       49,
       "confirm 28"},
      {"unknown for longer than a span may stretch: the credit is gone",
       28,
       12.5,
       {{bad, 0, 25, 5}, {unknown, 28.1, 70, 5}, {unknown, 74, 74, 1}, {bad, 76, 76, 1}, {bad, 76.1, 76.1, 1}},
       77,
       "confirm 28"},
      {"a poll that was in flight at the end of `for` counts",
       25,
       12.5,
       {{bad, 0, 25, 5}},
       25.5,
       "confirm 25, fired 25"},
  });
}

TEST_CASE("SPEC 2.11: it does not fire while the newest part is good by itself") {
  Driven driven(rule_for(28));
  driven.samples(0, 25, 5, bad);
  driven.sample(28.1, bad, good, bad);
  driven.sample(30, bad, good, bad);
  CHECK(driven.log() == "confirm 28");
  SUBCASE("it fires when the newest part is bad") { driven.sample(35, bad, bad, bad); }
  SUBCASE("it fires when the newest part is unknown") { driven.sample(35, bad, unknown, bad); }
  CHECK(driven.log() == "confirm 28, fired 35");
}

TEST_CASE("SPEC 2.12: without `clear` a firing rule recovers when it was good for min(for, 5m)") {
  const std::vector<Line> firing{{bad, 0, 25, 5}, {bad, 28.1, 28.1, 1}};
  const auto then = [&firing](std::vector<Line> lines) {
    std::vector<Line> all = firing;
    all.insert(all.end(), lines.begin(), lines.end());
    return all;
  };
  play({
      {"good for `for`", 28, 12.5, then({{good, 30, 60, 5}}), 60, "confirm 28, fired 28.1, recovered 58"},
      {"bad again before: the same firing", 28, 12.5, then({{good, 30, 50, 5}, {bad, 55, 55, 1}, {good, 60, 85, 5}}),
       87, "confirm 28, fired 28.1"},
      {"bad again, then good for `for`", 28, 12.5, then({{good, 30, 50, 5}, {bad, 55, 55, 1}, {good, 60, 90, 5}}), 90,
       "confirm 28, fired 28.1, recovered 88"},
      {"unknown does not count and does not interrupt", 28, 12.5,
       then({{good, 30, 35, 5}, {unknown, 40, 95, 5}, {good, 100, 120, 5}}), 120,
       "confirm 28, fired 28.1, recovered 118"},
      {"unknown is never a recovery", 28, 12.5, then({{unknown, 30, 300, 5}}), 300, "confirm 28, fired 28.1"},
      {"after the recovery a new span begins empty", 28, 12.5,
       then({{good, 30, 55, 5}, {bad, 60, 85, 5}, {bad, 88.1, 88.1, 1}}), 89,
       "confirm 28, fired 28.1, recovered 58, confirm 88, fired 88.1"},
  });
  Driven hour(rule_for(3600));
  hour.samples(0, 3605, 5, bad);
  hour.samples(3610, 4000, 5, good);
  CHECK(hour.log() == "confirm 3600, fired 3600, recovered 3910");
}

TEST_CASE("SPEC 2.12: while firing only `clear` counts, while not firing only `when`") {
  rules::RuleSpec rule = rule_for(28);
  rule.clear = rules::Condition();
  Driven driven(rule);
  // A true `clear` (bad: its condition holds) does not keep a rule from firing.
  for (int i = 0; i <= 25; i += 5) driven.sample(i, bad, bad, bad);
  driven.sample(28.1, bad, bad, bad);
  CHECK(driven.tracker.state() == RuleState::firing);
  // `when` is good again but `clear` does not hold.
  for (int i = 30; i < 100; i += 5) driven.sample(i, good, good, good);
  CHECK(driven.tracker.state() == RuleState::firing);
  for (int i = 100; i < 120; i += 5) driven.sample(i, good, good, bad);
  CHECK(driven.tracker.state() == RuleState::recovering);
  driven.sample(120, good, good, good);
  CHECK(driven.tracker.state() == RuleState::firing);
  for (int i = 125; i < 155; i += 5) driven.sample(i, good, good, bad);
  driven.until(155);
  CHECK(driven.log() == "confirm 28, fired 28.1, recovered 153");
}

TEST_CASE("SPEC 2.13: after a restart of spans nothing from before counts and nothing is told") {
  Driven driven(rule_for(28));
  SUBCASE("a pending span") {
    driven.samples(0, 25, 5, bad);
    driven.tracker.restart(at(26));
    driven.samples(30, 55, 5, bad);
    driven.sample(58.1, bad);
    CHECK(driven.log() == "confirm 58, fired 58.1");
  }
  SUBCASE("a firing rule is idle") {
    driven.samples(0, 30, 5, bad);
    driven.tracker.restart(at(31));
    CHECK(driven.tracker.state() == RuleState::idle);
    driven.samples(35, 100, 5, good);
    CHECK(driven.log() == "confirm 28, fired 30");
  }
  SUBCASE("the verdict from before does not hold on") {
    driven.samples(0, 25, 5, bad);
    driven.tracker.restart(at(26));
    CHECK(driven.tracker.progress(at(30)).bad == rules::Duration::zero());
    CHECK(driven.tracker.good_for(at(30)) == rules::Duration::zero());
  }
}

TEST_CASE("SPEC 2.13: an unchanged rule keeps its span over a short restart, the time between is unknown") {
  const rules::Duration max_gap = span_of(12.5);
  Driven before(rule_for(300));
  before.samples(0, 200, 5, bad);
  const rules::SpanRecord record = before.tracker.record(at(202));
  const auto bad_after = [&](const rules::SpanRecord& from, rules::RuleSpec rule, double now) {
    rules::RuleTracker tracker(std::make_shared<const rules::RuleSpec>(std::move(rule)), "", at(now));
    tracker.restore(from, at(now), max_gap);
    return tracker.progress(at(now)).bad;
  };
  CHECK(bad_after(record, rule_for(300), 210) == span_of(202));
  CHECK(bad_after(record, rule_for(300), 214.5) == span_of(202));
  SUBCASE("longer than max_gap: empty") { CHECK(bad_after(record, rule_for(300), 214.6) == rules::Duration::zero()); }
  SUBCASE("another `for`: empty") { CHECK(bad_after(record, rule_for(301), 210) == rules::Duration::zero()); }
  SUBCASE("a clock that went back: empty") { CHECK(bad_after(record, rule_for(300), 201) == rules::Duration::zero()); }
}

TEST_CASE("SPEC 2.13: credit and firing outlast a short restart") {
  Driven before(rule_for(28));
  before.samples(0, 25, 5, bad);
  Driven after(rule_for(28));
  SUBCASE("the confirmation was unknown: the next bad verdict fires at once") {
    before.sample(28.1, unknown);
    const rules::SpanRecord record = before.tracker.record(at(29));
    CHECK(record.confirmed_unknown);
    after.tracker.restore(record, at(35), span_of(12.5));
    after.sample(36, bad);
    CHECK(after.log() == "fired 36");
  }
  SUBCASE("the confirmation had not come yet: it is asked for again") {
    before.until(28.05);
    after.tracker.restore(before.tracker.record(at(28.05)), at(35), span_of(12.5));
    after.sample(36, good);
    CHECK(after.log() == "confirm 36");
  }
  SUBCASE("a firing rule goes on firing and recovers") {
    before.samples(30, 40, 5, bad);
    before.samples(45, 50, 5, good);
    after.tracker.restore(before.tracker.record(at(50)), at(51), span_of(12.5));
    CHECK(after.tracker.state() == RuleState::recovering);
    after.samples(60, 80, 5, good);
    // 5 s before; the newest verdict held on from 51 to 60; 14 s more from there.
    CHECK(after.log() == "recovered 74");
  }
}

TEST_CASE("SPEC 2.1: unknown alone never makes a rule bad, and its causes are counted") {
  Driven driven(rule_for(30));
  for (int i = 0; i < 100; i += 5) driven.sample(i, unknown, unknown, unknown, Cause::no_traffic);
  for (int i = 100; i <= 150; i += 5) driven.sample(i, unknown, unknown, unknown, Cause::parse_error);
  CHECK(driven.log().empty());
  CHECK(driven.tracker.unknown_time().at(Cause::no_traffic) == span_of(100));
  CHECK(driven.tracker.unknown_time().at(Cause::parse_error) == span_of(50));
}

TEST_CASE("SPEC 2.1: a rule of which less than 60 % of blind_after could be observed is blind") {
  Driven driven(rule_for(20));  // blind_after is at least 1m
  driven.samples(0, 100, 5, good);
  const auto blind_after_unknown = [&driven](Cause cause, double until) {
    for (double t = 105; t <= until; t += 5) driven.sample(t, unknown, unknown, unknown, cause);
    return driven.tracker.progress(at(until)).blind;
  };
  SUBCASE("24 s of 60 are not too much") { CHECK_FALSE(blind_after_unknown(Cause::source_error, 129)); }
  SUBCASE("more is") {
    CHECK(blind_after_unknown(Cause::source_error, 130));
    CHECK(driven.tracker.progress(at(130)).observed_share == doctest::Approx(35.0 / 60));
    driven.samples(135, 190, 5, good);
    CHECK_FALSE(driven.tracker.progress(at(190)).blind);
  }
  SUBCASE("no traffic does not count") { CHECK_FALSE(blind_after_unknown(Cause::no_traffic, 500)); }
  SUBCASE("too few samples do not count") { CHECK_FALSE(blind_after_unknown(Cause::too_few_samples, 500)); }
  SUBCASE("a deployment does not count") { CHECK_FALSE(blind_after_unknown(Cause::deploying, 500)); }
  SUBCASE("warm-up does not count") { CHECK_FALSE(blind_after_unknown(Cause::warming_up, 500)); }
  SUBCASE("a deadline looks at it though nothing comes") {
    driven.until(112.5);
    REQUIRE(driven.tracker.deadline());
    driven.until(138);
    CHECK(driven.tracker.progress(at(138)).blind);
    CHECK_FALSE(driven.tracker.deadline());
  }
}

TEST_CASE("good_for counts good time since the last bad and leaves unknown time out") {
  Driven driven(rule_for(300));
  driven.sample(0, bad);
  driven.samples(5, 10, 5, good);
  driven.sample(15, unknown);
  driven.sample(25, good);
  CHECK(driven.tracker.good_for(at(30)) == span_of(15));
  CHECK(driven.tracker.good_for(at(100)) == span_of(22.5));
  CHECK_FALSE(driven.tracker.bad_when_last_observed());
  driven.sample(31, bad);
  driven.sample(32, unknown);
  CHECK(driven.tracker.good_for(at(33)) == rules::Duration::zero());
  CHECK(driven.tracker.bad_when_last_observed());
}

TEST_CASE("progress says how long it takes until the rule fires") {
  Driven driven(rule_for(300));
  CHECK_FALSE(driven.tracker.progress(at(0)).to_fire);
  driven.samples(0, 100, 5, bad);
  const rules::RuleProgress progress = driven.tracker.progress(at(101));
  CHECK(progress.state == RuleState::pending);
  CHECK(progress.to_fire == span_of(199));
  CHECK(progress.since == at(0));
  CHECK(progress.bad_samples == 21);
}

TEST_CASE("fingerprints are equal for rules that mean the same") {
  rules::RuleSpec rule = rule_for(30);
  rules::RuleSpec same = rule;
  same.severity = rules::Severity::p0;
  CHECK(fingerprint(rule, "") == fingerprint(same, ""));
  rules::RuleSpec other = rule;
  other.quorum = 0.8;
  CHECK(fingerprint(rule, "") != fingerprint(other, ""));
  other = rule;
  other.sustain = span_of(31);
  CHECK(fingerprint(rule, "") != fingerprint(other, ""));
  other = rule;
  other.clear = rules::Condition();
  CHECK(fingerprint(rule, "") != fingerprint(other, ""));
}

TEST_CASE("a rule that flaps for hours keeps a bounded number of segments") {
  rules::Span span(0.9, std::chrono::hours(24));
  for (int i = 0; i < 20'000; ++i) span.extend(bad, at(2 * i), at(2 * i + 1));
  CHECK(span.segments().size() == 8192);
  CHECK(span.segments().back().to == at(2 * 19'999 + 1));
}
