"""A host in a temporary directory: the shop in its git repository, visitors, people who are told, and rollbackd.

Windows are seconds instead of minutes; everything else is as an operator would have it.
"""

import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOP = ROOT / "tests" / "shop"
ROLLBACKD = os.environ.get("ROLLBACKD", str(ROOT / "build" / "release" / "watcher" / "rollbackd"))

CONFIG = """
[watcher]
name      = "e2e"
state_dir = "{folder}/state"
listen    = "127.0.0.1:{listen}"
control   = "{folder}/control.sock"

[probe.app]
type     = "prometheus"
url      = "http://127.0.0.1:{port}/metrics"
interval = "200ms"
max_gap  = "2s"

[probe.health]
type     = "http"
url      = "http://127.0.0.1:{port}/api/health"
interval = "200ms"
max_gap  = "2s"
expect.status = "200-299"
expect.json   = {{ "/status" = "ok", "/database" = "connected" }}

[signal.error_rate]
probe  = "app"
ratio  = ['http_requests_total{{code=~"5.."}}', 'http_requests_total']
window = "4s"

[signal.p95]
probe    = "app"
quantile = 0.95
of       = 'http_request_duration_seconds'
window   = "4s"

[signal.memory]
probe = "app"
expr  = 'process_resident_memory_bytes / shop_memory_limit_bytes'

[rule.errors]
when = "error_rate > 5%"
for  = "3s"

[rule.slow]
when = "p95 > 3000ms"
for  = "3s"

[rule.memory]
when = "memory > 90%"
for  = "3s"

[rule.down]
when     = "health.up == 0"
for      = "2s"
severity = "P0"

[notify.people]
type = "webhook"
url  = "http://127.0.0.1:{people}/"
"""

GIT_SERVICE = """
[service.shop]
driver         = "git"
dir            = "{repository}"
build          = ["{repository}/build"]
restart        = ["{repository}/restart"]
start_deadline = "{start_deadline}"
identify_interval = "1s"
{more}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class People(http.server.ThreadingHTTPServer):
    """Who the webhooks reach: keeps what was told, in order."""

    daemon_threads = True

    def __init__(self):
        self.told = []
        super().__init__(("127.0.0.1", 0), PeopleHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class PeopleHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.told.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format, *args):
        pass


class World(unittest.TestCase):
    """A test case that has a host. Nothing outlives it."""

    start_deadline = "5s"

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
        subprocess.run([SHOP / "make_repository", self.repository, str(self.port)], check=True)
        self.configure()

    def clean_up(self):
        failed = any(error for _, error in getattr(self._outcome, "errors", [])) or \
            any(case is self for case, _ in getattr(self._outcome.result, "failures", []) + getattr(self._outcome.result, "errors", []))
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        subprocess.run([self.repository / "stop"], check=False)
        self.people.shutdown()
        self.people.server_close()
        if failed and self.log.exists():
            print(f"--- {self.id()}: the end of rollbackd's log", file=sys.stderr)
            print("\n".join(self.log.read_text(errors="replace").splitlines()[-60:]), file=sys.stderr)
        if failed and os.environ.get("KEEP"):
            print(f"--- kept: {self.folder}", file=sys.stderr)
            return
        shutil.rmtree(self.folder, ignore_errors=True)

    # The host's configuration.

    def configure(self, more="", service_more="", service=None, base=CONFIG):
        values = dict(folder=self.folder, listen=self.listen, port=self.port, repository=self.repository,
                      people=self.people.server_address[1], start_deadline=self.start_deadline, more=service_more)
        self.config_file.write_text((base + (service or GIT_SERVICE)).format(**values) + more)
        self.config_file.chmod(0o600)

    def shop_settings(self, **values):
        (self.repository / "run" / "settings.json").write_text(json.dumps({"port": self.port, **values}))

    # What people and scripts do.

    def checkout(self, tag):
        subprocess.run(["git", "-C", self.repository, "checkout", "-q", tag], check=True)

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

    def revision(self, tag):
        return subprocess.run(["git", "-C", self.repository, "rev-parse", f"{tag}^{{commit}}"], check=True,
                              capture_output=True, text=True).stdout.strip()

    def checkouts(self):
        """Every time that HEAD moved, by whomever."""
        out = subprocess.run(["git", "-C", self.repository, "reflog", "--format=%gs"], check=True, capture_output=True, text=True)
        return out.stdout.splitlines()

    def wait_for(self, what, holds, seconds):
        end = time.monotonic() + seconds
        while True:
            value = holds()
            if value:
                return value
            if self.watcher and self.watcher.poll() is not None and "ends" not in what:
                self.fail(f"rollbackd ended with {self.watcher.returncode} while waiting until {what}")
            if time.monotonic() > end:
                self.fail(f"after {seconds}s not yet so: {what}; {self.service()} {self.incidents()} "
                          f"{(self.status() or {}).get('rules')}")
            time.sleep(0.1)

    def wait_until_shop_serves(self, version, seconds=20):
        self.wait_for(f"the shop serves {version}", lambda: self.version() == version, seconds)

    def wait_for_incident_closed(self, seconds=90):
        return self.wait_for("an incident is closed with an outcome",
                             lambda: next((one for one in self.incidents() if one.get("outcome")), None), seconds)

    def good_shop_under_watch(self, tag="v1", load=None):
        """The shop runs a good release under load, and rollbackd has adopted it."""
        self.deploy(tag)
        self.wait_until_shop_serves(tag)
        self.visitors(**(load or {}))
        self.start_watcher()
        self.wait_for("the running revision is known", lambda: self.service().get("revision") == self.revision(tag), 30)
        self.wait_for("every rule is observed as good",
                      lambda: all(rule["verdict"] == "good" for rule in (self.status() or {"rules": {"": {"verdict": ""}}})["rules"].values()), 40)

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
