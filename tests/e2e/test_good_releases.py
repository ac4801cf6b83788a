#!/usr/bin/env python3
"""Deploys good releases under whatever a good day brings, and watches rollbackd do nothing."""

import time
import unittest

from world import World


class GoodReleases(World):
    start_deadline = "15s"
    down = "6s"  # a restart takes half a second, three on a busy machine

    def seen(self, tag):
        self.wait_for(f"{tag} is known to run", lambda: self.service().get("revision") == self.revision(tag), 40)

    def test_noisy_load(self):
        """Bursts of a route that fails now and then: above the threshold for a second and a window, never for `for`."""
        self.window, self.sustain = "2s", "8s"
        self.configure()
        self.good_shop_under_watch(load={"mode": "noisy", "rate": 60})
        self.deploy("v2")
        self.seen("v2")
        verdicts = set()

        def holds():
            verdicts.add(self.status()["rules"]["errors"]["verdict"])
            return self.version() == "v2"
        self.stays_quiet(20, holds)
        self.assertIn("bad", verdicts, "no burst was above the threshold")

    def test_low_traffic(self):
        """One request in a few seconds decides nothing, whatever became of it."""
        self.deploy("v1")
        self.wait_until_shop_serves("v1")
        self.visitors(mode="low")
        self.start_watcher()
        self.seen("v1")
        self.deploy("v2")
        self.seen("v2")
        self.stays_quiet(15, lambda: self.is_not_left("v2"))
        errors = self.status()["rules"]["errors"]
        self.assertEqual(errors["verdict"], "unknown")
        self.assertIn(errors["cause"], ("no_traffic", "too_few_samples"))

    def test_restarts_of_the_application(self):
        self.good_shop_under_watch()
        self.deploy("v2")
        self.seen("v2")
        for _ in range(3):
            self.deploy("v2")
            self.stays_quiet(4)
        self.assertEqual(self.version(), "v2")

    def test_restarts_of_rollbackd(self):
        self.good_shop_under_watch()
        self.deploy("v2")
        self.seen("v2")
        for _ in range(3):
            self.assertEqual(self.stop_watcher(), 0)
            self.start_watcher()
            self.stays_quiet(4)
        self.seen("v2")
        self.assertEqual(self.version(), "v2")
        self.assertEqual(self.service()["last_good"], self.revision("v1"))

    def test_a_slow_start_within_the_deadline(self):
        self.shop_settings(start_seconds=6)
        self.good_shop_under_watch()
        self.deploy("slow_start")
        self.seen("slow_start")
        self.stays_quiet(12)
        self.assertEqual(self.version(), "slow_start")

    def test_a_start_of_40_seconds_within_the_deadline(self):
        """The release as it is, under load; `down` would fire after 6 s."""
        self.start_deadline = "90s"
        self.configure()
        self.good_shop_under_watch()
        self.deploy("slow_start")
        deployed = time.monotonic()
        self.seen("slow_start")
        self.stays_quiet(36 - (time.monotonic() - deployed), lambda: self.version() is None)
        self.wait_until_shop_serves("slow_start", 60)
        self.stays_quiet(6, lambda: self.is_not_left("slow_start"))

    def test_metrics_that_are_gone_are_told_but_not_acted_on(self):
        """Without an expectation a 404 is a fault of the measuring path: unknown, never bad."""
        self.blind_after = "10s"
        self.configure()
        self.good_shop_under_watch()
        self.deploy("no_metrics")
        self.seen("no_metrics")
        self.stays_quiet(10, lambda: self.is_not_left("no_metrics"))
        self.people_hear("fault", "app", "404", "Not judged while that lasts: errors, memory, slow")
        # Of the same cause they hear once.
        self.wait_for("its rules are blind", lambda: "blind" in self.service()["flags"], 60)
        self.assertEqual([told for told in self.people.told if told["stage"] == "blind"], [])
        status = self.status()
        self.assertEqual(status["rules"]["errors"]["verdict"], "unknown")
        self.assertIn("404", str(status["probes"]["app"]["error"]))

    def test_a_declared_deployment_is_no_blindness(self):
        """However long it takes, and however long its release takes to start; what really cannot be seen is told once."""
        self.blind_after = "10s"
        self.start_deadline = "10m"
        self.configure()
        self.good_shop_under_watch()
        self.cli("deploy", "begin", "--service", "shop")
        self.stays_quiet(15, lambda: "deploying" in self.service()["flags"])
        self.shop_settings(start_seconds=15)
        self.deploy("slow_start")
        self.cli("deploy", "end", "--service", "shop")
        self.wait_until_shop_serves("slow_start", 60)
        self.stays_quiet(3)
        self.assertEqual([told for told in self.people.told if told["stage"] == "blind"], [])
        self.assertNotIn("blind", self.service()["flags"])
        self.deploy("no_metrics")
        self.people_hear("fault", "probe app cannot measure", "errors, memory, slow")
        self.wait_for("its rules are blind", lambda: "blind" in self.service()["flags"], 60)
        self.stays_quiet(12)
        faults = [told for told in self.people.told if told["stage"] == "fault" and "cannot measure" in told["title"]]
        self.assertEqual(len([told for told in faults if "probe app " in told["title"]]), 1)
        self.assertEqual([told for told in self.people.told if told["stage"] == "blind"], [])

    def test_observe_mode_rolls_nothing_back(self):
        text = self.config_file.read_text().replace("[watcher]", '[watcher]\nmode = "observe"')
        self.config_file.write_text(text)
        self.good_shop_under_watch()
        self.deploy("errors")
        self.wait_for("an incident is open", self.incidents, 60)
        moves = len(self.checkouts())
        self.wait_for("people were told", lambda: any(told.get("stage") == "started" for told in self.people.told), 15)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            self.assertEqual((self.version(), len(self.checkouts())), ("errors", moves))
            time.sleep(0.2)

    def test_a_pause_holds_everything_back(self):
        self.good_shop_under_watch()
        self.cli("pause", "--for", "10m", "--reason", "load test")
        self.deploy("errors")
        self.seen("errors")
        self.stays_quiet(12, lambda: self.is_not_left("errors"))
        self.assertIn("paused", self.service()["flags"])
        self.cli("resume")
        incident = self.wait_for_incident_closed(90)
        self.assertEqual(incident["outcome"], "recovered")


if __name__ == "__main__":
    unittest.main()
