#!/usr/bin/env python3
"""Bad input gets a clear error and loses nothing."""

import socket
import subprocess
import unittest

from world import ROLLBACKD, World


class BadInput(World):
    def refuses_to_start(self, *words):
        watcher = self.start_watcher(wait=False)
        self.assertNotEqual(watcher.wait(20), 0)
        log = self.log.read_text()
        for word in words:
            self.assertIn(word, log)
        return log

    def test_two_watchers_on_one_state_directory(self):
        self.good_shop_under_watch()
        first = self.watcher
        other = self.config_file.read_text().replace(f"127.0.0.1:{self.listen}", "off").replace("control.sock", "other.sock")
        self.config_file.write_text(other)
        self.refuses_to_start(str(self.folder / "state"))
        self.assertIsNone(first.poll())
        self.assertEqual(self.http("/healthz")[0], 200)

    def test_a_listen_address_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.listen))
            taken.listen()
            self.refuses_to_start(str(self.listen), "use")

    def test_a_command_that_does_not_exist_is_found_before_it_matters(self):
        self.deploy("v1")
        self.wait_until_shop_serves("v1")
        self.assertEqual(self.cli("check", "--online", check=False).returncode, 0)
        text = self.config_file.read_text().replace('/restart"]', '/no-such-restart"]')
        self.config_file.write_text(text)
        done = self.cli("check", "--online", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-restart", done.stdout + done.stderr)

    def test_check_online_says_that_a_probe_is_down(self):
        done = self.cli("check", "--online", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("health", done.stdout + done.stderr)
        self.assertIn("refused", done.stdout + done.stderr)

    def test_a_page_that_is_not_metrics(self):
        text = self.config_file.read_text().replace(f":{self.port}/metrics", f":{self.port}/api/health")
        self.config_file.write_text(text)
        self.deploy("v1")
        self.wait_until_shop_serves("v1")
        self.start_watcher()
        self.wait_for("the page is told to be no metrics", lambda: "line 1" in str(self.status()["probes"]["app"]["error"]), 15)
        self.stays_quiet(6)

    def test_every_mistake_is_named_with_its_place(self):
        self.config_file.write_text(self.config_file.read_text() + '\n[rule.typo]\nwhen = "error_rat > 5%"\nfor = "5x"\nseverty = "P1"\n')
        done = self.cli("check", check=False)
        self.assertEqual(done.returncode, 1)
        said = done.stdout + done.stderr
        for word in ("error_rat", "5x", "severty", f"{self.config_file}:"):
            self.assertIn(word, said)

    def test_a_bad_reload_changes_nothing(self):
        self.good_shop_under_watch()
        good = self.config_file.read_text()
        self.config_file.write_text(good + "\n[nonsense]\n")
        done = self.cli("reload", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nonsense", done.stdout + done.stderr)
        self.assertIn("rollbackd_config_last_reload_successful 0", self.http("/metrics")[1])
        self.assertEqual(self.http("/healthz")[0], 200)
        self.config_file.write_text(good)
        self.cli("reload")
        self.assertIn("rollbackd_config_last_reload_successful 1", self.http("/metrics")[1])

    def test_commands_without_a_watcher(self):
        self.assertEqual(self.cli("status", check=False).returncode, 3)
        self.assertEqual(self.cli("deploy", "mark", "--service", "shop").returncode, 0)
        self.assertEqual(subprocess.run([ROLLBACKD, "no-such-command"], capture_output=True).returncode, 2)

    def test_a_configuration_that_others_can_write(self):
        self.config_file.chmod(0o666)
        done = self.cli("check", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("other users", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
