#include <doctest/doctest.h>

#include "engine_world.hpp"

// SPEC section 2, sentences 13 to 18: which evidence counts for which revision, and when anything is done by itself.

using namespace world;
using rules::Standing;

namespace {

rules::CoreConfig only(const std::string& rule) {
  rules::CoreConfig config = usual();
  std::erase_if(config.rules.own(), [&](const rules::RuleSpec& one) { return one.name.text != rule; });
  return config;
}

bool is_preexisting(const World& w, const std::string& rule) { return w.rule(rule).preexisting; }

}  // namespace

TEST_CASE("SPEC 2.13: spans start empty at a new revision") {
  World w(only("errors"));
  w.run(5min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.rule("errors").progress.bad > 40s; }, 5min));
  w.deploy("v2");
  REQUIRE(w.run_until([&] { return w.service().revision.text == "v2"; }, 1min));
  CHECK(w.rule("errors").progress.bad < 5s);
}

TEST_CASE("SPEC 2.13: spans start empty at the end of a pause, and nothing starts during it") {
  World w(usual());
  w.run(5min);
  CHECK(w.ask(rules::Pause{{}, 20min, "maintenance"}).accepted);
  w.deploy("bad");
  w.run(19min);
  CHECK(w.noted("firing") > 0);
  CHECK(w.outcome() == "none");
  CHECK(w.service().paused);
  REQUIRE(w.run_until([&] { return !w.service().paused; }, 2min));
  CHECK(w.rule("errors").progress.bad < 5s);
  CHECK(w.rule("errors").progress.state != rules::RuleState::firing);
  // What is bad still fires anew.
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("SPEC 2.13: a short restart of ours keeps the span, a long one starts it empty") {
  for (const bool is_short : {true, false}) {
    CAPTURE(is_short);
    World w(only("errors"));
    w.run(6min);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.rule("errors").progress.bad > 40s; }, 5min));
    w.spans_every = 1s;
    w.run(6s);
    w.crash(is_short ? Duration(3s) : Duration(3min));
    const Duration bad = w.rule("errors").progress.bad;
    if (is_short) {
      CHECK(bad > 30s);
    } else {
      CHECK(bad < 5s);
    }
  }
}

TEST_CASE("SPEC 2.13: an unchanged rule keeps its span over a reload, a changed one starts empty") {
  World w(usual());
  w.run(5min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.rule("errors").progress.bad > 40s; }, 5min));
  rules::CoreConfig config = usual();
  config.rules[1].sustain = 45s;
  w.reload(config);
  CHECK(w.rule("errors").progress.bad > 40s);
  config.rules[0].sustain = 90s;
  w.reload(config);
  CHECK(w.rule("errors").progress.bad < 5s);
}

TEST_CASE("SPEC 5: the time in which a rule was unknown goes on over a reload that leaves it as it is") {
  World w(usual());
  w.run(5min);
  const auto before = w.rule("errors").unknown_time;
  REQUIRE_FALSE(before.empty());
  rules::CoreConfig config = usual();
  for (const auto other : {45s, 50s}) {
    config.rules[1].sustain = other;
    w.reload(config);
    CHECK(w.rule("errors").unknown_time == before);
  }
  config.rules[0].sustain = 90s;
  w.reload(config);
  CHECK(w.rule("errors").unknown_time != before);
}

TEST_CASE("SPEC 2.14: the first revision ever seen is adopted as good and not judged") {
  World w(usual());
  w.deploy("bad");
  w.run(10min);
  CHECK(w.standing("bad") == Standing::good);
  CHECK(w.service().state != rules::ServiceState::armed);
  CHECK(w.deeds.empty());
  CHECK(w.outcome() == "no_target");
}

TEST_CASE("SPEC 2.14: a revision has appeared when two reads agree, as of the last look that saw the old one") {
  World w(usual());
  w.run(5min);
  const Instant before = w.now();
  w.deploy("v2");
  w.run(10s);
  CHECK(w.service().revision.text == "v1");
  w.run(10s);
  CHECK(w.service().revision.text == "v2");
  CHECK(w.journal.ledger.at({"web", "v2"}).appeared <= before);
  CHECK(w.journal.ledger.at({"web", "v2"}).appeared > before - 11s);
}

