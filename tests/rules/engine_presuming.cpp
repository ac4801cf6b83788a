#include <doctest/doctest.h>

#include "engine_world.hpp"

// An identity that asks the application itself, and a release that does not start: what a marked deployment named
// counts as what runs, on evidence alone (rules/engine/revisions/presuming.cpp says why each condition is there).

using namespace std::chrono_literals;
using namespace world;
using rules::MarkKind;
using rules::ProbeName;
using rules::ServiceName;
using rules::Stage;
using rules::Standing;

namespace {

// web answers itself which revision runs; v1 is good. `crash` does not answer at all.
struct Telling {
  World w;
  explicit Telling(const std::function<void(rules::CoreConfig&)>& change = [](rules::CoreConfig&) {})
      : w(with([&](rules::CoreConfig& config) {
          config.services[0].health = ProbeName("web_health");
          change(config);
        })) {
    w.reality["web"].tells_itself = true;
    w.run(5min);
  }

  // What is there afterwards; the old one stops in between.
  void deploy(const std::string& brings, std::optional<std::string> named = "v2") {
    w.mark(MarkKind::begin, std::move(named));
    w.run(5s);
    w.deploy("crash");
    w.run(10s);
    w.deploy(brings);
    w.mark(MarkKind::end);
  }
  void start(const std::string& revision) { w.deploy(revision); }
  bool is_presumed() const { return w.noted("revision_presumed") > 0; }
};

// Whatever is told, nothing is switched, and what runs is still taken for v1.
void check_only_told(Telling& t) {
  t.w.run(1h);
  CHECK_FALSE(t.is_presumed());
  CHECK(t.w.deeds.empty());
  CHECK(t.w.service().revision.text == "v1");
}

}  // namespace

TEST_CASE("a release that does not start is rolled back as what its marked deployment named, and the target is read") {
  Telling t;
  t.deploy("crash");
  REQUIRE(t.w.run_until([&] { return t.w.service().revision.text == "v2"; }, 30s));
  CHECK(t.w.noted("unreadable") == 1);  // two looks failed
  CHECK(t.w.service().state == rules::ServiceState::armed);
  CHECK(t.w.service().warming_up);
  const rules::Instant deployed = t.w.now();
  REQUIRE(t.w.run_until([&] { return t.w.outcome() == "recovered"; }, 15min));
  CHECK(t.w.now() - deployed > 5min);  // it has its start_deadline first
  CHECK(t.w.performed() == std::vector<std::string>{"switch last-good"});
  CHECK(t.w.last()->from.text == "v2");
  CHECK(t.w.last()->to.text == "v1");
  CHECK(t.w.service().revision.text == "v1");
  CHECK(t.w.told_text("rolling back v2 → v1"));
  CHECK(t.w.told_text("Ran when it began: v2, as was said of its deployment; what ran could not be read"));
  CHECK(t.w.standing("v2") == Standing::suspect);
  t.w.run(2h);
  CHECK(t.w.deeds.size() == 1);
  CHECK(t.w.violations.empty());
}

TEST_CASE("what was presumed to run counts over a restart at whatever moment: one switch, or people are called") {
  for (int commands = 1; commands < 60; ++commands) {
    CAPTURE(commands);
    Telling t;
    t.deploy("crash");
    REQUIRE(t.w.run_until([&] { return t.is_presumed(); }, 30s));
    t.w.crash_after(commands);
    t.w.run(1h);
    const int switches = t.w.count_performed("switch last-good");
    CHECK(switches <= 1);
    // Given time to start anew it may have gone down long after its deployment, as far as is known then.
    CHECK((switches == 1 || t.w.told(Stage::ask) + t.w.told(Stage::failed) > 0));
    CHECK(t.w.standing("v2") != Standing::bad);
    CHECK(t.w.violations.empty());
  }
}

TEST_CASE("a target that does not run after the switch, as is read, is no recovery") {
  Telling t;
  t.w.scripts["switch last-good"].switches = false;
  t.deploy("crash");
  REQUIRE(t.w.run_until([&] { return t.w.closed(); }, 1h));
  CHECK(t.w.outcome() != "recovered");
  CHECK(t.w.standing("v2") == Standing::suspect);
  CHECK(t.w.deeds.size() == 1);
}

