#!/usr/bin/env python3
"""demonstrate.py ROLLBACKD RELEASE: deploys a bad release of the demo application under load while ROLLBACKD watches,
and tells each stage as it happens. Exit code 0 only when the good release is back and the incident is written down.

The stages are what rollbackd tells people: this is the receiver of its webhook. Sustain times are seconds here, minutes
in production; nothing else differs.
"""

import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHOP = ROOT / "tests" / "shop"
PATIENCE = 120  # seconds for the whole loop; it takes about half a minute

CONFIG = """
[watcher]
name      = "quickstart"
state_dir = "{folder}/state"
listen    = "127.0.0.1:{listen}"
control   = "{folder}/control.sock"

[probe.app]
type     = "prometheus"
url      = "http://127.0.0.1:{port}/metrics"
interval = "250ms"
max_gap  = "2s"

[probe.health]
type     = "http"
url      = "http://127.0.0.1:{port}/api/health"
interval = "250ms"
max_gap  = "2s"
expect.json = {{ "/status" = "ok", "/database" = "connected" }}

[signal.error_rate]
probe  = "app"
ratio  = ['http_requests_total{{code=~"5.."}}', 'http_requests_total']
window = "5s"

[signal.p95]
probe    = "app"
quantile = 0.95
of       = 'http_request_duration_seconds'
window   = "5s"

[signal.memory]
probe = "app"
expr  = 'process_resident_memory_bytes / shop_memory_limit_bytes'

[rule.errors]
when = "error_rate > 5%"
for  = "5s"

[rule.slow]
when = "p95 > 3000ms"
for  = "5s"

[rule.memory]
when = "memory > 90%"
for  = "5s"

[rule.down]
when     = "health.up == 0"
for      = "3s"
severity = "P0"

[service.shop]
driver         = "git"
dir            = "{folder}/shop"
build          = ["{folder}/shop/build"]
restart        = ["{folder}/shop/restart"]
identify_interval = "1s"
start_deadline = "5s"

[notify.terminal]
type = "webhook"
url  = "http://127.0.0.1:{terminal}/"
"""

WHAT_IT_DOES = {
    "errors": "answers 8 % of its requests with 500",
    "slow": "lets a tenth of its visitors wait for 4 s",
    "memory": "eats memory up to 96 % of its limit",
    "crash": "dies when it starts",
}
RESET = "\033[0m"
COLOURS = {"bad": "\033[31m", "good": "\033[32m", "quiet": "\033[2m", "plain": ""}


class Terminal:
    """Prints lines with the time since the start; in colour on a terminal only."""

    def __init__(self):
        self._started = time.monotonic()
        self._colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()

    def say(self, text, tone="plain"):
        with self._lock:
            lines = [line for line in text.splitlines() if line.strip()]
            for index, line in enumerate(lines):
                stamp = f"{time.monotonic() - self._started:6.1f}s  " if index == 0 else " " * 9
                colour = COLOURS[tone] if self._colours else ""
                print(f"{stamp}{colour}{line}{RESET if colour else ''}", flush=True)


class Stages(http.server.ThreadingHTTPServer):
    """Receives what rollbackd tells people, and says it."""

    daemon_threads = True

    def __init__(self, terminal):
        self.terminal = terminal
        super().__init__(("127.0.0.1", 0), StageHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class StageHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        tone = {"started": "bad", "failed": "bad", "completed": "good"}.get(told.get("stage"), "plain")
        self.server.terminal.say(f"[{told.get('stage')}] {told.get('title')}\n{told.get('text') or ''}", tone)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format, *args):
        pass


