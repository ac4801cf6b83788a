#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"
#include "rules/engine/titles.hpp"

// What a person reads at 3 am.

using namespace world;

namespace {

const std::string v1 = "ca6cbe4559e5b7a3c2d1e0f9182736455463728a";
const std::string v2 = "0383431084fdb7a3c2d1e0f9182736455463728a";

bool has_title(const World& w, const std::string& title) {
  for (const rules::Tell& tell : w.tells) {
    if (tell.title == title) return true;
  }
  for (const rules::Tell& tell : w.tells) MESSAGE(tell.title << "\n" << tell.text);
  return false;
}

}  // namespace

TEST_CASE("titles say what happens, with short commits, and the texts keep the full ones") {
  World w(usual());
  w.reality["web"].running = rules::Revision(v1);
  w.reality["web"].sick = {v2};
  w.run(5min);
  w.deploy(v2);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(has_title(w, "web: rolling back 0383431084fd → ca6cbe4559e5 (errors, P1)"));
  CHECK(has_title(w, "web: switched 0383431084fd → ca6cbe4559e5 (errors, P1)"));
  CHECK(has_title(w, "web: recovered: ca6cbe4559e5 runs and every rule is good again"));
  CHECK(w.tells.back().text.find(v1) != std::string::npos);
  CHECK(w.tells.back().text.find(v2) != std::string::npos);
  CHECK(w.tells.back().text.find(w.last()->id.text) != std::string::npos);
  for (const rules::Tell& tell : w.tells) {
    CHECK(tell.title.find(v2) == std::string::npos);
    CHECK(tell.title.find('\n') == std::string::npos);
  }
}

TEST_CASE("what people call revisions is said beside what they are, and is no identity") {
  World w(usual());
  w.reality["web"].running = rules::Revision(v1);
  w.reality["web"].sick = {v2};
  w.reality["web"].labels = {{v1, "shop:v1"}, {v2, "shop:v2"}};
  w.run(5min);
  w.deploy(v2);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(has_title(w, "web: rolling back shop:v2 (0383431084fd) → shop:v1 (ca6cbe4559e5) (errors, P1)"));
  CHECK(has_title(w, "web: recovered: shop:v1 (ca6cbe4559e5) runs and every rule is good again"));
  CHECK(w.told_text("Target: shop:v1 (" + v1 + ")"));
  CHECK(w.last()->from == rules::Revision(v2));
  CHECK(w.last()->from_label == "shop:v2");
  CHECK(w.tells.back().context.to_label == "shop:v1");
  w.reality["web"].labels[v1] = "";
  w.crash();
  w.run(1min);
  CHECK(w.journal.ledger.at({"web", v1}).label == "shop:v1");
}

TEST_CASE("who joins while what was done helps need not hear of it, and what was switched is said to be") {
  World w(usual());
  w.reality["web"].running = rules::Revision(v1);
  w.reality["web"].sick = {v2};
  w.run(5min);
  w.deploy(v2);
  REQUIRE(w.run_until([&] { return w.phase() == "acting"; }, 20min));
  CHECK_FALSE(w.situation()->goes_well);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 20min));
  CHECK_FALSE(w.situation()->goes_well);
  REQUIRE(w.run_until([&] { return w.rule("errors").judgement.verdict == rules::Verdict::good; }, 10min));
  REQUIRE(w.phase() == "verifying");
  CHECK(w.situation()->goes_well);
  CHECK(w.situation()->message.text.find("it was switched to ca6cbe4559e5.") != std::string::npos);
}

TEST_CASE("a switch is said to be done as soon as it is, whatever the plan does then") {
  World w(with([](rules::CoreConfig& config) { config.actions[0].steps.push_back(sleep(10min)); }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.noted("step_ended") > 0; }, 20min));
  w.run(5s);
  REQUIRE(w.phase() == "acting");
  CHECK(w.situation()->message.text.find("it was switched to v1") != std::string::npos);
}

TEST_CASE("an ask says what is to be typed, and a failure that people are needed") {
  World w(asking());
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "asking"; }, 10min));
  CHECK(has_title(w, "web: approve the rollback bad → v1? (errors, P2)"));
  CHECK(w.told_text("rollbackd approve " + w.open()->id.text));
  w.scripts["switch last-good"] = {rules::StepStatus::failed, 1s, false};
  w.ask(rules::Approve{w.open()->id, "me"});
  REQUIRE(w.run_until([&] { return w.outcome() == "action_failed"; }, 10min));
  CHECK(has_title(w, "web: rollback failed, people are needed: switch last-good: failed, exit 1"));
}

TEST_CASE("only whole commits are shortened") {
  CHECK(rules::with_short_commits("to " + v1 + ".") == "to ca6cbe4559e5.");
  CHECK(rules::with_short_commits("sha256:" + v1 + v1) == "sha256:" + v1 + v1);
  CHECK(rules::with_short_commits("v1, x" + v1) == "v1, x" + v1);
  CHECK(rules::with_short_commits("").empty());
}

