#include "drivers_support.hpp"
#include "watcher/clock.hpp"
#include "watcher/drivers/compose_containers.hpp"
#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/pm2_processes.hpp"
#include "watcher/drivers/systemd_stops.hpp"
#include "watcher/drivers/systemd_unit.hpp"

// The truth tables of what was stopped by somebody and what ended by itself, a row each; test_systemd_releases.py,
// test_pm2.py and test_compose.py see the same of the real ones.

namespace {

using namespace drivers_support;

// MESSAGE_IDs of systemd's catalog.
constexpr const char* starting = "7d4958e842da4a758f6c1cdc7b36dcc5";
constexpr const char* started = "39f53479d3a045ac8e11786248231fbf";
constexpr const char* not_started = "be02cf6855d2428ba40df7e9d022f03d";
constexpr const char* passed_over = "0e4284a0caca4bfc81c0bb6786972673";
constexpr const char* restarting = "5eb03494b6584870a536b337290809b3";
constexpr const char* stop = "de5b426a63be47a7b6ac3eaac82e2f6f";
constexpr const char* ended = "7ad2d189f7e94e70a38c781354912448";
constexpr const char* failed = "d9b373ed55a64feb8242e02dbe79a49c";

struct UnitRow {
  std::string active;
  std::string result;
  int status;
  int started;
  int left_active;
  int ended;
  bool stopped;
};

watcher::ComposeContainer exited(int code, const std::string& policy) {
  watcher::ComposeContainer out;
  out.service = "web";
  out.image = "sha256:1";
  out.status = "exited";
  out.exit_code = code;
  out.policy = policy;
  return out;
}

watcher::Pm2Process process(const std::string& status, const std::string& more) {
  const auto listing = watcher::parse_pm2(
      R"([{"name": "web", "pm_id": 0, "pid": 0, "pm2_env": {"status": ")" + status + "\"" + more + "}}]", {"web"});
  REQUIRE(listing);
  return listing->processes.front();
}

}  // namespace

TEST_CASE("a unit was stopped where systemd left active before its process ended, and that was no failure") {
  const std::vector<UnitRow> rows{
      {"deactivating", "success", 0, 10, 20, 0, true},      // it takes its time to end
      {"deactivating", "success", 0, 10, 20, 25, true},     // its control processes still run
      {"deactivating", "success", 0, 10, 20, 15, false},    // it ended, and ExecStopPost= runs
      {"deactivating", "watchdog", 0, 10, 20, 0, false},    //
      {"inactive", "success", 15, 10, 20, 21, true},        // systemctl stop
      {"inactive", "success", 0, 10, 20, 21, true},         // the same, and it catches TERM
      {"inactive", "success", 0, 10, 21, 20, false},        // it ended by itself
      {"inactive", "success", 0, 10, 20, 20, false},        //
      {"inactive", "success", 15, 10, 5, 21, false},        // stopped while it was starting: it never was active
      {"inactive", "success", 0, 0, 0, 0, false},           // never started
      {"failed", "exit-code", 143, 10, 20, 21, true},       // a JVM that was stopped
      {"failed", "exit-code", 143, 10, 21, 20, false},      //
      {"failed", "exit-code", 1, 10, 20, 21, false},        //
      {"failed", "signal", 11, 10, 21, 20, false},          //
      {"failed", "timeout", 0, 10, 20, 21, false},          // killed, for it would not end
      {"failed", "oom-kill", 0, 10, 20, 21, false},         //
      {"failed", "start-limit-hit", 1, 10, 20, 21, false},  //
      {"activating", "exit-code", 1, 10, 20, 21, false},    // auto-restart
      {"active", "success", 0, 30, 20, 0, false},           // it was restarted
  };
  for (const UnitRow& row : rows) {
    CAPTURE(row.active);
    CAPTURE(row.result);
    CAPTURE(row.left_active);
    CAPTURE(row.ended);
    const auto units = watcher::parse_units("Id=web.service\nActiveState=" + row.active + "\nResult=" + row.result +
                                            "\nExecMainStatus=" + std::to_string(row.status) +
                                            "\nExecMainStartTimestampMonotonic=" + std::to_string(row.started) +
                                            "\nExecMainExitTimestampMonotonic=" + std::to_string(row.ended) +
                                            "\nActiveExitTimestampMonotonic=" + std::to_string(row.left_active) + "\n");
    REQUIRE(units.size() == 1);
    CHECK(is_stopped(units.front()) == row.stopped);
  }
}

