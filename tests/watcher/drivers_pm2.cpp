#include <unistd.h>

#include "drivers_support.hpp"
#include "watcher/drivers/pm2_processes.hpp"

// The driver with a pm2 of the test's: it answers from files, and writes down what it is told to do.

namespace {

using namespace drivers_support;
using watcher::Pm2Process;

constexpr const char* pm2_script = R"sh(cd "${0%/*}"
case "$1" in
  jlist) echo ">>>> In-memory PM2 is out-of-date"; cat list ;;
  restart) echo "$*" >>told; [ ! -e next ] || mv next list; [ ! -e fails ] ;;
  logs) echo "connected with xyzzy-plugh" ;;
esac
)sh";

// `started` in seconds from now.
std::string list_of(const std::string& status, int started, int restarts = 0, const std::string& pid = "0") {
  const auto now = std::chrono::system_clock::now().time_since_epoch() + std::chrono::seconds(started);
  const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return R"([{"name":"web","pid":)" + pid + R"(,"pm_id":0,"pm2_env":{"status":")" + status + R"(","pm_uptime":)" +
         std::to_string(at) + R"(,"restart_time":)" + std::to_string(restarts) +
         R"(,"env":{"DB_PASSWORD":"xyzzy-plugh","HOME":"/root"},"API_TOKEN":"hunter2-hunter2"}},{"name":"other","pm2_env":{}}])" +
         "\n";
}

struct Host {
  Folder folder;
  watcher::Pm2Driver config;

  Host() {
    config.dir = folder.path + "/app";
    config.home = folder.path;
    config.pm2 = {script(folder.path + "/pm2", pm2_script)};
    config.steady = 1ms;
    config.restart_timeout = 2s;
    write(folder.path + "/pm2.pid", std::to_string(::getpid()));
    std::filesystem::create_directories(config.dir);
    git("init -q -b main .");
    for (const char* const release : {"v1", "v2"})
      git("commit -q --allow-empty -m x && git tag " + std::string(release));
    git("checkout -q v1");
    list(list_of("online", 5));
  }
  void git(const std::string& words) {
    const std::string line = "cd " + config.dir + " && git -c user.name=t -c user.email=t@localhost " + words;
    REQUIRE(std::system(line.c_str()) == 0);
  }
  std::string commit(const std::string& name) {
    git("rev-parse " + name + " >../commit");
    std::string out = content(folder.path + "/commit");
    out.pop_back();
    return out;
  }
  void list(const std::string& text) { write(folder.path + "/list", text); }
  std::unique_ptr<watcher::Driver> driver(const probes::Clock& clock) {
    watcher::DriverSection section;
    section.service = rules::ServiceName("web");
    section.driver = config;
    return watcher::make_driver(section, folder.path + "/state", clock);
  }
};

}  // namespace

TEST_CASE("what pm2 says of processes is read without their environment, whose secrets are known to be kept out") {
  const auto listing = watcher::parse_pm2("noise\n" + list_of("online", 0, 3, "77"), {"web"});
  REQUIRE(listing);
  REQUIRE(listing->processes.size() == 1);
  CHECK(listing->processes.front().pid == 77);
  CHECK(listing->processes.front().restarts == 3);
  CHECK(listing->processes.front().is_online());
  CHECK(listing->secrets == std::vector<std::string>{"xyzzy-plugh", "hunter2-hunter2"});
  CHECK_FALSE(watcher::parse_pm2("[PM2] Spawning PM2 daemon\n", {"web"}));
  CHECK_FALSE(watcher::parse_pm2("[{\"name\":", {"web"}));
  CHECK(watcher::parse_pm2("[]", {"web"})->processes.empty());
}

TEST_CASE("a process runs what was checked out when it was started, and what is known of it stays") {
  const CountingClock clock;
  Host host;
  const auto driver = host.driver(clock);
  CHECK(running(*driver) == host.commit("v1"));
  host.git("checkout -q v2");
  host.list(list_of("online", -60));
  CHECK(contains(identify(*driver).error, "was started before " + host.commit("v2") + " was checked out"));
  host.list(list_of("online", 60));
  CHECK(running(*driver) == host.commit("v2"));
  host.git("checkout -q v1");
  host.list(list_of("stopped", 120));
  CHECK(running(*driver) == host.commit("v1"));
}

TEST_CASE("processes have to agree, and a switch of ours that was not restarted is no deployment") {
  Pm2Process one;
  one.name = "web";
  one.pid = 7;
  one.started = rules::from_unix_seconds(100);
  Pm2Process other = one;
  other.id = 1;
  watcher::GitLook look;
  look.head = look.revision = "new";
  watcher::Pm2Memory memory;
  const watcher::HeadMoved before{rules::from_unix_seconds(50), rules::from_unix_seconds(50)};
  const watcher::HeadMoved after{rules::from_unix_seconds(150), rules::from_unix_seconds(150)};
  CHECK(runs_of({one, other}, look, before, memory).revision == "new");
  look.head = look.revision = "newer";
  CHECK(runs_of({one, other}, look, after, memory).revision == "new");
  other.started = rules::from_unix_seconds(200);
  CHECK(contains(runs_of({one, other}, look, after, memory).error, "run new and newer"));
  // A log that was tidied up is written later than HEAD was moved.
  memory.clear();
  CHECK(runs_of({one}, look, {rules::from_unix_seconds(150), rules::from_unix_seconds(98)}, memory).revision ==
        "newer");
  CHECK(runs_of({one}, look, {rules::from_unix_seconds(150), rules::from_unix_seconds(100)}, memory).revision ==
        "newer");
  memory.clear();
  look.place = watcher::GitPlace{"newer", "", "", "old"};
  look.revision = "old";
  CHECK(runs_of({other}, look, after, memory).revision == "old");
  look.revision.clear();
  CHECK(runs_of({other}, look, after, memory).revision == "newer");
}

TEST_CASE("a restart of pm2 has come far enough when all are online, were started anew and stay so") {
  Pm2Process one;
  one.name = "web";
  one.pid = 7;
  one.status = "online";
  one.started = rules::from_unix_seconds(100);
  const watcher::HeadMoved before{rules::from_unix_seconds(50), rules::from_unix_seconds(50)};
  const watcher::HeadMoved after{rules::from_unix_seconds(150), rules::from_unix_seconds(150)};
  CHECK(progress_of({one}, before, 0).awaited.empty());
  CHECK(progress_of({one}, after, 0).awaited == "web was not started anew");
  one.restarts = 3;
  CHECK(contains(progress_of({one}, before, 0).failed, "web was restarted 3 times; its last words: pm2 logs web"));
  CHECK(progress_of({one}, before, 1).failed.empty());
  one.status = "errored";
  CHECK(contains(progress_of({one}, before, 3).failed, "web is errored"));
  one.status = "launching";
  CHECK(progress_of({one}, before, 3).awaited == "web is still launching");
}

TEST_CASE("what somebody stops after a restart of pm2 has not failed, unless another has") {
  Pm2Process one;
  one.name = "web";
  one.status = "stopped";
  one.started = rules::from_unix_seconds(100);
  one.exit_code = 1;
  const watcher::HeadMoved before{rules::from_unix_seconds(50), rules::from_unix_seconds(50)};
  const watcher::HeadMoved after{rules::from_unix_seconds(150), rules::from_unix_seconds(150)};
  CHECK(progress_of({one}, before, 0).stopped == "web was stopped, it did not end by itself; do pm2 start web");
  CHECK(progress_of({one}, before, 0).failed.empty());
  CHECK(progress_of({one}, before, 0).awaited == "web is still stopped");
  CHECK(contains(progress_of({one}, after, 0).failed, "web is stopped"));  // the restart has not started it
  Pm2Process other = one;
  other.status = "errored";
  CHECK(progress_of({one, other}, before, 0).stopped.empty());
  CHECK(contains(progress_of({one, other}, before, 0).failed, "web is errored"));
  one.restarts = 3;
  CHECK(progress_of({one}, before, 0).stopped.empty());
  one.restarts_itself = false;
  CHECK(contains(progress_of({one}, before, 3).failed, "web is stopped"));
}

TEST_CASE("a switch by pm2 checks out, restarts and waits, and one that does not come up goes back") {
  const CountingClock clock;
  Host host;
  const auto driver = host.driver(clock);
  CHECK(running(*driver) == host.commit("v1"));
  write(host.folder.path + "/next", list_of("online", 60, 0, "1"));
  const rules::StepResult done = switch_to(*driver, host.commit("v1"), host.commit("v2"));
  CAPTURE(done.detail);
  CHECK(done.status == rules::StepStatus::succeeded);
  CHECK(content(host.folder.path + "/told") == "restart web\n");
  CHECK(running(*driver) == host.commit("v2"));
  write(host.folder.path + "/next", list_of("errored", 120));
  const rules::StepResult failed = switch_to(*driver, host.commit("v2"), host.commit("v1"));
  CHECK(failed.status == rules::StepStatus::failed);
  CHECK(contains(failed.detail, "web is errored"));
  CHECK(host.commit("HEAD") == host.commit("v2"));
  CHECK(content(host.folder.path + "/told") == "restart web\nrestart web\nrestart web\n");
}

TEST_CASE("against who stops what a switch by pm2 has started nothing is put back") {
  const CountingClock clock;
  Host host;
  const auto driver = host.driver(clock);
  CHECK(running(*driver) == host.commit("v1"));
  write(host.folder.path + "/next", list_of("stopped", 60));
  const rules::StepResult stopped = switch_to(*driver, host.commit("v1"), host.commit("v2"));
  CHECK(stopped.status == rules::StepStatus::failed);
  CHECK(contains(stopped.detail, "web was stopped"));
  CHECK(contains(stopped.detail, "nothing was put back or started against that"));
  CHECK(host.commit("HEAD") == host.commit("v2"));
  CHECK(content(host.folder.path + "/told") == "restart web\n");
  CHECK(identify(*driver).revision == rules::Revision(host.commit("v2")));
}

TEST_CASE("a process that pm2 had and has no more was stopped by somebody") {
  const CountingClock clock;
  Host host;
  const auto driver = host.driver(clock);
  CHECK(running(*driver) == host.commit("v1"));
  host.list("[]\n");
  const rules::RevisionRead deleted = identify(*driver);
  CHECK_FALSE(deleted.revision);
  CHECK(deleted.instance_absent);
  CHECK(deleted.stopped == "pm2 has no process web any more, it was deleted; do pm2 start it under that name");
  // What never had it knows of nobody who could have.
  const rules::RevisionRead never = identify(*host.driver(clock));
  CHECK(never.instance_absent);
  CHECK(never.stopped == "");
  CHECK(contains(never.error, "pm2 has no process web; do"));
}

TEST_CASE("what would be in the way of pm2 is told before") {
  const CountingClock clock;
  Host host;
  const auto why = [&] { return ready(*host.driver(clock), host.commit("v2")).reason; };
  CHECK(why() == "");
  host.list("[]\n");
  CHECK(contains(why(), "pm2 has no process web; do pm2 start it under that name"));
  host.list(list_of("online", 5, 0, std::to_string(::getpid())));
  CHECK(contains(why(), "web is rollbackd itself"));
  write(host.folder.path + "/pm2.pid", "999999999");
  CHECK(contains(why(), "does not run; do pm2 resurrect"));
  CHECK(contains(identify(*host.driver(clock)).error, "does not run; do pm2 resurrect"));
  CHECK(contains(ready(*host.driver(clock), std::string(40, 'a')).reason, "aaaa"));
}
