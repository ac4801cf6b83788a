#!/usr/bin/env python3
"""A state directory that is full, read-only or gone, at the start and in mid-incident: what is not on disk is not done,
and what was on disk is not lost."""

import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import machine
from world import World

MOUNT = 'mount -t tmpfs -o "mode=0700,$1" tmpfs "$2" && shift 2 && exec "$@"'
BIND_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


class BadDisks(World):
    def setUp(self):
        self.skip_unless_it_can_mount()
        super().setUp()
        (self.folder / "state").mkdir()

    def skip_unless_it_can_mount(self):
        """Root, and the capability; in a container or a chroot either may be missing."""
        with tempfile.TemporaryDirectory() as place:
            mount = ["unshare", "--mount", "sh", "-c", MOUNT, "sh", "size=64k", place, "true"]
            tried = subprocess.run(mount, capture_output=True, text=True)
        if tried.returncode != 0:
            self.skipTest(f"it cannot mount a small disk here: {tried.stderr.strip()}")

    def start_on(self, options, wait=True):
        """rollbackd in a mount namespace of its own, whose state directory is a disk like this: it goes when rollbackd goes."""
        prefix = ["unshare", "--mount", "sh", "-c", MOUNT, "sh", options, self.folder / "state"]
        return self.start_watcher(wait=wait, prefix=prefix)

    def state(self):
        """The state directory as rollbackd sees it."""
        return pathlib.Path(f"/proc/{self.watcher.pid}/root{self.folder}/state")

    def fill(self):
        with (self.state() / "somebody-elses-file").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass


    def good_shop_on(self, options, ready=True):
        self.deploy("v1")
        self.wait_until_shop_serves("v1")
        self.visitors()
        self.start_on(options, wait=ready)
        self.wait_for("v1 is known to run", lambda: self.service().get("revision") == self.revision("v1"), 30)
        self.wait_for("errors are observed", lambda: self.status()["rules"]["errors"]["verdict"] == "good", 30)

    def trouble(self):
        return str((self.status() or {"watcher": {}})["watcher"].get("degraded") or "")

    def titles(self):
        return [told["title"] for told in self.people.told]

    def is_asked(self):
        return any(told["stage"] == "ask" for told in self.people.told)

    def nothing_is_done(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.assertEqual((self.version(), self.checkouts()[0].split()[-1]), ("errors", "errors"))
            time.sleep(0.2)

    def does_not_start_on(self, options, why):
        watcher = self.start_on(options, wait=False)
        self.assertEqual(watcher.wait(20), 1)
        log = self.log.read_text()
        self.assertIn(str(self.folder / "state"), log)
        self.assertIn(why, log)

    def test_full_at_the_start(self):
        self.does_not_start_on("size=64k", "full")

    def test_read_only_at_the_start(self):
        self.does_not_start_on("ro", "Read-only")

    def test_too_little_room_for_the_reserve_asks_instead_of_acting(self):
        self.good_shop_on("size=8M", ready=False)  # it is not, from the first look at the disk on
        self.wait_for("the want of room is told", lambda: "32 MiB" in self.trouble(), 30)
        self.assertEqual(self.http("/readyz")[0], 503)
        moves = len(self.checkouts())
        self.deploy("errors")
        self.wait_for("people are asked", self.is_asked, 60)
        self.assertEqual(len(self.checkouts()), moves + 1)
        self.cli("approve", str(self.incidents()[0]["id"]))
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "recovered")

    def test_the_reserve_is_what_an_incident_on_a_full_disk_is_written_from(self):
        self.good_shop_on("size=40M")
        self.fill()
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        self.assertEqual(incident["outcome"], "recovered")
        self.assertIn("recovered", self.report_of(incident, self.state() / "incidents" / incident["id"])[0])

    def test_an_intent_that_does_not_get_on_disk_is_not_done(self):
        self.good_shop_on("size=40M")
        (self.state() / "reserve").unlink()
        self.fill()
        self.deploy("errors")
        self.wait_for("the rule fires", lambda: self.status()["rules"]["errors"]["state"] == "firing", 60)
        self.wait_for("the full disk is told", lambda: "full" in self.trouble(), 30)
        self.nothing_is_done(6)
        (self.state() / "somebody-elses-file").unlink()
        self.wait_for("what was to be told is told, late", lambda: "rollbackd is well again" in self.titles(), 40)
        self.assertIn("rollbackd is in trouble itself", self.titles())
        self.assertEqual(self.trouble(), "")
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "recovered")
        self.assertEqual(len(self.incidents()), 1)

    def test_a_state_directory_that_is_removed_is_told_and_nothing_is_done_from_memory(self):
        self.good_shop_on("size=40M")
        for entry in self.state().iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        self.wait_for("it is told", lambda: "removed" in self.trouble(), 30)
        self.deploy("errors")
        self.wait_for("the rule fires", lambda: self.status()["rules"]["errors"]["state"] == "firing", 60)
        self.nothing_is_done(4)
        self.assertEqual(self.stop_watcher(), 0)

    def test_read_only_in_mid_incident_is_refused_and_goes_on_when_it_can_be_written(self):
        """As after a power cut that the file system did not bear well."""
        self.good_shop_under_watch()
        moves = len(self.checkouts())
        self.deploy("errors")
        self.wait_for("the rollback is verified", lambda: any(one["phase"] == "verifying" for one in self.incidents()), 60)
        self.stop_watcher(signal.SIGKILL)
        bind = ["unshare", "--mount", "sh", "-c", BIND_READ_ONLY, "sh", self.folder / "state"]
        watcher = self.start_watcher(wait=False, prefix=bind)
        self.assertEqual(watcher.wait(20), 1)
        self.assertIn("Read-only", self.log.read_text())
        self.start_watcher()
        incident = self.wait_for_incident_closed()
        self.assertEqual(incident["outcome"], "recovered")
        self.assertEqual(len(self.checkouts()), moves + 2, self.checkouts())


if __name__ == "__main__":
    machine.main()
