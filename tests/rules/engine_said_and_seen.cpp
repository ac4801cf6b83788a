#include <doctest/doctest.h>

#include "engine_world.hpp"

// What a deploy script said of the revision, and what runs in the end (SPEC 2.14).

using namespace std::chrono_literals;
using namespace world;
using rules::MarkKind;

namespace {

constexpr const char* differs = "The deployment was said to bring v2, and v3 runs.";

rules::RollbackPolicy policy_of(const World& w, const std::string& revision) {
  for (const rules::LedgerRecord& one : w.view().ledger) {
    if (one.revision.text == revision) return one.policy;
  }
  return rules::RollbackPolicy::automatic;
}

}  // namespace

TEST_CASE("what runs after a deployment and is not what was said is told, once") {
  for (const bool seen_before_end : {true, false}) {
    CAPTURE(seen_before_end);
    World w(usual());
    w.run(5min);
    w.mark(MarkKind::begin, "v2");
    w.deploy("v3");
    if (seen_before_end) w.run(30s);
    CHECK_FALSE(w.told_text(differs));
    w.mark(MarkKind::end);
    w.run(1min);
    CHECK(w.told_text(differs));
    CHECK(w.told(rules::Stage::fault) == 1);
  }
}

TEST_CASE("what runs after a deployment as it was said is no news") {
  for (const bool seen_before_end : {true, false}) {
    CAPTURE(seen_before_end);
    World w(usual());
    w.run(5min);
    w.mark(MarkKind::begin, "v2");
    w.deploy("v2");
    if (seen_before_end) w.run(30s);
    w.mark(MarkKind::end);
    w.run(1min);
    CHECK(w.told(rules::Stage::fault) == 0);
  }
}

TEST_CASE(
    "what is said at the end of a hotfix counts for the hotfix, not for the release that came shortly before it") {
  for (const bool begins : {true, false}) {
    for (const Duration seen_before_end : std::vector<Duration>{0s, 30s}) {
      CAPTURE(begins);
      CAPTURE(seen_before_end.count());
      World w(usual());
      w.run(5min);
      w.deploy("v2");
      w.run(40s);
      if (begins) w.mark(MarkKind::begin);
      w.deploy("bad");
      w.run(seen_before_end);
      w.mark(begins ? MarkKind::end : MarkKind::mark, {}, "web", rules::RollbackPolicy::forbidden);
      w.run(15min);
      CHECK(policy_of(w, "bad") == rules::RollbackPolicy::forbidden);
      CHECK(policy_of(w, "v2") == rules::RollbackPolicy::automatic);
      CHECK(w.count_performed("switch last-good") == 0);
      CHECK(w.phase() == "telling");
      CHECK(w.told(rules::Stage::fault) == 0);
    }
  }
}

TEST_CASE("no rule is held against what runs until a look has seen what a mark spoke of") {
  World w(usual());
  w.run(5min);
  w.deploy("bad");
  w.run(40s);
  w.mark(MarkKind::mark, {}, "web", rules::RollbackPolicy::forbidden);
  CHECK(policy_of(w, "bad") == rules::RollbackPolicy::automatic);
  w.run(20s);
  CHECK(policy_of(w, "bad") == rules::RollbackPolicy::forbidden);
}

TEST_CASE("what is said at the end of a deployment that brought the same revision once more counts for that one") {
  World w(usual());
  w.settle_on_v2();
  w.mark(MarkKind::begin);
  w.run(20s);
  w.mark(MarkKind::end, {}, "web", rules::RollbackPolicy::forbidden);
  w.run(4min);
  CHECK(policy_of(w, "v2") == rules::RollbackPolicy::automatic);
  w.run(2min);
  CHECK(policy_of(w, "v2") == rules::RollbackPolicy::forbidden);
  w.deploy("v3");
  w.run(1min);
  CHECK(policy_of(w, "v3") == rules::RollbackPolicy::automatic);
}

