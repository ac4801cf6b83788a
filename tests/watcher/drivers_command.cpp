#include "drivers_support.hpp"
#include "somebody_else.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;

struct Fixture {
  Folder folder;
  CountingClock clock;
  watcher::CommandDriver config;

  std::unique_ptr<watcher::Driver> driver() {
    watcher::DriverSection section;
    section.service = rules::ServiceName("web");
    config.dir = folder.path;
    section.driver = config;
    return watcher::make_driver(section, folder.path, clock);
  }
  std::string identified() {
    const auto made = driver();
    return running(*made);
  }
  std::string error() {
    const auto made = driver();
    return identify(*made).error;
  }
};

std::vector<std::string> shell(const std::string& lines) { return {"/bin/sh", "-c", lines}; }

}  // namespace

TEST_CASE("a service without a driver has none") {
  CountingClock clock;
  CHECK(watcher::make_driver(watcher::DriverSection(), "/nowhere", clock) == nullptr);
}

TEST_CASE("identify is the first line that the command prints, trimmed") {
  Fixture fixture;
  fixture.config.identify = shell("echo noise >&2; printf ' v1.2-abc \\r\\nmore\\n'");
  CHECK(fixture.identified() == "v1.2-abc");
  write(fixture.folder.path + "/current", "sha256:0123\n");
  fixture.config.identify = {"cat", "current"};
  CHECK(fixture.identified() == "sha256:0123");
}

TEST_CASE("what is no revision, fails or is missing is an error that says so, never a revision") {
  Fixture fixture;
  fixture.config.identify = shell("echo '-rf /'");
  CHECK(contains(fixture.error(), "is no revision"));
  fixture.config.identify = shell("echo 'two words'");
  CHECK(contains(fixture.error(), "is no revision"));
  fixture.config.identify = {"true"};
  CHECK(contains(fixture.error(), "printed nothing"));
  fixture.config.identify = shell("echo v1; echo 'no such container' >&2; exit 3");
  CHECK(contains(fixture.error(), "exited with 3"));
  fixture.config.identify = {"no-such-command-here"};
  CHECK(contains(fixture.error(), "no-such-command-here"));
  fixture.config.identify = {};
  CHECK(contains(fixture.error(), "no identify command"));
}

TEST_CASE("switch gets the revisions in its arguments and in its environment") {
  Fixture fixture;
  fixture.config.switch_to = shell("echo \"$0 $1 $ROLLBACKD_TO\" > switched; echo done");
  fixture.config.switch_to.insert(fixture.config.switch_to.end(), {"to={to}", "from={from}"});
  const auto driver = fixture.driver();
  const rules::StepResult result = switch_to(*driver, "v2", "v1");
  CHECK(result.status == StepStatus::succeeded);
  CHECK(result.exit_code == 0);
  CHECK(result.output == "done\n");
  CHECK(content(fixture.folder.path + "/switched") == "to=v1 from=v2 v1\n");
}

TEST_CASE("a switch that fails or cannot be started says how") {
  Fixture fixture;
  CHECK(contains(switch_to(*fixture.driver(), "v2", "v1").detail, "no switch command"));
  fixture.config.switch_to = shell("echo 'no image' >&2; exit 4");
  const rules::StepResult failed = switch_to(*fixture.driver(), "v2", "v1");
  CHECK(failed.status == StepStatus::failed);
  CHECK(failed.exit_code == 4);
  CHECK(failed.output == "no image\n");
  CHECK_FALSE(failed.nothing_begun);
  fixture.config.switch_to = {"./switch.sh", "{to}"};
  const rules::StepResult missing = switch_to(*fixture.driver(), "v2", "v1");
  CHECK(missing.status == StepStatus::failed);
  CHECK_FALSE(missing.exit_code);
  CHECK(missing.nothing_begun);
  CHECK(switch_to(*fixture.driver(), "v2", "--force").nothing_begun);
  CHECK(contains(switch_to(*fixture.driver(), "v2", "--force").detail, "must not be put into a command line"));
}

TEST_CASE("a command that failed says why in its own last words, made visible and bounded") {
  Fixture fixture;
  const auto detail = [&](const std::string& lines) {
    fixture.config.switch_to = shell(lines);
    return switch_to(*fixture.driver(), "v2", "v1").detail;
  };
  CHECK(detail("echo begun; echo one >&2; echo 'disk is full' >&2; echo; exit 2")
            .ends_with("exited with 2: disk is full"));
  CHECK(detail("echo 3 tests failed; exit 1").ends_with("exited with 1: 3 tests failed"));
  CHECK(detail("exit 1").ends_with("exited with 1"));
  CHECK(detail("printf 'a\\033[2Jb' >&2; exit 1").ends_with("exited with 1: a\\e[2Jb"));
  CHECK(detail("head -c 5000 /dev/zero | tr '\\0' x >&2; exit 1").ends_with(": " + std::string(200, 'x') + "..."));
  CHECK_FALSE(contains(detail("echo fine >&2"), "fine"));
}

TEST_CASE("ready asks its command, and looks whether switch is there") {
  Fixture fixture;
  fixture.config.switch_to = {"./switch.sh", "{to}"};
  CHECK(contains(ready(*fixture.driver()).reason, "switch.sh"));
  script(fixture.folder.path + "/switch.sh", "");
  CHECK(ready(*fixture.driver()).ready);
  fixture.config.ready = shell("test \"$0\" = v1 || { echo \"no image $0\"; exit 1; }");
  fixture.config.ready.emplace_back("{to}");
  CHECK(ready(*fixture.driver(), "v1").ready);
  CHECK(contains(ready(*fixture.driver(), "v0").reason, "no image v0"));
  // Without a target, a command that needs one is only looked for.
  CHECK(ready(*fixture.driver()).ready);
  fixture.config.ready = {"./none", "{to}"};
  CHECK_FALSE(ready(*fixture.driver()).ready);
  fixture.config.ready = {"false"};
  CHECK_FALSE(ready(*fixture.driver()).ready);
}

TEST_CASE("identify, ready and switch run as the user that is configured, or not at all") {
  if (!can_be_somebody_else()) return;
  Fixture fixture;
  give_to_nobody(fixture.folder.path);
  fixture.config.identify = {"id", "-un"};
  fixture.config.ready = shell("id -un > ready");
  fixture.config.switch_to = shell("id -un > switched");
  CHECK(fixture.identified() == "root");
  fixture.config.user = "nobody";
  CHECK(fixture.identified() == "nobody");
  CHECK(ready(*fixture.driver()).ready);
  CHECK(content(fixture.folder.path + "/ready") == "nobody\n");
  CHECK(switch_to(*fixture.driver(), "v2", "v1").status == StepStatus::succeeded);
  CHECK(content(fixture.folder.path + "/switched") == "nobody\n");
  fixture.config.user = "nobody-of-that-name";
  CHECK(contains(fixture.error(), "no such user"));
  CHECK(contains(ready(*fixture.driver()).reason, "switch: "));
  CHECK(contains(ready(*fixture.driver()).reason, "no such user"));
  CHECK(switch_to(*fixture.driver(), "v2", "v1").nothing_begun);
}
