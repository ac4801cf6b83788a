#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"

// SPEC 2.18: when what runs cannot be read, that cause is told at once and names the outcome.

using namespace std::chrono_literals;
using namespace world;
using rules::Stage;

namespace {

const std::string cause = "cannot read what runs: identify: exit code 1; do mend it";

void unreadable(World& w) { w.reality["web"].readable = false; }
void readable(World& w) { w.reality["web"].readable = true; }

int told_of_it(const World& w) {
  return static_cast<int>(
      std::count_if(w.tells.begin(), w.tells.end(), [](const rules::Tell& one) { return one.text == cause; }));
}

bool is_explained(const World& w) {
  const std::vector<std::string> missing = w.rule("errors").missing;
  return std::find(missing.begin(), missing.end(), cause) != missing.end();
}

}  // namespace

TEST_CASE("that it cannot be read what runs is told at the second failed look, once, and again only when it could be") {
  World w(usual());
  w.run(5min);
  unreadable(w);
  w.run(10s);
  CHECK(told_of_it(w) == 0);
  CHECK(w.service().unreadable.empty());
  w.run(10s);
  CHECK(told_of_it(w) == 1);
  CHECK(w.noted("unreadable") == 1);
  CHECK(w.service().unreadable == cause);
  CHECK(is_explained(w));
  w.run(10min);
  CHECK(told_of_it(w) == 1);
  readable(w);
  w.run(10s);
  CHECK(w.service().unreadable.empty());
  CHECK(w.told_text("can be read again"));
  unreadable(w);
  w.run(20s);
  CHECK(told_of_it(w) == 2);
}

TEST_CASE("that it cannot be read what runs is told once over a restart, and so is that it can be read again") {
  World w(usual());
  w.run(5min);
  unreadable(w);
  w.run(1min);
  w.crash();
  w.run(10min);
  CHECK(told_of_it(w) == 1);
  CHECK(w.service().unreadable == cause);
  w.crash();
  readable(w);
  w.run(1min);
  CHECK(w.told_text("can be read again"));
  w.crash();
  unreadable(w);
  w.run(1min);
  CHECK(told_of_it(w) == 2);
}

TEST_CASE("one look that fails, and looks that fail during a deployment, are not told") {
  World w(usual());
  w.run(5min);
  for (int i = 0; i < 5; ++i) {
    unreadable(w);
    w.run(10s);
    readable(w);
    w.run(10s);
  }
  w.mark(rules::MarkKind::begin);
  unreadable(w);
  w.run(5min);
  CHECK(told_of_it(w) == 0);
  w.mark(rules::MarkKind::end);
  w.run(20s);
  CHECK(told_of_it(w) == 1);
}

TEST_CASE("without an identity nothing is said of looks") {
  World w(with([](rules::CoreConfig& config) { config.services[0].has_identity = false; }));
  unreadable(w);
  w.run(5min);
  CHECK(told_of_it(w) == 0);
  CHECK(w.service().unreadable.empty());
}

TEST_CASE("an incident that cannot be acted on because nobody knows what runs says so, and is looked at again") {
  World w(usual());
  w.run(5min);
  unreadable(w);
  w.run(1min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.closed(); }, 10min));
  CHECK(w.outcome() == "unverifiable");
  CHECK(w.last()->outcome_detail == cause);
  CHECK(w.told_text("web: not acted, people are needed: " + cause));
  CHECK_FALSE(w.told_text("no good revision"));
  CHECK(w.deeds.empty());
  w.run(30min);
  CHECK(w.all().size() == 1);
  readable(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.last()->from.text == "bad");
  CHECK(w.all().size() == 2);
}

TEST_CASE("an incident on which nothing could be done is looked at again over a restart of the watcher, too") {
  World w(usual());
  w.run(5min);
  unreadable(w);
  w.run(1min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.outcome() == "unverifiable"; }, 10min));
  w.run(1min);
  w.crash(2s);
  w.run(5min);
  CHECK(w.all().size() == 1);
  readable(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.last()->from.text == "bad");
  CHECK(w.all().size() == 2);
}

TEST_CASE("what fires on when the same revision can be read again is looked at again, once") {
  World w(usual());
  w.run(5min);
  unreadable(w);
  w.run(1min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "unverifiable"; }, 10min));
  readable(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "no_target"; }, 1min));
  w.run(30min);
  CHECK(w.all().size() == 2);
}

TEST_CASE("a rule that fires when what runs could never be read ends as that, not as a want of a target") {
  World w(usual());
  unreadable(w);
  w.run(2min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 10min));
  CHECK(w.outcome() == "unverifiable");
  CHECK(w.last()->outcome_detail == cause);
}

TEST_CASE("a rule that fires between two looks that fail waits for the second") {
  rules::CoreConfig config = usual();
  config.rules = {rule("errors", R"(web_app.http_requests_total{code="500"} > 0)", 2s)};
  for (Duration offset = 0s; offset < 10s; offset += 1s) {
    CAPTURE(rules::seconds(offset));
    World w(config);
    w.run(5min + offset);
    unreadable(w);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.closed(); }, 2min));
    CHECK(w.outcome() == "unverifiable");
  }
}

