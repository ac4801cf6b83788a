#!/usr/bin/env python3
"""The units of packaging as texts: they are well-formed and confined."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from world import ROLLBACKD, ROOT

UNIT = ROOT / "packaging" / "rollbackd.service"
EXPOSURE_MAX = 31  # tenths, as systemd-analyze counts them
SPLIT = ROOT / "packaging" / "split"
WATCHER_EXPOSURE_MAX = 12  # of the half that reads hostile bytes


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


class Split(unittest.TestCase):
    """The two halves."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-unit-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for unit in SPLIT.glob("*.service"):
            (self.folder / unit.name).write_text(unit.read_text().replace("/usr/local/bin/rollbackd", ROLLBACKD))

    def exposure(self, unit, most):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={most}", self.folder / unit],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout.splitlines()[-1:])

    def test_verify_has_nothing_to_say_of_either_half(self):
        done = subprocess.run(["systemd-analyze", "verify", *self.folder.iterdir()], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_half_that_reads_hostile_bytes_has_no_rights(self):
        self.exposure("rollbackd.service", WATCHER_EXPOSURE_MAX)
        unit = (self.folder / "rollbackd.service").read_text()
        for line in ("User=rollbackd\n", "CapabilityBoundingSet=\n", "NoNewPrivileges=yes\n"):
            self.assertIn("\n" + line, unit)

    def test_the_half_that_acts_is_as_confined_as_both_in_one(self):
        self.exposure("rollbackd-runner.service", EXPOSURE_MAX)


if __name__ == "__main__":
    unittest.main()