TEST_CASE("what the mark said of undoing holds for what is presumed") {
  Telling t;
  t.w.mark(MarkKind::begin, "v2", "web", rules::RollbackPolicy::forbidden);
  t.w.deploy("crash");
  t.w.run(10s);
  t.w.mark(MarkKind::end);
  t.w.run(1h);
  CHECK(t.is_presumed());
  CHECK(t.w.deeds.empty());
  CHECK(t.w.told_text("its deploy mark forbids rolling it back"));
}

TEST_CASE("without a mark nothing says that anything was deployed: it is told") {
  Telling t;
  t.start("crash");
  check_only_told(t);
  CHECK(t.w.outcome() == "unverifiable");
}

TEST_CASE(
    "a mark without a name, without an end, without a begin, or of another service, says of nothing that it runs") {
  SUBCASE("name") {
    Telling t;
    t.deploy("crash", std::nullopt);
    check_only_told(t);
  }
  SUBCASE("end") {
    Telling t;
    t.w.mark(MarkKind::begin, "v2");
    t.start("crash");
    check_only_told(t);
  }
  SUBCASE("begin") {
    Telling t;
    t.start("crash");
    t.w.mark(MarkKind::mark, "v2");
    check_only_told(t);
  }
  SUBCASE("service") {
    Telling t(add_api);
    t.w.mark(MarkKind::begin, "v2", "api");
    t.w.run(5s);
    t.start("crash");
    t.w.mark(MarkKind::end, {}, "api");
    check_only_told(t);
  }
}

TEST_CASE("a deployment that failed before it touched anything is none: a look at its end reads what ran") {
  Telling t;
  t.w.mark(MarkKind::begin, "v2");
  t.w.run(10s);
  t.w.mark(MarkKind::end);
  t.w.run(10s);
  t.start("crash");
  check_only_told(t);
}

TEST_CASE("what was down before the deployment began is not its doing: stopped by hand, or an outage") {
  Telling t;
  t.start("crash");
  t.w.run(6s);
  t.w.mark(MarkKind::begin, "v2");
  t.w.run(10s);
  t.w.mark(MarkKind::end);
  check_only_told(t);
}

TEST_CASE("what goes down long after the deployment is not known to be its doing, though nobody could read it since") {
  Telling t;
  t.w.mark(MarkKind::begin, "v2");
  t.w.run(5s);
  t.w.reality["web"].readable = false;
  t.w.run(10s);
  t.w.mark(MarkKind::end);
  t.w.run(1min);
  t.start("crash");
  check_only_told(t);
}

TEST_CASE("what was not read any more when the deployment began may have been anything") {
  Telling t;
  t.w.reality["web"].readable = false;
  t.w.run(2min);
  t.deploy("crash");
  check_only_told(t);
}

TEST_CASE("what cannot be measured is not down") {
  Telling t;
  t.w.mark(MarkKind::begin, "v2");
  t.w.run(5s);
  t.w.reality["web"].probes_work = false;
  t.start("crash");
  t.w.run(10s);
  t.w.mark(MarkKind::end);
  check_only_told(t);
}

TEST_CASE("where no probe says of the whole service whether it is up, nothing is presumed") {
  Telling t([](rules::CoreConfig& config) { config.services[0].health.reset(); });
  t.deploy("crash");
  check_only_told(t);
}

TEST_CASE("what ran before and is not verified is neither blamed for what was deployed over it, nor gone back to") {
  Telling t;
  t.w.deploy("v1b");
  t.w.run(2min);
  t.deploy("crash");
  REQUIRE(t.w.run_until([&] { return t.w.outcome() == "recovered"; }, 15min));
  CHECK(t.w.last()->from.text == "v2");
  CHECK(t.w.last()->to.text == "v1");
  CHECK(t.w.standing("v1b") == Standing::candidate);
}

TEST_CASE("where nothing good is known nothing is presumed") {
  Telling t;
  t.w.ask(rules::Declare{ServiceName("web"), rules::Revision("v1"), Standing::bad, false, {}});
  t.deploy("crash");
  t.w.run(1h);
  CHECK_FALSE(t.is_presumed());
  CHECK(t.w.deeds.empty());
}

