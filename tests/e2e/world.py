"""A host in a temporary directory: the shop in its git repository, visitors, people who are told, and rollbackd.

Windows are seconds instead of minutes; everything else is as an operator would have it.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOP = ROOT / "tests" / "shop"
sys.path.insert(0, str(SHOP))
from watched import HOST, SERVICE, People, filled, free_port, wait_until, write_config  # noqa: E402

ROLLBACKD = os.environ.get("ROLLBACKD", str(ROOT / "build" / "release" / "watcher" / "rollbackd"))

class World(unittest.TestCase):
    """A test case that has a host. Nothing outlives it."""

    start_deadline = "5s"
    blind_after = "1m"
    window, sustain, down = "4s", "3s", "2s"

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-e2e-"))
        self.repository = self.folder / "shop"
        self.config_file = self.folder / "rollbackd.toml"
        self.port, self.listen = free_port(), free_port()
        self.people = People()
        self.processes = []
        self.watcher = None
        self.log = self.folder / "rollbackd.log"
        # The host's lock is one for all watchers; tests that run side by side have a host each.
        self.environment = {**os.environ, "ROLLBACKD_HOST_LOCK": str(self.folder / "host.lock")}
        self.addCleanup(self.clean_up)
        self.make_application()
        self.configure()

    def make_application(self):
        subprocess.run([SHOP / "make_repository", self.repository, str(self.port)], check=True)

    def stop_application(self):
        subprocess.run([self.repository / "stop"], check=False)

    def clean_up(self):
        failed = any(error for _, error in getattr(self._outcome, "errors", [])) or \
            any(case is self for case, _ in getattr(self._outcome.result, "failures", []) + getattr(self._outcome.result, "errors", []))
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.stop_application()
        self.end_orphans()
        self.people.shutdown()
        self.people.server_close()
        if failed and self.log.exists():
            print(f"--- {self.id()}: the end of rollbackd's log", file=sys.stderr)
            print("\n".join(self.log.read_text(errors="replace").splitlines()[-60:]), file=sys.stderr)
        if failed and os.environ.get("KEEP"):
            print(f"--- kept: {self.folder}", file=sys.stderr)
            return
        shutil.rmtree(self.folder, ignore_errors=True)

    def end_orphans(self):
        """Steps of a killed rollbackd outlive it, and what they start outlives them. All name this test's own folder."""
        def orphans():
            for entry in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    if str(self.folder).encode() in (entry / "cmdline").read_bytes():
                        yield int(entry.name)
                except OSError:
                    pass  # it has ended meanwhile
        # A step that is killed starts nothing more: what it had started by then is found by the next look.
        for _ in range(3):
            for pid in orphans():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    # The host's configuration.

    def configure(self, more="", service_more="", service=SERVICE, base=HOST):
        write_config(self.config_file, filled(
            base + service, name="e2e", folder=self.folder, listen=self.listen, port=self.port, repository=self.repository,
            people=self.people.port, interval="200ms", window=self.window, sustain=self.sustain, down=self.down, start_deadline=self.start_deadline,
            blind_after=self.blind_after, more=service_more) + more)

    def shop_settings(self, **values):
        (self.repository / "run" / "settings.json").write_text(json.dumps({"port": self.port, **values}))

    # What people and scripts do.

    def checkout(self, tag):
        subprocess.run(["git", "-C", self.repository, "checkout", "-q", tag], check=True)

    def people_hear(self, stage, *words, seconds=60):
        """Until somebody was told of this stage, with all of these words."""
        return self.wait_for(f"people are told: {stage} {words}", lambda: [
            told for told in self.people.told if told["stage"] == stage and all(word in json.dumps(told) for word in words)], seconds)

    def deploy(self, tag, mark=False):
        self.checkout(tag)
        subprocess.run([self.repository / "restart"], check=True)
        if mark:
            self.cli("deploy", "mark", "--service", "shop")

    def visitors(self, **options):
        words = [f"--{name}={value}" for name, value in {"rate": 80, "duration": 300, **options}.items()]
        process = subprocess.Popen([SHOP / "load", f"--port={self.port}", *words], stdout=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def cli(self, *words, check=True, timeout=60):
        done = subprocess.run([ROLLBACKD, *words, "--config", self.config_file], capture_output=True, text=True, timeout=timeout,
                              env=self.environment)
        if check:
            self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done

    def start_watcher(self, wait=True, prefix=(), **environment):
        """`prefix` is a command that becomes rollbackd in the end, as `exec` does."""
        with self.log.open("ab") as log:
            self.watcher = subprocess.Popen([*prefix, ROLLBACKD, "run", "--config", self.config_file], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, env={**self.environment, **environment})
        self.processes.append(self.watcher)
        if wait:
            self.wait_for("rollbackd is ready", lambda: self.http("/readyz")[0] == 200, 15)
        return self.watcher

    def stop_watcher(self, by=signal.SIGTERM, timeout=20):
        self.watcher.send_signal(by)
        return self.watcher.wait(timeout)

    # What can be seen.

    def http(self, path, port=None):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.listen}{path}", timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def status(self):
        code, body = self.http("/api/v1/status")
        return json.loads(body) if code == 200 else None

    def service(self):
        return ((self.status() or {}).get("services") or {}).get("shop") or {}

    def incidents(self):
        code, body = self.http("/api/v1/incidents")
        return json.loads(body)["incidents"] if code == 200 else []

    def version(self):
        code, body = self.http("/api/version", self.port)
        return json.loads(body)["version"] if code == 200 else None

    def is_not_left(self, version):
        """No other one serves; on a busy host an answer may come too late to say which."""
        return self.version() in (version, None)

    def revision(self, tag):
        return subprocess.run(["git", "-C", self.repository, "rev-parse", f"{tag}^{{commit}}"], check=True,
                              capture_output=True, text=True).stdout.strip()

    def checkouts(self):
        """Every time that HEAD moved, by whomever."""
        out = subprocess.run(["git", "-C", self.repository, "reflog", "--format=%gs"], check=True, capture_output=True, text=True)
        return out.stdout.splitlines()

    def wait_for(self, what, holds, seconds):
        def looked():
            value = holds()
            if not value and self.watcher and self.watcher.poll() is not None and "ends" not in what:
                self.fail(f"rollbackd ended with {self.watcher.returncode} while waiting until {what}")
            return value
        return wait_until(looked, seconds) or self.fail(
            f"after {seconds}s not yet so: {what}; {self.service()} {self.incidents()} {(self.status() or {}).get('rules')}")

    def wait_until_shop_serves(self, version, seconds=20):
        self.wait_for(f"the shop serves {version}", lambda: self.version() == version, seconds)

    def wait_for_incident_closed(self, seconds=90):
        return self.wait_for("an incident is closed with an outcome",
                             lambda: next((one for one in self.incidents() if one.get("outcome")), None), seconds)

    def good_shop_under_watch(self, tag="v1", load=None, named=True, **watcher):
        """The shop runs a good release under load, and rollbackd has adopted it; `named`: it can say which."""
        self.deploy(tag)
        self.wait_until_shop_serves(tag)
        self.visitors(**(load or {}))
        self.start_watcher(**watcher)
        if named:
            self.wait_for("the running revision is known", lambda: self.service().get("revision") == self.revision(tag), 30)
        self.wait_for("every rule is observed as good",
                      lambda: all(rule["verdict"] == "good" for rule in (self.status() or {"rules": {"": {"verdict": ""}}})["rules"].values()), 40)

    def report_of(self, incident, folder=None):
        """The closed incident's report, which is written a moment after the incident is closed, and its decision.json."""
        folder = folder or self.folder_of(incident)

        def written():
            try:
                report, decision = (folder / "report.md").read_text(), json.loads((folder / "decision.json").read_text())
            except FileNotFoundError:
                return None
            return (report, decision) if decision.get("outcome") == incident["outcome"] and "is still open" not in report else None
        told = self.wait_for("the report is written", written, 20)
        page = (folder / "report.html").read_text()
        self.assertIn("<h1>", page)
        self.assertNotIn("<script", page)
        return told

    def folder_of(self, incident):
        return self.folder / "state" / "incidents" / str(incident["id"])

    def stays_quiet(self, seconds, holds=lambda: True):
        """Nothing opens an incident for this long, and `holds` stays true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.assertIsNone(self.watcher.poll(), "rollbackd ended")
            self.assertEqual(self.incidents(), [])
            self.assertTrue(holds())
            time.sleep(0.2)
