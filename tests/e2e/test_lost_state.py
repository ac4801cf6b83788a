#!/usr/bin/env python3
"""The state directory goes away under a rollbackd that is killed before it sees it: the next start is no first one."""

import json
import shutil
import signal
import unittest

from world import World


class LostState(World):
    start_deadline = "10s"

    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"

    def rolled_back_once(self):
        """What is known then: v1 is good, the release with errors is bad, and the fuse has counted a switch."""
        self.deploy("v1")
        self.visitors()
        self.start_watcher()
        self.deploy("errors")
        self.wait_for("it is rolled back", lambda: [one for one in self.incidents() if one["outcome"] == "recovered"], 90)
        self.bad = self.revision("errors")

    def killed_right_after(self, act):
        act()
        self.stop_watcher(signal.SIGKILL)

    def degraded(self):
        return json.dumps(self.status()["watcher"]["degraded"])

    def test_a_state_directory_that_is_moved_away_before_a_kill_is_missed_and_accepted(self):
        self.rolled_back_once()
        self.killed_right_after(lambda: self.state.rename(self.folder / "away"))
        self.start_watcher(wait=False)
        self.people_hear("fault", "is gone, though", "accept-state")
        self.assertIn("accept-state", self.degraded())
        self.assertEqual(self.status()["watcher"]["mode"], "observe")
        self.cli("accept-state")
        self.wait_for("it may act again", lambda: self.http("/readyz")[0] == 200, 30)
        self.assertIn(self.bad, self.cli("deploys", "--json").stdout)
        # What was accepted is accepted for the next start as well.
        self.stop_watcher(signal.SIGKILL)
        self.start_watcher()

    def test_a_state_directory_that_comes_back_is_taken_up_as_if_nothing_had_been(self):
        self.rolled_back_once()
        self.killed_right_after(lambda: self.state.rename(self.folder / "away"))
        self.start_watcher(wait=False)
        self.people_hear("fault", "is gone, though")
        self.stop_watcher()
        shutil.rmtree(self.state)
        (self.folder / "away").rename(self.state)
        self.start_watcher()
        self.assertEqual(self.status()["watcher"]["degraded"], [])
        self.assertEqual([one["outcome"] for one in self.incidents()], ["recovered"])

    def test_a_second_copy_that_vanishes_before_a_kill_costs_nothing(self):
        self.rolled_back_once()
        self.killed_right_after((self.state / "guards").unlink)
        self.start_watcher(wait=False)
        self.people_hear("fault", "guards is missing", "accept-state")
        self.cli("accept-state")
        self.wait_for("it may act again", lambda: self.http("/readyz")[0] == 200, 30)
        self.assertEqual([one["outcome"] for one in self.incidents()], ["recovered"])
        deploys = self.cli("deploys", "--json").stdout
        self.assertTrue(all(known in deploys for known in (self.bad, self.revision("v1"))), deploys)

    def test_a_host_copy_that_cannot_be_written_is_told_once_and_stands_in_the_status(self):
        self.deploy("v1")
        self.start_watcher()
        copy = self.wait_for("the copy is written", lambda: list(self.folder.glob("state-*")), 30)[0]
        copy.unlink()
        (copy / "in the way").mkdir(parents=True)
        told = self.people_hear("fault", "second copy of what was decided cannot be written", seconds=90)
        self.assertEqual(len(told), 1)
        self.assertIn("make its folder writable", self.degraded())
        self.assertIn("rollbackd_degraded 1", self.http("/metrics")[1])
        self.assertEqual(self.http("/readyz")[0], 200)
        shutil.rmtree(copy)
        self.people_hear("fault", "is written again", seconds=90)
        self.assertEqual(self.status()["watcher"]["degraded"], [])


if __name__ == "__main__":
    unittest.main()