TEST_CASE(
    "an application that is stopped for long in its deployment, and comes up slowly, is read and is what it says") {
  Telling t;
  t.deploy("crash");
  REQUIRE(t.w.run_until([&] { return t.is_presumed(); }, 30s));
  t.w.run(2min);
  t.start("v2");
  t.w.run(1min);
  CHECK(t.w.service().revision.text == "v2");
  CHECK_FALSE(t.w.told_text("what runs is not what was said"));
  t.w.run(70min);
  CHECK(t.w.standing("v2") == Standing::good);
  CHECK(t.w.outcome() == "none");
  CHECK(t.w.deeds.empty());
}

TEST_CASE("what was presumed and turns out to be another is told, and neither is switched nor held to be bad") {
  Telling t;
  t.deploy("crash");
  REQUIRE(t.w.run_until([&] { return t.is_presumed(); }, 30s));
  // Nothing was deployed: what was stopped is started again.
  t.w.run(2min);
  t.start("v1");
  t.w.run(1h);
  CHECK(t.w.service().revision.text == "v1");
  CHECK(t.w.service().state == rules::ServiceState::disarmed);
  CHECK(t.w.told_text("which nobody could read, and v1 runs"));
  CHECK(t.w.standing("v1") == Standing::good);
  CHECK(t.w.standing("v2") == Standing::candidate);
  CHECK(t.w.deeds.empty());
}

TEST_CASE("what is presumed, up and not read is not verified by that, and somebody is asked before it is left") {
  Telling t;
  t.deploy("crash");
  REQUIRE(t.w.run_until([&] { return t.is_presumed(); }, 30s));
  t.w.reality["web"].readable = false;
  t.start("v2");
  t.w.run(2h);
  CHECK(t.w.standing("v2") == Standing::candidate);
  errors_on(t.w);
  REQUIRE(t.w.run_until([&] { return t.w.phase() == "asking"; }, 10min));
  CHECK(t.w.deeds.empty());
  t.w.crash();
  t.w.run(20min);
  CHECK(t.w.deeds.empty());
}

TEST_CASE("a deployment that another script joined began with the first") {
  Telling t;
  t.w.mark(MarkKind::begin, "v2");
  t.w.run(5s);
  t.w.deploy("crash");
  t.w.run(10s);
  t.w.mark(MarkKind::begin);
  t.w.mark(MarkKind::end);
  t.w.mark(MarkKind::end);
  CHECK(t.w.run_until([&] { return t.is_presumed(); }, 30s));
}

TEST_CASE("what fired as the old revision, before two looks had failed, is judged as what was deployed") {
  Telling t([](rules::CoreConfig& config) { config.rules[1].sustain = 0s; });
  t.deploy("crash");
  REQUIRE(t.w.run_until([&] { return t.w.outcome() == "recovered"; }, 15min));
  CHECK(t.w.last()->from.text == "v2");
  CHECK(t.w.deeds.size() == 1);
}

TEST_CASE("nothing is presumed into an incident that a person opened, or that has changed something") {
  Telling t;
  t.w.scripts["switch last-good"].takes = 2min;
  t.w.deploy("v3");
  t.w.run(70min);
  rules::RollbackByHand by_hand;
  by_hand.service = ServiceName("web");
  t.w.mark(MarkKind::begin, "v4");
  t.w.run(5s);
  REQUIRE(t.w.ask(by_hand).accepted);
  t.w.deploy("crash");
  t.w.run(5s);
  t.w.mark(MarkKind::end);
  REQUIRE(t.w.run_until([&] { return t.w.closed(); }, 30min));
  CHECK_FALSE(t.is_presumed());
  CHECK(t.w.outcome() == "recovered");
}

TEST_CASE("what could not be measured when the deployment began may have been down by then") {
  Telling t;
  t.w.reality["web"].probes_work = false;
  t.w.run(2min);
  t.w.mark(MarkKind::begin, "v2");
  t.w.run(5s);
  t.w.reality["web"].probes_work = true;
  t.start("crash");
  t.w.run(10s);
  t.w.mark(MarkKind::end);
  check_only_told(t);
}
