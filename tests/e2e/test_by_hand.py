#!/usr/bin/env python3
"""What a person asks for on the command line."""

import contextlib
import fcntl
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import unittest

from world import ROLLBACKD, World


class ByHand(World):
    def adopt_v1_then_v2(self):
        self.good_shop_under_watch()
        self.deploy("v2", mark=True)
        self.wait_for("v2 is known to run", lambda: self.service().get("revision") == self.revision("v2"), 40)

    def tells_each_step_once(self, told, screen=False):
        """What `rollback` printed, the folder's own plan being one switch."""
        switched = rf"  1\. switch {self.revision('v1')} \.\.\. ok, [0-9.]+m?s\n"
        live = r"(\x1b\[Krunning, [0-9]+s\x1b\[[0-9]+D)*\x1b\[K"
        if screen:
            switched = switched.replace("ok", live + "ok")
        self.assertRegex(told, r"\Aincident .* opened, target .*\n(it goes on .*\n)?steps:\n" + switched +
                         r"verifying what runs now, at most until .*\noutcome: recovered  .*\nreport: .*/report\.md\n\Z")

    def test_rollback_with_a_watcher(self):
        self.adopt_v1_then_v2()
        told = self.cli("rollback", "shop", "--reason", "the prices are wrong", timeout=120).stdout
        self.tells_each_step_once(told)
        self.wait_until_shop_serves("v1")
        incident = self.wait_for_incident_closed(90)
        self.assertEqual(incident["outcome"], "recovered")
        self.assertIn("the prices are wrong", self.report_of(incident)[0])

    def test_rollback_on_a_terminal(self):
        """The line of a step that runs is rewritten there; in a pipe (above) nothing is."""
        self.adopt_v1_then_v2()
        script = self.folder / "typescript"
        command = f"{ROLLBACKD} rollback shop --config {self.config_file}"
        done = subprocess.run(["script", "-qec", command, script], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, env=self.environment)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.tells_each_step_once(done.stdout.replace("\r\n", "\n"), screen=True)
        self.assertIn("rollbackd abort", done.stdout)

    def test_a_rollback_in_a_deployment_says_what_it_waits_for_and_goes_on_at_its_end(self):
        self.adopt_v1_then_v2()
        self.cli("deploy", "begin", "--service", "shop")
        told = self.folder / "told"
        with told.open("w") as out:
            process = subprocess.Popen([ROLLBACKD, "rollback", "shop", "--config", self.config_file], stdout=out, env=self.environment)
        self.processes.append(process)
        self.wait_for("it is said what is waited for", lambda: "waiting: a deployment is under way, which `rollbackd deploy end "
                      "--service shop` ends, or time at 20" in told.read_text(), 10)
        status = self.cli("status").stdout
        self.assertIn("`rollbackd deploy end --service shop`", status)
        self.assertNotIn("rollback shop acts now", status)
        self.cli("deploy", "end", "--service", "shop")
        # The host's lock is tried for again after 5 s only.
        self.wait_for("the switch begins", lambda: "switch " in told.read_text().split("waiting: ")[1], 3)
        self.assertEqual(process.wait(60), 0, told.read_text())

    def test_a_rollback_without_a_watcher_hears_that_a_deployment_has_ended(self):
        self.adopt_v1_then_v2()
        self.cli("deploy", "begin", "--service", "shop")
        self.stop_watcher()
        told = self.folder / "told"
        with told.open("w") as out:
            process = subprocess.Popen([ROLLBACKD, "rollback", "shop", "--config", self.config_file], stdout=out, env=self.environment)
        self.processes.append(process)
        self.watcher = None
        self.wait_for("it is said what is waited for", lambda: "waiting: a deployment is under way" in told.read_text(), 20)
        self.cli("deploy", "end", "--service", "shop")
        self.wait_for("the switch begins", lambda: "switch " in told.read_text().split("waiting: ")[1], 5)
        self.assertEqual(process.wait(60), 0, told.read_text())

    def fails_at_the_second_step(self, stops):
        self.configure(f"""
[action.rollback]
[[action.rollback.step]]
run = ["/bin/true"]
[[action.rollback.step]]
run = ["/bin/sh", "-c", "echo no room; exit 4"]
on_failure = "abort"
[[action.rollback.step]]
switch = "last-good"
""")
        self.adopt_v1_then_v2()
        if stops:
            self.assertEqual(self.stop_watcher(), 0)
        failed = self.cli("rollback", "shop", check=False, timeout=120)
        self.assertEqual(failed.returncode, 1, failed.stdout)
        self.assertRegex(failed.stdout, r"steps:\n  1\. run .* \.\.\. ok, .*\n  2\. run .* \.\.\. failed, .*: .*4.*\noutcome: action_failed")
        self.assertNotIn("3. ", failed.stdout)

    def test_a_rollback_that_fails_says_at_which_step(self):
        self.fails_at_the_second_step(stops=False)

    def test_a_rollback_without_a_watcher_that_fails_says_at_which_step(self):
        self.fails_at_the_second_step(stops=True)

    def test_names_as_people_have_them(self):
        """A tag, the digits that are printed, and what is neither: that is refused before anything is done."""
        self.adopt_v1_then_v2()
        for word in ("v1.0", "0123456789ab"):
            refused = self.cli("rollback", "shop", "--to", word, check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(f"{word} is no commit in {self.repository}", refused.stderr)
        self.assertEqual(json.loads(self.cli("incidents", "--json").stdout)["incidents"], [])
        self.cli("rollback", "shop", "--to", "v1", timeout=120)
        self.assertEqual(self.version(), "v1")
        self.assertEqual(self.wait_for_incident_closed()["to"], self.revision("v1"))
        self.cli("deploy", "good", self.revision("v2")[:12])
        self.cli("rollback", "shop", "--to", self.revision("v2")[:12], timeout=120)
        self.assertEqual(self.version(), "v2")
        self.assertEqual(self.stop_watcher(), 0)
        self.assertEqual(self.cli("rollback", "shop", "--to", "v1.0", check=False).returncode, 1)
        self.cli("rollback", "shop", "--to", "v1", "--force", timeout=120)  # it was left for v2, and so is quarantined
        self.assertEqual(self.version(), "v1")

    def test_a_tag_that_never_ran_is_the_first_target(self):
        self.checkout("v2")
        subprocess.run([self.repository / "restart"], check=True)
        self.visitors()
        self.start_watcher()
        self.wait_for("v2 is known to run", lambda: self.service().get("revision") == self.revision("v2"), 40)
        self.assertEqual(self.cli("rollback", "shop", check=False).returncode, 1)
        self.cli("deploy", "good", "v1")
        self.assertEqual(self.service()["last_good"], self.revision("v1"))
        self.assertIn("never", self.cli("deploys").stdout)
        self.cli("rollback", "shop", timeout=120)
        self.assertEqual(self.version(), "v1")

    def test_a_plan_names_a_tag(self):
        """It is the commit that is recorded and switched to; a name that is none is told before it is needed."""
        plan = '[action.rollback]\n[[action.rollback.step]]\nswitch = "v1.0"\n'
        self.configure(plan)
        self.good_shop_under_watch("v2")
        self.wait_for("it is known that the plan could not switch", lambda: self.service().get("rollback_ready") is False, 30)
        self.assertIn("v1.0 is no commit", self.service()["not_ready_reason"])
        self.assertEqual(self.cli("rollback", "shop", check=False).returncode, 1)
        self.assertEqual(self.incidents(), [])
        subprocess.run(["git", "-C", self.repository, "tag", "v1.0", "v1"], check=True)
        self.wait_for("it is known that it could", lambda: self.service().get("rollback_ready"), 30)
        self.deploy("errors")
        incident = self.wait_for_incident_closed(90)
        self.assertEqual(incident["outcome"], "recovered")
        self.assertEqual(incident["to"], self.revision("v1"))
        self.assertEqual(self.version(), "v1")

    def restoring(self):
        """A rule whose name comes first restores the database from the backup of the deployment."""
        script = self.folder / "restore"
        script.write_text(f'#!/bin/sh\necho "$ROLLBACKD_BACKUP" >> {self.folder}/restored\n')
        script.chmod(0o755)
        self.configure(f"""
[rule.corrupt]
when = "error_rate > 90%"
for = "3s"
respond = ["restore"]
[action.restore]
undoes = ["code", "data"]
[[action.restore.step]]
run = ["{script}"]
[[action.restore.step]]
switch = "at-backup"
""")
        return self.folder / "restored"

    def test_a_backup_that_is_said_late_is_rolled_back_with(self):
        """An incident that ended for want of it is looked at again by itself, at once."""
        script, restored = self.folder / "restore", self.folder / "restored"
        script.write_text(f'#!/bin/sh\necho "$ROLLBACKD_BACKUP" >> {restored}\n')
        script.chmod(0o755)
        self.configure(f"""
[action.rollback]
[[action.rollback.step]]
run = ["{script}"]
[[action.rollback.step]]
switch = "at-backup"
""")
        self.good_shop_under_watch()
        self.deploy("errors")
        incident = self.wait_for_incident_closed(90)
        self.assertEqual(incident["outcome"], "no_target", incident)
        self.assertEqual(self.version(), "errors")
        self.cli("deploy", "mark", self.revision("errors"), "--service", "shop", "--backup", "/backups/before.dump")
        self.wait_until_shop_serves("v1", 60)
        self.assertEqual(restored.read_text(), "/backups/before.dump\n")
        self.wait_for("it has ended", lambda: self.incidents()[0]["outcome"] == "recovered", 60)
        self.assertEqual(len(self.incidents()), 2)

    def test_what_loses_data_is_named_shown_and_agreed_to(self):
        restored = self.restoring()
        self.adopt_v1_then_v2()
        plan = self.cli("rollback", "shop", "--plan").stdout
        self.assertIn("action     rollback", plan)
        self.assertIn(self.revision("v1"), plan)
        self.assertIn("takes back", plan)
        refused = self.cli("rollback", "shop", "--action", "restore", "--yes", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no backup is known", refused.stderr)
        self.cli("deploy", "mark", "--backup", "/backups/before-v2.dump")
        unsaid = self.cli("rollback", "shop", "--action", "restore", check=False)
        self.assertEqual(unsaid.returncode, 2)
        self.assertIn("loses      it undoes data", unsaid.stderr)
        self.assertEqual(self.incidents(), [])
        self.assertFalse(restored.exists())
        self.assertEqual(self.stop_watcher(), 0)
        alone = self.cli("rollback", "shop", "--plan", "--action", "restore").stdout
        self.assertIn("goes to    " + self.revision("v1"), alone)
        self.assertEqual(self.cli("rollback", "shop", "--action", "restore", check=False).returncode, 2)
        self.assertFalse(restored.exists())
        self.cli("rollback", "shop", "--action", "restore", "--yes", timeout=120)
        self.assertEqual(restored.read_text(), "/backups/before-v2.dump\n")
        self.assertEqual(self.version(), "v1")

    def test_a_plan_says_at_once_what_is_in_its_way(self):
        self.adopt_v1_then_v2()
        lock = self.repository / ".git/index.lock"
        lock.touch()
        os.utime(lock, (0, 0))  # a young one is a git that works
        self.assertIn("index.lock", self.cli("rollback", "shop", "--plan", check=False).stdout)
        lock.unlink()
        self.assertNotIn("index.lock", self.cli("rollback", "shop", "--plan").stdout)

    def test_a_hotfix_that_must_not_be_rolled_back_is_not(self):
        """What is said at its end is not said of the release that came shortly before it."""
        self.adopt_v1_then_v2()
        self.cli("deploy", "begin", "--service", "shop")
        self.deploy("errors")
        self.assertEqual(self.cli("deploy", "end", "--service", "shop", "--rollback", "forbidden").stdout, "noted\n")
        self.wait_for("people are told", lambda: [i for i in self.incidents() if i["rule"] == "errors"], 60)
        self.wait_for("why nothing is done is shown", lambda: "its deploy mark forbids" in self.cli("status").stdout, 10)
        self.assertEqual(self.version(), "errors")
        policies = {one["revision"]: one["rollback"] for one in json.loads(self.cli("deploys", "--json").stdout)["deploys"]}
        self.assertEqual(policies[self.revision("v2")], "auto")
        self.assertEqual(policies[self.revision("errors")], "forbidden")

    def test_a_rule_that_restores_does_not_change_what_rollback_does(self):
        restored = self.restoring()
        self.adopt_v1_then_v2()
        self.cli("rollback", "shop", "--reason", "prices are wrong", timeout=120)
        self.assertEqual(self.version(), "v1")
        self.assertFalse(restored.exists())

    def test_rollback_without_a_watcher(self):
        self.adopt_v1_then_v2()
        self.assertEqual(self.stop_watcher(), 0)
        told = self.cli("rollback", "shop", timeout=120).stdout
        self.assertEqual(self.version(), "v1")
        self.tells_each_step_once(told)
        report = told.split("report: ")[1].strip()
        self.assertIn(self.revision("v1"), pathlib.Path(report).read_text())

    def stopped_in(self, number, begun):
        """`rollback` without a watcher gets the signal once `begun` says so. What it printed."""
        heard = self.folder / "heard"
        with heard.open("w") as out:
            process = subprocess.Popen([ROLLBACKD, "rollback", "shop", "--config", self.config_file], stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=out, env=self.environment, start_new_session=True)
        self.processes.append(process)
        self.wait_for("it has begun and ends", begun, 20)
        process.send_signal(number)
        self.wait_for("it says so and ends", lambda: "stopping" in heard.read_text() or process.poll() is not None, 15)
        os.write(self.go, b"go\n")  # the step may end
        self.assertEqual(process.wait(15), 1, heard.read_text())
        self.assertEqual(self.version(), "v2")
        self.assertIn("goes on with incident", heard.read_text())
        return heard.read_text()

    def two_steps(self):
        os.mkfifo(self.folder / "go")
        self.go = os.open(self.folder / "go", os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, self.go)
        self.configure(f"""
[action.rollback]
[[action.rollback.step]]
run = ["/bin/sh", "-c", "echo begun >> {self.folder}/steps; read go <{self.folder}/go; echo ended >> {self.folder}/steps"]
[[action.rollback.step]]
switch = "last-good"
""")
        self.adopt_v1_then_v2()
        self.assertEqual(self.stop_watcher(), 0)
        return self.folder / "steps"

    def test_a_rollback_without_a_watcher_is_stopped_and_goes_on(self):
        """The step in flight ends as it began, nothing more begins, and the next start, of either kind, goes on."""
        steps = self.two_steps()
        told = self.stopped_in(signal.SIGINT, lambda: steps.exists())
        self.assertIn("stopping: the step that runs ends first", told)
        self.assertEqual(steps.read_text(), "begun\nended\n")
        again = self.cli("rollback", "shop", timeout=120).stdout
        self.assertRegex(again, r"incident .* goes on\n(.*\n)*outcome: recovered")
        self.assertEqual(self.version(), "v1")
        self.assertEqual(steps.read_text(), "begun\nended\n")

    def test_a_rollback_without_a_watcher_that_was_stopped_goes_on_under_the_next_one(self):
        steps = self.two_steps()
        self.stopped_in(signal.SIGTERM, lambda: steps.exists())
        self.start_watcher()
        self.wait_until_shop_serves("v1")
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "recovered")
        self.assertEqual(steps.read_text(), "begun\nended\n")

    def test_a_rollback_without_a_watcher_is_stopped_while_another_has_the_host(self):
        steps = self.two_steps()
        for number in (signal.SIGINT, signal.SIGTERM):
            with (self.folder / "host.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                told = self.stopped_in(number, lambda: "opened" in (self.folder / "heard").read_text()
                                       or "goes on" in (self.folder / "heard").read_text())
            self.assertFalse(steps.exists(), told)
        self.cli("rollback", "shop", timeout=120)
        self.assertEqual(self.version(), "v1")

    def counted(self):
        """What the fuse will count, read by another process."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / 'state' / 'rollbackd.db'}?mode=ro", uri=True)) as database:
            uses = [json.loads(record) for record, in database.execute("SELECT record FROM fuse")]
        return [use["use"] for use in uses if not use["undone"]]

    def test_what_changed_nothing_is_not_counted(self):
        """A lock that another git left is in the way: with a watcher, without one, and then with a build that fails."""
        self.adopt_v1_then_v2()
        lock = self.repository / ".git" / "index.lock"
        lock.touch()
        failed = self.cli("rollback", "shop", check=False, timeout=120)
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "action_failed")
        self.assertEqual(self.counted(), [])
        self.assertEqual(self.stop_watcher(), 0)
        self.assertEqual(self.cli("rollback", "shop", check=False, timeout=120).returncode, 1)
        self.assertEqual(self.counted(), [])
        lock.unlink()
        build = self.repository / "build"
        good = build.read_text()
        build.unlink()
        subprocess.run(["git", "-C", self.repository, "update-index", "--assume-unchanged", "build"], check=True)
        self.assertEqual(self.cli("rollback", "shop", check=False, timeout=120).returncode, 1)
        self.assertEqual(self.revision("HEAD"), self.revision("v2"))
        self.assertEqual(self.counted(), [])
        build.write_text(good)
        build.chmod(0o755)
        self.cli("rollback", "shop", timeout=120)
        self.assertEqual(self.version(), "v1")
        self.assertEqual(sorted(self.counted()), ["by_hand", "switched"])

    def everything(self):
        """The tree with what git does not track or ignores, the index, HEAD and the branch; but not what a restart writes."""
        lines = subprocess.run(
            "find . \\( -name .git -o -name run -o -name __pycache__ \\) -prune -o -printf '%p %y %m %l\\n' "
            "-type f -exec sha1sum {} + | sort; git ls-files -v --stage; git status --porcelain --ignored; git rev-parse HEAD; "
            "git branch --show-current", shell=True, cwd=self.repository, check=True, capture_output=True, text=True).stdout
        return lines

    def fails_and_leaves_everything(self, *words):
        before = self.everything()
        failed = self.cli("rollback", "shop", check=False, timeout=120)
        self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
        self.assertEqual(self.everything(), before)
        report = self.report_of(self.incidents()[0])[0].replace("\\", "")
        for word in words:
            self.assertIn(word, report)
        self.wait_for("what ran before is seen to run", lambda: self.service().get("revision") == self.revision("v2"), 30)
        self.wait_until_shop_serves("v2")

    def test_a_switch_that_fails_leaves_everything_as_it_was(self):
        """A build that fails, then a restart that fails, with all that can be local to a host."""
        build, restart = self.folder / "build", self.folder / "restart"
        build.write_text('#!/bin/sh\n[ ! -e ../break-build ] && exec ./build\n')
        restart.write_text("#!/bin/sh\n! grep -q '\"v1\"' release.json && exec ./restart\n")
        for script in (build, restart):
            script.chmod(0o700)
        text = self.config_file.read_text()
        for script in (build, restart):
            text = text.replace(f'["{self.repository}/{script.name}"]', f'["{script}"]')
        self.config_file.write_text(text)
        self.adopt_v1_then_v2()
        (self.repository / ".git" / "info" / "exclude").write_text(".env\n")
        (self.repository / ".env").write_text("SECRET=1\n")
        (self.repository / "uploads").mkdir()
        (self.repository / "uploads" / "cat.jpg").write_text("a cat")
        (self.repository / "stop").write_text((self.repository / "stop").read_text() + "# by hand\n")
        subprocess.run(["git", "-C", self.repository, "add", "stop"], check=True)
        (self.repository / "build").write_text((self.repository / "build").read_text() + "# by hand, not staged\n")
        (self.folder / "break-build").touch()
        self.fails_and_leaves_everything("is checked out again; nothing was restarted", "Local changes are back as they were")
        (self.folder / "break-build").unlink()
        self.fails_and_leaves_everything("is checked out again, built and restarted", "Local changes are back as they were")

    def test_rollback_without_a_watcher_of_what_was_deployed_meanwhile(self):
        """Nobody has seen the bad release when it is to be rolled back: it is looked at first."""
        self.good_shop_under_watch()
        self.assertEqual(self.stop_watcher(), 0)
        self.deploy("errors")
        self.cli("rollback", "shop", timeout=120)
        self.assertEqual(self.version(), "v1")

    def test_status_explain_incidents_deploys_agree(self):
        self.adopt_v1_then_v2()
        status = json.loads(self.cli("status", "--json").stdout)
        self.assertEqual(status["services"]["shop"]["revision"], self.revision("v2"))
        self.assertEqual(status["services"]["shop"]["last_good"], self.revision("v1"))
        self.assertIn("shop", self.cli("status").stdout)
        self.assertIn("error_rate", self.cli("explain", "errors").stdout)
        self.assertEqual(json.loads(self.cli("incidents", "--json").stdout)["incidents"], [])
        self.assertIn(self.revision("v2")[:12], self.cli("deploys").stdout)

    def test_an_ask_is_approved(self):
        """Below P1 a person decides."""
        self.configure()
        text = self.config_file.read_text().replace('[rule.errors]', '[rule.errors]\nseverity = "P2"')
        self.config_file.write_text(text)
        self.good_shop_under_watch()
        self.deploy("errors")
        self.wait_for("people are asked", lambda: any(told.get("stage") == "ask" for told in self.people.told), 60)
        self.assertEqual(self.version(), "errors")
        asked = str(self.incidents()[0]["id"])
        # Who is woken finds what to type wherever he looks first.
        for words in (["status"], ["incidents", asked], ["explain", asked], ["explain"]):
            self.assertIn(f"rollbackd approve {asked}, or rollbackd abort {asked}", self.cli(*words).stdout)
        self.assertIn("incident: asking", self.cli("status").stdout)
        self.cli("approve", asked)
        incident = self.wait_for_incident_closed(90)
        self.assertEqual(incident["outcome"], "recovered")
        self.assertEqual(self.version(), "v1")

    def test_a_second_deploy_of_what_was_rolled_back_is_not_rolled_back_again_and_again(self):
        self.good_shop_under_watch()
        self.deploy("errors")
        self.wait_for_incident_closed(90)
        self.deploy("errors")
        self.wait_for("the bad release is known to run", lambda: self.service().get("revision") == self.revision("errors"), 40)
        before = len(self.checkouts())
        self.wait_for("it is told that nothing more is done by itself",
                      lambda: "fused" in self.service().get("flags", []) or len(self.incidents()) > 1
                      or self.status()["rules"]["errors"]["state"] == "firing", 60)
        self.assertEqual(len(self.checkouts()), before)


if __name__ == "__main__":
    unittest.main()