class Demonstration:
    def __init__(self, rollbackd, bad):
        self.rollbackd = str(pathlib.Path(rollbackd).resolve())
        self.bad = bad
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-quickstart-"))
        self.shop = self.folder / "shop"
        self.terminal = Terminal()
        self.port, self.listen = free_port(), free_port()
        self.processes = []
        # A host of its own: what else this machine's watchers do is none of the demonstration's business.
        os.environ["ROLLBACKD_HOST_LOCK"] = str(self.folder / "host.lock")

    def run(self):
        say = self.terminal.say
        stages = Stages(self.terminal)
        self.furnish(stages.server_address[1])
        subprocess.run([self.shop / "restart"], check=True)
        self.wait_for("the shop answers", lambda: self.version() == "v1")
        say(f"the shop runs release v1 on http://127.0.0.1:{self.port}/ and has 80 visitors a second", "quiet")
        self.start([SHOP / "load", f"--port={self.port}", "--rate=80", f"--duration={PATIENCE + 30}"], "visitors.log")
        watcher = self.start([self.rollbackd, "run", "--config", self.folder / "rollbackd.toml"], "rollbackd.log")
        self.wait_for("rollbackd watches", lambda: self.service().get("last_good") or self.service().get("revision"), watcher)
        say(f"rollbackd watches it: http://127.0.0.1:{self.listen}/api/v1/status", "quiet")
        self.wait_for("every rule is observed as good",
                      lambda: all(rule["verdict"] == "good" for rule in self.get("/api/v1/status")["rules"].values()), watcher)
        say("every rule is observed and good")
        self.deploy()
        return self.conclude(self.follow(watcher))

    def furnish(self, terminal_port):
        subprocess.run([SHOP / "make_repository", self.shop, str(self.port)], check=True)
        config = self.folder / "rollbackd.toml"
        config.write_text(CONFIG.format(folder=self.folder, port=self.port, listen=self.listen, terminal=terminal_port))
        config.chmod(0o600)

    def deploy(self):
        """What a deploy script does: say that it begins, check out, restart, say that it ended."""
        word = [self.rollbackd, "deploy", "begin", "--service", "shop", "--config", self.folder / "rollbackd.toml"]
        subprocess.run(word, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["git", "-C", self.shop, "checkout", "-q", self.bad], check=True)
        subprocess.run([self.shop / "restart"], check=True)
        word[2] = "end"
        subprocess.run(word, check=True, stdout=subprocess.DEVNULL)
        self.terminal.say(f"deployed release '{self.bad}', which {WHAT_IT_DOES[self.bad]}", "bad")

    def follow(self, watcher):
        """Until the incident is closed; says when a rule first turns bad, which nobody is told of."""
        seen_bad = set()

        def closed():
            for name, rule in self.get("/api/v1/status")["rules"].items():
                if rule["verdict"] == "bad" and name not in seen_bad and rule["state"] != "firing" and not seen_bad:
                    seen_bad.add(name)
                    self.terminal.say(f"detected: rule '{name}' is bad ({number(rule['value'])}, limit {number(rule['threshold'])}); "
                                      f"acts when that has lasted for {rule['for_seconds']:g} s", "bad")
            return next((one for one in self.get("/api/v1/incidents")["incidents"] if one.get("outcome")), None)
        return self.wait_for("the incident is closed", closed, watcher)

    def conclude(self, incident):
        say = self.terminal.say
        time.sleep(0.5)  # the last message may still be under way
        report = self.folder / "state" / "incidents" / str(incident["id"]) / "report.md"
        recovered = incident["outcome"] == "recovered" and self.version() == "v1" and report.exists()
        say(f"the shop runs release {self.version()} again; outcome: {incident['outcome']}", "good" if recovered else "bad")
        if report.exists():
            say(f"the report: {report}")
            print("\n" + "\n".join("    " + line for line in report.read_text().splitlines()[:24]) + "\n", flush=True)
        say(f"everything else that was written lies in {self.folder}", "quiet")
        return 0 if recovered else 1

    # Small things.

    def start(self, command, log):
        with (self.folder / log).open("wb") as out:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.processes.append(process)
        return process

    def get(self, path, port=None):
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.listen}{path}", timeout=5) as reply:
            return json.loads(reply.read())

    def version(self):
        try:
            return self.get("/api/version", self.port)["version"]
        except OSError:
            return None

    def service(self):
        return self.get("/api/v1/status")["services"].get("shop") or {}

    def wait_for(self, what, holds, watcher=None):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                value = holds()
            except OSError:
                value = None
            if value:
                return value
            if watcher and watcher.poll() is not None:
                raise RuntimeError(f"rollbackd ended with {watcher.returncode} while waiting until {what}")
            time.sleep(0.2)
        raise RuntimeError(f"waited {PATIENCE} s in vain until {what}")

    def clean_up(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if (self.shop / "stop").exists():
            subprocess.run([self.shop / "stop"], check=False)


def number(value):
    return "unknown" if value is None else f"{value:.3g}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in WHAT_IT_DOES:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, interrupted)
    demonstration = Demonstration(sys.argv[1], sys.argv[2])
    try:
        return demonstration.run()
    except RuntimeError as error:
        log = demonstration.folder / "rollbackd.log"
        if log.exists():
            print("\n".join(log.read_text(errors="replace").splitlines()[-20:]), file=sys.stderr)
        print(f"{error}; everything that was written lies in {demonstration.folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        demonstration.clean_up()


if __name__ == "__main__":
    sys.exit(main())
