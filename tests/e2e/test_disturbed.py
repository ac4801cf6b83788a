#!/usr/bin/env python3
"""What disturbs rollbackd while it watches and acts: reloads, a journal that somebody locks, a stop in the middle of a
switch, output without end. It goes on, and rolls back once."""

import contextlib
import json
import pathlib
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import unittest

from world import ROLLBACKD, World

SERVICE = """
[service.shop]
identify = ["$folder/identify"]
switch   = ["$folder/switch", "{to}"]
start_deadline = "5s"
identify_interval = "1s"
$more
"""

PREPARE = """
[action.rollback]
[[action.rollback.step]]
run = ["{folder}/prepare"]
[[action.rollback.step]]
switch = "last-good"
"""


# A command's part that lasts until the test lets it go on.
UNTIL_LET_GO = "until [ -e {folder}/go ]; do sleep 0.05; done"


class Disturbed(World):
    def let_go(self):
        (self.folder / "go").touch()

    def under_watch(self, identify="", switch="", prepare=False, **watcher):
        commands = {"prepare": f"touch {self.folder}/prepared; {UNTIL_LET_GO.format(folder=self.folder)}", "identify": f"{identify}\nexec git -C {self.repository} rev-parse HEAD",
                    "switch": f"{switch}\ncd {self.repository}; git checkout -q $1; exec ./restart"}
        for name, text in commands.items():
            path = self.folder / name
            path.write_text(f"#!/bin/bash\n{text}\n")
            path.chmod(0o700)
        self.configure(service=SERVICE, service_more=PREPARE.format(folder=self.folder) if prepare else "")
        self.good_shop_under_watch(**watcher)

    def switches(self):
        return [line for line in self.log.read_text().splitlines() if "event=step_started" in line and "kind=switch" in line]

    def reload(self):
        words = [ROLLBACKD, "reload", "--config", self.config_file]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment)

    def end_of(self, reload):
        output = reload.communicate(timeout=60)[0]
        return reload.returncode, output

    @contextlib.contextmanager
    def journal_locked(self, how="IMMEDIATE"):
        """By somebody who looks into it with another tool and leaves a transaction open."""
        database = sqlite3.connect(self.folder / "state" / "rollbackd.db", isolation_level=None, timeout=20)
        database.execute(f"BEGIN {how}")
        try:
            yield
        finally:
            database.execute("ROLLBACK")
            database.close()

    def look_into_the_journal(self):
        """A command of the switch: writes down which steps are on disk when it begins."""
        script = self.folder / "look.py"
        script.write_text("import sqlite3, sys\n"
                          "rows = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True).execute('SELECT record FROM steps')\n"
                          "open(sys.argv[2], 'w').write('[' + ','.join(record for record, in rows) + ']')\n")
        return f"{sys.executable} {script} {self.folder}/state/rollbackd.db {self.folder}/seen"

    def seen_by_the_switch(self):
        return [step["kind"] for step in json.loads((self.folder / "seen").read_text())]

    def steps_on_disk(self, incident):
        """What the journal itself says, read by another process."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / 'state' / 'rollbackd.db'}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT record FROM steps WHERE incident = ?", (str(incident["id"]),)).fetchall()
        return [json.loads(record) for record, in rows]

    def recovers_by_one_switch(self):
        incident = self.wait_for_incident_closed()
        self.assertEqual(incident["outcome"], "recovered")
        self.assertEqual(len(self.incidents()), 1)
        self.assertEqual(len(self.switches()), 1)
        self.assertEqual(self.version(), "v1")
        self.report_of(incident)
        return incident

    def degraded(self):
        return " ".join((self.status() or {"watcher": {"degraded": []}})["watcher"]["degraded"])

    def test_reloads_at_once(self):
        """Each waits for the looks that are under way; they must not wait for each other's."""
        self.under_watch(identify="sleep 1")
        reloads = [self.reload() for _ in range(4)]
        for _ in range(4):
            self.watcher.send_signal(signal.SIGHUP)
        for reload in reloads:
            self.assertEqual(self.end_of(reload)[0], 0)
        self.deploy("errors")
        self.recovers_by_one_switch()
        self.assertEqual(self.stop_watcher(), 0)

    def test_reloads_in_mid_incident(self):
        """While the step switches, and while the rollback is verified."""
        self.under_watch(switch=UNTIL_LET_GO.format(folder=self.folder))
        self.deploy("errors")
        self.wait_for("the switch began", self.switches, 60)
        self.assertEqual(self.end_of(self.reload())[0], 0)
        self.let_go()
        self.wait_until_shop_serves("v1")
        self.watcher.send_signal(signal.SIGHUP)
        self.assertEqual(self.end_of(self.reload())[0], 0)
        self.recovers_by_one_switch()

    def test_a_broken_reload_in_mid_incident(self):
        """The configuration of before stays, whole, and so does the incident."""
        self.under_watch(switch=UNTIL_LET_GO.format(folder=self.folder))
        good = self.config_file.read_text()
        rules = sorted(self.status()["rules"])
        self.deploy("errors")
        self.wait_for("the switch began", self.switches, 60)
        for broken in (good + "\n[rule.late]\nwhen = \"health.up == 0\"\nfore = \"2s\"\n", good + "\n[rule"):
            self.config_file.write_text(broken)
            code, output = self.end_of(self.reload())
            self.assertEqual(code, 1, output)
            self.assertIn(str(self.config_file), output)
            self.watcher.send_signal(signal.SIGHUP)
        self.assertEqual(sorted(self.status()["rules"]), rules)
        self.let_go()
        self.recovers_by_one_switch()
        self.config_file.write_text(good + "\n[rule.late]\nwhen = \"health.up == 0\"\nfor = \"2s\"\n")
        self.assertEqual(self.end_of(self.reload())[0], 0)
        self.wait_for("the new rule is watched", lambda: "late" in self.status()["rules"], 20)

    def test_journal_that_somebody_locks_before_the_deployment(self):
        """It asks instead of acting for as long as it lasts, and acts again afterwards."""
        self.under_watch()
        with self.journal_locked():
            self.wait_for("it says that the journal cannot be written", self.degraded, 40)
            self.assertEqual(self.status()["watcher"]["mode"], "ask")
        self.wait_for("it is well again", lambda: not self.degraded(), 40)
        self.assertEqual(self.status()["watcher"]["mode"], "act")
        self.deploy("errors")
        self.recovers_by_one_switch()

    def test_journal_that_somebody_locks_while_the_rule_fires(self):
        """A person is asked, who hears of it late; once it can save again it acts by itself, what it does is on disk first."""
        self.under_watch(switch=self.look_into_the_journal())
        with self.journal_locked():
            self.wait_for("it says that the journal cannot be written", self.degraded, 40)
            self.deploy("errors")
            self.wait_for("the rule fires", lambda: self.status()["rules"]["errors"]["state"] == "firing", 60)
            self.nothing_is_done(8)
        self.people_hear("ask", "approve")
        self.recovers_by_one_switch()
        self.assertEqual(self.degraded(), "")
        self.assertIn("switch", self.seen_by_the_switch())

    def test_journal_that_somebody_locks_for_a_moment_costs_nothing(self):
        """Somebody who has a look, again and again, from the deployment to the recovery."""
        self.under_watch(switch=self.look_into_the_journal())
        self.deploy("errors")
        for _ in range(5):
            with self.journal_locked():
                time.sleep(2)
            time.sleep(0.5)
        self.recovers_by_one_switch()
        self.assertIn("switch", self.seen_by_the_switch())

    def test_journal_that_somebody_locks_while_the_switch_runs(self):
        """What became of the switch is saved late, and known to the next start."""
        self.under_watch(switch=UNTIL_LET_GO.format(folder=self.folder))
        self.deploy("errors")
        self.wait_for("the switch began", self.switches, 60)
        with self.journal_locked():
            self.let_go()
            self.wait_until_shop_serves("v1")
            time.sleep(8)
        incident = self.recovers_by_one_switch()
        self.people_hear("completed", "recovered")
        self.assertEqual(self.stop_watcher(), 0)
        saved = self.steps_on_disk(incident)
        self.assertIn("switch", [step["kind"] for step in saved])
        self.start_watcher()
        self.assertEqual([one["outcome"] for one in self.incidents()], ["recovered"])
        self.assertEqual(self.steps_on_disk(incident), saved)

    def test_journal_that_somebody_locks_in_the_middle_of_a_plan(self):
        """The next step waits for it, says so, and is done once when it is on disk."""
        self.under_watch(switch=self.look_into_the_journal(), prepare=True)
        self.deploy("errors")
        self.wait_for("the first step runs", (self.folder / "prepared").exists, 60)
        with self.journal_locked("EXCLUSIVE"):
            self.let_go()
            self.wait_for("it says what it waits for", lambda: any("waits: " in line and "locked" in line for line in self.log.read_text().splitlines() if "event=tell" in line), 60)
            self.wait_for("it shows that", self.degraded, 20)
            self.nothing_is_done(25)
            self.assertFalse((self.folder / "seen").exists(), "the switch was called")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual(incident["outcome"], "recovered")
        self.assertIn("switch", self.seen_by_the_switch())
        self.people_hear("late", "waits: ", "locked")
        self.wait_for("it is well again", lambda: not self.degraded(), 40)
        steps = self.steps_on_disk(incident)
        self.assertEqual([(step["kind"], step["status"]) for step in steps if step["kind"] in ("run", "switch")],
                         [("run", "succeeded"), ("switch", "succeeded")])

    def nothing_is_done(self, seconds=0):
        end = time.monotonic() + seconds
        while True:
            self.assertEqual((self.version(), self.checkouts()[0].split()[-1]), ("errors", "errors"))
            if time.monotonic() >= end:
                return True
            time.sleep(0.2)

    def test_stop_in_the_middle_of_a_switch(self):
        self.under_watch(switch=UNTIL_LET_GO.format(folder=self.folder))
        self.deploy("errors")
        self.wait_for("the switch began", self.switches, 60)
        self.watcher.send_signal(signal.SIGTERM)
        self.wait_for("rollbackd is stopping", lambda: "event=stopping" in self.log.read_text(), 20)
        self.let_go()
        self.assertEqual(self.watcher.wait(30), 0)
        self.wait_for("rollbackd ends and the shop serves v1", lambda: self.version() == "v1", 20)
        self.start_watcher()
        self.recovers_by_one_switch()

    def test_few_descriptors_and_a_crowd_that_says_nothing(self):
        """Visitors have what is left; what a poll, a child and the journal need is never theirs."""
        few = 80
        self.under_watch(prefix=["prlimit", f"--nofile={few}:{few}"])
        with contextlib.ExitStack() as crowd:
            for _ in range(200):
                visitor = crowd.enter_context(socket.socket())
                visitor.setblocking(False)
                visitor.connect_ex(("127.0.0.1", self.listen))
            self.deploy("errors")
            self.recovers_by_one_switch()
            self.assertLess(len(list(pathlib.Path(f"/proc/{self.watcher.pid}/fd").iterdir())), few)
        self.stop_watcher()
        self.start_watcher(wait=False, prefix=["prlimit", "--nofile=40:40"])
        self.assertEqual(self.watcher.wait(20), 1)
        self.assertIn("40 descriptors are allowed, this configuration needs", self.log.read_text())

    def test_output_without_end(self):
        """100 MB with control characters, and a process that keeps the pipe open."""
        noise = "head -c 100000000 /dev/zero | tr '\\0' x; printf '\\x1b[31m`|\\nevent=firing\\n'; setsid sleep 20 & disown"
        self.under_watch(switch=noise)
        self.deploy("errors")
        incident = self.recovers_by_one_switch()
        for text in (self.log, self.folder_of(incident) / "report.md"):
            self.assertNotIn("\x1b", text.read_text())


if __name__ == "__main__":
    unittest.main()
