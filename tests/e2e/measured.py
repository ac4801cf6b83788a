"""What the tests of client libraries share: an application or proxy that is visited, and the short form that judges it.

Each application answers /ok, /bad with 500, /slow after 0.7 s, /health and /metrics. The configuration is the short form, written
out by `check --expand`, with windows of seconds.
"""

import fcntl
import http.client
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from world import ROLLBACKD
from watched import free_port, wait_until

LIBRARIES = pathlib.Path(__file__).resolve().parent / "libraries"

SIX_LINES = """[watcher]
state_dir = "{folder}/state"
listen    = "127.0.0.1:{listen}"
control   = "{folder}/control.sock"

[service.app]
health   = "http://127.0.0.1:{port}/health"
metrics  = "http://127.0.0.1:{metrics}/metrics"
rules    = ["error_rate > 5% for 5m", "p95 > 300ms for 5m", "memory > 60% for 5m", "down for 30s"]
rollback = ["true"]
"""

SECONDS = {'interval = "5s"': 'interval = "200ms"', 'max_gap = "12s500ms"': 'max_gap = "3s"', 'window = "1m"': 'window = "4s"',
           'window_max = "5m"': 'window_max = "8s"', 'timeout = "5s"': 'timeout = "200ms"'}

class Visitors:
    """Some threads that ask for pages at random: `mix` is how often each."""

    def __init__(self, port):
        self.port, self.mix, self.going = port, {"/ok": 1}, True
        self.threads = [threading.Thread(target=self.visit, daemon=True) for _ in range(16)]
        for thread in self.threads:
            thread.start()

    def visit(self):
        while self.going:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                for _ in range(20):
                    connection.request("GET", random.choices(list(self.mix), list(self.mix.values()))[0])
                    connection.getresponse().read()
                    time.sleep(0.1)
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)  # it is not up yet
            finally:
                connection.close()

    def stop(self):
        self.going = False
        for thread in self.threads:
            thread.join()


def node_modules():
    """Where the Node libraries are, fetched once; skips, with the reason, where they cannot be had."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise unittest.SkipTest(f"the Node libraries are not tested: there is no {program} on this machine")
    folder = pathlib.Path(tempfile.gettempdir()) / f"rollbackd-test-node-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (LIBRARIES / "package.json").read_text()
        done = folder / "done"
        if not done.exists() or done.read_text() != wanted:
            shutil.copy(LIBRARIES / "package.json", folder)
            fetched = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=folder, text=True,
                                     capture_output=True, timeout=150)
            if fetched.returncode != 0:
                raise unittest.SkipTest("the Node libraries are not tested: npm cannot fetch them: " + fetched.stderr[-300:])
            done.write_text(wanted)
    return folder / "node_modules"


class Measured(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-e2e-"))
        self.port, self.listen = free_port(), free_port()
        self.metrics = self.port
        self.processes, self.visitors = [], None
        self.addCleanup(self.clean_up)

    def clean_up(self):
        if self.visitors:
            self.visitors.stop()
        while self.processes:
            process = self.processes.pop()
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *argv, **environment):
        with (self.folder / "log").open("ab") as log:
            self.processes.append(subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                   env={**os.environ, **environment}))

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def get(self, port, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
                return reply.read().decode()
        except OSError:
            return ""

    def rollbackd(self, *words, check=True):
        done = subprocess.run([ROLLBACKD, *words, "--config", self.folder / "rollbackd.toml"], capture_output=True, text=True, timeout=60)
        if check:
            self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def verdicts(self):
        status = json.loads(self.get(self.listen, "/api/v1/status") or "{}")
        return {name: rule["verdict"] for name, rule in status.get("rules", {}).items()}

    def becomes(self, mix, seconds=40, **wanted):
        self.visitors.mix = mix
        reached = wait_until(lambda: wanted.items() <= self.verdicts().items(), seconds)
        self.assertTrue(reached, f"{mix}: {wanted} never; {self.get(self.listen, '/api/v1/status')}\n{self.log()}")

    def stays_good(self, *rules, seconds=3):
        """On a busy machine a poll may be late, which is unknown; what must not be is that anything is said to be bad."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            verdicts = self.verdicts()
            self.assertNotIn("bad", [verdicts.get(rule) for rule in rules], self.get(self.listen, "/api/v1/status"))
            time.sleep(0.2)

    def watch(self, *taken):
        """The short form, after the application has answered some requests; `taken` is what check --online has to say."""
        self.assertTrue(wait_until(lambda: "ok" in self.get(self.port, "/ok"), 60), self.log())
        self.visitors = Visitors(self.port)
        self.visitors.mix = {"/ok": 20, "/bad": 1, "/slow": 1}
        time.sleep(2)
        for page in self.visitors.mix:  # visitors choose by chance
            self.get(self.port, page)
        config = self.folder / "rollbackd.toml"
        config.write_text(SIX_LINES.format(folder=self.folder, listen=self.listen, port=self.port, metrics=self.metrics))
        os.chmod(config, 0o600)
        said = self.rollbackd("check", "--online", check=False)
        for words in taken:
            self.assertIn(words, said)
        written_out = self.rollbackd("check", "--expand")
        for minutes, seconds in SECONDS.items():
            written_out = written_out.replace(minutes, seconds)
        config.write_text(written_out)
        self.start(ROLLBACKD, "run", "--dry-run", "--config", config, ROLLBACKD_HOST_LOCK=self.folder / "host.lock")
        return said

    def judged_rightly(self, times=True):
        p95 = {"p95": "good"} if times else {}
        self.becomes({"/ok": 1}, error_rate="good", **p95)
        self.stays_good("error_rate", *p95)
        self.becomes({"/ok": 8, "/bad": 2}, error_rate="bad", **p95)
        if times:
            self.becomes({"/ok": 8, "/slow": 2}, error_rate="good", p95="bad")
        self.becomes({"/ok": 1}, error_rate="good", **p95)