TEST_CASE("SPEC 2.14: one look that sees something else is not a deployment") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(10s);
  w.deploy("v1");
  w.run(1min);
  CHECK(w.service().revision.text == "v1");
  CHECK_FALSE(w.journal.ledger.contains({"web", "v2"}));
}

TEST_CASE("SPEC 2.14: a deploy mark gives the revision its time and says how it may be undone") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(1s);
  w.mark(rules::MarkKind::mark, "v2", "web", rules::RollbackPolicy::forbidden, "7");
  const Instant marked = w.now();
  w.run(30s);
  const rules::LedgerRecord& record = w.journal.ledger.at({"web", "v2"});
  CHECK(record.appeared == marked);
  CHECK(record.policy == rules::RollbackPolicy::forbidden);
  CHECK(record.schema == "7");
}

TEST_CASE("SPEC 2.14: between deploy begin and end everything is unknown, at most deploy_timeout") {
  World w(usual());
  w.run(5min);
  w.mark(rules::MarkKind::begin);
  w.deploy("crash");
  w.run(14min);
  CHECK(w.rule("down").judgement.verdict == rules::Verdict::unknown);
  CHECK(w.rule("down").judgement.cause == rules::Cause::deploying);
  CHECK(w.service().deploying);
  CHECK(w.outcome() == "none");
  w.run(2min);
  CHECK_FALSE(w.service().deploying);
  CHECK(w.rule("down").judgement.cause != rules::Cause::deploying);
}

TEST_CASE("SPEC 2.14: mutating actions wait for the end of a deployment") {
  rules::CoreConfig config = usual();
  config.services[0].arm = rules::Arm::always;
  config.actions[0].steps.insert(config.actions[0].steps.begin(), sleep(30s));
  World w(config);
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 10min));
  w.mark(rules::MarkKind::begin);
  w.run(5min);
  CHECK(w.phase() == "held");
  CHECK(w.deeds.empty());
  w.mark(rules::MarkKind::end);
  CHECK(w.run_until([&] { return !w.deeds.empty(); }, 5min));
}

TEST_CASE("SPEC 2.14: changes made by our own actions are not deploys") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
  CHECK(w.service().state == rules::ServiceState::disarmed);
  CHECK(w.journal.ledger.at({"web", "v1"}).adopted);
}

TEST_CASE("SPEC 2.14: without marks the time in which no instance runs counts as deploying, at most start_deadline") {
  World w(usual());
  w.run(5min);
  w.reality["web"].readable = false;
  rules::RevisionRead absent;
  absent.service = rules::ServiceName("web");
  absent.started = absent.ended = w.now();
  absent.instance_absent = true;
  w.observe(absent);
  CHECK(w.rule("down").judgement.cause == rules::Cause::deploying);
  w.run(6min);
  CHECK_FALSE(w.service().deploying);
}

TEST_CASE("SPEC 2.15: after a revision appears its rules are warming up until it is up, then down is bad at once") {
  World w(usual());
  w.run(5min);
  w.deploy("crash");
  REQUIRE(w.run_until([&] { return w.service().revision.text == "crash"; }, 1min));
  w.run(3min);
  CHECK(w.rule("down").judgement.cause == rules::Cause::warming_up);
  CHECK(w.outcome() == "none");
  // start_deadline is 5m from its appearance; then 30s of down fire.
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 10min));
}

TEST_CASE("SPEC 2.15: once it was up, down is bad at once") {
  World w(usual());
  bring_up_v2(w);
  w.reality["web"].crashing.insert("v2");
  CHECK(w.run_until([&] { return w.open().has_value(); }, 50s));
}

TEST_CASE("SPEC 2.15: after our own start rules are warming up until up is first 1") {
  World w(usual());
  w.deploy("crash");
  w.run(4min);
  CHECK(w.rule("down").judgement.cause == rules::Cause::warming_up);
  w.run(2min);
  CHECK(w.rule("down").judgement.verdict == rules::Verdict::bad);
}

TEST_CASE("SPEC 2.16: a rule that was bad before the revision came does not roll it back by itself") {
  World w(only("errors"));
  errors_on(w);
  w.run(5min);
  w.deploy("v2");
  REQUIRE(w.run_until([&] { return w.service().revision.text == "v2"; }, 1min));
  CHECK(is_preexisting(w, "errors"));
  w.run(10min);
  CHECK(w.deeds.empty());
  CHECK(w.phase() == "asking");
  CHECK(w.told_text("bad before this revision came"));
}

