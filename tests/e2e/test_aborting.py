#!/usr/bin/env python3
"""A person aborts what changes what runs."""

import os
import subprocess
import unittest

from world import SERVICE, World


class Aborting(World):
    def slow_restart_begins(self):
        """A rollback by hand, whose restart has stopped the shop and has not started it yet."""
        script, pipe = self.folder / "restart-slowly", self.folder / "go"
        os.mkfifo(pipe)
        self.go = os.open(pipe, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, self.go)
        script.write_text(f"#!/bin/sh\ncd {self.repository} || exit\n./stop\ntouch {self.folder}/stopped\n"
                          f"[ -e {self.folder}/quick ] || read go <{pipe}\ntouch {self.folder}/quick\nexec ./start\n")
        script.chmod(0o755)
        self.configure(service=SERVICE.replace('"$repository/restart"', f'"{script}"'))
        self.good_shop_under_watch()
        self.deploy("v2", mark=True)
        self.wait_for("v2 is known to run", lambda: self.service().get("revision") == self.revision("v2"), 40)
        self.cli("rollback", "shop", "--no-wait")
        self.wait_for("the shop is stopped", (self.folder / "stopped").exists, 30)
        return self.wait_for("an incident", lambda: self.incidents() and self.incidents()[0]["id"], 10)

    def test_an_abort_leaves_nothing_stopped(self):
        incident = self.slow_restart_begins()
        told = self.cli("abort", incident).stdout
        self.assertIn("finished first: switch", told)
        self.assertIn(f"rollbackd abort --kill {incident}", told)
        self.assertIn("is aborted already", self.cli("abort", incident, check=False).stderr)
        os.write(self.go, b"go\n")
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "aborted")
        self.wait_until_shop_serves("v1")

    def test_an_abort_that_kills_brings_back_what_ran(self):
        incident = self.slow_restart_begins()
        (self.folder / "quick").touch()
        self.cli("abort", "--kill", incident)
        closed = self.wait_for_incident_closed()
        self.assertEqual(closed["outcome"], "aborted")
        self.wait_until_shop_serves("v2")
        self.assertEqual(subprocess.run(["git", "-C", self.repository, "rev-parse", "HEAD"], check=True, capture_output=True,
                                        text=True).stdout.strip(), self.revision("v2"))
        self.assertIn("is checked out again, built and restarted", self.cli("incidents", incident).stdout)


if __name__ == "__main__":
    unittest.main()
