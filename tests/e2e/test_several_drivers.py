#!/usr/bin/env python3
"""A service with several drivers: git on the host, fast, and a workflow of a CI; a script that swaps, and git."""

import json
import os
import unittest

from github import KEYS, TOKEN, WORKFLOW, GitHub
from runbook import Runbook
from world import World

BOTH = """
[service.shop]
driver = ["git", "http"]
dir = "$repository"
start_deadline = "5s"
identify_interval = "500ms"
$more

[service.shop.git]
restart = ["$folder/fast-restart"]

[service.shop.http]
""" + KEYS + """\
"""

SCRIPT = """
[service.shop]
driver = ["command", "git"]
dir = "$repository"
start_deadline = "5s"
identify_interval = "500ms"

[service.shop.command]
ready  = ["$folder/could"]
switch = ["$folder/swap", "{{to}}"]

[service.shop.git]
restart = ["$repository/restart"]
"""

ARMED = """
[action.rollback]
[[action.rollback.step]]
run = ["touch", "{folder}/armed"]
[[action.rollback.step]]
switch = "last-good"
"""

GONE_MEANWHILE = """
[action.rollback]
[[action.rollback.step]]
run = ["rm", "{folder}/fast-restart"]
[[action.rollback.step]]
switch = "last-good"
"""


class Several(World):
    service_text = BOTH

    def configure(self, more="", **_):
        self.github = GitHub(self.deploy, {"v1", "v2", "errors"})
        self.addCleanup(self.github.server_close)
        self.addCleanup(self.github.shutdown)
        self.environment["CI_TOKEN"] = f"Bearer {TOKEN}"
        self.script("fast-restart", f'echo "$@" >> {self.folder}/restarts; exec {self.repository}/restart')
        super().configure(more=more, service=self.service_text.format(api=self.github.url, workflow=WORKFLOW))

    def script(self, name, lines):
        file = self.folder / name
        file.write_text(f"#!/bin/sh\n{lines}\n")
        file.chmod(0o755)
        return file

    def ready(self):
        """Each driver by its name: whether it could."""
        return {one["driver"]: one["ready"] for one in self.service().get("drivers", [])}

    def watched(self):
        self.good_shop_under_watch()
        self.wait_for("each could switch", lambda: self.ready() and all(self.ready().values()), 30)
        self.wait_for("what http calls v1 is known", lambda: '"v1"' in self.notes(), 30)

    def notes(self):
        file = self.folder / "state" / "drivers" / "shop.json"
        return file.read_text() if file.exists() else ""

    def ours(self):
        """What rollbackd moved HEAD for."""
        return [line for line in self.checkouts() if line.startswith("rollbackd")]

    def closed(self, outcome, seconds=90):
        incident = self.wait_for_incident_closed(seconds)
        report, _ = self.report_of(incident)
        self.assertEqual(incident["outcome"], outcome, report)
        self.assertEqual(len(self.incidents()), 1)
        return incident, report

    def went_by(self, git, http):
        """How often each has switched."""
        self.assertEqual((len(self.ours()), len(self.github.dispatched)), (git, http))

    def metric(self, driver):
        return f'rollbackd_driver_ready{{service="shop",driver="{driver}"}} '


