#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "engine_world.hpp"

// SPEC 2.19: what a service depends on and is in trouble explains that its own rules are bad.

using namespace std::chrono_literals;
using namespace world;
using rules::Duration;
using rules::ServiceName;

namespace {

// web depends on api. While api runs `bad`, web answers 30 % of requests with errors, whatever it runs itself.
struct Depending {
  World w;
  explicit Depending(const std::function<void(rules::CoreConfig&)>& change = [](rules::CoreConfig&) {})
      : w(with([&](rules::CoreConfig& config) {
          add_api(config);
          config.services[0].depends_on = {ServiceName("api")};
          change(config);
        })) {
    w.reality["api"].on_switch = [this](Reality&) { errors_off(w); };
    w.run(5min);
  }

  void deploy_both(const std::string& web) {
    w.deploy(web);
    break_api();
  }
  void break_api() {
    w.deploy("bad", "api");
    errors_on(w);
  }
  void mend_api() {
    w.deploy("v3", "api");
    errors_off(w);
  }
  bool web_waits() const {
    const auto open = w.open();
    return open && open->phase == rules::IncidentPhase::held &&
           open->waiting_for.find("api, on which it depends, ") == 0;
  }
};

}  // namespace

TEST_CASE("deployed together, only what is bad by itself is rolled back, and people hear why the other waits") {
  Depending d;
  d.deploy_both("v2");
  REQUIRE(d.w.run_until([&] { return d.web_waits(); }, 5min));
  CHECK(d.w.told_text("waits: api, on which it depends, is in trouble (rule api-errors)"));
  REQUIRE(d.w.run_until([&] { return d.w.outcome("api") == "recovered"; }, 20min));
  REQUIRE(d.w.run_until([&] { return d.w.outcome("web") == "cleared"; }, 10min));
  d.w.run(1h);
  CHECK(d.w.performed("web").empty());
  CHECK(d.w.all("web").size() == 1);
}

TEST_CASE("what is bad by itself besides is acted on after a whole `for` more") {
  Depending d([](rules::CoreConfig& config) { config.rules[0].sustain = 2min; });
  d.deploy_both("bad");
  REQUIRE(d.w.run_until([&] { return d.w.outcome("api") == "recovered"; }, 20min));
  const rules::Instant well = d.w.now();
  CHECK(d.w.performed("web").empty());
  REQUIRE(d.w.run_until([&] { return d.w.count_performed("switch last-good") == 2; }, 10min));
  CHECK(d.w.now() - well >= 2min);
  CHECK(d.w.all("web").size() == 1);
  CHECK(d.w.run_until([&] { return d.w.outcome("web") == "recovered"; }, 10min));
}

TEST_CASE("bad time that is explained is no evidence when the rule fires only afterwards") {
  Depending d([](rules::CoreConfig& config) { config.rules[0].sustain = 5min; });
  d.deploy_both("v2");
  d.w.run(4min);
  d.mend_api();
  d.w.reality["web"].extra_errors = 0.3;
  REQUIRE(d.w.run_until([&] { return d.w.service("api").warming_up; }, 1min));
  REQUIRE(d.w.run_until([&] { return !d.w.service("api").warming_up; }, 5min));
  const rules::Instant well = d.w.now();
  REQUIRE(d.w.run_until([&] { return !d.w.performed("web").empty(); }, 20min));
  CHECK(d.w.now() - well >= 5min);
}

TEST_CASE("two that are in trouble for longer than unless_max ask, and an answer is not needed once one is well") {
  Depending d([](rules::CoreConfig& config) {
    config.rules.back().severity = rules::Severity::p2;
    config.rules[0].unless_max = 12min;
  });
  d.deploy_both("bad");
  REQUIRE(d.w.run_until([&] { return d.web_waits(); }, 5min));
  const rules::Instant waits = d.w.now();
  REQUIRE(d.w.run_until([&] { return d.w.phase("web") == "asking"; }, 30min));
  CHECK(d.w.now() - waits >= 11min);
  CHECK(d.w.now() - waits <= 12min + 5s);
  CHECK(d.w.told_text("Asked because api, on which it depends, is in trouble (rule api-errors)."));
  d.mend_api();
  REQUIRE(d.w.run_until([&] { return d.w.phase("web") == "held"; }, 10min));
  CHECK(d.w.told_text("what it depends on is well again"));
  CHECK(d.w.run_until([&] { return d.w.outcome("web") == "recovered"; }, 15min));
}

TEST_CASE("who says yes to two in trouble has it done at once") {
  Depending d([](rules::CoreConfig& config) { config.rules.back().severity = rules::Severity::p2; });
  d.deploy_both("bad");
  REQUIRE(d.w.run_until([&] { return d.w.phase("web") == "asking"; }, 30min));
  REQUIRE(d.w.ask(rules::Approve{d.w.open()->id, "me"}).accepted);
  d.w.run(5s);
  CHECK(d.w.performed("web") == std::vector<std::string>{"switch last-good"});
}

