#!/usr/bin/env python3
"""Watcher and runner as two units: packaging/split as it is, the watcher as a user without rights, under a systemd that boots."""

import json
import os
import time

import machine
import test_systemd
from released import HEALTH, Released
from world import ROOT

SPLIT = ROOT / "packaging" / "split"
SOCKET = "/run/rollbackd-runner/socket"

# Besides the shop, which systemd runs: a tool that commands switch, with a plan around it.
CONFIG = """
[watcher]
name = "e2e"
runner = "/run/rollbackd-runner/socket"
""" + HEALTH + """\
[probe.tool]
type = "exec"
run = ["test", "-e", "/opt/shop/tool/fine"]
interval = "200ms"
max_gap = "2s"
[rule.down]
when = "health.up == 0"
for = "2s"
severity = "P0"
service = "shop"
[rule.broken]
when = "tool.up == 0"
for = "2s"
severity = "P0"
service = "tool"
respond = "tool"
[notify.people]
type = "webhook"
url = "http://127.0.0.1:3002/"
[service.tool]
identify = ["cat", "/opt/shop/tool/version"]
switch = ["/opt/shop/tool/switch", "{{to}}"]
start_deadline = "10s"
identify_interval = "500ms"
cooldown = "1s"
[[action.tool.step]]
capture = "version.txt"
run = ["cat", "/opt/shop/tool/version"]
[[action.tool.step]]
run = ["sh", "-c", "id -u >>/opt/shop/tool/ran; echo $ROLLBACKD_REASON >>/opt/shop/tool/ran"]
[[action.tool.step]]
switch = "last-good"
[service.shop]
driver = "systemd"
link = "/opt/shop/current"
steady = "1s"
start_deadline = "10s"
identify_interval = "500ms"
cooldown = "1s"
{more}
"""

# Each switch is counted; where there is a pipe it waits for a line.
SWITCH = """#!/bin/sh
echo $1 >>/opt/shop/tool/switches
echo $$ >/opt/shop/tool/waits
if [ -p /opt/shop/go ]; then read go </opt/shop/go; fi
echo $1 >/opt/shop/tool/version
touch /opt/shop/tool/fine
"""

# Of somebody who may not: says what the runner answers.
STRANGER = """
import socket
asker = socket.socket(socket.AF_UNIX)
asker.settimeout(10)
try:
    asker.connect("/run/rollbackd-runner/socket")
    try:
        asker.sendall(b'{"version":1,"config":"","asks":"reload"}\\n')
    except BrokenPipeError:
        pass  # it was refused before it asked: why is there to be read
    print(asker.recv(4096).decode())
except OSError as error:
    print(error)
"""


