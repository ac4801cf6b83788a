#include <unistd.h>

#include "drivers_support.hpp"
#include "somebody_else.hpp"
#include "watcher/clock.hpp"
#include "watcher/drivers/ourselves.hpp"
#include "watcher/drivers/systemd_identity.hpp"
#include "watcher/drivers/systemd_notes.hpp"
#include "watcher/drivers/systemd_switch.hpp"

// The driver with a systemctl of the test's: it answers from files, and writes down what it is told to do.

namespace {

using namespace drivers_support;

constexpr const char* systemctl_script = R"sh(cd "${0%/*}"
case "$1" in
  show) cat unit ;;
  restart) echo "$*" >>told; [ ! -e next ] || mv next unit; [ ! -e fails ] || { cat fails >&2; exit 1; } ;;
  reset-failed) ;;
  *) echo "systemctl $*" ;;
esac
)sh";

// Long after every link of a test, and long before.
constexpr const char* late = "900000000000000";
constexpr const char* early = "1";

std::string unit_text(const std::string& started, const std::string& active = "active") {
  return "Id=web.service\nLoadState=loaded\nActiveState=" + active +
         "\nSubState=running\nResult=success\nMainPID=0\nNRestarts=0\nControlGroup=\nInvocationID=" + started +
         "\nExecMainStartTimestampMonotonic=" + started + "\nStateChangeTimestampMonotonic=1\n";
}

struct Site {
  Folder folder;
  watcher::SystemClock clock;
  watcher::SystemdDriver config;

  Site() {
    config.link = folder.path + "/current";
    config.systemctl = {script(folder.path + "/systemctl", systemctl_script)};
    config.steady = 1ms;
    for (const char* const name : {"v1", "v2"}) {
      std::filesystem::create_directories(folder.path + "/releases/" + name);
      write(folder.path + "/releases/" + name + "/app", name);
    }
    link("releases/v1");
    unit(unit_text(late));
  }
  void link(const std::string& to) {
    std::filesystem::remove(config.link);
    std::filesystem::create_symlink(to, config.link);
  }
  std::string linked() { return std::filesystem::read_symlink(config.link).string(); }
  void unit(const std::string& text) { write(folder.path + "/unit", text); }
  std::unique_ptr<watcher::Driver> driver() {
    watcher::DriverSection section;
    section.service = rules::ServiceName("web");
    section.driver = config;
    return watcher::make_driver(section, folder.path + "/state", clock);
  }
  std::string error() { return identify(*driver()).error; }
  std::string why_not(const std::string& to = "") { return ready(*driver(), to).reason; }
};

}  // namespace

TEST_CASE("a link to a release runs where its unit was started after it was made") {
  Site site;
  CHECK(running(*site.driver()) == "v1");
  site.link(site.folder.path + "/releases/v2/");
  CHECK(running(*site.driver()) == "v2");
  site.unit(unit_text(early));
  CHECK(contains(site.error(), "web.service was started before the link was changed to v2"));
  CHECK_FALSE(identify(*site.driver()).instance_absent);
  site.unit(unit_text(early, "inactive"));
  CHECK(identify(*site.driver()).instance_absent);
  site.unit(unit_text(late, "failed"));
  CHECK(running(*site.driver()) == "v2");
}

TEST_CASE(
    "that its units were stopped by somebody is seen with what they ran, and with a link that was changed since") {
  Site site;
  const std::string by_hand = unit_text(late, "inactive") + "ExecMainExitTimestampMonotonic=900000000000009\n" +
                              "ActiveExitTimestampMonotonic=900000000000008\n";
  site.unit(by_hand);
  auto read = identify(*site.driver());
  CHECK(read.revision == rules::Revision("v1"));
  CHECK(contains(read.stopped, "web.service was stopped"));
  CHECK(contains(read.stopped, "do systemctl start web.service"));
  site.unit(unit_text(late, "inactive"));
  CHECK(identify(*site.driver()).stopped.empty());
  site.config.units = {"web.service", "worker.service"};
  site.unit(by_hand + "\nId=worker.service\n" + unit_text(late).substr(unit_text(late).find("LoadState")));
  CHECK(identify(*site.driver()).stopped.empty());
}

TEST_CASE("what systemd and the journal say is evidence, without secrets of the unit's environment") {
  Site site;
  site.unit(unit_text(late) + "Environment=LANG=C \"DB_PASSWORD=hunter2 and more\" PORT=3001\n");
  const auto driver = site.driver();
  identify(*driver);
  const auto commands = run_here(driver->evidence());
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].file == "systemd-status.txt");
  CHECK(contains(commands[0].known_said,
                 "web.service: active (running), result success, restarts 0, link to releases/v1"));
  CHECK(commands[0].child.argv.back() == "web.service");
  CHECK(commands[1].child.argv.front() == "journalctl");
  CHECK(driver->secrets() == std::vector<std::string>{"hunter2 and more"});
}

TEST_CASE("a unit that is in the state in which it was known runs what it ran, whatever the link says since") {
  Site site;
  const auto driver = site.driver();
  CHECK(running(*driver) == "v1");
  site.link("releases/v2");
  CHECK(running(*driver) == "v1");
  CHECK(contains(identify(*driver).unfinished, "points to v2, but v1 runs; do systemctl restart web.service"));
  run_here(driver->still_ready(std::nullopt));
  CHECK(running(*site.driver()) == "v1");
  site.unit(unit_text("899999999999999"));
  CHECK(running(*driver) == "v2");
  CHECK(identify(*driver).unfinished.empty());
}

TEST_CASE("where processes show their folder that counts, and they have to agree") {
  watcher::SystemdUnit unit;
  unit.name = "web.service";
  unit.active = "active";
  watcher::ReleaseLink link;
  link.release = "v1";
  const auto runs = [&](std::set<std::string> seen) {
    return watcher::unit_runs(unit, link, {std::move(seen), {}}, watcher::SystemdMemory());
  };
  CHECK(runs({"v2"}).release == "v2");
  CHECK(contains(runs({"v1", "v2"}).error, "run from v1 and v2"));
  CHECK(runs({"v1", "v2"}).differ);
  CHECK(watcher::release_in("/srv/releases/v1/bin/app (deleted)", "/srv/releases") == "v1");
  CHECK(watcher::release_in("/srv/releases/v1 (deleted)", "/srv/releases") == "v1");
  CHECK(watcher::release_in("/srv/releases-old/v1", "/srv/releases").empty());
  unit.main_pid = ::getpid();
  const std::string here = std::filesystem::current_path().string();
  const std::string above = std::filesystem::path(here).parent_path().string();
  CHECK(watcher::releases_seen(unit, above).releases.contains(std::filesystem::path(here).filename().string()));
}

TEST_CASE("units that run different releases have no revision") {
  Site site;
  site.config.units = {"web.service", "worker.service"};
  std::string worker = unit_text(late);
  worker.replace(worker.find("web"), 3, "worker");
  site.unit(unit_text(late) + "\n" + worker);
  const auto driver = site.driver();
  CHECK(running(*driver) == "v1");
  site.link("releases/v2");
  std::string restarted = worker;
  restarted.replace(restarted.find("InvocationID="), 13, "InvocationID=2");
  site.unit(unit_text(late) + "\n" + restarted);
  const rules::RevisionRead read = identify(*driver);
  CHECK(contains(read.error, "web.service runs from v1, but worker.service from v2"));
  CHECK(read.instances_differ);
  site.unit(worker);
  CHECK(contains(identify(*driver).error, "told of 1 units instead of 2"));
}

TEST_CASE("what would be in the way of a switch of releases is told before") {
  Site site;
  CHECK(site.why_not("v2") == "");
  CHECK(contains(site.why_not("v3"), "releases/v3 is gone; do put that release there again"));
  CHECK(contains(site.why_not("a/b"), "is no name of a release"));
  std::filesystem::create_directories(site.folder.path + "/releases/v3");
  CHECK(contains(site.why_not("v3"), "releases/v3 is empty"));
  REQUIRE(::chmod((site.folder.path + "/releases/v2").c_str(), 0777) == 0);
  CHECK(contains(site.why_not("v2"), "other users could change the release"));
  REQUIRE(::chmod((site.folder.path + "/releases/v2").c_str(), 0755) == 0);
  REQUIRE(::chmod((site.folder.path + "/releases").c_str(), 0777) == 0);
  CHECK(contains(site.why_not("v2"), "other users could exchange the releases"));
  CHECK(contains(site.why_not(), "other users could exchange the releases"));
  REQUIRE(::chmod((site.folder.path + "/releases").c_str(), 0755) == 0);
  std::string masked = unit_text(late);
  masked.replace(masked.find("loaded"), 6, "masked");
  site.unit(masked);
  CHECK(contains(site.why_not(), "web.service is masked; do systemctl unmask web.service"));
  CHECK(running(*site.driver()) == "v1");
  site.unit("Id=web.service\nLoadState=not-found\n");
  CHECK(contains(site.why_not(), "systemd knows no unit web.service"));
  CHECK(contains(site.error(), "systemd knows no unit web.service"));
  site.unit(unit_text(late) + "WorkingDirectory=" + site.folder.path + "/releases/v1\n");
  CHECK(contains(site.why_not(), "changing the link changes nothing; do write " + site.config.link + " there instead"));
  std::filesystem::remove(site.config.link);
  CHECK(contains(site.why_not(), "current is not there"));
  std::filesystem::create_directories(site.config.link);
  CHECK(contains(site.why_not(), "current is no symbolic link"));
  std::filesystem::remove(site.config.link);
  site.link("elsewhere");
  CHECK(contains(site.why_not(), "which is no release in"));
}

TEST_CASE("a group may share releases with their owner, everybody may not") {
  if (!can_be_somebody_else()) return;
  Site site;
  const std::string release = site.folder.path + "/releases/v2";
  give_to_nobody(release);
  REQUIRE(::chmod(release.c_str(), 0775) == 0);
  CHECK(site.why_not("v2") == "");
  REQUIRE(::chmod(release.c_str(), 0777) == 0);
  CHECK(contains(site.why_not("v2"), "other users could change the release"));
}

TEST_CASE("a switch of releases changes the link in its own manner, restarts the unit, and is seen to have done it") {
  Site site;
  write(site.folder.path + "/.current.rollbackd", "left by a kill");
  write(site.folder.path + "/next", unit_text("899999999999999"));
  const auto driver = site.driver();
  CHECK(running(*driver) == "v1");
  const rules::StepResult result = switch_to(*driver, "v1", "v2");
  CAPTURE(result.detail);
  CHECK(result.status == rules::StepStatus::succeeded);
  CHECK(site.linked() == "releases/v2");
  CHECK(content(site.folder.path + "/told") == "restart -- web.service\n");
  CHECK_FALSE(std::filesystem::exists(site.folder.path + "/.current.rollbackd"));
  CHECK(running(*driver) == "v2");
  CHECK(contains(driver->aftermath(), "current points to v2; v1 is left in"));
}

TEST_CASE("a switch of releases that has no time left when it would begin is not begun") {
  Site site;
  const auto driver = site.driver();
  CHECK(running(*driver) == "v1");
  const rules::StepResult refused = switch_without_time(*driver, "v1", "v2");
  CHECK(refused.status == rules::StepStatus::timed_out);
  CHECK(refused.nothing_begun);
  CHECK(contains(refused.detail, "looking at the units took all of the time that there is, so nothing was begun"));
  CHECK(site.linked() == "releases/v1");
  CHECK_FALSE(std::filesystem::exists(site.folder.path + "/told"));
}

TEST_CASE("a switch of releases that fails puts the link back, and says what runs") {
  Site site;
  const auto driver = site.driver();
  CHECK(running(*driver) == "v1");
  CHECK(switch_to(*driver, "v1", "v3").nothing_begun);
  write(site.folder.path + "/fails", "Job for web.service failed.\n");
  const rules::StepResult failed = switch_to(*driver, "v1", "v2");
  CHECK(failed.status == rules::StepStatus::failed);
  CHECK_FALSE(failed.nothing_begun);
  CHECK(contains(failed.detail, "systemctl restart web.service: Job for web.service failed\n"));
  CHECK(contains(failed.detail, "v1 still runs, and the link is as it was"));
  CHECK(site.linked() == "releases/v1");
  // Of what systemctl says the reason is told, not where to look further.
  write(site.folder.path + "/fails",
        "Job for web.service failed because the control process exited with error code.\n"
        "See \"systemctl status web.service\" and \"journalctl -xeu web.service\" for details.\n");
  CHECK(contains(switch_to(*driver, "v1", "v2").detail, "the control process exited with error code\n"));
  write(site.folder.path + "/fails", "A dependency job for web.service failed. See 'journalctl -xe' for details.\n");
  CHECK(contains(switch_to(*driver, "v1", "v2").detail, "A dependency job for web.service failed\n"));
  std::filesystem::remove(site.folder.path + "/fails");
  write(site.folder.path + "/next", unit_text("899999999999999", "failed"));
  CHECK(contains(switch_to(*driver, "v1", "v2").detail, "v1 was put back, but is not up: web.service has failed"));
  CHECK(site.linked() == "releases/v1");
  CHECK(driver->aftermath().empty());
}

TEST_CASE("what is known of units survives being written, and nonsense is none") {
  watcher::SystemdNotes notes;
  notes.known["web.service"] = {"a@1", "v1"};
  notes.switching_to = "v2";
  notes.aftermath = {"a line"};
  const auto read = watcher::parse_systemd_notes(to_json(notes));
  REQUIRE(read);
  CHECK(read->known == notes.known);
  CHECK(read->switching_to == "v2");
  CHECK(read->aftermath == notes.aftermath);
  for (const char* const text : {"", "[]", "{}", R"({"known":{"a":1},"aftermath":[]})"})
    CHECK_FALSE(watcher::parse_systemd_notes(text));
}

TEST_CASE("our own unit is the innermost service of our control group") {
  CHECK(watcher::unit_in("0::/system.slice/rollbackd.service\n") == "rollbackd.service");
  CHECK(watcher::unit_in("3:cpu:/\n1:name=systemd:/system.slice/rollbackd.service/sub\n") == "rollbackd.service");
  CHECK(watcher::unit_in("0::/user.slice/user-0.slice/user@0.service/app.slice/w.service\n") == "w.service");
  CHECK(watcher::unit_in("0::/init.scope\n").empty());
  CHECK(watcher::unit_in("4:memory:/system.slice/other.service\n").empty());
}

TEST_CASE("names of releases are their folders', or the beginning of one alone") {
  Site site;
  std::filesystem::create_directories(site.folder.path + "/releases/v1-hotfix");
  write(site.folder.path + "/releases/v1-hotfix/app", "");
  const auto means = [&](const std::string& name) { return run_here(site.driver()->meaning_of(name)).meant; };
  CHECK(means("v1") == std::vector<rules::Revision>{rules::Revision("v1")});
  CHECK(means("v1-") == std::vector<rules::Revision>{rules::Revision("v1-hotfix")});
  CHECK(means("v").size() == 3);
  CHECK(means("w").empty());
}

TEST_CASE("our own container is found by its control group, or by what is mounted in it") {
  const std::string id(64, 'a');
  CHECK(watcher::container_in("4:memory:/docker/" + id + "\n") == id);
  CHECK(watcher::container_in("0::/system.slice/docker-" + id + ".scope\n") == id);
  CHECK(watcher::container_in("9 1 8:1 /var/lib/docker/containers/" + id + "/hostname /etc/hostname rw\n") == id);
  CHECK(watcher::container_in("0::/docker/short\n").empty());
  CHECK(watcher::container_in("").empty());
}