TEST_CASE("what it depends on and cannot be measured holds nothing") {
  Depending d;
  d.w.reality["api"].probes_work = false;
  d.w.run(10min);
  d.w.deploy("bad");
  REQUIRE(d.w.run_until([&] { return d.w.outcome("web") == "recovered"; }, 10min));
  CHECK_FALSE(d.w.told_text("on which it depends"));
}

TEST_CASE("a rule without an unless_max does not wait") {
  Depending d([](rules::CoreConfig& config) { config.rules[0].unless_max = 0s; });
  d.deploy_both("bad");
  REQUIRE(d.w.run_until([&] { return !d.w.performed("web").empty(); }, 5min));
  CHECK_FALSE(d.w.told_text("waits: api"));
}

TEST_CASE("a rollback by hand waits for nothing that it depends on") {
  Depending d;
  d.deploy_both("v2");
  REQUIRE(
      d.w.run_until([&] { return d.w.phase("api") == "acting" || d.w.rule("api-errors").progress.bad > 10s; }, 5min));
  rules::RollbackByHand by_hand;
  by_hand.service = ServiceName("web");
  REQUIRE(d.w.ask(by_hand).accepted);
  d.w.run(5s);
  CHECK(d.w.performed("web") == std::vector<std::string>{"switch last-good"});
}

TEST_CASE("trouble reaches through what stands between") {
  Depending d([](rules::CoreConfig& config) {
    add_service(config, "mid");
    config.services[0].depends_on = {ServiceName("mid")};
    config.services[2].depends_on = {ServiceName("api")};
  });
  d.deploy_both("v2");
  REQUIRE(d.w.run_until([&] { return d.w.outcome("api") == "recovered"; }, 20min));
  REQUIRE(d.w.run_until([&] { return d.w.outcome("web") == "cleared"; }, 10min));
  CHECK(d.w.performed("web").empty());
}

TEST_CASE("what it depends on and is deployed, or given time to start, explains it") {
  for (const bool marked : {true, false}) {
    CAPTURE(marked);
    Depending d;
    d.w.deploy("v2");
    d.w.run(2min);
    if (marked) d.w.mark(rules::MarkKind::begin, {}, "api");
    d.w.reality["api"].crashing.insert("slow-start");
    d.w.deploy("slow-start", "api");
    errors_on(d.w);
    REQUIRE(d.w.run_until([&] { return d.web_waits(); }, 5min));
    CHECK(d.w.told_text(marked ? "is being deployed" : "is given time to start"));
    d.w.reality["api"].crashing.erase("slow-start");
    errors_off(d.w);
    if (marked) d.w.mark(rules::MarkKind::end, {}, "api");
    REQUIRE(d.w.run_until([&] { return d.w.outcome("web") == "cleared"; }, 10min));
    CHECK(d.w.deeds.empty());
  }
}

TEST_CASE("a restart while what it depends on is in trouble takes no explained time for evidence") {
  for (const Duration away : {Duration(2s), Duration(1min)}) {
    CAPTURE(away.count());
    Depending d;
    d.deploy_both("v2");
    REQUIRE(d.w.run_until([&] { return d.web_waits(); }, 5min));
    d.w.crash(away);
    REQUIRE(d.w.run_until([&] { return d.w.outcome("api") == "recovered"; }, 30min));
    REQUIRE(d.w.run_until([&] { return d.w.closed("web"); }, 20min));
    CHECK(d.w.performed("web").empty());
  }
}

TEST_CASE("with a short `for`, what it depends on is measured first") {
  Depending d([](rules::CoreConfig& config) {
    config.rules[0].sustain = 0s;
    config.probes[2].interval = config.probes[3].interval = 15s;
  });
  d.w.deploy("v2");
  d.w.run(2min);
  errors_on(d.w);
  REQUIRE(d.w.run_until([&] { return d.w.outcome("web") == "open"; }, 1min));
  CHECK(d.w.phase("web") == "held");
  CHECK(d.w.open()->waiting_for == "what it depends on is measured first");
}

TEST_CASE("what comes and goes explains no more than unless_max") {
  Depending d([](rules::CoreConfig& config) {
    config.rules[0].sustain = 5min;
    config.rules.push_back(rule("api-down", "api_health.up == 0", 30s, {"rollback"}, "api"));
  });
  d.w.deploy("bad");
  d.w.reality["api"].crashing.insert("v1");
  bool up = false;
  REQUIRE(d.w.run_until(
      [&] {
        const bool should_be_up = (d.w.since_start() / 1s) % 180 > 15;
        if (std::exchange(up, should_be_up) != should_be_up) {
          should_be_up ? void(d.w.reality["api"].crashing.erase("v1")) : void(d.w.reality["api"].crashing.insert("v1"));
        }
        return d.w.outcome("web") == "open";
      },
      40min));
  CHECK(d.w.since_start() < 30min);
}