class Split(Released):
    units = (SPLIT / "rollbackd.service", SPLIT / "rollbackd-runner.service")

    def setUp(self):
        super().setUp()
        self.inside("useradd", "--system", "--no-create-home", "rollbackd")
        self.protect()

    def furnish(self):
        super().furnish()
        (self.folder / "rollbackd.toml").write_text(CONFIG.format(more=""))
        tool = self.app / "tool"
        tool.mkdir()
        (tool / "switch").write_text(SWITCH)
        (tool / "switch").chmod(0o755)
        (tool / "version").write_text("t1\n")
        (tool / "fine").touch()

    def protect(self):
        self.inside("chown", "root:rollbackd", "/etc/rollbackd/rollbackd.toml")
        self.inside("chmod", "0640", "/etc/rollbackd/rollbackd.toml")

    def configure(self, more):
        self.inside("sh", "-c", f"cat >/etc/rollbackd/rollbackd.toml <<'END'\n{CONFIG.format(more=more)}\nEND")

    def of(self, service):
        done = self.inside("rollbackd", "status", "--json", check=False)
        return json.loads(done.stdout)["services"][service] if done.returncode == 0 else {}

    def watched(self, release="v1"):
        super().watched(release)
        self.wait_for("the tool is known, too", lambda: self.of("tool").get("revision") == "t1", 40)

    def deploy_tool(self, version):
        (self.app / "tool" / "version").write_text(version + "\n")
        self.wait_for(f"{version} is known to run", lambda: self.of("tool").get("revision") == version, 40)

    def switches(self):
        file = self.app / "tool" / "switches"
        return file.read_text().splitlines() if file.exists() else []

    def steps(self, incident):
        return json.loads(self.inside("rollbackd", "incidents", incident["id"], "--json").stdout)["steps"]

    def tool_at_work(self):
        go = self.pipe()
        self.watched()
        self.deploy_tool("t2")
        (self.app / "tool" / "fine").unlink()
        self.wait_for("the switch is at work", lambda: self.switches() == ["t1"], 60)
        return go

    def kill(self, unit):
        first = self.show("MainPID", unit)
        self.inside("kill", "-9", first)
        self.wait_for("another one runs", lambda: self.show("MainPID", unit) not in ("0", first) and self.show("ActiveState", unit) == "active", 30)

    # Both drivers.

    def test_a_bad_release_is_left_by_a_watcher_that_has_no_rights(self):
        evidence = self.bad_deploy_is_rolled_back()
        self.assertEqual(self.inside("ps", "-o", "user=", "-p", self.show("MainPID")).stdout.strip(), "rollbackd")
        self.assertEqual(self.inside("ps", "-o", "user=", "-p", self.show("MainPID", "rollbackd-runner")).stdout.strip(), "root")
        # The watcher's report has what the runner kept, and the watcher can read it.
        kept = self.inside("runuser", "-u", "rollbackd", "--", "cat", f"{evidence}/systemd-journal.txt").stdout
        self.assertIn("GET /health", kept)
        self.assertNotIn("refused", self.journal())
        for whom in ("root", "rollbackd"):
            checked = self.inside("runuser", "-u", whom, "--", "rollbackd", "check", "--online").stdout
            self.assertEqual(checked.count("could be switched now"), 2, checked)

    def test_commands_and_the_steps_around_them_are_run_by_the_runner(self):
        self.watched()
        self.deploy_tool("t2")
        (self.app / "tool" / "fine").unlink()
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], closed["service"], self.switches()), ("recovered", "tool", ["t1"]), report)
        self.assertEqual((self.app / "tool" / "ran").read_text().splitlines()[0], "0")
        self.assertIn("version.txt", report)
        self.assertEqual(self.inside("cat", f"/var/lib/rollbackd/incidents/{closed['id']}/evidence/version.txt").stdout, "t2\n")

    # Either is killed or restarted in the switch.

    def test_a_watcher_killed_in_the_switch_hears_how_it_ended(self):
        go = self.tool_at_work()
        self.kill("rollbackd")
        time.sleep(1)  # nothing is done meanwhile
        os.write(go, b"go\n")
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], self.switches()), ("recovered", ["t1"]), report)
        switch = [step for step in self.steps(closed) if step["kind"] == "switch"]
        self.assertEqual([(step["status"], step.get("exit_code")) for step in switch], [("succeeded", 0)], report)

    def test_a_switch_that_ended_while_nobody_watched_is_found_ended(self):
        go = self.tool_at_work()
        self.inside("systemctl", "kill", "-s", "KILL", "rollbackd")
        self.inside("systemctl", "stop", "rollbackd")
        os.write(go, b"go\n")
        self.wait_for("the switch has ended", lambda: "step_ended" in self.journal(), 20)
        self.inside("systemctl", "restart", "rollbackd-runner")
        self.inside("systemctl", "start", "rollbackd")
        closed = self.closed()
        self.assertEqual((closed["outcome"], self.switches()), ("recovered", ["t1"]), self.report(closed))

    def test_a_runner_killed_in_the_switch_switches_once(self):
        go = self.tool_at_work()
        self.kill("rollbackd-runner")
        time.sleep(1)  # nothing is done meanwhile
        os.write(go, b"go\n")
        closed = self.closed()
        self.assertEqual((closed["outcome"], self.switches()), ("recovered", ["t1"]), self.report(closed))

    def test_both_killed_in_the_switch_switch_once(self):
        go = self.tool_at_work()
        self.inside("kill", "-9", self.show("MainPID"), self.show("MainPID", "rollbackd-runner"))
        time.sleep(4)
        os.write(go, b"go\n")
        closed = self.closed()
        self.assertEqual((closed["outcome"], self.switches()), ("recovered", ["t1"]), self.report(closed))

    def test_a_restart_of_the_runner_waits_for_the_switch(self):
        go = self.tool_at_work()
        before = self.show("MainPID", "rollbackd-runner")
        self.inside("systemctl", "restart", "--no-block", "rollbackd-runner")
        time.sleep(2)
        self.assertEqual(self.show("MainPID", "rollbackd-runner"), before)
        os.write(go, b"go\n")
        closed = self.closed()
        self.assertEqual((closed["outcome"], self.switches()), ("recovered", ["t1"]), self.report(closed))
        self.wait_for("another one runs", lambda: self.show("MainPID", "rollbackd-runner") not in ("0", before), 30)

    def test_a_systemd_switch_whose_runner_is_killed_is_done_once(self):
        go = self.switch_at_work()
        self.protect()
        self.kill("rollbackd-runner")
        time.sleep(1)
        os.write(go, b"go\ngo\n")
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], self.says(), self.linked()), ("recovered", "v1", "releases/v1"), report)
        self.assertLessEqual(len(self.restarts()), 2, report)

    # Nobody there, or the wrong one.

    def test_without_a_runner_nothing_is_ready_and_nothing_is_bad(self):
        self.watched()
        self.deployed("v2")
        self.wait_for("a rollback could be done", lambda: self.service().get("rollback_ready"), 60)
        self.inside("systemctl", "stop", "rollbackd-runner")
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 40)
        self.wait_for("people are told what to do", lambda: "systemctl start rollbackd-runner" in self.told(), 40)
        self.assertEqual(self.incidents(), [])
        self.assertIn("nothing can be rolled back: the runner at", self.inside("rollbackd", "reload").stdout)
        self.assertIn("systemctl start rollbackd-runner", self.inside("rollbackd", "check", "--online", check=False).stdout)
        self.inside("systemctl", "start", "rollbackd-runner")
        self.wait_for("a rollback could be done again", lambda: self.service().get("rollback_ready"), 60)
        self.assertEqual(self.incidents(), [])

    def test_a_configuration_that_only_one_half_has_read_is_told(self):
        self.watched()
        self.configure("# another one\n[rule.more]\nwhen = \"health.up == 0\"\nfor = \"1h\"\nservice = \"shop\"")
        self.inside("systemctl", "reload", "rollbackd-runner")
        self.wait_for("it is told", lambda: "has read another /etc/rollbackd/rollbackd.toml" in str(self.of("shop").get("not_ready_reason")), 60)
        self.assertEqual(self.inside("rollbackd", "reload").stdout.strip(), "reloaded /etc/rollbackd/rollbackd.toml")
        self.wait_for("both agree", lambda: self.service().get("rollback_ready") is not None and self.service().get("revision") == "v1", 60)
        self.assertEqual(self.incidents(), [])

    def test_another_user_of_the_host_may_not_ask(self):
        self.watched()
        def asks(user):
            return self.inside("runuser", "-u", user, "--", "/usr/bin/python3", "-c", STRANGER).stdout
        self.assertIn("Permission denied", asks("nobody"))
        self.inside("chmod", "0666", SOCKET)
        self.assertIn("may not ask it", asks("nobody"))
        self.assertIn('"says":"done"', asks("rollbackd"))
        self.assertIn('"says":"done"', asks("root"))


class SplitGit(test_systemd.Systemd):
    """The same for a checkout: what its owner runs, and restarts through systemd."""

    units = Split.units

    def setUp(self):
        super().setUp()
        self.inside("useradd", "--system", "--no-create-home", "rollbackd")
        self.inside("chown", "root:rollbackd", "/etc/rollbackd/rollbackd.toml")
        self.inside("chmod", "0640", "/etc/rollbackd/rollbackd.toml")

    def furnish(self):
        super().furnish()
        (self.folder / "rollbackd.toml").write_text(test_systemd.CONFIG.replace("[watcher]\n", f'[watcher]\nrunner = "{SOCKET}"\n'))

    def test_a_checkout_is_gone_back_with(self):
        self.test_it_runs_watches_rolls_back_and_stops()


if __name__ == "__main__":
    machine.main()
