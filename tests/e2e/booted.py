"""A machine that systemd boots, with packaging/rollbackd.service as it is."""

import json
import pathlib
import subprocess
import time
import unittest

import machine
from world import ROLLBACKD, ROOT
from watched import wait_until

UNIT = ROOT / "packaging" / "rollbackd.service"
BOOT_SECONDS_MAX = 60  # it takes 1 where nothing else runs


class Boot(unittest.TestCase):
    """A machine that systemd boots, in a network namespace of its own."""

    units = (UNIT,)  # of rollbackd

    def setUp(self):
        machine.need_root_and("systemd-nspawn", "ip", "nsenter")
        self.root = machine.root_file_system("systemd")
        self.folder = machine.make_folder()
        self.addCleanup(machine.remove_folder, self.folder)
        self.network = machine.Network()
        self.addCleanup(self.network.remove)
        for unit in self.units:
            (self.folder / unit.name).write_text(unit.read_text())
        self.furnish()
        (self.folder / "rollbackd.toml").chmod(0o600)
        self.boot()

    def furnish(self):
        """What is bound into the machine besides the binary: shop.service, rollbackd.toml, and the folder shop as /opt/shop."""
        raise NotImplementedError

    def boot(self):
        binds = {ROLLBACKD: "/usr/local/bin/rollbackd"}
        for unit in (*(one.name for one in self.units), "shop.service"):
            binds[self.folder / unit] = f"/etc/systemd/system/{unit}"
        # Read-only and an overlay: any number may be booted from one root file system at a time.
        command = ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", f"--network-namespace-path={self.network.path}",
                   f"--machine={self.network.name}", "-D", self.root, "--read-only", "--volatile=overlay", "--console=pipe",
                   *(f"--bind-ro={host}:{inside}" for host, inside in binds.items()),
                   f"--bind={self.folder}/shop:/opt/shop", f"--bind-ro={self.folder}/rollbackd.toml:/root/rollbackd.toml", "-b"]
        group = machine.ControlGroup()
        self.addCleanup(group.remove)
        with (self.folder / "console").open("wb") as console:
            self.machine = machine.start(command, console, before=group.enter)
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
        return subprocess.run(["nsenter", "-t", self.leader(), "-m", "-p", "journalctl", "-u", "rollbackd", "-u", "rollbackd-runner", "-n", "60", "--no-pager"],
                              capture_output=True, text=True).stdout

    def show(self, what, unit="rollbackd"):
        return self.inside("systemctl", "show", "-P", what, unit).stdout.strip()

    def wait_for(self, what, holds, seconds):
        return wait_until(holds, seconds) or self.fail(f"after {seconds}s not yet so: {what}\n{self.journal()}")

    def incidents(self):
        done = self.inside("rollbackd", "incidents", "--json", check=False)
        return json.loads(done.stdout)["incidents"] if done.returncode == 0 else []
