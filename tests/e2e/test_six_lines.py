"""The shortest configuration of the contract, with and without its last line, as a stranger would write it."""

import unittest

from world import World

SIX_LINES = """
[watcher]
name      = "$name"
state_dir = "$folder/state"
listen    = "127.0.0.1:$listen"
control   = "$folder/control.sock"

[service.shop]
health   = "http://127.0.0.1:$port/api/health"
metrics  = "http://127.0.0.1:$port/metrics"
rules    = ["error_rate > 5% for 3s", "p95 > 3000ms for 5m", "memory > 97% for 5m", "down for 2s"]
rollback = [$rollback]
"""
IDENTIFY = 'identify = ["git", "-C", "$repository", "rev-parse", "HEAD"]\n'


class SixLines(World):
    def configure_lines(self, *argv, identify):
        script = self.folder / "rollback.sh"
        script.write_text(f'#!/bin/sh\necho "to=[$ROLLBACKD_TO] from=[$ROLLBACKD_FROM]" >>{self.folder}/said\n'
                          f'cd {self.repository} && git checkout -q ${{1:-v1}} && exec ./restart\n')
        script.chmod(0o755)
        lines = SIX_LINES.replace("$rollback", ", ".join(f'"{word}"' for word in ("./rollback.sh", *argv)))
        self.configure(base=lines + (IDENTIFY if identify else ""), service="")

    def under_watch(self):
        self.deploy("v1")
        self.start_watcher()
        self.wait_for("it is up", lambda: ((self.status() or {}).get("probes") or {}).get("health", {}).get("up") == 1, 30)

    def said(self):
        path = self.folder / "said"
        return path.read_text().splitlines() if path.exists() else []

    def rule(self, part):
        rules = (self.status() or {}).get("rules") or {}
        return next((rule for name, rule in rules.items() if part in name), {})

    def test_it_goes_back_to_the_revision_that_was_good(self):
        self.configure_lines("{to}", identify=True)
        self.assertEqual(self.cli("check", "--json").returncode, 0)
        self.under_watch()
        self.wait_for("ready", lambda: self.service().get("revision") == self.revision("v1"), 30)
        self.visitors()
        self.deploy("errors")
        incident = self.wait_for_incident_closed(240)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"))
        self.assertEqual(self.said(), [f"to=[{self.revision('v1')}] from=[{self.revision('errors')}]"])

    def test_without_an_identity_it_acts_once_and_says_so(self):
        self.configure_lines(identify=False)
        self.under_watch()
        self.assertTrue(self.service()["rollback_ready"])
        self.deploy("crash")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"))
        # A revision that nobody reads is named nowhere.
        self.assertEqual(self.said(), ["to=[] from=[]"])
        # The report follows the incident; it is written again after it is closed.
        report = self.folder / "state" / "incidents" / incident["id"] / "report.md"
        self.wait_for("the report of the closed incident", lambda: "recovered" in report.read_text().partition("\n")[0], 30)
        self.assertIn("the rules alone say so", report.read_text())
        self.assertIn("fused", self.service()["flags"])
        # Not a second time by itself, and people are told.
        self.deploy("crash")
        self.wait_for("a second incident is closed", lambda: len(self.incidents()) == 2 and self.incidents()[0]["outcome"], 120)
        self.assertEqual(self.incidents()[0]["outcome"], "fused")
        self.assertEqual(len(self.said()), 1)

    def test_a_revision_in_its_command_is_refused_without_an_identity(self):
        for word in ("{to}", "--from={from}"):
            self.configure_lines(word, identify=False)
            checked = self.cli("check", check=False)
            self.assertEqual(checked.returncode, 1)
            self.assertIn("identify", checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