class GitAndHttp(Several):
    def test_the_first_that_is_ready_does_it(self):
        self.watched()
        self.assertIn(self.metric("git") + "1", self.http("/metrics")[1])
        self.deploy("errors")
        _, report = self.closed("recovered")
        self.assertIn("by git", report)
        self.assertEqual(self.version(), "v1")
        self.went_by(git=1, http=0)

    def test_one_that_is_not_ready_is_told_and_passed_over(self):
        self.watched()
        (self.folder / "fast-restart").unlink()
        self.wait_for("git could not switch", lambda: self.ready() == {"git": False, "http": True}, 40)
        self.people_hear("fault", "would be rolled back by http only", "fast-restart", seconds=15)
        page = self.http("/metrics")[1]
        self.assertIn(self.metric("git") + "0", page)
        self.assertIn(self.metric("http") + "1", page)
        self.deploy("errors")
        incident, report = self.closed("recovered")
        self.assertEqual((incident["to"], self.version()), (self.revision("v1"), "v1"))
        self.went_by(git=0, http=1)
        self.assertEqual(self.github.dispatched[0]["revision"], "v1")  # what the CI calls it
        self.assertIn("by http, since git: ", report)
        self.assertNotIn(TOKEN, report)

    def test_one_that_is_ready_again_is_told(self):
        self.watched()
        script = (self.folder / "fast-restart").rename(self.folder / "kept")
        self.people_hear("fault", "would be rolled back by http only", seconds=60)
        script.rename(self.folder / "fast-restart")
        self.people_hear("fault", "each of its drivers could roll it back again", seconds=60)

    def test_a_slower_one_that_is_not_ready_is_told_as_well(self):
        self.watched()
        self.github.token = "another"
        self.people_hear("fault", "fewer drivers could roll it back", "Bad credentials", seconds=60)
        self.deploy("errors")
        self.closed("recovered")
        self.went_by(git=1, http=0)

    def test_when_neither_is_ready_nothing_is_switched(self):
        self.watched()
        (self.folder / "fast-restart").unlink()
        self.github.token = "another"
        self.wait_for("neither could switch", lambda: self.ready() == {"git": False, "http": False}, 60)
        self.people_hear("fault", "could not be rolled back", "fast-restart", "Bad credentials", seconds=15)
        self.deploy("errors")
        _, report = self.closed("action_failed")
        self.assertIn("Bad credentials", report)
        self.assertEqual(self.version(), "errors")
        self.went_by(git=0, http=0)

    def test_one_that_fails_after_it_has_changed_something_is_not_followed(self):
        self.watched()
        self.script("fast-restart", f"echo went >> {self.folder}/restarts; exit 1")
        self.deploy("errors")
        incident, report = self.closed("action_failed")
        self.assertIn("(by git)", report)
        self.assertEqual(len(self.ours()), 2, report)  # there, and back
        self.assertEqual(self.github.dispatched, [])
        self.people_hear("failed", "by git", seconds=15)
        self.assertEqual(incident["from"], self.revision("errors"))

    def test_a_plan_says_which_one_it_would_be_and_why(self):
        self.watched()
        self.deploy("v2")
        self.wait_for("v2 is known to run", lambda: self.service().get("revision") == self.revision("v2"), 30)
        by_git = self.cli("rollback", "shop", "--to", "v1", "--plan").stdout
        self.assertIn("goes by    git\nelse by    http\n", by_git)
        self.assertNotIn("sends", by_git)
        (self.folder / "fast-restart").unlink()
        self.wait_for("git could not switch", lambda: self.ready() == {"git": False, "http": True}, 40)
        self.assertTrue(self.service()["rollback_ready"])
        status = self.cli("status").stdout
        self.assertIn("ready, by http", status)
        self.assertIn("shop: git could not roll it back: ", status)
        by_http = self.cli("rollback", "shop", "--to", "v1", "--plan").stdout
        self.assertIn("not by     git: ", by_http)
        self.assertIn("goes by    http", by_http)
        self.assertIn('"revision":"v1"', by_http)
        self.stop_watcher()
        without = self.cli("rollback", "shop", "--to", "v1", "--plan").stdout
        self.assertIn("goes by    http", without)
        online = self.cli("check", "--online", check=False).stdout
        self.assertIn("http would switch it", online)
        self.assertIn("git could not switch it", online)
        self.went_by(git=0, http=0)


class Meanwhile(Several):
    def configure(self, **_):
        super().configure(more=GONE_MEANWHILE.format(folder=self.folder))

    def test_one_that_is_ready_until_just_before_is_passed_over(self):
        self.watched()
        self.deploy("errors")
        _, report = self.closed("recovered")
        self.assertEqual(self.version(), "v1")
        self.went_by(git=0, http=1)
        self.assertIn("by http, since git: ", report)


class Refused(Several):
    """The workflow is asked first. That it may begin a run only a run shows."""

    service_text = BOTH.replace('["git", "http"]', '["http", "git"]')

    def watched(self):
        self.good_shop_under_watch(named=False)
        self.wait_for("what runs is known", lambda: self.service().get("revision") == "v1", 30)
        self.wait_for("each could switch", lambda: self.ready() and all(self.ready().values()), 30)
        self.wait_for("what git calls v1 is known", lambda: self.revision("v1") in self.notes(), 60)

    def refused(self, status):
        self.watched()
        self.github.answers = status
        self.deploy("errors")
        _, report = self.closed("recovered")
        self.assertEqual(self.version(), "v1")
        self.went_by(git=1, http=0)
        self.assertIn("by git, since http: ", report)
        self.assertIn(f"answered {status}", report)

    def test_a_run_that_may_not_be_begun_is_followed_by_the_next(self):
        self.refused("401")

    def test_nobody_waits_for_a_limit_where_another_driver_is_there(self):
        self.github.refused_for = 60
        self.refused("429")