TEST_CASE("SPEC 2.16: a hotfix that does not help is rolled back past the release that it was to mend") {
  World w(only("errors"));
  w.run(5min);
  w.reality["web"].sick.insert("hotfix");
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.rule("errors").judgement.verdict == rules::Verdict::bad; }, 5min));
  w.run(40s);
  w.deploy("hotfix");
  REQUIRE(w.run_until([&] { return w.service().revision.text == "hotfix"; }, 1min));
  CHECK_FALSE(is_preexisting(w, "errors"));
  REQUIRE(w.run_until([&] { return w.closed() && w.outcome() == "recovered"; }, 30min));
  CHECK(w.service().revision.text == "v1");
  CHECK(w.standing("hotfix") == rules::Standing::bad);
}

TEST_CASE("SPEC 2.16: what was bad before is so for the second revision after it as well") {
  World w(only("errors"));
  errors_on(w);
  w.run(5min);
  for (const char* const revision : {"v2", "v3"}) {
    w.deploy(revision);
    REQUIRE(w.run_until([&] { return w.service().revision.text == revision; }, 1min));
    CHECK(is_preexisting(w, "errors"));
  }
}

TEST_CASE("SPEC 2.14: what was stopped to be replaced was not bad before, what was down for its for was") {
  for (const bool is_quick : {true, false}) {
    CAPTURE(is_quick);
    rules::CoreConfig config = only("down");
    config.services[0].health = rules::ProbeName("web_health");
    World w(config);
    w.run(10min);
    REQUIRE(w.rule("down").judgement.verdict == rules::Verdict::good);
    w.reality["web"].crashing.insert("v1");
    w.run(is_quick ? 20s : 2min);
    w.deploy("crash");
    REQUIRE(w.run_until([&] { return w.service().revision.text == "crash"; }, 1min));
    CHECK(is_preexisting(w, "down") == !is_quick);
    w.reality["web"].crashing.erase("v1");
    w.run(20min);
    CHECK(w.count_performed("switch last-good") == (is_quick ? 1 : 0));
    CHECK(w.violations.empty());
  }
}

TEST_CASE("SPEC 2.16: a pre-existing rule counts again when it has been good for its for") {
  World w(only("errors"));
  errors_on(w);
  bring_up_v2(w);
  CHECK(is_preexisting(w, "errors"));
  errors_off(w);
  w.run(4min);
  CHECK_FALSE(is_preexisting(w, "errors"));
  errors_on(w);
  CHECK(w.run_until([&] { return !w.deeds.empty(); }, 10min));
}

TEST_CASE("SPEC 2.16: a pre-existing rule that is good for less than its for stays pre-existing") {
  World w(only("errors"));
  errors_on(w);
  bring_up_v2(w);
  REQUIRE(is_preexisting(w, "errors"));
  errors_off(w);
  REQUIRE(w.run_until([&] { return w.rule("errors").judgement.verdict == rules::Verdict::good; }, 5min));
  w.run(30s);
  CHECK(is_preexisting(w, "errors"));
  errors_on(w);
  w.run(10min);
  CHECK(w.phase() == "asking");
  CHECK(w.deeds.empty());
}

TEST_CASE("SPEC 2.17: a service is armed from a revision's appearance until it is baked, and asks outside that") {
  World w(usual());
  w.settle_on_v2();
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  CHECK(w.told_text("disarmed"));
  CHECK(w.deeds.empty());
}

TEST_CASE("SPEC 2.17: arm = always acts whenever") {
  World w(armed_always());
  w.settle_on_v2();
  CHECK(w.standing("v2") == Standing::good);
  errors_on(w);
  CHECK(w.run_until([&] { return !w.deeds.empty(); }, 10min));
}

TEST_CASE("SPEC 2.17: only time in which everything is up and no rule is bad counts towards baking") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(10min);
  const Duration baked = w.service().baked;
  CHECK(baked > 8min);
  w.reality["web"].probes_work = false;
  w.run(10min);
  CHECK(w.service().baked < baked + 30s);
  w.reality["web"].probes_work = true;
  w.run(10min);
  CHECK(w.service().baked > baked + 8min);
}

