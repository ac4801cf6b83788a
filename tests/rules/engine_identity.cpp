#include <doctest/doctest.h>

#include "engine_world.hpp"

// Which revision evidence is held against when the looks at what runs come late, fail, or come between.

using namespace world;

namespace {

// Fires some seconds after the first error of a revision.
rules::CoreConfig quick() {
  rules::CoreConfig config = usual();
  config.rules = {rule("any-error", R"(web_app.http_requests_total{code="500"} > 0)", 5s)};
  return config;
}

void errors_end_with_the_switch(World& w) {
  w.reality["web"].on_switch = [](Reality& real) { real.errors = 0; };
}

// One look saw another revision, none could be read since, and the rule fires.
void seen_once(World& w) {
  w.run(5min);
  w.reality["web"].readable = false;
  rules::RevisionRead once;
  once.service = rules::ServiceName("web");
  once.started = once.ended = w.now();
  once.revision = rules::Revision("v2");
  w.observe(once);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.rule("any-error").progress.state == rules::RuleState::firing; }, 1min));
}

}  // namespace

TEST_CASE("SPEC 2.15: an answer to what was asked before the revision appeared does not end its warm-up") {
  World w(usual());
  w.run(5min);
  w.deploy("crash");
  REQUIRE(w.run_until([&] { return w.service().revision.text == "crash"; }, 1min));
  rules::Poll late;
  late.probe = rules::ProbeName("web_health");
  late.started = w.now() - 1s;
  late.ended = w.now();
  late.up = rules::Up::up;
  w.observe(late);
  w.run(2min);
  CHECK(w.rule("down").judgement.cause == rules::Cause::warming_up);
  CHECK(w.outcome() == "none");
}

TEST_CASE("SPEC 2.23: what runs and was unknown when a person asked is learned right before the switch") {
  World w(usual());
  w.reality["web"].running = rules::Revision("v2");
  w.reality["web"].readable = false;
  w.run(1min);
  rules::RollbackByHand request;
  request.service = rules::ServiceName("web");
  request.to = rules::Revision("v1");
  w.reality["web"].readable = true;
  CHECK(w.ask(request).accepted);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() == "recovered");
  CHECK(w.last()->from.text == "v2");
  CHECK(w.count_performed("switch last-good") == 1);
}

TEST_CASE("SPEC 2.14: a rule that fires before its revision was seen twice waits, and rolls back the right one once") {
  for (Duration offset = 0s; offset < 10s; offset += 1s) {
    CAPTURE(rules::seconds(offset));
    World w(quick());
    errors_end_with_the_switch(w);
    w.run(5min + offset);
    w.deploy("bad");
    REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 10min));
    CHECK(w.all().size() == 1);
    CHECK(w.last()->from.text == "bad");
    CHECK(w.told(rules::Stage::failed) == 0);
    CHECK(w.count_performed("switch last-good") == 1);
  }
}

TEST_CASE("SPEC 2.14: a firing waits for a look only where none began after its evidence did") {
  World w(quick());
  bring_up_v2(w);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.rule("any-error").progress.state == rules::RuleState::firing; }, 1min));
  // The look that is asked for at once says that v2 still runs.
  CHECK(w.run_until([&] { return w.outcome() != "none"; }, 1s));
  CHECK(w.last()->from.text == "v2");
}

TEST_CASE("SPEC 2.14: a look that is never confirmed delays a firing for half a minute, not for ever") {
  World w(quick());
  seen_once(w);
  const Instant fired = w.now();
  CHECK(w.outcome() == "none");
  CHECK(w.rule("any-error").missing.front().find("waits for a look at what runs") != std::string::npos);
  REQUIRE(w.run_until([&] { return w.outcome() != "none"; }, 5min));
  CHECK(w.now() - fired == 30s);
}

TEST_CASE("SPEC 2.14: a firing that waits for a look outlasts our restart") {
  World w(quick());
  w.spans_every = 1s;
  seen_once(w);
  w.run(10s);
  w.crash(2s);
  CHECK(w.outcome() == "none");
  CHECK(w.run_until([&] { return w.outcome() != "none"; }, 2min));
}
