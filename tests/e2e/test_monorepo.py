#!/usr/bin/env python3
"""A service that is a part of a repository: of the shop's, only what a release is."""

import json
import subprocess
import time
import unittest

from world import World


class Monorepo(World):
    PARTIAL = 'paths = ["release.json"]\n'
    COMMANDS = """
[service.shop]
dir      = "$repository"
start_deadline = "5s"
identify_interval = "1s"
identify = {identify}
rollback = ["sh", "-c", "git {how} && ./build && ./restart", "sh", "{{to}}"]
"""
    BY_CONTENT = ("for c in $(git log -50 --format=%H -- release.json); do "
                  "git diff-index --cached --quiet $c -- release.json && exec echo $c; done; exit 1")

    def git(self, *words):
        return subprocess.run(["git", "-C", self.repository, *words], check=True, capture_output=True, text=True).stdout

    def commit_elsewhere(self):
        (self.repository / "README").write_text("about something else\n")
        self.git("add", "README")
        self.git("commit", "-q", "-m", "Explain", "README")

    def configure_commands(self, identify, how):
        self.configure(service=self.COMMANDS.format(identify=json.dumps(identify).replace("$c", "$$c").replace("$(", "$$("),
                                                    how=how.replace("$1", "$$1")))

    def test_a_part_is_rolled_back_and_named_by_what_it_is(self):
        self.configure(service_more=self.PARTIAL)
        self.good_shop_under_watch()
        self.deploy("errors")
        self.commit_elsewhere()
        head = self.revision("HEAD")
        incident = self.wait_for_incident_closed()
        self.assertEqual(incident["outcome"], "recovered", incident)
        self.assertEqual((incident["from"], incident["to"]), (self.revision("errors"), self.revision("v1")), incident)
        self.assertEqual(self.version(), "v1")
        self.assertEqual(self.revision("HEAD"), head)
        self.commit_elsewhere_again()
        end = time.monotonic() + 4
        while time.monotonic() < end:
            self.assertEqual(self.service().get("revision"), self.revision("v1"))
            time.sleep(0.2)
        self.assertEqual(len(self.incidents()), 1)

    def commit_elsewhere_again(self):
        (self.repository / "README").write_text("about something else again\n")
        self.git("commit", "-q", "-m", "Explain more", "README")

    def test_what_is_bad_is_so_under_each_of_its_names(self):
        self.configure(service_more=self.PARTIAL)
        self.good_shop_under_watch()
        self.deploy("errors")
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "recovered")
        self.git("checkout", "-q", "-b", "other", self.revision("errors"))
        self.commit_elsewhere()
        self.git("checkout", "-q", "-")
        refused = self.cli("rollback", "shop", "--to", "other", check=False)
        self.assertEqual(refused.returncode, 1, refused)
        self.assertIn(f"has the same content as {self.revision('errors')}, which is quarantined", refused.stderr)
        self.assertEqual(len(self.incidents()), 1)

    def test_the_recipe_with_commands(self):
        self.configure_commands(["sh", "-c", self.BY_CONTENT], "restore --source=$1 --staged --worktree -- release.json")
        self.good_shop_under_watch()
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        self.assertEqual(incident["outcome"], "recovered", incident)
        self.assertEqual(self.version(), "v1")

    def test_the_runbooks_own_way_is_told_by_check_and_says_what_was_found(self):
        self.configure_commands(["git", "log", "-1", "--format=%H", "--", "release.json"], "checkout -q $1 -- release.json")
        self.assertIn("identify asks for HEAD", self.cli("check").stdout)
        self.good_shop_under_watch()
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        self.assertEqual(incident["outcome"], "wrong_revision", incident)
        self.assertEqual(self.version(), "v1")
        report = self.report_of(incident)[0].replace("\\", "")
        for part in (f"not {self.revision('v1')}, which was wanted, but {self.revision('errors')}, as found by",
                     "git log -1 --format=%H -- release.json", "does not see what the switch changes"):
            self.assertIn(part, report)


if __name__ == "__main__":
    unittest.main()