TEST_CASE("a name that never came is told once, and of later deployments it says nothing") {
  World w(usual());
  w.run(5min);
  w.mark(MarkKind::begin, "v2");
  w.deploy("v3");
  w.mark(MarkKind::end);
  w.run(1min);
  w.mark(MarkKind::end);
  w.mark(MarkKind::mark);
  w.run(1min);
  CHECK(w.told_text(differs));
  CHECK(w.told(rules::Stage::fault) == 1);
  w.deploy("v4");
  w.run(1min);
  CHECK(w.told(rules::Stage::fault) == 1);
  w.run(5min);
  w.mark(MarkKind::mark, "v9");
  w.run(2h);
  w.deploy("v5");
  w.run(1min);
  CHECK(w.told(rules::Stage::fault) == 1);
}

TEST_CASE("a second begin joins the deployment and keeps what the first one said") {
  for (const std::optional<std::string>& name : {std::optional<std::string>(), std::optional<std::string>("bad")}) {
    World w(usual());
    w.run(5min);
    w.mark(MarkKind::begin, "bad", "web", rules::RollbackPolicy::forbidden);
    w.run(5s);
    w.mark(MarkKind::begin, name);
    w.deploy("bad");
    w.mark(MarkKind::end);
    CHECK(w.service().deploying);
    w.mark(MarkKind::end);
    w.run(20min);
    CHECK_FALSE(w.service().deploying);
    CHECK(policy_of(w, "bad") == rules::RollbackPolicy::forbidden);
    CHECK(w.count_performed("switch last-good") == 0);
  }
}

TEST_CASE("nothing is judged while one of two deployments that joined has not ended") {
  World w(usual());
  w.run(5min);
  w.mark(MarkKind::begin);
  w.mark(MarkKind::begin);
  w.mark(MarkKind::end);
  w.deploy("bad");
  w.run(10min);
  CHECK(w.all().empty());
  w.crash();
  w.run(2min);
  CHECK(w.all().empty());
  w.mark(MarkKind::end);
  CHECK(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
}

TEST_CASE("what a deployment said binds what it brought, under whatever name that runs") {
  World w(usual());
  w.run(5min);
  w.mark(MarkKind::begin, "tag", "web", rules::RollbackPolicy::forbidden);
  w.deploy("bad");
  w.mark(MarkKind::end);
  w.run(15min);
  CHECK(w.told_text("counts for what this deployment brought"));
  CHECK(policy_of(w, "bad") == rules::RollbackPolicy::forbidden);
  CHECK(w.count_performed("switch last-good") == 0);
}

TEST_CASE("what was said of a deployment that brought nothing is told, and said of no later one") {
  World w(usual());
  w.run(5min);
  w.mark(MarkKind::begin, "v2", "web", rules::RollbackPolicy::forbidden);
  w.mark(MarkKind::end);
  w.run(40min);
  CHECK(w.told_text("does not count for what runs"));
  CHECK(w.told(rules::Stage::fault) == 1);
  w.deploy("v2");
  w.run(1min);
  CHECK(policy_of(w, "v2") == rules::RollbackPolicy::automatic);
}

TEST_CASE("what is said of an earlier revision is its own, and stays so") {
  World w(usual());
  w.run(5min);
  w.deploy("v2");
  w.run(1min);
  rules::DeployMark mark;
  mark.service = rules::ServiceName("web");
  mark.at = w.now();
  mark.kind = MarkKind::mark;
  mark.revision = rules::Revision("v1");
  mark.backup = "/backups/before-v1.dump";
  w.observe(mark);
  const auto backup_of = [&](const std::string& revision) { return w.journal.ledger.at({"web", revision}).backup; };
  CHECK(backup_of("v1") == "/backups/before-v1.dump");
  w.run(40min);
  CHECK(backup_of("v1") == "/backups/before-v1.dump");
  CHECK(backup_of("v2").empty());
  CHECK(w.told(rules::Stage::fault) == 0);
  SUBCASE("it is deployed once more") {
    w.deploy("v1");
    w.run(1min);
    CHECK(backup_of("v1") == "/backups/before-v1.dump");
  }
  SUBCASE("while a deployment is under way that something was said of") {
    w.mark(MarkKind::begin, "v3", "web", rules::RollbackPolicy::forbidden);
    mark.backup = "/backups/another.dump";
    mark.at = w.now();
    w.observe(mark);
    w.deploy("v3");
    w.mark(MarkKind::end);
    w.run(1min);
    CHECK(policy_of(w, "v3") == rules::RollbackPolicy::forbidden);
    CHECK(backup_of("v1") == "/backups/another.dump");
    CHECK(backup_of("v3").empty());
  }
}