TEST_CASE("a reload says anew who depends on whom") {
  Depending d;
  rules::CoreConfig alone = usual();
  add_api(alone);
  alone.services.erase(alone.services.begin());
  std::erase_if(alone.rules.own(), [](const rules::RuleSpec& one) { return one.service == ServiceName("web"); });
  d.w.reload(alone);
  d.w.deploy("bad", "api");
  CHECK(d.w.run_until([&] { return d.w.outcome("api") == "recovered"; }, 20min));
}

TEST_CASE("who depends on nobody any more does not wait") {
  Depending d([](rules::CoreConfig& config) { config.rules.back().severity = rules::Severity::p2; });
  d.deploy_both("bad");
  REQUIRE(d.w.run_until([&] { return d.web_waits(); }, 5min));
  rules::CoreConfig free = usual();
  add_api(free);
  free.rules.back().severity = rules::Severity::p3;
  d.w.reload(free);
  d.w.run(30s);
  CHECK(d.w.open()->waiting_for.find("depends on") == std::string::npos);
  CHECK_FALSE(d.w.phase("web") == "held");
}

TEST_CASE(
    "nobody is called for what another's trouble explains, though nothing could be gone back to, or is allowed to") {
  for (const std::string what : {"no target", "not readable", "forbidden"}) {
    CAPTURE(what);
    Depending d;
    if (what == "forbidden") {
      d.w.deploy("v2");
      d.w.run(1min);
      d.w.mark(rules::MarkKind::mark, "v2", "web", rules::RollbackPolicy::forbidden);
    }
    if (what == "not readable") d.w.reality["web"].readable = false;
    d.w.run(1min);
    d.break_api();
    REQUIRE(d.w.run_until([&] { return d.web_waits(); }, 5min));
    REQUIRE(d.w.run_until([&] { return d.w.outcome("web") == "cleared"; }, 20min));
    CHECK(d.w.performed("web").empty());
    CHECK(d.w.all("web").size() == 1);
  }
}

TEST_CASE("who has nothing to go back to hears so when what it depends on is well and it is bad still") {
  Depending d;
  d.w.reality["api"].on_switch = {};
  d.break_api();
  REQUIRE(d.w.run_until([&] { return d.web_waits(); }, 5min));
  REQUIRE(d.w.run_until([&] { return d.w.outcome("api") == "recovered"; }, 20min));
  CHECK(d.w.outcome("web") == "open");
  CHECK(d.w.run_until([&] { return d.w.outcome("web") == "no_target"; }, 10min));
}

TEST_CASE("what has restarted is well when its own rules can have seen that, and after a minute in any case") {
  for (const Duration sustain : {Duration(5s), Duration(20s), Duration(5min)}) {
    CAPTURE(sustain.count());
    Depending d([&](rules::CoreConfig& config) {
      config.rules[0].sustain = 10min;
      config.rules.back().sustain = sustain;
    });
    d.w.deploy("v2");
    d.w.run(2min);
    d.w.reality["api"].process_start = 1000;
    errors_on(d.w);
    d.w.run(2min);
    d.w.reality["api"].process_start = 2000;
    d.w.run(5s);
    const rules::Instant restarted = d.w.now();
    REQUIRE(d.w.run_until([&] { return d.w.noted("counts_anew") > 0; }, 3min));
    const Duration waited = d.w.now() - restarted;
    const Duration least = std::clamp<Duration>(sustain, 10s, 1min);
    CHECK(waited >= least - 10s);
    CHECK(waited <= least + 10s);
  }
}

TEST_CASE("what a marked restart did is no evidence, though it is seen only after its end") {
  for (const bool short_for : {true, false}) {
    CAPTURE(short_for);
    Depending d([&](rules::CoreConfig& config) { config.rules[0].sustain = short_for ? 10s : 25s; });
    d.w.deploy("v2");
    d.w.run(2min);
    // So short that no poll of the frontend falls into it: its requests failed all the same.
    d.w.mark(rules::MarkKind::begin, {}, "api");
    d.w.run(1s);
    d.w.mark(rules::MarkKind::end, {}, "api");
    d.w.reality["web"].errors += 1000;
    d.w.reality["web"].total += 1000;
    d.w.run(5min);
    CHECK(d.w.noted("counts_anew") == 1);
    CHECK(d.w.outcome("web") == "none");
    // What goes bad long after it is its own.
    d.w.deploy("bad");
    REQUIRE(d.w.run_until([&] { return d.w.outcome("web") == "recovered"; }, 10min));
    CHECK(d.w.noted("counts_anew") == 1);
  }
}

TEST_CASE("between a deployment's end and the look that says what it brought, it is not over for who depends on it") {
  Depending d([](rules::CoreConfig& config) { config.rules[0].sustain = 10min; });
  errors_on(d.w);
  d.w.run(1min);
  d.w.mark(rules::MarkKind::begin, {}, "api");
  d.w.run(3s);
  d.w.mark(rules::MarkKind::end, {}, "api");
  CHECK(d.w.noted("counts_anew") == 0);
  d.w.run(11s);
  CHECK(d.w.noted("counts_anew") == 1);
}