TEST_CASE("a container was stopped where Docker leaves alone what it would start again, or by TERM") {
  struct Row {
    int code;
    std::string policy;
    bool stopped;
  };
  const std::vector<Row> rows{
      {143, "no", true},     {143, "always", true},          {143, "on-failure", true},     {0, "always", true},
      {0, "no", false},      {0, "on-failure", false},       {0, "unless-stopped", true},   {137, "no", false},
      {137, "always", true}, {137, "on-failure", true},      {130, "unless-stopped", true}, {1, "no", false},
      {1, "always", false},  {127, "unless-stopped", false}, {139, "always", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    CAPTURE(row.policy);
    watcher::ComposeContainer one = exited(row.code, row.policy);
    CHECK(is_stopped(one) == row.stopped);
    const std::string told = watcher::compose_look({one}, {"web"}).stopped;
    CHECK(told.empty() != row.stopped);
    one.restarts = 1;
    CHECK_FALSE(is_stopped(one));
    one = exited(row.code, row.policy);
    one.oom_killed = true;
    CHECK_FALSE(is_stopped(one));
    one = exited(row.code, row.policy);
    one.failure = "cannot start";
    CHECK_FALSE(is_stopped(one));
    for (const char* const status : {"running", "restarting", "paused", "removing", "dead"}) {
      one = exited(row.code, row.policy);
      one.status = status;
      CHECK_FALSE(is_stopped(one));
    }
  }
  watcher::ComposeContainer made = exited(0, "no");
  made.status = "created";  // what it depends on has failed: nobody stopped it
  CHECK_FALSE(is_stopped(made));
  made.failure = "no such command";
  made.exit_code = 127;
  CHECK_FALSE(is_stopped(made));
}

TEST_CASE(
    "a unit that may tell that it stops was stopped where TERM ended it, and one that is bound to another never") {
  const auto is_stopped_by = [](const std::string& status, const std::string& more) {
    return is_stopped(
        watcher::parse_units("Id=web.service\nActiveState=inactive\nResult=success\nExecMainStatus=" + status +
                             "\nExecMainStartTimestampMonotonic=10\nExecMainExitTimestampMonotonic=21\n"
                             "ActiveExitTimestampMonotonic=20\n" +
                             more)
            .front());
  };
  CHECK(is_stopped_by("0", "NotifyAccess=none\nBindsTo=\n"));
  CHECK(is_stopped_by("15", "NotifyAccess=main\n"));
  CHECK_FALSE(is_stopped_by("0", "NotifyAccess=main\n"));
  for (const std::string by : {"BindsTo", "Requisite", "StopPropagatedFrom"})
    CHECK_FALSE(is_stopped_by("15", by + "=db.service\n"));
  CHECK_FALSE(is_stopped_by("15", "ConditionResult=no\nConditionTimestampMonotonic=22\n"));
  CHECK(is_stopped_by("15", "ConditionResult=yes\nConditionTimestampMonotonic=22\n"));
  CHECK(is_stopped_by("15", "ConditionResult=no\nConditionTimestampMonotonic=9\n"));
}

TEST_CASE("the journal says of a unit that was forgotten or killed whether somebody had stopped it") {
  struct Row {
    std::vector<std::string> newest_first;
    std::optional<bool> stopped;
  };
  const std::vector<Row> rows{
      {{ended, stop, started}, true},
      {{failed, stop, started}, true},  // it had to be killed
      {{stop, started}, true},          // it is at it
      {{ended, stop, started, starting, ended, stop}, true},
      {{ended, stop}, true},                                // its start is not kept any more
      {{ended, started}, false},                            // by itself
      {{failed, started, stop}, false},                     // a restart after which it failed
      {{failed, stop, failed, started}, false},             // it had failed when somebody stopped it
      {{ended, stop, ended, started}, false},               //
      {{stop, restarting, failed, started}, false},         // between two of its own restarts
      {{ended, stop, starting}, false},                     // it never came up
      {{not_started, ended, stop, started}, false},         // what it depends on has failed
      {{passed_over, ended, stop, started}, false},         // a condition of its own
      {{starting, ended, stop, started}, false},            //
      {{restarting, failed, stop, started}, false},         //
      {{started}, false},                                   //
      {{ended}, std::nullopt},                              //
      {{failed}, std::nullopt},                             //
      {{}, std::nullopt},                                   //
      {{"86e9b1ba03f24b5c9f3a5d1b5d1f7d5e"}, std::nullopt}  // nothing of systemd's
  };
  for (const Row& row : rows) {
    CAPTURE(row.newest_first);
    std::string journal = "no JSON\n[]\n{}\n{\"UNIT\": 1, \"MESSAGE_ID\": [2]}\n";
    for (const std::string& id : row.newest_first) {
      journal += R"({"MESSAGE_ID": ")" + id +
                 R"(", "UNIT": "web.service"})"
                 "\n";
      journal += R"({"USER_UNIT": "other.service", "MESSAGE_ID": ")" + std::string(started) + "\"}\n";
    }
    auto stories = watcher::stories_in(journal);
    CHECK(stories["web.service"].stopped == row.stopped);
    if (!row.newest_first.empty()) CHECK_FALSE(stories.at("other.service").stopped.value_or(true));
  }
}

