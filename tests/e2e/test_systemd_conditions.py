#!/usr/bin/env python3
"""A unit that a condition, or an assert, of its own keeps from starting, by a systemd that boots."""

import machine
from released import BY_FOLDER, Released
from watched import wait_until


class Conditions(Released):
    def kept(self, lines):
        self.configure("", start_deadline="4s")
        self.unit(lines + BY_FOLDER.replace("\n", "\\n"))
        self.watched()
        self.deployed("v2")

    def is_left_alone(self, by, start):
        """It is down for longer than `down` waits and a release may take to come up, and systemd calls that no failure."""
        self.inside("touch", "/run/maintenance")
        self.inside("systemctl", "restart", "shop")
        self.wait_for("the condition is named", lambda: by in (self.service().get("stopped") or ""), 20)
        self.assertFalse(wait_until(self.incidents, 6))
        self.assertEqual((self.cause(), self.linked()), ("deploying", "releases/v2"))
        self.assertIn(by, self.inside("rollbackd", "status").stdout)
        self.inside("rm", "/run/maintenance")
        self.inside("systemctl", "start", "shop")
        self.wait_for("it is judged again", lambda: self.says() == "v2" and self.cause() is None, 20)
        self.assertEqual(self.incidents(), [])
        start()

    def test_a_condition_that_is_not_met_is_no_failure_of_the_release(self):
        self.kept("\\n[Unit]\\nConditionPathExists=!/run/maintenance\\n[Service]\\n")
        self.is_left_alone("ConditionPathExists=!/run/maintenance is not met", lambda: None)

    def test_nor_is_one_that_a_command_looks_at_of_a_unit_that_systemd_keeps(self):
        self.kept("ExecCondition=/usr/bin/test ! -e /run/maintenance\\n[Install]\\nWantedBy=multi-user.target\\n[Service]\\n")
        self.inside("systemctl", "enable", "shop")
        self.is_left_alone("ExecCondition=/usr/bin/test ! -e /run/maintenance is not met", self.end_by_itself)

    def end_by_itself(self):
        self.inside("systemctl", "kill", "shop")
        self.assertEqual(self.closed()["outcome"], "recovered")
        self.assertEqual(self.linked(), "releases/v1")

    def test_a_switch_that_a_condition_holds_up_says_so_and_leaves_its_target_in_place(self):
        self.kept("\\n[Unit]\\nConditionPathExists=!/run/maintenance\\n[Service]\\n")
        self.inside("touch", "/run/maintenance")
        closed = self.go_back("v1")
        self.assertEqual((closed["outcome"], self.linked(), self.says()), ("action_failed", "releases/v1", ""), self.report(closed))
        self.assertIn("ConditionPathExists=!/run/maintenance is not met", self.report(closed))

    def test_an_assert_that_fails_a_switch_is_named(self):
        self.kept("\\n[Unit]\\nAssertPathExists=!/run/maintenance\\n[Service]\\n")
        self.inside("touch", "/run/maintenance")
        closed = self.go_back("v1")
        report = self.report(closed)
        self.assertEqual(closed["outcome"], "action_failed", report)
        self.assertIn("it asserts what is not so: AssertPathExists=!/run/maintenance", report)


if __name__ == "__main__":
    machine.main()
