#!/usr/bin/env python3
"""The systemd driver under a systemd that boots: releases are folders, deployed as people do it, by a link and a restart."""

import json
import os
import time

import machine
from released import BY_FOLDER, BY_PATH, Released
from watched import wait_until


class Releases(Released):
    def test_a_bad_release_is_left_and_what_its_unit_said_is_kept(self):
        evidence = self.bad_deploy_is_rolled_back()
        self.assertIn("restarts 0, link to releases/bad", self.inside("cat", f"{evidence}/systemd-status.txt").stdout)
        self.assertIn("GET /health", self.inside("cat", f"{evidence}/systemd-journal.txt").stdout)

    def test_where_no_process_shows_its_folder_the_times_of_link_and_start_tell(self):
        self.unit(BY_PATH.replace("\n", "\\n") + "User=nobody\\n")
        self.bad_deploy_is_rolled_back()
        # A link without a restart is no deployment.
        self.link("v1")
        time.sleep(2)
        self.assertEqual(self.service()["revision"], "v2")
        notes = "/var/lib/rollbackd/systemd/shop.json"
        self.wait_for("it is written down", lambda: "v2" in self.inside("cat", notes, check=False).stdout, 40)
        self.wait_for("people are told", lambda: "current points to v1, but v2 runs; do systemctl restart shop.service" in self.told(), 10)
        self.inside("systemctl", "restart", "rollbackd")
        self.runs("v2")
        self.assertNotIn("cannot read what runs", self.journal())
        # Without its notes nobody knows.
        self.inside("systemctl", "stop", "rollbackd")
        self.inside("rm", notes)
        self.inside("systemctl", "start", "rollbackd")
        self.wait_for("it is told that nobody knows", lambda: "was started before the link was changed to v1" in self.journal(), 20)

    def test_a_good_release_stays(self):
        self.watched()
        self.deployed("v2")
        self.assertFalse(wait_until(self.incidents, 8))
        self.assertEqual((self.linked(), self.says()), ("releases/v2", "v2"))

    def test_a_second_watcher_of_the_host_switches_nothing_more(self):
        self.configure('systemctl = ["/opt/shop/systemctl"]')
        self.tool('case "$1" in restart) echo restart >>/opt/shop/restarts ;; esac')
        self.inside("sh", "-c", """sed 's|^name.*|name = "other"\\nstate_dir = "/var/lib/other"\\nlisten = "127.0.0.1:9878"\\ncontrol = "/run/other.sock"|' """
                    "/etc/rollbackd/rollbackd.toml >/etc/rollbackd/other.toml; chmod 600 /etc/rollbackd/other.toml")
        self.watched()
        self.inside("systemd-run", "--unit=other", "/usr/local/bin/rollbackd", "run", "--config", "/etc/rollbackd/other.toml")

        def others(*words):
            done = self.inside("rollbackd", *words, "--json", "--config", "/etc/rollbackd/other.toml", check=False)
            return json.loads(done.stdout) if done.returncode == 0 else {}

        def known():
            return others("status").get("services", {}).get("shop", {}).get("revision")

        def outcomes():
            return [one["outcome"] for one in self.incidents() + others("incidents").get("incidents", [])]
        self.wait_for("the other one knows what runs", lambda: known() == "v1", 30)
        self.deployed("bad")
        self.wait_for("the other one as well", lambda: known() == "bad", 30)
        (self.app / "sick").touch()
        self.wait_for("one of them has acted", lambda: "recovered" in outcomes() and None not in outcomes(), 120)
        self.assertEqual((sorted({*outcomes()} - {"superseded"}), self.linked(), self.says(), self.restarts()), (["recovered"], "releases/v1", "v1", ["restart"]))

    def test_a_target_that_is_gone_is_told_and_not_tried(self):
        self.watched()
        self.deployed("v2")
        self.wait_for("a rollback could be done", lambda: self.service().get("rollback_ready"), 30)
        (self.app / "releases" / "v1").rename(self.app / "gone")
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 40)
        self.wait_for("people are told", lambda: "/opt/shop/releases/v1 is gone" in self.told(), 10)
        done = self.inside("rollbackd", "rollback", "shop", "--to", "v1", "--reason", "test", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual((self.linked(), self.says()), ("releases/v2", "v2"))

    def test_a_release_that_does_not_start_is_left_for_the_one_before(self):
        self.watched()
        self.deployed("v2")
        (self.app / "broken-v1").touch()
        closed = self.go_back("v1")
        report = self.report(closed)
        self.assertEqual(closed["outcome"], "action_failed", report)
        for part in ("shop.service has failed (exit-code, 3)", "shop.service wrote last: no such table: orders", "v2 was put back and runs again"):
            self.assertIn(part, report)
        self.assertEqual((self.linked(), self.says()), ("releases/v2", "v2"))

    def test_a_restart_that_hangs_is_left_for_the_one_before(self):
        self.unit("Type=notify\\n" + BY_FOLDER.replace("\n", "\\n"))
        self.configure('restart_timeout = "3s"')
        self.watched()
        self.deployed("v2")
        (self.app / "slow-v1").touch()
        closed = self.go_back("v1")
        report = self.report(closed)
        self.assertEqual(closed["outcome"], "action_failed", report)
        self.assertIn("v2 was put back and runs again", report)
        self.assertEqual((self.linked(), self.says()), ("releases/v2", "v2"))

    def test_a_restart_that_lies_is_found_out(self):
        (self.app / "start").write_text("#!/bin/sh\ncd /opt/shop/releases/$(cat /opt/shop/which) && exec /usr/bin/python3 app.py\n")
        (self.app / "start").chmod(0o755)
        (self.app / "which").write_text("v1")
        self.unit("ExecStart=/opt/shop/start\\nUser=nobody\\n")
        self.watched()
        (self.app / "which").write_text("v2")
        self.deployed("v2")
        closed = self.go_back("v1")
        report = self.report(closed)
        self.assertEqual(closed["outcome"], "action_failed", report)
        for part in ("systemd reported success, but v2 runs, not v1", "v2 still runs, and the link is as it was"):
            self.assertIn(part, report)
        self.assertEqual((self.linked(), self.says()), ("releases/v2", "v2"))

    def test_a_watcher_killed_in_the_middle_switches_once(self):
        go = self.switch_at_work()
        self.kill_the_watcher()
        time.sleep(1)  # nothing is done meanwhile
        os.write(go, b"go\n")
        closed = self.closed()
        self.assertEqual((self.says(), self.linked(), len(self.restarts())), ("v1", "releases/v1", 1), self.report(closed))
        self.runs("v1")
        self.assertEqual(len(self.incidents()), 1)

    def test_a_switch_whose_restart_was_killed_too_is_done_again(self):
        go = self.switch_at_work()
        step = (self.app / "waits").read_text().strip()  # as the machine counts
        first = self.show("MainPID")
        self.inside("kill", "-9", first, step)
        os.write(go, b"go\ngo\n")  # whoever waits then
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], self.says(), self.linked(), len(self.restarts())), ("recovered", "v1", "releases/v1", 2), report)

    def test_a_deployment_in_the_middle_of_a_switch_stays(self):
        go = self.switch_at_work()
        self.deploy("v3")
        os.write(go, b"go\n")
        closed = self.closed()
        report = self.report(closed)
        self.assertIn("changed /opt/shop/current meanwhile (to v3), and it was left so", report)
        self.assertEqual((self.linked(), self.says(), len(self.restarts())), ("releases/v3", "v3", 1), report)
        self.runs("v3")

    def test_the_unit_of_rollbackd_itself_is_refused(self):
        self.configure('unit = "rollbackd"')
        done = self.inside("rollbackd", "check", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("is rollbackd's own", done.stdout + done.stderr)
        self.configure('unit = "watch"')
        self.inside("systemd-run", "--unit=watch", "/usr/local/bin/rollbackd", "run")
        self.wait_for("no rollback could be done", lambda: "is the unit that rollbackd runs in" in self.inside("journalctl", "-u", "watch").stdout, 40)


if __name__ == "__main__":
    machine.main()