TEST_CASE("the journal says when a unit was to be started last") {
  std::string journal;
  for (const auto& [id, at] : std::vector<std::pair<std::string, std::string>>{
           {ended, "5000000"}, {not_started, "4000000"}, {stop, "3000000"}, {started, "2000000"}, {started, "x"}}) {
    journal += R"({"UNIT": "web.service", "MESSAGE_ID": ")" + id + R"(", "__REALTIME_TIMESTAMP": ")" + at + "\"}\n";
  }
  CHECK(watcher::stories_in(journal).at("web.service").tried == rules::Instant(4s));
}

TEST_CASE(
    "a unit that does not run was stopped by what the journal tells, as far as that is as new as its properties") {
  const auto unit = [](const std::string& more) {
    return watcher::parse_units("Id=web.service\nLoadState=loaded\nActiveState=inactive\nResult=success\n" + more)
        .front();
  };
  const auto told = [](std::optional<bool> stopped, bool barred = false) {
    watcher::UnitStory story;
    story.stopped = stopped;
    story.barred = barred;
    story.newest = story.started = watcher::wall_time_of(100s);
    return std::optional(watcher::UnitStories{{"web.service", story}});
  };
  const rules::Instant before = watcher::wall_time_of(50s);
  const rules::Instant after = watcher::wall_time_of(150s);
  const auto why = [&](const watcher::SystemdUnit& one, const std::optional<watcher::UnitStories>& stories) {
    return watcher::why_stopped(one, stories, before);
  };
  const auto fresh = unit("");
  CHECK(contains(why(fresh, told(true)), "was stopped, by somebody"));
  CHECK(why(fresh, told(false)).empty());
  CHECK(why(fresh, told(std::nullopt)).empty());
  CHECK(contains(why(fresh, watcher::UnitStories()), "was not started since the host booted"));
  CHECK(why(fresh, std::nullopt).empty());  // the journal cannot be read
  const std::string began = "ExecMainStartTimestampMonotonic=";
  CHECK_FALSE(why(unit(began + "99000000\n"), told(true)).empty());
  CHECK(why(unit(began + "150000000\n"), told(true)).empty());  // the journal stands still
  CHECK(why(unit(began + "99000000\n"), watcher::UnitStories()).empty());
  CHECK(contains(why(fresh, told(true, true)), "a unit that it depends on"));
  CHECK(watcher::why_stopped(fresh, told(true, true), after).empty());  // it never ran from this release
  auto other = fresh;
  other.active = "active";
  CHECK(why(other, told(true)).empty());
  other = fresh;
  other.is_bound = true;
  CHECK(why(other, told(true)).empty());
  other = fresh;
  other.load = "bad-setting";
  CHECK(why(other, told(true)).empty());
}

