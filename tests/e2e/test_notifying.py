#!/usr/bin/env python3
"""The library that messages are sent with is loaded for those who send some, and missed at the start, not in the night."""

import pathlib
import subprocess
import tempfile
import unittest

from world import ROLLBACKD
from watched import free_port, wait_until, write_config

WATCH = """
[watcher]
state_dir = "{folder}/state"
control = "{folder}/control.sock"
listen = "127.0.0.1:{port}"
[probe.app]
type = "http"
url = "http://127.0.0.1:{target}/health"
[rule.down]
when = "app.up == 0"
for = "30s"
[service.app]
rollback = ["true"]
"""
NOTIFY = """
[notify.ops]
type = "webhook"
url = "http://127.0.0.1:{target}/told"
"""


class Notifying(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rollbackd-notifying-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def argv(self, text):
        config = self.folder / "rollbackd.toml"
        write_config(config, text.format(folder=self.folder, port=free_port(), target=free_port()))
        return [ROLLBACKD, "run", "--config", config]

    def mapped(self, text):
        """Whether a watcher with this configuration has libcurl in its memory."""
        log = self.folder / "log"
        with log.open("wb") as out, subprocess.Popen(self.argv(text), stdout=out, stderr=out) as watcher:
            try:
                wait_until(lambda: "event=started" in log.read_text(), 20)
                return "libcurl" in pathlib.Path(f"/proc/{watcher.pid}/maps").read_text()
            finally:
                watcher.terminate()

    def test_only_who_notifies_loads_what_that_takes(self):
        self.assertFalse(self.mapped(WATCH))
        self.assertTrue(self.mapped(WATCH + NOTIFY))

    def test_a_library_that_is_missing_is_said_at_the_start(self):
        (self.folder / "libcurl.so.4").write_text("not a library")
        run = subprocess.run(self.argv(WATCH + NOTIFY), capture_output=True, text=True, timeout=20,
                             env={"LD_LIBRARY_PATH": str(self.folder)})
        self.assertEqual(run.returncode, 1)
        for word in ("cannot_start", "libcurl.so.4", "install libcurl4"):
            self.assertIn(word, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