TEST_CASE("whether to roll back what nobody can say to run is asked, and that is the reason") {
  World w(usual());
  w.settle_on_v2();
  unreadable(w);
  w.run(1min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  CHECK(w.open()->asked == cause);
}

TEST_CASE("a revision is not verified by what was measured while nobody knew what runs") {
  World w(usual());
  bring_up_v2(w);
  unreadable(w);
  w.run(3h);
  CHECK(w.standing("v2") == rules::Standing::candidate);
  readable(w);
  w.run(70min);
  CHECK(w.standing("v2") == rules::Standing::good);
}

TEST_CASE("what keeps what runs from being read is not told again as what keeps from rolling back") {
  World w(usual());
  w.settle_on_v2();
  unreadable(w);
  w.run(20s);
  const int before = w.told(Stage::fault);
  w.observe(rules::ReadinessRead{rules::ServiceName("web"), w.now(), false, "identify: exit code 1; do mend it"});
  w.run(1s);
  CHECK(w.told(Stage::fault) == before);
  w.observe(rules::ReadinessRead{rules::ServiceName("web"), w.now(), false, "make: not found"});
  w.run(1s);
  CHECK(w.told(Stage::fault) == before + 1);
}

TEST_CASE("what cannot be read after the switch is in the outcome") {
  World w(usual());
  w.reality["web"].on_switch = [](Reality& real) { real.readable = false; };
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 40min));
  CHECK(w.outcome() == "unverifiable");
  CHECK(w.last()->outcome_detail == "after the switch " + cause);
}

TEST_CASE("what goes bad long after the last look may be another revision's: people are asked until it can be read") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");  // armed
  w.run(2min);
  unreadable(w);
  w.run(10min);
  w.deploy("bad");  // nobody sees it
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
  CHECK(w.told_text(cause));
  CHECK(w.deeds.empty());
  readable(w);
  // Seen, it is judged on its own.
  REQUIRE(w.run_until([&] { return w.all().size() == 2 && w.outcome() == "recovered"; }, 30min));
  CHECK(w.all().front().outcome == rules::Outcome::superseded);
  CHECK(w.standing("bad") == rules::Standing::bad);
  CHECK(w.standing("v2") != rules::Standing::bad);
}

TEST_CASE("what went bad long after the last look is rolled back when it turns out to be what was seen") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(2min);
  unreadable(w);
  w.run(10min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
  readable(w);
  w.reality["web"].on_switch = [](Reality& web) { web.extra_errors = 0; };
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.standing("v2") == rules::Standing::bad);
}

TEST_CASE("an identity that fails with the application it is asked of does not keep it from being rolled back") {
  World w(usual());
  w.run(5min);
  w.deploy("crash");
  w.run(25s);
  unreadable(w);
  w.reality["web"].on_switch = [](Reality& web) { web.readable = true; };
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.standing("crash") == rules::Standing::bad);
}

TEST_CASE("looks that see two revisions in turn for long are told as that, once, until they agree") {
  World w(usual());
  w.run(5min);
  const auto alternate = [&](int times) {
    for (int i = 0; i < times; ++i) {
      w.reality["web"].misread = rules::Revision("v2");
      w.run(20s);
    }
  };
  alternate(12);
  CHECK(w.service().unreadable.empty());
  alternate(10);
  CHECK(w.service().unreadable.starts_with("cannot read what runs: looks see v1 and v2 in turn; do let `identify`"));
  CHECK(w.noted("unreadable") == 1);
  w.run(2min);
  CHECK(w.service().unreadable.empty());
  CHECK(w.service().revision.text == "v1");
}

TEST_CASE(
    "nothing is switched while instances run different revisions, people are asked, and it is judged once they agree") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(2min);
  w.reality["web"].divided = true;
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 15min));
  CHECK(w.told_text("instances run v1 and v2"));
  w.run(10min);
  CHECK(w.deeds.empty());
  w.reality["web"].divided = false;
  w.reality["web"].on_switch = [](Reality& web) { web.extra_errors = 0; };
  REQUIRE(w.run_until([&] { return w.closed() && w.outcome() == "recovered"; }, 30min));
  CHECK(w.standing("v2") == rules::Standing::bad);
}

TEST_CASE("instances that run different revisions only at the look before the switch keep it from being begun") {
  World w(with([](rules::CoreConfig& config) {
    std::vector<rules::StepSpec>& steps = config.actions.front().steps;
    steps.insert(steps.begin(), run("drain"));
  }));
  w.run(5min);
  w.deploy("v2");
  w.run(2min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.count_performed("run drain") == 1; }, 15min));
  w.reality["web"].divided = true;
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "unverifiable");
  CHECK(w.count_performed("switch last-good") == 0);
  CHECK(w.standing("v2") != rules::Standing::bad);
}