TEST_CASE("people are told at once that nothing will be done about a rule that fires, and why, unless it is a P3") {
  const auto nothing_told = [](rules::Severity severity) {
    World w(with([&](rules::CoreConfig& config) {
      config.rules[0].severity = severity;
      config.rules[0].mode = rules::Mode::notify;
    }));
    harm(w);
    CHECK(w.run_until([&] { return w.phase() == "telling"; }, 10min));
    return w.told_text("nothing is done by itself: rule errors only tells (mode = \"notify\")");
  };
  CHECK(nothing_told(rules::Severity::p1));
  CHECK_FALSE(nothing_told(rules::Severity::p3));
}

TEST_CASE("a revision whose deploy mark forbids rolling it back is not rolled back, and people are told so") {
  World w(usual());
  w.run(5min);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
  w.deploy("bad");
  CHECK(w.run_until([&] { return w.told_text("its deploy mark forbids rolling it back"); }, 10min));
  CHECK(w.told_text("`rollbackd deploy mark bad --service web --rollback auto` allows it"));
}

TEST_CASE("what a mark says of a release that has run for a while takes nothing of its evidence") {
  World w(usual());
  w.run(5min);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::forbidden);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.told_text("its deploy mark forbids rolling it back"); }, 10min));
  w.run(5min);
  w.mark(rules::MarkKind::mark, "bad", "web", rules::RollbackPolicy::automatic);
  CHECK(w.run_until([&] { return w.count_performed("switch last-good") == 1; }, 30s));
}

TEST_CASE("a rule that fires while another incident of its service cannot end is told at once to wait for that") {
  rules::CoreConfig config = usual();
  config.actions[0].steps.insert(config.actions[0].steps.begin(), capture("logs"));
  config.actions[0].always = {run("tidy")};
  World w(config);
  w.run(5min);
  w.deploy("v2");
  w.run(2min);
  w.lock_refused = true;
  REQUIRE(w.ask(rules::RollbackByHand{rules::ServiceName("web"), rules::Revision("v1"), {}, "", "", false}).accepted);
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 5min));
  w.deploy("crash");
  REQUIRE(w.run_until([&] { return w.phase() == "finishing"; }, 10min));
  REQUIRE(w.run_until([&] { return w.rule("down").progress.state == rules::RuleState::firing; }, 14min));
  REQUIRE(w.phase() == "finishing");
  CHECK(w.told_text("rule down (P1) fired too: it is answered when this incident has ended"));
}

TEST_CASE("that the host's lock is waited for is told once, not at each try to have it") {
  World w(usual());
  w.run(5min);
  w.lock_refused = true;
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "held"; }, 15min));
  w.run(5min);
  const auto waits = [](const rules::Tell& one) {
    return one.text.find("waits: the host's lock") != std::string::npos;
  };
  CHECK(std::count_if(w.tells.begin(), w.tells.end(), waits) == 1);
}

TEST_CASE("that nothing is done stands once in the story, where the first message has said so") {
  World w(with([](rules::CoreConfig& config) { config.mode = rules::Mode::observe; }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "telling"; }, 10min));
  w.run(1min);
  const auto lines = w.last()->timeline;
  CHECK(std::count_if(lines.begin(), lines.end(), [](const auto& line) { return line.event == "telling"; }) == 1);
}

TEST_CASE("who aborts is told what is left as it is") {
  const auto answer = [](const std::string& phase, rules::CoreConfig config) {
    World w(std::move(config));
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == phase; }, 20min));
    return w.ask(rules::Abort{w.open()->id, "me"}).text;
  };
  CHECK(answer("asking", with([](rules::CoreConfig& config) { config.rules[0].mode = rules::Mode::ask; })) ==
        "aborted; nothing was changed");
  CHECK(answer("verifying", usual()) ==
        "aborted; what was switched is not switched back; what must follow (on_failure, always) is done");
}

TEST_CASE("what the switch's driver left to people is named as left to do") {
  World w(usual());
  w.scripts["switch last-good"].says =
      "v1 is checked out\nLocal changes are stashed; to have them back: git stash apply";
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 20min));
  CHECK(w.told_text("Nothing is urgent.\nLeft to do: Local changes are stashed; to have them back: git stash apply"));
  CHECK_FALSE(w.told_text("Nothing is left to do"));
}

TEST_CASE("the first message and the question say where it would go") {
  for (const bool asks : {false, true}) {
    World w(asks ? asking() : usual());
    harm(w);
    REQUIRE(w.run_until([&] { return w.phase() == (asks ? "asking" : "acting"); }, 20min));
    for (const rules::Tell& one : w.tells) {
      CAPTURE(one.title);
      CHECK(one.context.to.text == "v1");
    }
  }
}
