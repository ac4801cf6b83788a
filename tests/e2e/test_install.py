#!/usr/bin/env python3
"""What `cmake --install` puts on a host: a stripped binary that runs, and its symbols beside it."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from world import ROLLBACKD

BUILD = pathlib.Path(ROLLBACKD).parents[1]


def sections(file):
    return subprocess.run(["readelf", "--section-headers", "--wide", file], check=True, capture_output=True, text=True).stdout


class Install(unittest.TestCase):
    def test_the_installed_binary_is_stripped_and_its_symbols_are_kept_apart(self):
        prefix = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-install-"))
        self.addCleanup(shutil.rmtree, prefix)
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        binary, symbols = prefix / "bin" / "rollbackd", prefix / "bin" / ".debug" / "rollbackd.debug"
        self.assertNotIn(" .symtab ", sections(binary))
        self.assertNotIn(" .debug_", sections(binary))
        self.assertIn(" .gnu_debuglink ", sections(binary))
        self.assertIn(" .symtab ", sections(symbols))
        self.assertIn(" .debug_line ", sections(symbols))
        self.assertLess(binary.stat().st_size * 3, pathlib.Path(ROLLBACKD).stat().st_size)
        said = subprocess.run([binary, "version"], check=True, capture_output=True, text=True).stdout
        self.assertIn("rollbackd", said)


if __name__ == "__main__":
    unittest.main()