class Killed(Several):
    service_text = BOTH.replace("restart = [", 'build = ["$folder/build"]\nrestart = [')

    def configure(self, **_):
        self.script("build", f"if [ -e {self.folder}/hangs ]; then read go <{self.folder}/hangs; fi")
        super().configure()

    def dies_and_comes_back(self, begun):
        self.watcher.kill()
        self.watcher.wait()
        self.start_watcher()
        self.wait_for("the switch is taken up again", lambda: self.log.read_text().count("event=step_started") >= begun, 60)

    def test_the_one_that_had_begun_is_taken_up(self):
        self.watched()
        script = (self.folder / "fast-restart").rename(self.folder / "kept")
        self.github.goes.clear()
        self.deploy("errors")
        self.wait_for("a run is asked for", lambda: self.github.dispatched, 60)
        script.rename(self.folder / "fast-restart")  # the faster one could again
        self.dies_and_comes_back(2)
        self.github.goes.set()
        _, report = self.closed("recovered")
        self.assertIn("asked for before rollbackd ended", report)
        self.assertEqual(self.version(), "v1")
        self.went_by(git=0, http=1)

    def test_the_other_one_does_not_take_its_place(self):
        self.watched()
        os.mkfifo(self.folder / "hangs")
        go = os.open(self.folder / "hangs", os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, go)
        self.deploy("errors")
        self.wait_for("git has begun", lambda: self.ours(), 60)
        self.watcher.kill()
        self.watcher.wait()
        (self.folder / "fast-restart").unlink()  # it could not any more, and the other one could
        self.start_watcher()
        (self.folder / "hangs").unlink()
        os.write(go, b"go\n")
        _, report = self.closed("action_failed", 120)
        self.assertIn("(by git)", report)
        self.assertEqual(self.github.dispatched, [])


class ScriptAndGit(Several):
    service_text = SCRIPT

    def configure(self, **_):
        self.script("could", "exit 0")
        self.script("swap", f'git -C {self.repository} checkout -q "$1" && exec {self.repository}/restart')
        super().configure(more=ARMED.format(folder=self.folder))

    def watched(self):
        self.good_shop_under_watch()
        self.wait_for("each could switch", lambda: self.ready() == {"command": True, "git": True}, 30)

    def test_a_script_that_says_nothing_of_what_runs_does_it(self):
        self.watched()
        self.deploy("errors")
        incident, report = self.closed("recovered")
        self.assertEqual((incident["to"], self.version()), (self.revision("v1"), "v1"))
        self.assertIn("by command", report)
        self.assertEqual(self.ours(), [])

    def test_what_fails_before_it_begins_is_followed_by_the_next(self):
        self.watched()
        # It says that it could, and then it is not there.
        self.script("could", f"[ ! -e {self.folder}/armed ] || rm -f {self.folder}/swap")
        self.deploy("errors")
        _, report = self.closed("recovered")
        self.assertIn("by git, since command: ", report)
        self.assertEqual((self.version(), len(self.ours())), ("v1", 1))


class Example(Runbook):
    example = "several-drivers.toml"
    programs = {"systemctl": "exec $repository/restart\n"}

    def configure(self, *_, **__):
        self.github = GitHub(self.deploy, {"v1", "v2", "errors"})
        self.addCleanup(self.github.server_close)
        self.addCleanup(self.github.shutdown)
        self.moved = (("https://api.github.com", self.github.url),)
        super().configure()
        (self.folder / "etc" / "github-token").write_text(f"Bearer {TOKEN}\n")

    def test_packaging_examples_several_drivers(self):
        self.good_shop_under_watch()
        drivers = lambda: {one["driver"]: one["ready"] for one in self.service().get("drivers", [])}
        names = self.folder / "state" / "drivers" / "shop.json"
        self.wait_for("what the workflow calls v1 is known", lambda: names.exists() and '"v1"' in names.read_text(), 60)
        (self.folder / "bin" / "systemctl").write_text("#!/nowhere/sh\n")  # whatever else the host has by that name
        self.wait_for("it would go by the workflow", lambda: drivers() == {"git": False, "http": True}, 60)
        self.deploy("errors")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], self.version(), len(self.github.dispatched)), ("recovered", "v1", 1), incident)
        self.assertEqual(self.github.dispatched[0]["revision"], "v1")
        self.assertIn("by http, since git: ", self.report_of(incident)[0])
        self.assertIn("would be rolled back by http only", json.dumps(self.people.told))


if __name__ == "__main__":
    unittest.main()
