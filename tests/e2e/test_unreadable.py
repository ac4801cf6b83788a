#!/usr/bin/env python3
"""What runs cannot be read: that cause is told at once, shown everywhere, and names what becomes of an incident."""

import shutil
import subprocess
import unittest

from world import World


class Unreadable(World):
    CAUSE = "cannot read what runs: "

    def hide_git(self):
        (self.repository / ".git").rename(self.folder / "hidden.git")

    def bring_git_back(self):
        (self.folder / "hidden.git").rename(self.repository / ".git")

    def deploy_while_hidden(self, tag):
        """By somebody who has the history elsewhere."""
        git = ["git", f"--git-dir={self.folder}/hidden.git", f"--work-tree={self.repository}"]
        subprocess.run([*git, "checkout", "-q", tag], check=True)
        subprocess.run([self.repository / "restart"], check=True)

    def is_unreadable(self):
        return "unreadable" in self.service().get("flags", [])

    def told_causes(self):
        return [told for told in self.people.told if told["stage"] == "fault" and self.CAUSE in told["text"]]

    def test_a_checkout_without_its_git(self):
        self.good_shop_under_watch()
        self.hide_git()
        self.wait_for("it is seen", self.is_unreadable, 30)
        reason = self.service()["unreadable_reason"]
        self.assertTrue(reason.startswith(self.CAUSE), reason)
        self.assertIn("; do ", reason)
        self.assertIn(str(self.repository), reason)
        self.assertIn(reason, self.cli("status").stdout)
        self.assertIn('rollbackd_service_flag{service="shop",flag="unreadable"} 1', self.http("/metrics")[1])
        self.people_hear("fault", reason)
        self.assertIn(f"event=unreadable service=shop why=\"{self.CAUSE}", self.log.read_text())
        self.deploy_while_hidden("errors")
        incident = self.wait_for_incident_closed()
        self.assertEqual(incident["outcome"], "unverifiable")
        self.assertIn(reason, self.report_of(incident)[0].replace("\\", ""))
        self.assertFalse([told for told in self.people.told if "no good revision" in told["text"]])
        self.assertEqual(self.version(), "errors")
        self.assertEqual(len(self.told_causes()), 1, self.told_causes())
        self.bring_git_back()
        self.people_hear("fault", "can be read again")
        self.wait_for("the bad release is rolled back", lambda: self.incidents()[0]["outcome"] == "recovered", 60)
        self.assertEqual(self.version(), "v1")
        self.assertFalse(self.is_unreadable())

    def test_a_checkout_that_belongs_to_somebody_else(self):
        """As after a deploy script that ran as root once; git refuses to read what others own."""
        if subprocess.run(["id", "-u"], capture_output=True, text=True).stdout.strip() != "0":
            self.skipTest("it takes root")
        self.good_shop_under_watch()
        shutil.chown(self.repository / ".git", "nobody")
        self.wait_for("it is seen", self.is_unreadable, 30)
        self.assertRegex(self.service()["unreadable_reason"], f"^{self.CAUSE}git .*; do chown {self.repository} ")
        shutil.chown(self.repository / ".git", "root")
        self.wait_for("it is over", lambda: not self.is_unreadable(), 30)


if __name__ == "__main__":
    unittest.main()
