#!/usr/bin/env python3
"""rollbackd under a systemd that boots: packaging/rollbackd.service as it is, with the shop beside it."""

import json
import pathlib
import subprocess
import time
import unittest

import machine
from world import ROLLBACKD, ROOT, SHOP
from watched import HEALTH_ONLY, wait_until

UNIT = ROOT / "packaging" / "rollbackd.service"
BOOT_SECONDS_MAX = 60  # it takes 1 where nothing else runs

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


class Boot(unittest.TestCase):
    """A machine that systemd boots, in a network namespace of its own."""

    def setUp(self):
        machine.need_root_and("systemd-nspawn", "ip", "nsenter")
        self.root = machine.root_file_system("systemd")
        self.folder = machine.make_folder()
        self.addCleanup(machine.remove_folder, self.folder)
        self.network = machine.Network()
        self.addCleanup(self.network.remove)
        self.furnish()
        self.boot()

    def furnish(self):
        """What is bound into the machine: the binary, units, configuration, the shop."""
        (self.folder / "rollbackd.service").write_text(UNIT.read_text())
        (self.folder / "shop.service").write_text(SHOP_UNIT)
        (self.folder / "rollbackd.toml").write_text(CONFIG)
        (self.folder / "rollbackd.toml").chmod(0o600)
        subprocess.run([SHOP / "make_repository", self.folder / "shop"], check=True)

    def boot(self):
        binds = {ROLLBACKD: "/usr/local/bin/rollbackd", self.folder / "rollbackd.service": "/etc/systemd/system/rollbackd.service",
                 self.folder / "shop.service": "/etc/systemd/system/shop.service"}
        # Read-only and an overlay: any number may be booted from one root file system at a time.
        command = ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", f"--network-namespace-path={self.network.path}",
                   f"--machine={self.network.name}", "-D", self.root, "--read-only", "--volatile=overlay", "--console=pipe",
                   *(f"--bind-ro={host}:{inside}" for host, inside in binds.items()),
                   f"--bind={self.folder}/shop:/opt/shop", f"--bind-ro={self.folder}/rollbackd.toml:/root/rollbackd.toml", "-b"]
        with (self.folder / "console").open("wb") as console:
            self.machine = machine.start(command, console)
        self.addCleanup(machine.stop, self.machine)
        end = time.monotonic() + BOOT_SECONDS_MAX
        while time.monotonic() < end:
            if self.machine.poll() is not None:
                self.skipTest("systemd-nspawn does not boot here: " + (self.folder / "console").read_text(errors="replace")[-300:])
            if self.leader() and self.inside("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"):
                break
            time.sleep(0.2)
        else:
            self.fail("systemd did not come up: " + (self.folder / "console").read_text(errors="replace")[-500:])
        self.inside("install", "-D", "-m", "0600", "/root/rollbackd.toml", "/etc/rollbackd/rollbackd.toml")
        self.inside("chown", "-R", "root:root", "/opt/shop")

    def leader(self):
        children = pathlib.Path(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children").read_text().split()
        for child in children:
            if pathlib.Path(f"/proc/{child}/comm").read_text().strip() in ("systemd", "init"):
                return child
        return None

    def inside(self, *command, check=True):
        done = subprocess.run(["nsenter", "-t", self.leader(), "-m", "-u", "-i", "-n", "-p", "-C", *command],
                              capture_output=True, text=True, timeout=60)
        if check:
            self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}{self.journal()}")
        return done

    def journal(self):
        return subprocess.run(["nsenter", "-t", self.leader(), "-m", "-p", "journalctl", "-u", "rollbackd", "-n", "60", "--no-pager"],
                              capture_output=True, text=True).stdout

    def show(self, what):
        return self.inside("systemctl", "show", "-P", what, "rollbackd").stdout.strip()

    def wait_for(self, what, holds, seconds):
        return wait_until(holds, seconds) or self.fail(f"after {seconds}s not yet so: {what}\n{self.journal()}")

    def incidents(self):
        done = self.inside("rollbackd", "incidents", "--json", check=False)
        return json.loads(done.stdout)["incidents"] if done.returncode == 0 else []

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
