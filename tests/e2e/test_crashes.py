#!/usr/bin/env python3
"""Kills rollbackd at each boundary of a plan, as a power cut would, and starts it again: at most one switch, every
`always` step runs, the incident ends with an outcome."""

import json
import shutil
import signal
import time
import unittest

from world import World
from watched import SERVICE as WATCHED

STEP = r"""#!/bin/bash
# One step of the plan. It says that it ran; where `kill` names it, rollbackd dies at once ("during") or right after
# the step has ended ("after").
set -e
unset LD_PRELOAD  # a clock that a test sets back is rollbackd's alone
cd "{folder}"
echo "$1" >>steps
if [ "$1" = prepare ]; then {prepare}; fi
plan=$(cat kill 2>/dev/null || true)
if [ "$plan" = "during $1" ]; then
  rm kill
  kill -9 "$(cat watcher.pid)"
  {orphan}
  echo "$1" >>ended
fi
if [ "$1" = switch ]; then cd "{repository}"; git checkout -q "$2"; ./restart; cd "{folder}"; fi
if [ "$plan" = "after $1" ]; then
  rm kill
  setsid bash -c 'while kill -0 '$$' 2>/dev/null; do :; done; kill -9 "$(cat watcher.pid)"' </dev/null >/dev/null 2>&1 &
fi
"""

SERVICE = """
[service.shop]
identify = ["git", "-C", "$repository", "rev-parse", "HEAD"]
switch   = ["$folder/step", "switch", "{to}"]
start_deadline = "10s"
identify_interval = "1s"

[action.rollback]
[[action.rollback.step]]
run = ["$folder/step", "prepare"]
[[action.rollback.step]]
capture = "logs.txt"
run     = ["$folder/step", "capture"]
[[action.rollback.step]]
switch = "last-good"
[[action.rollback.step]]
wait    = "health.up == 1"
timeout = "20s"
[[action.rollback.step]]
run = ["$folder/step", "settle"]
[[action.rollback.on_success]]
run = ["$folder/step", "success"]
[[action.rollback.on_failure]]
run = ["$folder/step", "failure"]
[[action.rollback.always]]
run = ["$folder/step", "always"]
"""


# The same where nobody can say what runs.
UNNAMED = SERVICE.replace('identify = ["git", "-C", "$repository", "rev-parse", "HEAD"]\n', "").replace("{to}", "v1").replace(
    'identify_interval = "1s"\n', "")


