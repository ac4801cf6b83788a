#!/usr/bin/env python3
"""rollbackd as two halves, in the place of one: what tests of drivers give to ROLLBACKD. The watcher is a user without rights.

Beside the configuration that is named, two folders are made: `split-watcher` is the watcher's, `split-runner` the runner's. The
runner is started with the first watcher, again whenever it ends, and ends with the configuration's file.
"""

import contextlib
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib

WATCHER = pwd.getpwnam("nobody")
REAL = os.environ.get("ROLLBACKD_REAL") or str(pathlib.Path(__file__).resolve().parents[2] / "build/release/watcher/rollbackd")
READS = ("run", "reload", "check")


class Halves:
    def __init__(self, config):
        self.config = pathlib.Path(config).absolute()
        self.theirs = self.config.parent / f"split-watcher-{self.config.stem}"
        self.ours = self.config.parent / f"split-runner-{self.config.stem}"
        self.socket = self.ours / "socket"
        self.host = pathlib.Path(os.environ.get("ROLLBACKD_HOST_LOCK", self.config.parent / "host.lock")).parent / "split-host"
        os.environ["ROLLBACKD_HOST_LOCK"] = str(self.host / "lock")

    def make(self):
        for folder in (self.config.parent, *self.config.parent.parents):
            folder.chmod(folder.stat().st_mode | 0o011)
        self.make_folder(self.theirs, WATCHER.pw_uid, 0o700)
        self.make_folder(self.ours, 0, 0o711)
        self.make_folder(self.host, 0, 0o770)
        text = self.config.read_text()
        if "\nrunner = " not in text:
            control = f'control = "{self.theirs}/control.sock"'
            text = re.sub(r"(?m)^control *=.*\n", "", text, count=1)
            keys = f'[watcher]\nrunner = "{self.socket}"\nrunner_user = "{WATCHER.pw_name}"\nrunner_dir = "{self.ours}/kept"\n{control}\n'
            text = text.replace("[watcher]\n", keys, 1) if "[watcher]\n" in text else keys + text
            new = self.config.with_suffix(".split")
            new.write_text(text)
            new.rename(self.config)
        os.chown(self.config, 0, WATCHER.pw_gid)
        self.config.chmod(0o640)
        state = tomllib.loads(text)["watcher"].get("state_dir")
        if state:
            self.make_folder(pathlib.Path(state), WATCHER.pw_uid, 0o700)
            for one in pathlib.Path(state).rglob("*"):
                os.chown(one, WATCHER.pw_uid, WATCHER.pw_gid, follow_symlinks=False)
            # Tests look there for what drivers note, which is the runner's.
            for notes in ("compose", "drivers"):
                if not os.path.lexists(f"{state}/{notes}"):
                    os.symlink(f"{self.ours}/kept/{notes}", f"{state}/{notes}")

    @staticmethod
    def make_folder(path, owner, mode):
        path.mkdir(exist_ok=True)
        os.chown(path, owner, WATCHER.pw_gid)
        path.chmod(mode)

    def answers(self):
        with socket.socket(socket.AF_UNIX) as asker:
            try:
                asker.connect(str(self.socket))
            except OSError:
                return False
        return True

    def have_runner(self):
        if self.answers():
            return
        if os.fork() == 0:
            os.setsid()
            self.guard()
            os._exit(0)
        end = time.monotonic() + 30
        while not self.answers():
            if time.monotonic() > end:
                sys.exit("the runner does not start")
            time.sleep(0.02)

    def guard(self):
        """As a service manager would."""
        with (self.ours / "log").open("ab") as log:
            for number in (0, 1, 2):
                os.dup2(log.fileno(), number)
            while self.config.exists():
                runner = subprocess.Popen([REAL, "runner", "--config", self.config], stdin=subprocess.DEVNULL, start_new_session=True)
                (self.ours / "pid").write_text(str(runner.pid))
                while self.config.exists():
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        runner.wait(0.1)
                        break
        runner.terminate()
        try:
            runner.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(runner.pid, signal.SIGKILL)


def main():
    words = sys.argv[1:]
    named = words[words.index("--config") + 1] if "--config" in words else None
    command = [REAL, *words]
    if named:
        halves = Halves(named)
        if words[0] in READS:
            halves.make()
        if words[0] == "run":
            halves.have_runner()
            command = ["setpriv", f"--reuid={WATCHER.pw_uid}", f"--regid={WATCHER.pw_gid}", "--clear-groups", *command]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
