"""What tests with real machines and engines share: root file systems, network namespaces, an orderly end."""

import atexit
import concurrent.futures
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

PREFIX = "rollbackd-test-"
PR_SET_PDEATHSIG = 1
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def need_root_and(*programs):
    """Skips where this machine lacks the means."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("it takes root")
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"there is no {program}")


def root_file_system(kind):
    made = subprocess.run([pathlib.Path(__file__).parent / "make_rootfs", kind], capture_output=True, text=True)
    if made.returncode == 77:
        raise unittest.SkipTest(made.stderr.strip())
    if made.returncode != 0:
        raise AssertionError(made.stderr)
    return pathlib.Path(made.stdout.strip())


class Network:
    """A network namespace with nothing but a loopback; named after this process, so that another run can tell whose it was."""

    def __init__(self):
        for name in re.findall(rf"^{PREFIX}(\d+)\b", subprocess.run(["ip", "netns"], capture_output=True, text=True).stdout, re.MULTILINE):
            if not pathlib.Path("/proc", name).exists():
                subprocess.run(["ip", "netns", "del", PREFIX + name], capture_output=True)
        self.name = f"{PREFIX}{os.getpid()}"
        self.path = f"/run/netns/{self.name}"
        made = subprocess.run(["ip", "netns", "add", self.name], capture_output=True, text=True)
        if made.returncode != 0:
            raise unittest.SkipTest(f"no network namespace: {made.stderr.strip()}")
        atexit.register(self.remove)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)

    def enter(self):
        """Whatever this thread starts from here on is there, too."""
        with open(self.path, encoding="utf-8") as there:
            if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
                raise unittest.SkipTest(f"its network cannot be entered: {os.strerror(ctypes.get_errno())}")

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)


class ControlGroup:
    """A control group below our own in each hierarchy that systemd uses. Machines that boot in the same one would take each other's units for theirs."""

    def __init__(self):
        self.folders = []
        for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            roots = {"": ["unified", "."], "name=systemd": ["systemd"]}.get(controllers, [])
            root = next((pathlib.Path("/sys/fs/cgroup", one) for one in roots if pathlib.Path("/sys/fs/cgroup", one, "cgroup.procs").exists()), None)
            if root is None:
                continue
            folder = root / path.lstrip("/") / f"{PREFIX}{os.getpid()}"
            try:
                folder.mkdir(exist_ok=True)
            except OSError as error:
                raise unittest.SkipTest(f"no control group: {error}") from error
            self.folders.append(folder)

    def enter(self):
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        for folder in self.folders:
            for inner in sorted(folder.rglob("*/"), reverse=True):
                with contextlib.suppress(OSError):
                    inner.rmdir()
            with contextlib.suppress(OSError):
                folder.rmdir()


def start(command, log, before=lambda: None):
    """Starts what is to end with this process, even when that is killed; it is asked to end, not killed. `before` is done in it first."""
    parent = os.getpid()

    def die_with_parent():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
        before()
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               preexec_fn=die_with_parent)
    atexit.register(stop, process)
    return process


def stop(process, seconds=30):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def make_folder():
    """A temporary folder. Those of runs that were killed are removed."""
    for old in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}[0-9]*-*"):
        if not pathlib.Path("/proc", old.name.removeprefix(PREFIX).split("-")[0]).exists():
            remove_folder(old)
    return pathlib.Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


def remove_folder(folder):
    """With what is mounted below it taken off first: nothing that was bound into it is deleted."""
    mounts = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((one for one in mounts if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", mount], check=False)
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=False)


def main():
    """unittest.main, with exit code 77 where nothing could be tested here."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    result = unittest.main(exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.skipped and result.testsRun <= len(result.skipped):
        print("skipped: " + "; ".join(sorted({reason for _, reason in result.skipped})))
        sys.exit(77)


def main_beside_each_other(case, at_once):
    """All tests of the case, so many at once, since most of their time is waiting; those that are named one after the other."""
    if len(sys.argv) > 1:
        main()
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        case.setUpClass()
    except unittest.SkipTest as reason:
        print(f"skipped: {reason}")
        sys.exit(77)

    def run_one(name):
        result = unittest.TestResult()
        began = time.monotonic()
        case(name).run(result)
        return name, time.monotonic() - began, [text for _, text in result.failures + result.errors]

    wrong = []
    try:
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for name, seconds, failed in pool.map(run_one, unittest.TestLoader().getTestCaseNames(case)):
                print(f"{seconds:6.1f}s {'failed' if failed else 'ok'} {name}", flush=True)
                wrong += failed
    finally:
        case.doClassCleanups()
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


class Asked:
    """Who knows on which port a watcher listens (`listen`) can ask it."""

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.listen}{path}", timeout=5) as reply:
                return json.loads(reply.read())
        except OSError:
            return {}

    def service(self):
        return self.get("/api/v1/status").get("services", {}).get("web") or {}

    def incidents(self):
        return self.get("/api/v1/incidents").get("incidents", [])

    def report(self, incident):
        """When it is written, a moment after the incident is closed; it takes `folder` and `wait_for`."""
        file = self.folder / "state" / "incidents" / str(incident["id"]) / "report.md"
        return self.wait_for("the report is written", lambda: file.exists() and "is still open" not in file.read_text() and file.read_text())
