#!/usr/bin/env python3
"""What disturbs rollbackd while it watches and acts: reloads at once, a journal that somebody locks, a stop in the
middle of a switch, output without end. It goes on, and rolls back once."""

import signal
import sqlite3
import subprocess
import unittest

from world import ROLLBACKD, World

SERVICE = """
[service.shop]
identify = ["{folder}/identify"]
switch   = ["{folder}/switch", "{{to}}"]
start_deadline = "5s"
identify_interval = "1s"
{more}
"""


class Disturbed(World):
    def under_watch(self, identify="", switch=""):
        commands = {"identify": f"{identify}\nexec git -C {self.repository} rev-parse HEAD",
                    "switch": f"{switch}\ncd {self.repository}; git checkout -q $1; exec ./restart"}
        for name, text in commands.items():
            path = self.folder / name
            path.write_text(f"#!/bin/bash\n{text}\n")
            path.chmod(0o700)
        self.configure(service=SERVICE)
        self.good_shop_under_watch()

    def switches(self):
        return [line for line in self.log.read_text().splitlines() if "event=step_started" in line and "kind=switch" in line]

    def test_reloads_at_once(self):
        """Each waits for the looks that are under way; they must not wait for each other's."""
        self.under_watch(identify="sleep 1")
        words = [ROLLBACKD, "reload", "--config", self.config_file]
        reloads = [subprocess.Popen(words, stdout=subprocess.DEVNULL, env=self.environment) for _ in range(4)]
        for _ in range(4):
            self.watcher.send_signal(signal.SIGHUP)
        for reload in reloads:
            self.assertEqual(reload.wait(60), 0)
        self.deploy("errors")
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "recovered")
        self.assertEqual(self.stop_watcher(), 0)

    def test_journal_that_somebody_locks(self):
        """It asks instead of acting for as long as it lasts, and acts again afterwards."""
        self.under_watch()
        database = sqlite3.connect(self.folder / "state" / "rollbackd.db", isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        self.wait_for("it says that the journal cannot be written", lambda: self.status()["watcher"]["degraded"], 30)
        self.assertEqual(self.status()["watcher"]["mode"], "ask")
        database.execute("ROLLBACK")
        database.close()
        self.wait_for("it is well again", lambda: not self.status()["watcher"]["degraded"], 30)
        self.deploy("errors")
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "recovered")

    def test_stop_in_the_middle_of_a_switch(self):
        self.under_watch(switch="sleep 4")
        self.deploy("errors")
        self.wait_for("the switch began", self.switches, 60)
        self.assertEqual(self.stop_watcher(timeout=30), 0)
        self.wait_for("rollbackd ends and the shop serves v1", lambda: self.version() == "v1", 20)
        self.start_watcher()
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "recovered")
        self.assertEqual(len(self.switches()), 1)

    def test_output_without_end(self):
        """100 MB with control characters, and a process that keeps the pipe open."""
        noise = "head -c 100000000 /dev/zero | tr '\\0' x; printf '\\x1b[31m`|\\nevent=firing\\n'; setsid sleep 20 & disown"
        self.under_watch(switch=noise)
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        self.assertEqual(incident["outcome"], "recovered")
        for text in (self.log, self.folder_of(incident) / "report.md"):
            self.assertNotIn("\x1b", text.read_text())


if __name__ == "__main__":
    unittest.main()
