#include "drivers_support.hpp"
#include "watcher/clock.hpp"
#include "watcher/drivers/systemd_stops.hpp"
#include "watcher/drivers/systemd_unit.hpp"

// What keeps a unit from starting: conditions (it is passed over, and nothing is wrong) and asserts (its start fails).
// The messages are those of a real systemd 252; test_systemd_conditions.py sees the same of one that runs.

namespace {

using namespace drivers_support;

constexpr const char* start_done = "39f53479d3a045ac8e11786248231fbf";
constexpr const char* skipped = "0e4284a0caca4bfc81c0bb6786972673";
constexpr const char* ended = "7ad2d189f7e94e70a38c781354912448";
constexpr const char* stop = "de5b426a63be47a7b6ac3eaac82e2f6f";

struct Line {
  std::string id;
  std::string message;
};

const Line passed_over{start_done,
                       "Shop was skipped because of an unmet condition check (ConditionPathExists=!/run/maintenance)."};

watcher::UnitStory story_of(const std::vector<Line>& newest_first) {
  std::string journal;
  int at = 10;
  for (const Line& line : newest_first) {
    journal += R"({"UNIT": "shop.service", "JOB_RESULT": "done", "MESSAGE_ID": ")" + line.id + R"(", "MESSAGE": ")" +
               line.message + R"(", "__REALTIME_TIMESTAMP": ")" + std::to_string(at--) + "000000\"}\n";
  }
  return watcher::stories_in(journal).at("shop.service");
}

watcher::SystemdUnit unit(const std::string& more) {
  return watcher::parse_units("Id=shop.service\nLoadState=loaded\nActiveState=inactive\nResult=success\n" + more)
      .front();
}

std::string why(const watcher::SystemdUnit& one, std::optional<watcher::UnitStory> story) {
  std::optional<watcher::UnitStories> stories;
  if (story) stories.emplace()["shop.service"] = *story;
  return watcher::why_stopped(one, stories, rules::Instant(), {"/opt/shop/releases", "/opt/shop/current"});
}

}  // namespace

TEST_CASE("a unit that its own condition keeps from starting is stopped, and the condition is named") {
  const watcher::UnitStory story = story_of({passed_over, {ended, ""}, {stop, ""}, {start_done, "Started Shop."}});
  CHECK(story.started == rules::Instant(7s));  // systemd calls a start that was passed over done
  CHECK(story.tried == rules::Instant(10s));
  const std::string said = why(unit(""), story);
  CHECK(contains(said, "shop.service is not started, since ConditionPathExists=!/run/maintenance is not met"));
  CHECK(contains(said, "systemctl start shop.service"));
  // It is so wherever else it had ended, and what it is bound to.
  CHECK_FALSE(
      why(unit("BindsTo=db.service\n"), story_of({passed_over, {ended, ""}, {start_done, "Started."}})).empty());
  CHECK(why(unit(""), story_of({{start_done, "Started Shop."}, passed_over})).empty());
}

TEST_CASE("a condition that asks for something of the release itself tells of that release") {
  for (const std::string path : {"/opt/shop/current/release", "/opt/shop/releases/v2/config"}) {
    CAPTURE(path);
    const Line own{skipped, "Shop was skipped because of an unmet condition check (ConditionPathExists=" + path + ")."};
    CHECK(why(unit(""), story_of({own, {ended, ""}, {stop, ""}, {start_done, "Started Shop."}})).empty());
  }
}

TEST_CASE("a command of ExecCondition= is named, and one of the release tells of that release") {
  const std::vector<Line> lines{{start_done, "Condition check resulted in Shop being skipped."},
                                {skipped, "shop.service: Skipped due to 'exec-condition'."},
                                {ended, ""}};
  const auto commands = [](const std::string& argv) {
    return unit("ExecCondition={ path=/usr/bin/test ; argv[]=" + argv + " ; ignore_errors=no ; pid=0 }\n");
  };
  const std::string said = why(commands("/usr/bin/test ! -e /run/maintenance"), story_of(lines));
  CHECK(contains(said, "since ExecCondition=/usr/bin/test ! -e /run/maintenance is not met"));
  CHECK(why(commands("/opt/shop/current/may-start"), story_of(lines)).empty());
}

TEST_CASE("what the journal does not tell the unit's properties do, as far as systemd keeps them") {
  const std::string since = "ConditionResult=no\nConditionTimestampMonotonic=30\nActiveExitTimestampMonotonic=20\n";
  CHECK(contains(why(unit(since), std::nullopt), "since a condition of its own is not met"));
  auto named = unit(since);
  named.unmet = "ConditionHost=blue";
  CHECK(contains(why(named, std::nullopt), "since ConditionHost=blue is not met"));
  named.unmet = "ConditionPathExists=/opt/shop/current/release";
  CHECK(why(named, std::nullopt).empty());
  CHECK(why(unit("ConditionResult=no\nConditionTimestampMonotonic=10\nActiveExitTimestampMonotonic=20\n"), std::nullopt)
            .empty());
}

TEST_CASE("what was not met is read out of what systemctl prints") {
  CHECK(watcher::unmet_in("* shop.service\n  Condition: start condition failed at Mon; 5s ago\n"
                          "             |- ConditionPathExists=!/run/maintenance was not met\n"
                          "             `- ConditionHost=blue was not met\n") ==
        "ConditionPathExists=!/run/maintenance and ConditionHost=blue");
  CHECK(
      watcher::unmet_in("     Assert: start assertion failed at Mon\n             AssertPathExists=/x was not met\n") ==
      "AssertPathExists=/x");
  CHECK(watcher::unmet_in("* shop.service\n   Active: active (running)\n").empty());
  CHECK(watcher::asserts_in("[Unit]\nAssertPathExists=!/run/a\nAssertHost=\nConditionHost=b\nAssertACPower=true\n") ==
        "AssertPathExists=!/run/a and AssertACPower=true");
}
