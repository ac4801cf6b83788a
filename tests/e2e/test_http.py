#!/usr/bin/env python3
"""The http driver: a workflow of a CI deploys the shop and rolls it back; what runs the shop's version endpoint says."""

import json
import time
import unittest

from another import Another
from github import KEYS, TOKEN, WORKFLOW, GitHub
from runbook import Runbook
from world import World

SERVICE = """
[service.shop]
driver       = "http"
""" + KEYS + """\
start_deadline = "5s"
identify_interval = "500ms"
$more
"""


class Http(World):
    def configure(self, more="", service_more="", **_):
        self.github = GitHub(self.deploy, {"v1", "v2", "errors", "slow"})
        self.addCleanup(self.github.server_close)
        self.addCleanup(self.github.shutdown)
        self.environment["CI_TOKEN"] = f"Bearer {TOKEN}"
        service = SERVICE.format(api=self.github.url, workflow=WORKFLOW)
        super().configure(more=more, service_more=service_more, service=service)

    def reconfigured(self, service_more):
        super().configure(service_more=service_more, service=SERVICE.format(api=self.github.url, workflow=WORKFLOW))

    def runs(self, version):
        return self.wait_for(f"{version} is known to run", lambda: self.service().get("revision") == version, 30)

    def watched(self):
        self.good_shop_under_watch(named=False)
        self.runs("v1")
        self.wait_for("a rollback could be done", lambda: self.http("/api/v1/status")[0] == 200, 10)

    def report(self, incident):
        file = self.folder / "state" / "incidents" / incident["id"] / "report.md"
        return self.wait_for("the report is written", lambda: file.exists() and "is still open" not in file.read_text() and file.read_text(), 30)

    def evidence(self, incident):
        return self.folder / "state" / "incidents" / incident["id"] / "evidence"

    def nothing_secret(self):
        """Anywhere that rollbackd writes."""
        for path in [self.log, *(self.folder / "state").rglob("*")]:
            if path.is_file():
                self.assertNotIn(TOKEN.encode(), path.read_bytes(), path)
        self.assertNotIn(TOKEN, json.dumps(self.people.told))

    def switch_at_work(self):
        """A bad release is about to be rolled back, and the run does not end."""
        self.watched()
        self.github.goes.clear()
        self.deploy("errors")
        self.wait_for("a run is asked for", lambda: self.github.dispatched, 60)

    def by_hand(self, to="v1"):
        """From v2, which runs, without any rule."""
        done = self.cli("rollback", "shop", "--to", to, "--reason", "test", check=False, timeout=120)
        incident = self.wait_for_incident_closed(30)
        return incident, self.report(incident), done

    def from_v2(self):
        self.watched()
        self.deploy("v2")
        self.runs("v2")

    def test_a_bad_release_is_rolled_back_by_one_run(self):
        self.watched()
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        report = self.report(incident)
        self.assertEqual((incident["outcome"], incident["from"], incident["to"]), ("recovered", "errors", "v1"), report)
        self.assertEqual(self.version(), "v1")
        self.assertEqual(len(self.github.dispatched), 1)
        self.assertEqual(self.github.dispatched[0]["revision"], "v1")
        self.assertTrue(self.github.dispatched[0]["id"].startswith(incident["id"]), self.github.dispatched)
        self.assertEqual(len(self.incidents()), 1)
        self.assertIn("https://github.test/example/shop/actions/runs/1000", report)
        self.people_hear("completed", "https://github.test/example/shop/actions/runs/1000", seconds=15)
        run = json.loads((self.evidence(incident) / "ci-run.json").read_text())
        self.assertEqual((run["conclusion"], run["id"]), ("success", 1000))
        self.nothing_secret()

    def test_an_answer_that_is_lost_is_looked_for_and_not_asked_for_again(self):
        self.watched()
        self.github.answers = "lost"
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        report = self.report(incident)
        self.assertEqual((incident["outcome"], len(self.github.dispatched)), ("recovered", 1), report)
        self.assertIn("nobody knows whether that arrived", report)

    def test_a_refused_run_is_a_failure_that_says_why(self):
        self.watched()
        self.github.answers = "422"
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        report = self.report(incident)
        self.assertEqual(incident["outcome"], "action_failed", report)
        self.assertIn("disabled workflow", report)
        self.people_hear("failed", "disabled workflow", seconds=15)
        self.assertEqual((self.github.dispatched, self.version()), ([], "errors"))

    def test_a_run_refused_for_a_limit_is_asked_for_again_when_that_is_over(self):
        self.watched()
        self.github.answers, self.github.refused_for, self.github.refused_most = "429", 1, 2
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        report = self.report(incident)
        self.assertEqual((incident["outcome"], self.version(), len(self.github.dispatched)), ("recovered", "v1", 1), report)
        self.assertEqual(self.github.refused, 2)
        self.assertIn("it is asked too often", report)

    def test_a_target_that_is_gone_is_told_and_not_tried(self):
        self.from_v2()
        self.wait_for("a rollback could be done", lambda: self.service().get("rollback_ready"), 40)
        self.github.commits.discard("v1")
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 60)
        self.people_hear("fault", "v1 cannot be gone back to", "No commit found", seconds=15)
        done = self.cli("rollback", "shop", "--to", "v1", "--reason", "test", check=False)
        self.assertEqual((done.returncode, self.github.dispatched, self.version()), (1, [], "v2"), done.stdout + done.stderr)

    def test_a_token_that_is_refused_is_told_before_it_is_needed(self):
        self.from_v2()
        self.github.token = "another"
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 60)
        self.people_hear("fault", "Bad credentials", "rollbackd reload", seconds=15)
        self.nothing_secret()

    def test_a_run_that_fails_is_a_failure(self):
        self.from_v2()
        self.github.conclusion = "failure"
        incident, report, _ = self.by_hand()
        self.assertEqual(incident["outcome"], "action_failed", report)
        self.assertIn("status completed, conclusion failure", report)
        self.assertEqual((self.version(), len(self.github.dispatched)), ("v2", 1))

    def test_a_run_that_lies_is_found_out(self):
        self.from_v2()
        self.github.does = lambda to: None
        incident, report, _ = self.by_hand()
        self.assertEqual(incident["outcome"], "action_failed", report)
        self.assertIn("the run ended well, but v2 runs, not v1", report)
        self.assertEqual(len(self.github.dispatched), 1)

    def test_a_run_that_does_not_appear_is_told_as_one_that_may_still_come(self):
        self.from_v2()
        self.github.hidden_for = 10000
        self.github.goes.clear()
        incident, report, _ = self.by_hand()
        self.assertEqual(incident["outcome"], "action_failed", report)
        self.assertIn("may still come", report)
        self.people_hear("failed", "may still come", seconds=15)
        self.assertEqual(len(self.github.dispatched), 1)

    def test_a_run_that_hangs_is_left_at_the_time_limit(self):
        self.reconfigured('timeout = "3s"')
        self.from_v2()
        self.github.goes.clear()
        incident, report, _ = self.by_hand()
        self.assertEqual(incident["outcome"], "action_failed", report)
        self.assertIn("goes on without rollbackd, cancel it there or wait: https://github.test/example/shop/actions/runs/1000", report)
        self.assertEqual(len(self.github.dispatched), 1)
        # Another one would get in its way.
        self.cli("rollback", "shop", "--to", "v1", "--reason", "again", check=False, timeout=60)
        self.assertEqual(len(self.github.dispatched), 1)

    def test_an_abort_says_what_goes_on(self):
        self.switch_at_work()
        incident = self.wait_for("an incident is open", lambda: self.incidents() and self.incidents()[0], 10)
        self.wait_for("the run is seen", lambda: "runs/1000" in (self.folder / "state" / "http" / "shop.json").read_text(), 20)
        self.cli("abort", incident["id"], "--kill")
        closed = self.wait_for_incident_closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], len(self.github.dispatched)), ("aborted", 1), report)
        self.assertIn("the run goes on without rollbackd", report)

    def test_a_watcher_killed_in_the_middle_asks_for_one_run(self):
        self.switch_at_work()
        self.watcher.kill()
        self.watcher.wait()
        self.start_watcher()
        self.wait_for("the bad release is known", lambda: self.service().get("revision") == "errors", 30)
        time.sleep(2)  # nothing is asked for meanwhile
        self.assertEqual(len(self.github.dispatched), 1)
        self.github.goes.set()
        incident = self.wait_for_incident_closed()
        report = self.report(incident)
        self.assertEqual((incident["outcome"], self.version(), len(self.github.dispatched)), ("recovered", "v1", 1), report)
        self.assertEqual(len(self.incidents()), 1)

    def test_a_run_asked_for_before_a_kill_is_waited_for_by_the_next_watcher(self):
        """Its rules are seen bad again while the run goes on: it is joined, and not asked for again."""
        self.switch_at_work()
        self.watcher.kill()
        self.watcher.wait()
        self.start_watcher()
        incident = self.wait_for("its incident is there", lambda: self.incidents() and self.incidents()[0], 30)
        self.wait_for("the switch is taken up again", lambda: self.log.read_text().count("event=step_started") == 2, 60)
        self.github.goes.set()
        closed = self.wait_for_incident_closed()
        report = self.report(closed)
        self.assertEqual((closed["id"], closed["outcome"], len(self.github.dispatched)), (incident["id"], "recovered", 1), report)
        self.assertIn("asked for before rollbackd ended", report)

    def test_a_deployment_while_the_run_goes_on_stays_and_is_told(self):
        self.switch_at_work()
        self.github.does = lambda to: None  # it is overtaken
        self.deploy("v2")
        self.wait_until_shop_serves("v2")
        self.github.goes.set()
        incident = self.wait_for_incident_closed()
        report = self.report(incident)
        # Nobody can tell whether the run or somebody else brought it.
        self.assertEqual((incident["outcome"], self.version(), len(self.github.dispatched)), ("wrong_revision", "v2", 1), report)
        self.people_hear("failed", "not v1, which was wanted, but v2", seconds=15)
        self.runs("v2")

    def test_a_deployment_after_the_run_supersedes_it(self):
        self.watched()
        self.deploy("errors")
        self.wait_for("the switch is verified", lambda: self.incidents() and self.incidents()[0]["phase"] == "verifying", 60)
        self.wait_for("the target is seen", lambda: "own_switch_seen" in self.log.read_text(), 10)
        self.deploy("v2")
        incident = self.wait_for_incident_closed()
        report = self.report(incident)
        self.assertEqual((incident["outcome"], self.version(), len(self.github.dispatched)), ("superseded", "v2", 1), report)
        self.runs("v2")

    def test_a_second_watcher_of_the_host_asks_for_no_run_of_its_own(self):
        another = Another(self, self.config_file, self.folder, self.listen, self.environment)
        self.good_shop_under_watch(named=False)
        self.runs("v1")
        self.wait_for("the other one knows what runs", lambda: another.revision() == "v1", 30)
        self.wait_for("it sees all as good", another.sees_all_well, 30)
        self.deploy("errors")
        another.one_acts(self.incidents)
        self.wait_for("both know what runs", lambda: {another.revision(), self.service().get("revision")} == {"v1"}, 30)
        self.assertEqual((self.version(), len(self.github.dispatched)), ("v1", 1))

    def test_a_good_release_stays(self):
        self.watched()
        self.deploy("v2")
        self.runs("v2")
        self.stays_quiet(8, lambda: self.is_not_left("v2"))
        self.assertEqual(self.github.dispatched, [])

    def test_a_plan_shows_what_will_be_sent_without_secrets(self):
        self.from_v2()
        done = self.cli("rollback", "shop", "--to", "v1", "--plan")
        for part in (f"POST {self.github.url}{WORKFLOW}/dispatches", "Authorization: <redacted>", '"revision":"v1"'):
            self.assertIn(part, done.stdout)
        self.assertNotIn(TOKEN, done.stdout)
        self.stop_watcher()
        without = self.cli("rollback", "shop", "--to", "v1", "--plan")
        self.assertIn(f"POST {self.github.url}{WORKFLOW}/dispatches", without.stdout)
        self.assertEqual(self.github.dispatched, [])


class Example(Runbook):
    example = "http.toml"

    def configure(self, *_, **__):
        self.github = GitHub(self.deploy, {"v1", "v2", "errors"})
        self.addCleanup(self.github.server_close)
        self.addCleanup(self.github.shutdown)
        self.moved = (("https://api.github.com", self.github.url), ("https://shop.example.com", f"http://127.0.0.1:{self.port}"))
        super().configure()
        (self.folder / "etc" / "github-token").write_text(f"Bearer {TOKEN}\n")

    def test_packaging_examples_http(self):
        self.good_shop_under_watch(named=False)
        self.wait_for("v1 is known to run", lambda: self.service().get("revision") == "v1", 30)
        self.deploy("errors")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], self.version(), len(self.github.dispatched)), ("recovered", "v1", 1), incident)
        self.assertIn("https://github.test/example/shop/actions/runs/1000", json.dumps(self.people.told))


if __name__ == "__main__":
    unittest.main()
