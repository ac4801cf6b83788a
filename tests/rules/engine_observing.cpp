#include <doctest/doctest.h>

#include "engine_world.hpp"

// Mode observe says what would have been done without it.

using namespace world;

namespace {

// What people heard, when a bad release was deployed, of what it would have done.
std::string would(
    rules::CoreConfig config, const std::function<void(World&)>& before = [](World&) {}) {
  World w(std::move(config));
  w.run(5min);
  before(w);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 20min));
  CHECK(w.deeds.empty());
  CHECK(w.told_text("`rollbackd rollback web"));
  CHECK(w.told_text(w.open()->would_have_done));
  return w.open()->would_have_done;
}

rules::CoreConfig observing(const std::function<void(rules::CoreConfig&)>& change = [](rules::CoreConfig&) {}) {
  return with([&](rules::CoreConfig& config) {
    config.mode = rules::Mode::observe;
    change(config);
  });
}

}  // namespace

TEST_CASE("mode observe says which action would have brought what back") {
  CHECK(would(observing()) == "would have rolled back to v1 by action rollback");
  CHECK(would(with([](rules::CoreConfig& config) { config.rules[0].mode = rules::Mode::observe; })) ==
        "would have rolled back to v1 by action rollback");
  CHECK(would(observing([](rules::CoreConfig& config) { config.rules[0].respond = restart_then_rollback(); })) ==
        "would have run action restart");
}

TEST_CASE("mode observe says that it would have asked, or done nothing, and why") {
  CHECK(would(observing([](rules::CoreConfig& config) { config.rules[0].severity = rules::Severity::p2; })) ==
        "would have asked, because it is P2, of which people are asked, and with a yes have rolled back to v1 by "
        "action rollback");
  CHECK(would(observing([](rules::CoreConfig& config) {
          config.services[0].fuse.switches_per_day = 0;
        })).starts_with("would have done nothing (fused): "));
  CHECK(would(observing(), [](World& w) {
          w.ask(rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), rules::Standing::bad, true});
        }).starts_with("would have done nothing (no_target): no good revision is known"));
  CHECK(would(observing(), [](World& w) {
          w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
        }) == "would have told of it and done nothing: its deploy mark forbids rolling it back");
}

TEST_CASE("what mode observe kept it from is in the log, in what explains the rule, and in the incident's end") {
  World w(observing());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 10min));
  CHECK(w.noted("observed") == 1);
  const std::vector<std::string> missing = w.rule("errors").missing;
  CHECK(std::count(missing.begin(), missing.end(),
                   "mode observe: it would have rolled back to v1 by action rollback") == 1);
  CHECK(w.told_text("nothing is done by itself: it would have rolled back to v1 by action rollback (mode observe); "));
  w.deploy("v3");
  w.run(20min);
  World again(observing());
  again.run(5min);
  errors_on(again);
  REQUIRE(again.run_until([&] { return again.phase() == "telling"; }, 10min));
  errors_off(again);
  REQUIRE(again.run_until([&] { return again.closed(); }, 20min));
  CHECK(again.outcome() == "observed");
  CHECK(again.last()->outcome_detail.starts_with("the rules are good again; without mode observe it would have "));
}

TEST_CASE("where a rule would only tell anyway, mode observe kept it from nothing") {
  World w(observing([](rules::CoreConfig& config) {
    config.rules[0].severity = rules::Severity::p3;
    config.rules[0].respond.clear();
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 10min));
  CHECK(w.open()->would_have_done.empty());
}

TEST_CASE("what explains a rule in mode observe names the target of what would be done") {
  World w(observing());
  w.settle_on_v2();
  const std::vector<std::string> missing = w.rule("errors").missing;
  CHECK(std::count(missing.begin(), missing.end(),
                   "mode observe: nothing is done; without it action rollback (to v1) would be run") == 1);
}