TEST_CASE("SPEC 2.17: a firing starts the baking anew") {
  World w(with([](rules::CoreConfig& config) { config.rules[0].mode = rules::Mode::notify; }));
  w.run(5min);
  w.deploy("v2");
  w.run(30min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.open().has_value(); }, 10min));
  CHECK(w.service().baked < 10s);
}

TEST_CASE("SPEC 2.17: a different revision found at our start is new") {
  World w(usual());
  harm(w);
  w.crash(5min);
  w.run(1min);
  CHECK(w.service().revision.text == "bad");
  CHECK(w.service().state != rules::ServiceState::disarmed);
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
}

TEST_CASE("SPEC 2.17: a good revision that comes back is not armed") {
  World w(usual());
  bring_up_v2(w);
  w.deploy("v1");
  w.run(1min);
  CHECK(w.service().revision.text == "v1");
  CHECK(w.service().state == rules::ServiceState::disarmed);
}

TEST_CASE("SPEC 2.18: without an identity a service acts at most once until deploy mark or fuse reset") {
  for (const bool by_mark : {true, false}) {
    CAPTURE(by_mark);
    rules::CoreConfig config = usual();
    config.services[0].has_identity = false;
    config.services[0].arm = rules::Arm::always;
    World w(config);
    w.run(5min);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.deeds.size() == 1; }, 10min));
    errors_off(w);
    REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 15min));
    w.run(30min);
    errors_on(w);
    REQUIRE(w.run_until([&] { return w.outcome() == "fused"; }, 10min));
    CHECK(w.deeds.size() == 1);
    errors_off(w);
    w.run(10min);
    if (by_mark) {
      w.mark(rules::MarkKind::mark);
    } else {
      w.ask(rules::FuseReset{rules::ServiceName("web")});
    }
    w.run(1min);
    errors_on(w);
    CHECK(w.run_until([&] { return w.deeds.size() == 2; }, 15min));
  }
}

TEST_CASE("SPEC 2.16: a restart between a deployment and the second look does not make its harm look older than it") {
  // The saved spans know it bad when we were last alive, and no look has seen the new revision twice.
  for (const char* release : {"bad", "crash"}) {
    for (Duration after = 6s; after <= 16s; after += 1s) {
      CAPTURE(release);
      CAPTURE(after.count());
      World w(usual());
      w.run(5min);
      w.deploy(release);
      w.run(after);
      w.crash(2s);
      REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
      CHECK(w.outcome() == "recovered");
      CHECK(w.count_performed("switch last-good") == 1);
    }
  }
}

TEST_CASE("SPEC 2.16: what was bad before a restart that brought another revision is older than that") {
  for (const Duration away : {Duration(2s), Duration(5min)}) {
    CAPTURE(away.count());
    World w(usual());
    w.run(5min);
    w.reality["web"].extra_errors = 0.3;
    w.run(40s);
    w.deploy("v2");
    w.crash(away);
    w.run(10min);
    CHECK(w.deeds.empty());
    REQUIRE(w.open());
    CHECK(w.phase() == "asking");
  }
}

TEST_CASE("what a person says is bad does not become good by baking, until it is deployed anew and proves itself") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(30min);
  REQUIRE(w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v2"), rules::Standing::bad}).accepted);
  w.run(3h);
  CHECK(w.standing("v2") == rules::Standing::bad);
  w.deploy("v3");
  w.run(2min);
  w.deploy("v2");
  w.run(2h);
  CHECK(w.standing("v2") == rules::Standing::good);
}

TEST_CASE("a quarantined revision that is deployed again does not prove itself while nothing can be measured") {
  World w(usual());
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
  w.reality["web"].requests_per_second = 0;
  w.run(10min);
  w.deploy("bad");
  w.run(5h);
  CHECK(w.all().size() == 1);  // no rule fires without traffic
  CHECK(w.standing("bad") == rules::Standing::bad);
}

TEST_CASE("a revision does not prove itself while a rule that fired for it has not recovered") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 60min));
  REQUIRE(w.outcome() == "aborted");  // nobody answered
  w.reality["web"].requests_per_second = 0;
  w.run(5h);
  CHECK(w.standing("bad") == rules::Standing::candidate);
}