TEST_CASE("a start that failed for another unit is told apart, and what had stopped the unit before") {
  std::string journal = R"({"UNIT": "web.service", "JOB_RESULT": "dependency", "MESSAGE_ID": ")" +
                        std::string(not_started) +
                        R"(", "__REALTIME_TIMESTAMP": "5000000"})"
                        "\n";
  for (const auto& [id, at] :
       std::vector<std::pair<std::string, std::string>>{{ended, "4000000"}, {stop, "3000000"}, {started, "2000000"}}) {
    journal += R"({"UNIT": "web.service", "MESSAGE_ID": ")" + id + R"(", "__REALTIME_TIMESTAMP": ")" + at + "\"}\n";
  }
  const watcher::UnitStory story = watcher::stories_in(journal).at("web.service");
  CHECK(story.barred);
  CHECK(story.stopped == true);
  CHECK(story.started == rules::Instant(2s));
  CHECK(story.tried == rules::Instant(5s));
  CHECK(story.newest == rules::Instant(5s));
}

TEST_CASE("containers that were removed were removed by somebody, and of several all have to be stopped") {
  const auto none = watcher::compose_look({}, {"web", "worker"});
  CHECK(contains(none.stopped, "the containers of web, worker were removed; do docker compose up -d"));
  watcher::ComposeContainer other = exited(0, "no");
  CHECK(watcher::compose_look({exited(143, "no"), other}, {"web"}).stopped.empty());
  other = exited(143, "no");
  other.status = "running";
  CHECK(watcher::compose_look({exited(143, "no"), other}, {"web"}).stopped.empty());
  CHECK(watcher::compose_look({exited(143, "no")}, {"web", "worker"}).stopped.empty());
}

TEST_CASE("a process was stopped where pm2 would have started again what ended by itself") {
  CHECK(is_stopped(process("stopped", "")));
  CHECK(is_stopped(process("stopped", R"(, "exit_code": 0, "created_at": 1, "unstable_restarts": 0)")));
  CHECK(is_stopped(process("stopped", R"(, "exit_code": 143, "autorestart": true, "stop_exit_codes": [])")));
  CHECK(is_stopped(process("stopped", R"(, "exit_code": 130)")));
  // pm2 counts each restart soon after a start as unstable, also a deployment's.
  CHECK(is_stopped(process("stopped", R"(, "exit_code": 0, "unstable_restarts": 2)")));
  CHECK_FALSE(is_stopped(process("stopped", R"(, "exit_code": 3, "unstable_restarts": 2)")));
  CHECK_FALSE(is_stopped(process("stopping", R"(, "exit_code": 1)")));  // pm2 restarts what takes too much memory so
  for (const char* const more :
       {R"(, "exit_code": 1)", R"(, "exit_code": 139)", R"(, "autorestart": false)", R"(, "autorestart": "false")",
        R"(, "stop_exit_codes": [0])", R"(, "stop_exit_codes": 0)", R"(, "created_at": null)"}) {
    CAPTURE(more);
    CHECK_FALSE(is_stopped(process("stopped", more)));
    CHECK_FALSE(is_stopped(process("online", more)));
  }
  for (const char* const status : {"online", "launching", "errored", "waiting restart", "one-launch-status"})
    CHECK_FALSE(is_stopped(process(status, "")));
}

TEST_CASE("what was started a moment ago was stopped where pm2 has not started it again, whatever it ended with") {
  for (const char* const more : {"", R"(, "exit_code": 143)", R"(, "exit_code": 1)", R"(, "autorestart": true)"}) {
    CAPTURE(more);
    CHECK(is_stopped_anew(process("stopped", more)));
    CHECK_FALSE(is_stopped_anew(process("errored", more)));
  }
  for (const char* const more : {R"(, "autorestart": false)", R"(, "stop_exit_codes": 0)", R"(, "created_at": null)"}) {
    CAPTURE(more);
    CHECK_FALSE(is_stopped_anew(process("stopped", more)));
  }
}
