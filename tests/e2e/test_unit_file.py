#!/usr/bin/env python3
"""packaging/rollbackd.service as a text: it is well-formed and confined."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from world import ROLLBACKD, ROOT

UNIT = ROOT / "packaging" / "rollbackd.service"
EXPOSURE_MAX = 31  # tenths, as systemd-analyze counts them


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


if __name__ == "__main__":
    unittest.main()
