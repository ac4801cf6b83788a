#!/usr/bin/env python3
"""rollbackd under systemd: the unit is well-formed and confined, and a systemd that boots runs it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from world import ROLLBACKD, ROOT, SHOP

UNIT = ROOT / "packaging" / "rollbackd.service"
EXPOSURE_MAX = 31  # tenths, as systemd-analyze counts them

CONFIG = """
[watcher]
[probe.health]
type = "http"
url = "http://127.0.0.1:3001/api/health"
interval = "200ms"
max_gap = "2s"
[rule.down]
when = "health.up == 0"
for = "2s"
severity = "P0"
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


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


class Unit(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-unit-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.unit = self.folder / "rollbackd.service"
        self.unit.write_text(UNIT.read_text().replace("/usr/local/bin/rollbackd", ROLLBACKD))

    def test_verify_has_nothing_to_say(self):
        done = subprocess.run(["systemd-analyze", "verify", self.unit], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_verify_would_find_a_mistake(self):
        self.unit.write_text(self.unit.read_text() + "\n[Service]\nProtectSytem=strict\n")
        done = subprocess.run(["systemd-analyze", "verify", self.unit], capture_output=True, text=True)
        self.assertIn("ProtectSytem", done.stderr)

    def test_it_is_confined(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", self.unit],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout.splitlines()[-1:])


class Boot(unittest.TestCase):
    """A machine that systemd boots, in a network namespace of its own."""

    def setUp(self):
        if os.geteuid() != 0 or not shutil.which("systemd-nspawn"):
            skip("booting systemd takes root and systemd-nspawn")
        made = subprocess.run([pathlib.Path(__file__).parent / "make_rootfs", "systemd"], capture_output=True, text=True)
        if made.returncode == 77:
            skip(made.stderr.strip())
        self.assertEqual(made.returncode, 0, made.stderr)
        self.root = made.stdout.strip()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-boot-"))
        self.name = f"rollbackd-{os.getpid()}"
        self.machine = None
        self.addCleanup(self.clean_up)
        self.furnish()
        self.boot()

    def clean_up(self):
        if self.machine and self.machine.poll() is None:
            self.machine.terminate()
            try:
                self.machine.wait(20)
            except subprocess.TimeoutExpired:
                self.machine.kill()
                self.machine.wait()
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def furnish(self):
        """What is bound into the machine: the binary, units, configuration, the shop."""
        (self.folder / "rollbackd.service").write_text(UNIT.read_text())
        (self.folder / "shop.service").write_text(SHOP_UNIT)
        (self.folder / "rollbackd.toml").write_text(CONFIG)
        (self.folder / "rollbackd.toml").chmod(0o600)
        subprocess.run([SHOP / "make_repository", self.folder / "shop"], check=True)

    def boot(self):
        made = subprocess.run(["ip", "netns", "add", self.name], capture_output=True, text=True)
        if made.returncode != 0:
            skip(f"no network namespace: {made.stderr.strip()}")
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        binds = {ROLLBACKD: "/usr/local/bin/rollbackd", self.folder / "rollbackd.service": "/etc/systemd/system/rollbackd.service",
                 self.folder / "shop.service": "/etc/systemd/system/shop.service"}
        command = ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", f"--network-namespace-path=/run/netns/{self.name}",
                   f"--machine={self.name}", "-D", self.root, "--volatile=overlay", "--console=pipe",
                   *(f"--bind-ro={host}:{inside}" for host, inside in binds.items()),
                   f"--bind={self.folder}/shop:/opt/shop", f"--bind-ro={self.folder}/rollbackd.toml:/root/rollbackd.toml", "-b"]
        self.console = (self.folder / "console").open("wb")
        self.machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.machine.poll() is not None:
                skip("systemd-nspawn does not boot here: " + (self.folder / "console").read_text(errors="replace")[-300:])
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
        end = time.monotonic() + seconds
        while True:
            value = holds()
            if value:
                return value
            if time.monotonic() > end:
                self.fail(f"after {seconds}s not yet so: {what}\n{self.journal()}")
            time.sleep(0.2)

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
        self.inside("sh", "-c", "printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/rollbackd.service.d/short.conf")
        self.inside("systemctl", "daemon-reload")
        self.inside("systemctl", "start", "shop", "rollbackd")
        time.sleep(5)  # longer than two periods: fed, or it would be gone
        first = self.show("MainPID")
        self.assertEqual(self.show("NRestarts"), "0")
        self.inside("kill", "-STOP", first)
        self.wait_for("systemd has put another in its place", lambda: self.show("NRestarts") == "1" and self.show("ActiveState") == "active", 40)


if __name__ == "__main__":
    unittest.main()
