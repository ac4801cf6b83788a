#!/usr/bin/env python3
"""What would keep a rollback from being done is foretold within half a minute, with what to do, once, and so is its end."""

import os
import pathlib
import unittest

import machine
from world import World

PLAN = """
[action.rollback]
[[action.rollback.step]]
run = ["{folder}/backup"]
[[action.rollback.step]]
switch = "last-good"
[[action.rollback.step]]
run = ["scripts/validate.sh"]
"""

# The checkout as rollbackd sees it is a copy on a small disk of its own.
SMALL_DISK = 'mount -t tmpfs -o size=24M tmpfs "$1" && cp -a "$2/." "$1" && mount --bind "$1" "$2" && shift 2 && exec "$@"'
SOON = 30   # seconds, as the contract has it
LOOKS = 13  # seconds, in which it is looked twice more


class Foretold(World):
    def under_watch(self, plan=PLAN, **watcher):
        self.backup = self.folder / "backup"
        self.backup.write_text("#!/bin/sh\n")
        self.backup.chmod(0o755)
        self.validation = self.repository / "scripts" / "validate.sh"
        self.validation.parent.mkdir()
        self.validation.write_text("#!/bin/sh\n")
        self.validation.chmod(0o755)
        self.configure(more=plan.format(folder=self.folder))
        self.good_shop_under_watch(**watcher)

    def faults(self):
        return [told["title"] + ": " + told["text"] for told in self.people.told if told["stage"] == "fault"]

    def is_foretold_once(self, put, take_away, *words):
        """Once however long it lasts, and its end once as well."""
        before = len(self.faults())
        put()
        told = self.wait_for(f"{words} is told", lambda: self.faults()[before:], SOON)
        for word in ("could not be rolled back", "; do ", *words):
            self.assertIn(word, told[0])
        self.stays_quiet(LOOKS)
        take_away()
        self.wait_for("its end is told", lambda: len(self.faults()) > before + 1, SOON)
        self.assertEqual(len(self.faults()), before + 2, self.faults()[before:])
        self.assertIn("is gone", self.faults()[-1])

    def test_commands_of_the_driver_and_of_the_plan(self):
        self.under_watch()
        build, away = self.repository / "build", self.folder / "away"
        self.is_foretold_once(lambda: build.chmod(0o644), lambda: build.chmod(0o755), str(build), "chmod +x")
        self.is_foretold_once(lambda: self.backup.rename(away), lambda: away.rename(self.backup), str(self.backup))
        # The relative one of a step after the switch, which starts where the service is.
        self.is_foretold_once(lambda: self.validation.rename(away), lambda: away.rename(self.validation), str(self.validation))
        self.assertEqual(self.cli("check", "--online").returncode, 0)
        self.validation.rename(away)
        asked = self.cli("check", "--online", check=False)
        self.assertEqual(asked.returncode, 1)
        self.assertIn(f"action.rollback.step[2].run: the command {self.validation} does not exist", asked.stdout)

    def test_what_notifies_cannot_be_loaded(self):
        """`run` would not start: `check` says so before."""
        (self.folder / "libcurl.so.4").write_text("no library")
        self.environment["LD_LIBRARY_PATH"] = str(self.folder)
        asked = self.cli("check", check=False)
        self.assertEqual(asked.returncode, 1, asked.stdout)
        self.assertIn("wrong: notify: load libcurl.so.4: ", asked.stdout)
        self.assertEqual(self.start_watcher(wait=False).wait(15), 1)
        self.watcher = None

    def test_a_lock_that_another_git_left(self):
        self.under_watch()
        for name in ("index.lock", "HEAD.lock"):
            lock = self.repository / ".git" / name
            self.is_foretold_once(lock.touch, lock.unlink, str(lock), "do remove it")

    def is_foretold_and_checked(self, put, take_away, *words):
        self.is_foretold_once(put, take_away, *words)
        self.assertIn("could be switched now", self.cli("check", "--online").stdout)
        put()
        asked = self.cli("check", "--online", check=False)
        self.assertEqual(asked.returncode, 1, asked.stdout)
        for word in words:
            self.assertIn(word, asked.stdout)
        take_away()

    def test_what_a_command_has_run(self):
        """The script behind an interpreter, the program behind one that runs others, the interpreter of a script."""
        self.under_watch(PLAN.replace('["{folder}/backup"]', '["env", "A=1", "timeout", "9", "sh", "{folder}/backup"]'))
        away = self.folder / "away"
        self.is_foretold_and_checked(lambda: self.backup.rename(away), lambda: away.rename(self.backup), str(self.backup))
        for line in ("#!/usr/bin/env nosuch\n", "#!/bin/sh\r\n"):
            self.is_foretold_and_checked(lambda line=line: self.validation.write_text(line),
                                         lambda: self.validation.write_text("#!/bin/sh\n"), str(self.validation))

    def test_a_target_that_is_not_in_the_repository_any_more(self):
        """As a shallow clone and `gc --prune` leave it."""
        self.under_watch()
        self.deploy("v2")
        self.wait_for("the older one is the target", lambda: self.service().get("rollback_ready"), 30)
        good = self.revision("v1")
        loose = self.repository / ".git" / "objects" / good[:2] / good[2:]
        self.assertTrue(loose.exists())
        away = self.folder / "away"
        self.is_foretold_and_checked(lambda: loose.rename(away), lambda: away.rename(loose), good, "is no commit in")

    def test_a_full_disk(self):
        machine.need_root_and("unshare", "mount")
        disk = self.folder / "disk"
        disk.mkdir()
        self.under_watch(prefix=["unshare", "--mount", "sh", "-c", SMALL_DISK, "sh", disk, self.repository])
        full = pathlib.Path(f"/proc/{self.watcher.pid}/root{self.repository}/run/full")

        def fill():
            with full.open("wb") as file:
                while os.statvfs(full.parent).f_bavail * os.statvfs(full.parent).f_frsize > 1 << 20:
                    file.write(bytes(1 << 19))
                    file.flush()
        self.is_foretold_once(fill, full.unlink, str(self.repository), "is full", "make room")


if __name__ == "__main__":
    machine.main()
