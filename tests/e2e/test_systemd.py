#!/usr/bin/env python3
"""rollbackd under a systemd that boots: packaging/rollbackd.service as it is, with the shop beside it."""

import json
import subprocess
import time

import machine
from booted import Boot
from world import SHOP
from watched import HEALTH_ONLY

CONFIG = HEALTH_ONLY + """
[service.shop]
driver = "git"
dir = "/opt/shop"
restart = ["systemctl", "restart", "shop"]
start_deadline = "5s"
identify_interval = "1s"
"""

SHOP_UNIT = """
[Service]
ExecStart=/usr/bin/python3 /opt/shop/shop.py
Restart=no
"""


class Systemd(Boot):
    def furnish(self):
        (self.folder / "shop.service").write_text(SHOP_UNIT)
        (self.folder / "rollbackd.toml").write_text(CONFIG)
        subprocess.run([SHOP / "make_repository", self.folder / "shop"], check=True)

    def test_it_runs_watches_rolls_back_and_stops(self):
        self.inside("systemctl", "start", "shop")
        self.inside("systemctl", "start", "rollbackd")  # returns when it says READY=1
        self.assertEqual(self.show("ActiveState"), "active")
        self.assertEqual(self.show("WatchdogUSec"), "30s")
        self.wait_for("the watchdog is fed", lambda: self.show("WatchdogTimestampMonotonic") not in ("", "0"), 30)
        good = self.inside("git", "-C", "/opt/shop", "rev-parse", "HEAD").stdout.strip()

        def service():
            done = self.inside("rollbackd", "status", "--json", check=False)
            return json.loads(done.stdout)["services"]["shop"] if done.returncode == 0 else {}
        self.wait_for("the running revision is known", lambda: service().get("revision") == good, 40)
        # A rollback by the git driver and systemctl, out of the confined unit.
        self.inside("git", "-C", "/opt/shop", "checkout", "-q", "crash")
        self.inside("systemctl", "restart", "shop")
        closed = self.wait_for("the incident is closed", lambda: [one for one in self.incidents() if one.get("outcome")], 120)
        self.assertEqual(closed[0]["outcome"], "recovered", self.journal())
        self.assertEqual(self.inside("git", "-C", "/opt/shop", "rev-parse", "HEAD").stdout.strip(), good)
        self.inside("systemctl", "reload", "rollbackd")
        self.inside("sh", "-c", "echo '[rule.broken]' >>/etc/rollbackd/rollbackd.toml")
        self.assertNotEqual(self.inside("systemctl", "reload", "rollbackd", check=False).returncode, 0)
        self.assertIn("rule.broken", self.journal())
        self.assertEqual(service().get("revision"), good)
        self.inside("systemctl", "stop", "rollbackd")
        self.assertEqual(self.show("Result"), "success")
        self.assertEqual(self.inside("systemctl", "is-active", "shop").stdout.strip(), "active")

    def test_systemd_starts_it_again_after_a_crash(self):
        self.inside("systemctl", "start", "shop", "rollbackd")
        first = self.show("MainPID")
        self.inside("kill", "-9", first)
        self.wait_for("another one runs", lambda: self.show("MainPID") not in ("0", first) and self.show("ActiveState") == "active", 30)

    def test_a_hung_loop_is_ended_by_the_watchdog(self):
        """systemd's watchdog, shortened: a stopped process feeds nothing."""
        self.inside("mkdir", "-p", "/run/systemd/system/rollbackd.service.d")
        self.inside("sh", "-c", "printf '[Service]\\nWatchdogSec=5\\n' >/run/systemd/system/rollbackd.service.d/short.conf")
        self.inside("systemctl", "daemon-reload")
        self.inside("systemctl", "start", "shop", "rollbackd")
        time.sleep(11)  # longer than two periods: fed, or it would be gone
        first = self.show("MainPID")
        self.assertEqual(self.show("NRestarts"), "0")
        self.inside("kill", "-STOP", first)
        self.wait_for("systemd has put another in its place", lambda: self.show("NRestarts") == "1" and self.show("ActiveState") == "active", 40)


if __name__ == "__main__":
    machine.main()
