#!/usr/bin/env python3
"""Deploys each bad release under load and watches rollbackd bring back the good one."""

import json
import unittest

from world import World


class BadReleases(World):
    def brings_back_v1(self, bad, rule, seconds=90):
        switches_before = len(self.checkouts())
        self.deploy(bad)
        incident = self.wait_for_incident_closed(seconds)
        self.assertEqual(incident["outcome"], "recovered", incident)
        self.assertEqual(incident["service"], "shop")
        self.assertEqual(incident["rule"], rule)
        self.assertEqual(incident["from"], self.revision(bad))
        self.assertEqual(incident["to"], self.revision("v1"))
        self.assertEqual(self.version(), "v1")
        self.assertEqual(len(self.incidents()), 1)
        # One checkout was ours, the other rollbackd's.
        self.assertEqual(len(self.checkouts()) - switches_before, 2, self.checkouts())
        self.written_down(incident, bad, rule)
        self.people_were_told(rule)
        return incident

    def written_down(self, incident, bad, rule):
        report, decision = self.report_of(incident)
        for word in (rule, self.revision(bad)[:12], self.revision("v1")[:12], "recovered"):
            self.assertIn(word, report)
        self.assertIn("recovered", json.dumps(decision))

    def people_were_told(self, rule):
        def stages():
            return [told.get("stage") for told in self.people.told]
        self.wait_for("people were told of the end", lambda: "completed" in stages(), 15)
        self.assertIn("started", stages())
        self.assertLess(stages().index("started"), stages().index("completed"))
        self.assertIn(rule, json.dumps(self.people.told[stages().index("started")]))

    def test_errors(self):
        self.good_shop_under_watch()
        self.brings_back_v1("errors", "errors")

    def test_slow(self):
        self.good_shop_under_watch()
        self.brings_back_v1("slow", "slow")

    def test_memory(self):
        self.good_shop_under_watch()
        self.brings_back_v1("memory", "memory")

    def test_crash(self):
        self.good_shop_under_watch()
        self.brings_back_v1("crash", "down")

    def test_slow_start(self):
        """Takes 40 s, where the service's start deadline allows 5."""
        self.good_shop_under_watch()
        self.brings_back_v1("slow_start", "down")

    def test_no_metrics(self):
        """An expectation on the metrics page makes its absence evidence."""
        page = f"""
[probe.page]
type     = "http"
url      = "http://127.0.0.1:{self.port}/metrics"
interval = "200ms"
max_gap  = "2s"
expect.status = 200
[rule.metrics-gone]
when = "page.up == 0"
for  = "3s"
"""
        self.configure(more=page)
        self.good_shop_under_watch()
        self.brings_back_v1("no_metrics", "metrics-gone")

    def test_a_journey_that_was_never_up_since_the_deployment(self):
        """Health is up, so nothing is warming up any more: the journey is down, and is not given the time to start."""
        self.start_deadline = "10m"
        self.configure(more=f"""
[probe.journey]
type     = "http"
url      = "http://127.0.0.1:{self.port}/api/version"
interval = "200ms"
max_gap  = "2s"
expect.json = {{ "/version" = "v1" }}
[rule.journey]
when = "journey.up == 0"
for  = "3s"
severity = "P0"
""")
        self.good_shop_under_watch()
        self.brings_back_v1("v2", "journey")

    def test_errors_after_a_deploy_mark(self):
        """A deploy script says so: nothing has to be noticed first."""
        self.good_shop_under_watch()
        self.cli("deploy", "begin", "--service", "shop")
        self.deploy("errors")
        self.cli("deploy", "end", "--service", "shop")
        incident = self.wait_for_incident_closed(90)
        self.assertEqual(incident["outcome"], "recovered", incident)
        self.assertEqual(self.version(), "v1")
        self.times_are_written_down(incident)

    def times_are_written_down(self, incident):
        """Of the incident and of the deployment, which was said to begin and to end."""
        report, decision = self.report_of(incident)
        times = decision["times"]
        names = ("deploy", "first_bad_sample", "detection", "decision", "switch", "recovery")
        moments = [times[name]["at"] for name in names]
        self.assertNotIn(None, moments, times)
        self.assertEqual(moments, sorted(moments))
        self.assertGreaterEqual(times["detection"]["after_seconds"], 2.9)  # the rule's `for`
        total = sum(times[name]["after_seconds"] for name in names[1:])
        self.assertLessEqual(times["downtime_seconds"], total)
        self.assertGreaterEqual(times["downtime_seconds"], 2.9)
        self.assertGreater(times["requests_failed"], 10)
        self.assertLess(times["requests_failed"], times["requests"])
        for words in ("## Times (UTC)", "| downtime in total |", " after deploy |", "| requests that failed |"):
            self.assertIn(words, report)
        shown = self.cli("incidents", str(incident["id"])).stdout
        self.assertRegex(shown, "requests that failed:? +[0-9]+ of [0-9]+")
        self.assertIn(" after first bad sample", shown)
        self.assertEqual(json.loads(self.cli("incidents", str(incident["id"]), "--json").stdout)["times"], times)
        deploys = {one["revision"]: one for one in json.loads(self.cli("deploys", "--json").stdout)["deploys"]}
        self.assertEqual(deploys[self.revision("errors")]["deploy_began"][:19], times["deploy"]["at"][:19])
        self.assertGreater(deploys[self.revision("errors")]["deploy_seconds"], 0)
        self.assertIsNone(deploys[self.revision("v1")]["deploy_began"])
        self.assertIn("DEPLOY BEGAN", self.cli("deploys").stdout)

    def test_what_is_looked_at_when_it_is_over(self):
        """It is told and appended to the report, survives a restart, and ends with a newer release."""
        self.configure("""
[action.rollback]
[[action.rollback.step]]
switch = "last-good"
[[action.rollback.later]]
after = "2s"
when = "error_rate < 5%"
[[action.rollback.later]]
after = "1h"
when = "health.up == 1"
text = "look at the queue"
""")
        self.good_shop_under_watch()
        self.deploy("errors")
        incident = self.wait_for_incident_closed(90)
        self.assertEqual(incident["outcome"], "recovered", incident)
        self.people_hear("completed", "2s after it recovered: error_rate < 5% holds", seconds=20)
        waiting = self.service()["later"]
        self.assertEqual([one["text"] for one in waiting], ["look at the queue"])
        self.assertIn("look at the queue", self.cli("status").stdout)
        report = self.folder_of(incident) / "report.md"
        self.wait_for("the report has what was seen", lambda: "| holds at " in report.read_text(), 20)
        self.assertIn("look at the queue", report.read_text())
        self.assertEqual(self.stop_watcher(), 0)
        self.start_watcher()
        self.assertEqual(self.service()["later"], waiting)
        self.deploy("v2")
        self.people_hear("completed", "health.up == 1 is not looked at any more: another release runs", seconds=40)
        self.assertEqual(self.service()["later"], [])
        self.assertEqual(len([told for told in self.people.told if "2s after it recovered" in json.dumps(told)]), 1)
        ends = [one["end"] for one in json.loads(self.cli("incidents", str(incident["id"]), "--json").stdout)["later"]]
        self.assertEqual(ends, ["holds", "not_looked_at"])
        self.assertEqual(len(self.incidents()), 1)

    def test_local_changes_are_stashed_and_named_and_what_is_untracked_stays(self):
        self.good_shop_under_watch()
        uploaded = self.repository / "uploads" / "cat.jpg"
        uploaded.parent.mkdir()
        uploaded.write_text("a cat")
        self.deploy("errors")
        (self.repository / "build").write_text((self.repository / "build").read_text() + "# by hand, at night\n")
        incident = self.wait_for_incident_closed(90)
        self.assertEqual(incident["outcome"], "recovered", incident)
        self.assertEqual(self.version(), "v1")
        import subprocess
        stashed = subprocess.run(["git", "-C", self.repository, "stash", "show", "-p"], capture_output=True, text=True)
        self.assertIn("# by hand, at night", stashed.stdout)
        self.assertIn("stash", self.report_of(incident)[0])
        self.assertEqual(uploaded.read_text(), "a cat")

    def test_the_short_form(self):
        """Six lines of configuration, and the default action."""
        short = """
[watcher]
state_dir = "$folder/state"
listen    = "127.0.0.1:$listen"
control   = "$folder/control.sock"
[service.shop]
health   = "http://127.0.0.1:$port/api/health"
metrics  = "http://127.0.0.1:$port/metrics"
rules    = ["down for 5s", "p95 > 3000ms for 5m", "memory > 99.9% for 5m"]
rollback = ["$repository/roll_back", "{to}"]
identify = ["git", "-C", "$repository", "rev-parse", "HEAD"]
start_deadline = "5s"
identify_interval = "1s"
"""
        script = self.repository / "roll_back"
        script.write_text('#!/bin/bash\ncd "$(dirname "$0")" && git checkout -q "$1" && ./restart\n')
        script.chmod(0o700)
        self.configure(base=short, service="")
        self.deploy("v1")
        self.wait_until_shop_serves("v1")
        self.visitors()
        self.start_watcher()
        self.wait_for("the running revision is known", lambda: self.service().get("revision") == self.revision("v1"), 30)
        self.wait_for("the shop is seen up", lambda: self.status()["probes"]["health"]["up"] == 1, 20)
        self.deploy("crash")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual(incident["outcome"], "recovered", incident)
        self.assertEqual(self.version(), "v1")


if __name__ == "__main__":
    unittest.main()