class Crashes(World):
    start_deadline = "10s"
    service_configured = SERVICE

    # What a step still does when rollbackd was killed under it; at least it lives on until that is seen.
    orphan = 'while kill -0 "$(cat watcher.pid)" 2>/dev/null; do :; done'

    def steps(self):
        path = self.folder / "steps"
        return path.read_text().split() if path.exists() else []

    def killed(self, where):
        self.kill(where)
        self.start_watcher()
        return self.closed()

    def kill(self, where):
        self.watch_with_steps()
        (self.folder / "watcher.pid").write_text(str(self.watcher.pid))
        (self.folder / "kill").write_text(where)
        self.deploy("errors")
        self.wait_for("rollbackd ends by the kill", lambda: self.watcher.poll() is not None, 60)
        self.assertEqual(self.watcher.returncode, -signal.SIGKILL)

    def closed(self):
        incident = self.wait_for_incident_closed(120)
        steps = self.steps()
        self.assertLessEqual(steps.count("switch"), 1, steps)
        self.assertGreaterEqual(steps.count("always"), 1, steps)
        self.assertEqual(len(self.incidents()), 1)
        self.assertIn(incident["outcome"], ("recovered", "action_failed", "not_recovered"), incident)
        self.report_of(incident)
        if incident["outcome"] == "recovered":
            self.assertEqual(self.version(), "v1")
            self.assertIn("success", steps)
        else:
            self.assertIn("failure", steps)
        return incident, steps

    def goes_on(self, where):
        """Between two steps the plan goes on where it was."""
        incident, steps = self.killed(where)
        self.assertEqual(incident["outcome"], "recovered", steps)
        self.assertEqual(steps.count("switch"), 1, steps)

    def test_during_prepare(self):
        self.killed("during prepare")

    def test_after_prepare(self):
        self.killed("after prepare")

    def test_during_capture(self):
        self.killed("during capture")

    def test_after_capture(self):
        self.killed("after capture")

    def test_during_switch(self):
        self.killed("during switch")

    def test_after_switch(self):
        self.killed("after switch")

    def test_during_settle(self):
        self.killed("during settle")

    def test_after_settle(self):
        self.killed("after settle")

    def test_during_success(self):
        self.killed("during success")

    def test_after_success(self):
        self.killed("after success")

    def test_during_always(self):
        self.killed("during always")

    def left_at_work(self, step):
        """A step that goes on after the kill, until the test lets it: the next rollbackd waits for it, and so does everybody."""
        self.orphan = "until [ -e go ]; do sleep 0.05; done"
        self.kill(f"during {step}")
        begun = self.steps()
        self.assertEqual(begun[-1], step)
        self.assertIn("left at work", self.cli("deploy", "begin", "--service", "shop", check=False).stderr)
        self.start_watcher()
        self.wait_for("it is found at work", lambda: "event=left_at_work" in self.log.read_text(), 20)
        end = time.monotonic() + 5  # looks, and attempts to go on, come at least once a second
        while time.monotonic() < end:
            self.assertEqual(self.steps(), begun)
            self.assertFalse((self.folder / "ended").exists())
            time.sleep(0.2)
        busy = self.cli("deploy", "begin", "--service", "shop", check=False)
        self.assertEqual(busy.returncode, 1)
        self.assertIn("left at work", busy.stdout + busy.stderr)
        self.assertFalse(self.incidents()[0].get("outcome"))
        (self.folder / "go").touch()
        incident, steps = self.closed()
        self.assertEqual((self.folder / "ended").read_text().split(), [step])
        self.assertIn("its command still runs", self.report_of(incident)[0])
        return incident, steps

    def test_a_switch_left_at_work_is_waited_for_and_counts_when_it_did_its_work(self):
        incident, steps = self.left_at_work("switch")
        self.assertEqual(incident["outcome"], "recovered", steps)

    def killed_in_a_switch_that_nobody_can_see(self):
        self.service_configured = UNNAMED
        incident, steps = self.killed("during switch")
        self.assertEqual(steps.count("switch"), 1, steps)
        self.assertIn("whether that was done is not known", self.report_of(incident)[0])
        return incident, steps

    def test_during_a_switch_that_nobody_can_see_the_rules_say_that_it_helped(self):
        incident, steps = self.killed_in_a_switch_that_nobody_can_see()
        self.assertEqual(incident["outcome"], "recovered", steps)

    def test_during_a_switch_that_nobody_can_see_the_rules_say_that_it_did_not_help(self):
        self.orphan = "exit 1"
        incident, steps = self.killed_in_a_switch_that_nobody_can_see()
        self.assertEqual(incident["outcome"], "not_recovered", steps)
        self.assertNotEqual(self.version(), "v1")

    def test_the_plan_goes_on_when_a_step_left_at_work_has_ended(self):
        incident, steps = self.left_at_work("prepare")
        self.assertEqual(incident["outcome"], "recovered", steps)
        self.assertEqual(steps.count("prepare"), 1)

    def damaged_in_the_switch(self, damage):
        """The switch is cut off and changes nothing, so that the bad release still runs, and what is known of it is damaged."""
        self.orphan = "exit 1"
        self.kill("during switch")
        damage(self.folder / "state" / "rollbackd.db-wal")
        self.start_watcher(wait=False)  # it is not ready until somebody accepts what was lost
        self.people_hear("fault", "the journal was damaged", "open then, and perhaps not finished", "accept-state")
        bad = self.revision("errors")

        def is_only_told(incident):
            return incident["from"] == bad and incident["closed"] is None and incident["phase"] == "telling"

        # The same release fires again, and is neither switched now nor, by what the fuse still counts, once it may act.
        self.wait_for("nothing is done but telling", lambda: [one for one in self.incidents() if is_only_told(one)], 90)
        self.assertEqual(self.service()["flags"], ["fused"])
        self.cli("accept-state")
        self.wait_for("it may act again", lambda: self.http("/readyz")[0] == 200, 30)
        self.wait_for("it is told why nothing is done", lambda: "was already switched away from" in json.dumps(self.status()), 30)
        self.assertEqual(self.steps().count("switch"), 1)
        ended = [one for one in self.incidents() if one["outcome"] == "action_failed"]
        self.assertEqual(len(ended), 1)

    def test_a_wal_of_which_bytes_are_flipped_after_a_kill_in_a_switch_is_noticed(self):
        def flip(wal):
            content = bytearray(wal.read_bytes())
            for place in range(2000, len(content), 4096):
                content[place:place + 8] = bytes(byte ^ 0xff for byte in content[place:place + 8])
            wal.write_bytes(content)
        self.damaged_in_the_switch(flip)

    def test_a_wal_that_is_deleted_after_a_kill_in_a_switch_is_noticed(self):
        self.damaged_in_the_switch(lambda wal: wal.unlink())

    def test_while_it_verifies(self):
        """A kill that no step asks for: some time after the last step of the plan."""
        self.watch_with_steps()
        self.deploy("errors")
        # The log says what has been saved: before that the last step is one of which nobody knows whether it was done.
        self.wait_for("the plan has run", lambda: "phase=verifying" in self.log.read_text(), 60)
        self.stop_watcher(signal.SIGKILL)
        self.start_watcher()
        self.recovers_by_one_switch()

    def test_a_term_lets_the_step_in_flight_end_and_the_next_start_goes_on(self):
        self.watch_with_steps("until [ -e go ]; do sleep 0.05; done; echo prepared >>steps.ended")
        self.deploy("errors")
        self.wait_for("the first step runs", lambda: self.steps(), 60)
        self.watcher.send_signal(signal.SIGTERM)
        self.wait_for("rollbackd is stopping", lambda: "event=stopping" in self.log.read_text(), 20)
        (self.folder / "go").touch()
        self.assertEqual(self.watcher.wait(20), 0)
        self.assertEqual((self.folder / "steps.ended").read_text(), "prepared\n")
        self.assertEqual(self.steps(), ["prepare"])
        self.start_watcher()
        self.recovers_by_one_switch()
        self.assertEqual(self.steps().count("prepare"), 1)

    @unittest.skipUnless(shutil.which("faketime"), "there is no faketime")
    def test_a_wall_clock_set_back_by_an_hour_in_mid_incident(self):
        shift = self.folder / "shift"
        shift.write_text("+0")
        self.watch_with_steps(LD_PRELOAD="/usr/$LIB/faketime/libfaketime.so.1", FAKETIME_TIMESTAMP_FILE=str(shift),
                              FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1")
        self.deploy("errors")
        self.wait_for("the plan has run", lambda: "settle" in self.steps(), 60)
        shift.write_text("-1h")
        self.wait_for("the jump is noticed", lambda: "event=clock_jump by=-3" in self.log.read_text(), 20)
        self.recovers_by_one_switch()

    def watch_with_steps(self, prepare="true", **environment):
        """A good shop under watch, with the plan above."""
        step = self.folder / "step"
        step.write_text(STEP.format(folder=self.folder, repository=self.repository, prepare=prepare, orphan=self.orphan))
        step.chmod(0o700)
        self.configure(service=self.service_configured)
        self.good_shop_under_watch(named="identify" in self.service_configured, **environment)

    def recovers_by_one_switch(self):
        incident = self.wait_for_incident_closed(120)
        self.assertEqual(incident["outcome"], "recovered", self.steps())
        self.assertEqual(self.steps().count("switch"), 1)
        self.assertGreaterEqual(self.steps().count("always"), 1)
        self.assertEqual(self.version(), "v1")


BUILD = """#!/bin/bash
cd "{folder}"
mkdir killed 2>/dev/null && {{ kill -9 "$(cat watcher.pid)"; exit 1; }}
exec "{repository}/build"
"""


class InTheBuild(World):
    start_deadline = "10s"

    def test_a_checkout_that_does_not_run_is_told_and_finished(self):
        build = self.folder / "build"
        build.write_text(BUILD.format(folder=self.folder, repository=self.repository))
        build.chmod(0o700)
        self.configure(service=WATCHED.replace("$repository/build", "$folder/build"))
        self.good_shop_under_watch()
        (self.folder / "watcher.pid").write_text(str(self.watcher.pid))
        self.deploy("errors")
        self.wait_for("rollbackd ends by the kill", lambda: self.watcher.poll() is not None, 60)
        self.assertEqual((self.revision("HEAD"), self.version()), (self.revision("v1"), "errors"))
        self.start_watcher()
        said = self.wait_for("status says what is in place", lambda: self.service().get("unfinished"), 20)
        for part in (f"{self.revision('v1')} is checked out in ", f"but {self.revision('errors')} runs"):
            self.assertIn(part, said)
        self.assertIn("is checked out in ", self.cli("status").stdout)
        incident = self.wait_for_incident_closed(120)
        self.assertEqual(incident["outcome"], "recovered", incident)
        self.assertEqual(self.version(), "v1")
        self.assertIn("broken off by our end, and done again", self.report_of(incident)[0])
        self.wait_for("nothing is unfinished", lambda: not self.service().get("unfinished"), 20)


if __name__ == "__main__":
    unittest.main()
