#!/usr/bin/env python3
"""What a step starts, the application too, has what a shell in the watcher's place would give it; our files are ours alone."""

import os
import pathlib
import stat
import subprocess
import sys
import unittest

from world import World, free_port

# What the watcher is started with, each unlike what a process has by default. A mask can be set by no shell.
STARTED_WITH = """
umask 0027
ulimit -S -n 700
ulimit -H -c 0
echo 300 > /proc/$$/oom_score_adj
export FROM_THE_UNIT='as it was written'
exec nice -n 3 "$@"
"""
BLOCKING = "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGRTMIN}); os.execvp(sys.argv[1], sys.argv[1:])"

CONDITIONS = """#!/bin/bash
{
  echo "umask $(umask)"
  echo "nice $(nice)"
  echo "oom $(cat /proc/self/oom_score_adj)"
  grep SigBlk /proc/self/status
  sed 's/^/limit /' /proc/self/limits
  env | sed 's/^/env /' | sort
} > "$1.part"
mv "$1.part" "$1"
"""

# The service manager's line to the watcher alone, and what a step is told.
OURS = ("env NOTIFY_SOCKET=", "env WATCHDOG_", "env LISTEN_", "env ROLLBACKD_", "env PWD=", "env OLDPWD=", "env _=", "env SHLVL=")


def private(path):
    return not path.lstat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


class Inherited(World):
    maxDiff = None
    def setUp(self):
        super().setUp()
        self.script = self.folder / "conditions"
        self.script.write_text(CONDITIONS)
        self.script.chmod(0o755)
        (self.folder / "seen").mkdir()
        self.prefix = ["bash", "-c", STARTED_WITH, "bash", sys.executable, "-c", BLOCKING]
        self.environment.update(NOTIFY_SOCKET=str(self.folder / "nobody-listens"), WATCHDOG_USEC="0")

    def conditions_of_a_step(self, more=""):
        seen = self.folder / "seen" / "step"
        self.config_file.write_text(f"""
[watcher]
state_dir = "{self.folder}/state"
listen    = "127.0.0.1:{self.listen}"
control   = "{self.folder}/control.sock"
[service.shop]
health   = "http://127.0.0.1:{free_port()}/"
rules    = ["down for 1s"]
rollback = ["{self.script}", "{seen}"]
start_deadline = "1s"
{more}
""")
        self.start_watcher(prefix=self.prefix)
        self.wait_for("a step has seen what it has", seen.exists, 60)
        return self.lines(seen)

    def conditions_of_a_shell(self):
        seen = self.folder / "seen" / "shell"
        subprocess.run([*self.prefix, self.script, seen], check=True, env=self.environment)
        return self.lines(seen)

    def lines(self, path):
        return [line for line in path.read_text().splitlines() if not line.startswith(OURS)]

    def test_a_step_has_what_a_shell_in_our_place_has(self):
        of_a_step, of_a_shell = self.conditions_of_a_step(), self.conditions_of_a_shell()
        nice = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3)
        for expected in ("umask 0027", f"nice {nice}", "oom 300", "env FROM_THE_UNIT=as it was written"):
            self.assertIn(expected, of_a_shell)
        self.assertNotIn("SigBlk:\t0000000000000000", of_a_shell)
        self.assertEqual(of_a_step, of_a_shell)

    def test_as_somebody_else_too(self):
        if os.geteuid() != 0:
            self.skipTest("only root can run a step as somebody else")
        self.folder.chmod(0o755)
        (self.folder / "seen").chmod(0o777)
        own = ("env USER=", "env LOGNAME=", "env HOME=", "env SHELL=", "env MAIL=")
        of_a_step, of_a_shell = self.conditions_of_a_step('driver = "command"\nuser = "nobody"'), self.conditions_of_a_shell()
        self.assertEqual([line for line in of_a_step if not line.startswith(own)],
                         [line for line in of_a_shell if not line.startswith(own)])

    def test_only_what_is_ours_is_private_under_any_umask(self):
        self.good_shop_under_watch(prefix=["bash", "-c", 'umask 0; exec "$@"', "bash"])
        self.deploy("errors")
        incident = self.wait_for_incident_closed(90)
        self.assertEqual(incident["outcome"], "recovered", incident)
        self.report_of(incident)
        self.cli("deploy", "mark", "--service", "shop")
        self.stop_watcher()
        self.cli("deploy", "mark", "--service", "shop")  # left for the next start
        ours = list((self.folder / "state").rglob("*"))
        names = {path.relative_to(self.folder / "state").parts[0] for path in ours}
        self.assertTrue({"samples", "incidents", "spool", "rollbackd.db"} <= names, names)
        self.assertEqual([str(path) for path in [self.folder / "state", *ours] if not private(path)], [])
        # What the switch put back is the application's.
        changed = subprocess.run(["git", "-C", self.repository, "diff", "--name-only", "v1", "errors"], check=True, capture_output=True, text=True)
        for name in changed.stdout.split():
            mode = pathlib.Path(self.repository / name).stat().st_mode
            self.assertEqual(mode & 0o066, 0o066, f"{name}: {mode:o}")


if __name__ == "__main__":
    unittest.main()
