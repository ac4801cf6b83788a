#!/usr/bin/env python3
"""The drivers git and command in each situation of a rollback: one class of cells for both (MATRIX.md has all drivers)."""

import os
import signal

import machine
from another import Another
from world import World

# Each switch that begins is counted; then it does what the test says.
RESTART = """#!/bin/sh
echo restart >>"{folder}/switches"
{does}
"""
GO_ON = 'exec "{repository}/restart"'
WAIT = 'read go <"{folder}/go"\n' + GO_ON


class Cells:
    """What both do: their `switch` ends in the script {folder}/restart."""

    refused = "action_failed"  # a switch that fails or hangs
    believed = "not_recovered"  # one that says success and changed nothing
    puts_back = False

    def make_application(self):
        super().make_application()
        self.restarts("go on", GO_ON)

    def restarts(self, _what, does):
        script = self.folder / "restart"
        text = RESTART.format(folder=self.folder, does=does.format(folder=self.folder, repository=self.repository))
        fresh = self.folder / "restart.new"
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.rename(script)  # one that runs keeps what it was

    def lies(self):
        self.restarts("lie", "exit 0")

    def switches(self):
        file = self.folder / "switches"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def goes_bad(self):
        self.good_shop_under_watch()
        self.deploy("errors")

    def ends(self, outcome, *words, serves="v1", switches=1):
        incident = self.wait_for_incident_closed(120)
        report = self.report_of(incident)[0]
        self.assertEqual(incident["outcome"], outcome, report)
        self.wait_until_shop_serves(serves)
        self.assertEqual(self.switches(), switches, report)
        for word in words:
            self.assertIn(word, report)
        self.assertEqual(len(self.incidents()), 1)
        return report

    def at_work(self):
        os.mkfifo(self.folder / "go")
        go = os.open(self.folder / "go", os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, go)
        self.restarts("wait", WAIT)
        self.goes_bad()
        self.wait_for("the switch is at work", lambda: self.switches() == 1, 60)
        return go

    def test_a_good_release_stays(self):
        self.good_shop_under_watch()
        self.deploy("v2")
        # It is known as soon as it is in place, which is before it serves.
        self.wait_for("it is known to run", lambda: self.service().get("revision") == self.revision("v2"), 30)
        self.wait_until_shop_serves("v2")
        self.stays_quiet(10, lambda: self.is_not_left("v2"))
        self.wait_until_shop_serves("v2")
        self.assertEqual(self.switches(), 0)

    def test_a_bad_release_is_rolled_back(self):
        self.goes_bad()
        self.ends("recovered")
        self.people_hear("completed", seconds=15)

    def test_a_switch_that_fails_is_told(self):
        self.restarts("fail", "echo no room for it >&2; exit 3")
        self.goes_bad()
        self.ends(self.refused, "no room for it", serves="errors", switches=2 if self.puts_back else 1)
        self.people_hear("failed", "no room for it", seconds=15)

    def test_a_switch_that_lies_is_found_out(self):
        self.lies()
        self.goes_bad()
        self.ends(self.believed, serves="errors")
        self.people_hear("failed", seconds=15)

    def test_a_switch_that_hangs_is_ended(self):
        self.configure(limit="3s")
        self.restarts("hang", "exec tail -f /dev/null")
        self.goes_bad()
        self.ends(self.refused, "3s", serves="errors", switches=2 if self.puts_back else 1)
        self.people_hear("failed", seconds=15)

    def test_a_watcher_killed_in_the_middle_switches_once(self):
        go = self.at_work()
        self.stop_watcher(signal.SIGKILL)
        self.start_watcher(wait=False)
        self.wait_for("rollbackd runs again", lambda: self.http("/healthz")[0] == 200, 15)
        # What nobody can tell of the git driver's restart is told by another one.
        os.write(go, b"go\ngo\n")
        self.ends("recovered", switches=2 if self.puts_back else 1)

    def test_a_deployment_in_the_middle_of_a_switch_stays(self):
        go = self.at_work()
        self.deploy("v2")
        self.wait_until_shop_serves("v2")
        os.write(go, b"go\n")
        incident = self.wait_for_incident_closed(120)
        report = self.report_of(incident)[0]
        # Nobody can tell whether the switch or somebody else brought it.
        self.assertEqual((incident["outcome"], self.switches()), ("wrong_revision", 1), report)
        self.wait_until_shop_serves("v2")
        self.wait_for("it is judged", lambda: self.service().get("revision") == self.revision("v2"), 30)

    def test_a_second_watcher_of_the_host_switches_nothing_more(self):
        another = Another(self, self.config_file, self.folder, self.listen, self.environment)
        self.good_shop_under_watch()
        self.wait_for("the other one knows what runs", lambda: another.revision() == self.revision("v1"), 30)
        self.wait_for("it sees all as good", another.sees_all_well, 30)
        self.deploy("errors")
        another.one_acts(self.incidents)
        self.wait_for("both know what runs", lambda: {another.revision(), self.service().get("revision")} == {self.revision("v1")}, 30)
        self.assertEqual((self.version(), self.switches()), ("v1", 1))


class Git(Cells, World):
    puts_back = True

    def configure(self, more="", limit="30s"):
        super().configure(more, service=GIT.replace("$limit", limit))

    def test_a_target_that_is_gone_is_told_and_not_tried(self):
        good = self.revision("v1")
        self.goes_bad()
        loose = self.repository / ".git" / "objects" / good[:2] / good[2:]
        loose.rename(self.folder / "away")  # as a shallow clone and `gc --prune` leave it
        self.ends("action_failed", "is no commit in", serves="errors", switches=0)
        self.people_hear("failed", "is no commit in", seconds=15)


class Command(Cells, World):
    believed = "wrong_revision"

    def configure(self, more="", limit="30s"):
        super().configure(more, service=COMMAND.replace("$limit", limit))

    def make_application(self):
        super().make_application()
        for name, lines in (("switch", f'cd "{self.repository}" && git checkout -q "$1" && exec "{self.folder}/restart"'),
                            ("ready", f'test -e "{self.folder}/gone" || exit 0; echo the registry has no "$1" any more; exit 1')):
            self.script(name, lines)

    def script(self, name, lines):
        script = self.folder / name
        script.write_text(f"#!/bin/sh\n{lines}\n")
        script.chmod(0o755)

    def lies(self):
        self.script("switch", f'echo lie >>"{self.folder}/switches"')

    def test_a_target_that_is_gone_is_told_and_not_tried(self):
        self.good_shop_under_watch()
        (self.folder / "gone").touch()
        self.deploy("errors")
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 40)
        self.people_hear("fault", "the registry has no", seconds=15)
        self.ends("action_failed", "the switch was not begun", "the registry has no", serves="errors", switches=0)
        self.people_hear("failed", "the registry has no", seconds=15)


GIT = """
[service.shop]
driver = "git"
dir = "$repository"
build = ["$repository/build"]
restart = ["$folder/restart"]
restart_timeout = "$limit"
start_deadline = "$start_deadline"
identify_interval = "1s"
$more
"""

COMMAND = """
[service.shop]
dir = "$repository"
identify = ["git", "rev-parse", "HEAD"]
ready = ["$folder/ready", "{to}"]
switch = ["$folder/switch", "{to}"]
timeout = "$limit"
start_deadline = "$start_deadline"
identify_interval = "1s"
$more
"""

if __name__ == "__main__":
    machine.main()
