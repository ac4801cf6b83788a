#!/usr/bin/env python3
"""Who stopped a unit: somebody, another unit, or nobody; by a systemd that boots, and its journal."""

import machine
from released import BY_FOLDER, Released
from watched import wait_until

# Runs the application as a child, and another one when it is told to reload: of neither the folder can be seen.
PARENT = """
import os, signal, subprocess, sys
os.chdir("/")
children = []
def start(*_):
    while children:
        children.pop().kill()
    children.append(subprocess.Popen([sys.executable, "/opt/shop/current/app.py"]))
def end(*_):
    children.pop().kill()
    sys.exit(0)
signal.signal(signal.SIGHUP, start)
signal.signal(signal.SIGTERM, end)
start()
while True:
    signal.pause()
"""


class Stops(Released):
    def stop_by_hand(self):
        """Seen for longer than a release may take to come up, it is no deployment of nobody's either."""
        self.inside("systemctl", "stop", "shop")
        self.wait_for("it is seen that somebody did", self.stopped, 20)
        # Twice what `down` waits for, and longer than `start_deadline`.
        self.assertFalse(wait_until(self.incidents, 5))
        self.assertEqual((self.stopped(), self.cause(), self.incidents()), (True, "deploying", []))

    def start_again(self):
        self.inside("systemctl", "start", "shop")
        self.wait_for("v2 is judged again", lambda: self.says() == "v2" and self.cause() is None and not self.stopped(), 20)
        self.assertEqual(self.incidents(), [])

    def end_by_itself(self):
        self.inside("systemctl", "kill", "shop")  # of which systemd thinks no ill: TERM is a clean end
        self.assertEqual(self.closed()["outcome"], "recovered")
        self.assertEqual(self.linked(), "releases/v1")

    def test_what_somebody_stops_is_left_alone_though_systemd_forgets_it_and_what_ends_by_itself_is_rolled_back(self):
        self.configure("", start_deadline="4s")
        self.watched()
        self.deployed("v2")
        self.stop_by_hand()
        self.wait_for("systemd has forgotten it", lambda: self.inside("systemctl", "show", "-P", "ActiveExitTimestampMonotonic", "shop").stdout.strip() == "0", 10)
        self.inside("systemctl", "restart", "rollbackd")
        self.wait_for("it is seen after a restart too", self.stopped, 20)
        self.start_again()
        self.end_by_itself()

    def test_the_same_of_a_unit_that_systemd_keeps_and_has_to_kill(self):
        self.configure("", start_deadline="4s")
        self.unit(BY_FOLDER.replace("\n", "\\n") + "TimeoutStopSec=1\\nExecStart=\\nExecStart=/bin/sh -c "
                  '"trap \\"\\" TERM; while true; do python3 app.py; done"\\n[Install]\\nWantedBy=multi-user.target\\n')
        self.inside("systemctl", "enable", "shop")
        self.watched()
        self.deployed("v2")
        self.stop_by_hand()
        self.assertEqual(self.inside("systemctl", "show", "-P", "Result", "shop").stdout.strip(), "timeout")
        self.start_again()
        self.inside("systemctl", "kill", "--signal=KILL", "shop")
        self.assertEqual(self.closed()["outcome"], "recovered")

    def bad_is_not_started(self):
        self.configure("", start_deadline="4s")
        self.watched()
        self.deployed("v2")
        self.inside("rollbackd", "deploy", "good", "v2")
        (self.app / "releases" / "bad" / "release").unlink()
        self.link("bad")
        self.inside("systemctl", "restart", "shop", check=False)
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], closed["from"], self.linked()), ("recovered", "bad", "releases/v2"), report)

    def test_what_is_not_started_for_a_condition_of_its_own_was_not_stopped(self):
        self.unit("\\n[Unit]\\nConditionPathExists=/opt/shop/current/release\\n[Service]\\n" + BY_FOLDER.replace("\n", "\\n"))
        self.bad_is_not_started()

    def test_nor_was_what_is_not_started_for_what_it_depends_on(self):
        self.inside("sh", "-c", "printf '[Service]\\nType=oneshot\\nExecStart=/usr/bin/test -e /opt/shop/current/release\\n' >/etc/systemd/system/migrate.service")
        self.unit("\\n[Unit]\\nRequires=migrate.service\\nAfter=migrate.service\\n[Service]\\n" + BY_FOLDER.replace("\n", "\\n"))
        self.bad_is_not_started()

    def test_what_somebody_stops_while_a_switch_waits_is_not_started_against_him(self):
        self.configure("", steady="8s")
        self.watched()
        self.deployed("v2")
        self.inside("rollbackd", "deploy", "good", "v2")
        self.deployed("bad")
        (self.app / "sick").touch()
        self.wait_for("the switch waits", lambda: self.linked() == "releases/v2" and self.says() == "v2", 60)
        self.inside("systemctl", "stop", "shop")
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], self.linked(), self.says()), ("action_failed", "releases/v2", ""), report)
        self.assertIn("nothing was put back or started against that", report)

    def test_an_answer_that_systemctl_loses_says_nothing_of_the_unit(self):
        self.configure('systemctl = ["/opt/shop/systemctl"]')
        self.tool('case "$1" in restart) systemctl "$@" >/dev/null 2>&1 & echo "Failed to wait for response: Connection reset by peer" >&2; exit 1 ;; esac')
        self.watched()
        self.deployed("v2")
        self.inside("rollbackd", "deploy", "good", "v2")
        self.deployed("bad")
        (self.app / "sick").touch()
        closed = self.closed()
        self.assertEqual((closed["outcome"], self.linked(), self.says()), ("recovered", "releases/v2", "v2"), self.report(closed))

    def test_a_unit_that_is_down_does_not_hide_what_the_others_run(self):
        self.inside("sh", "-c", "printf '[Unit]\\nPartOf=shop.service\\n[Service]\\nWorkingDirectory=/opt/shop/current\\nExecStart=/usr/bin/tail -f /dev/null\\n' >/etc/systemd/system/worker.service")
        self.configure('unit = ["shop", "worker"]')
        self.inside("systemctl", "start", "shop", "worker")
        self.watched()
        self.deployed("v2")
        self.inside("rollbackd", "deploy", "good", "v2")
        self.inside("systemctl", "stop", "worker")
        self.deployed("bad")
        self.wait_for("people are told", lambda: "worker.service has not been started since" in self.told(), 20)
        (self.app / "sick").touch()
        closed = self.closed()
        self.assertEqual((closed["outcome"], closed["from"], self.linked()), ("recovered", "bad", "releases/v2"), self.report(closed))

    def test_what_is_stopped_with_a_unit_that_fails_is_not_to_blame(self):
        self.configure("", start_deadline="4s")
        self.inside("sh", "-c", "printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/usr/bin/test ! -e /opt/shop/broken\\n' >/etc/systemd/system/db.service")
        self.unit("\\n[Unit]\\nRequires=db.service\\nAfter=db.service\\n[Service]\\n" + BY_FOLDER.replace("\n", "\\n"))
        self.watched()
        self.deployed("v2")
        (self.app / "broken").touch()
        self.inside("systemctl", "restart", "db", check=False)
        self.wait_for("it is seen why", lambda: "a unit that it depends on" in (self.service().get("stopped") or ""), 20)
        # Twice what `down` waits for, and longer than `start_deadline`.
        self.assertFalse(wait_until(self.incidents, 5))
        self.assertEqual((self.cause(), self.incidents(), self.linked()), ("deploying", [], "releases/v2"))

    def test_a_release_that_was_reloaded_is_not_gone_past(self):
        self.unit("Type=exec\\nUser=nobody\\nExecStart=/usr/bin/python3 /opt/shop/parent.py\\nExecReload=/bin/kill -HUP $MAINPID\\n")
        (self.app / "parent.py").write_text(PARENT)
        self.watched()
        self.deployed("v2")
        self.inside("rollbackd", "deploy", "good", "v2")
        self.link("bad")
        self.inside("systemctl", "reload", "shop")
        self.wait_for("people are told", lambda: "it cannot be read what runs" in self.told(), 20)
        (self.app / "sick").touch()
        self.wait_for("they are asked", lambda: "approve action rollback?" in self.told(), 30)
        asked = next(line for line in self.told().splitlines() if "approve action rollback?" in line)
        for part in ("changed to bad", "to go back to v2, which ran before, put the link back"):
            self.assertIn(part, asked)
        self.assertEqual(self.linked(), "releases/bad")


if __name__ == "__main__":
    machine.main()
