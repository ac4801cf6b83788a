#!/usr/bin/env python3
"""What `check` accepts acts: configurations made by pairs of everything that one can choose, each run by the real program.

A release of each goes bad; it has to end as its mode promises: `recovered` with exactly one switch, the same once somebody
approved it, or `observed` with none. ROLLBACKD_ALL=1 runs every combination instead of a set that holds each pair of choices.
"""

import concurrent.futures
import contextlib
import http.server
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

import accepted_drivers
import machine
from accepted_drivers import SITES, STRANGER
from world import ROLLBACKD
from watched import free_port, write_config

PATIENCE = 150  # seconds for each stage; most take some
AT_ONCE = 16  # configurations

CHOICES = {
    "form": ("short", "long"),
    "driver": tuple(SITES),
    "identity": ("yes", "no"),
    "plan": ("bare", "steps", "named-target", "ladder", "waits", "asks"),
    "arm": ("default", "always"),
    "mode": ("act", "ask", "observe"),
    "services": ("one", "two"),
    "owner": ("ourselves", "stranger"),
    "user": ("default", "named"),
    "dir": ("default", "apart"),
}


def is_possible(choice):
    """False: the contract knows no such configuration."""
    without = choice.get("identity") == "no"
    return not (not accepted_drivers.is_possible(choice)
                or without and choice.get("plan") == "named-target"  # nobody knows the names
                or without and choice.get("arm") == "always"         # it always is
                or choice.get("form") == "short" and choice.get("plan") == "ladder")  # a rule in a line has no ladder


def combinations():
    whole = [dict(zip(CHOICES, values)) for values in itertools.product(*CHOICES.values())]
    return [choice for choice in whole if is_possible(choice)]


def pairs_of(choice):
    return set(itertools.combinations(sorted(choice.items()), 2))


def by_pairs(whole):
    """The fewest that a greedy choice finds in which each possible pair stands."""
    wanted = set().union(*(pairs_of(choice) for choice in whole))
    taken = []
    while wanted:
        best = max(whole, key=lambda choice: len(pairs_of(choice) & wanted))
        wanted -= pairs_of(best)
        taken.append(best)
    return taken


class Application(http.server.BaseHTTPRequestHandler):
    """Every application: /NAME/health and /NAME/metrics. A bad release is well until the test makes it sick."""

    protocol_version = "HTTP/1.1"
    sites = {}
    sick = set()

    def do_GET(self):
        _, name, page = self.path.split("/")
        release = self.sites[name].runs()
        is_down = release == "bad" and name in self.sick
        body = b'http_requests_total{code="200"} 1\nhttp_requests_total{code="500"} 0\n' if page == "metrics" else b"well\n"
        body = release.encode() if page == "version" else body
        self.send_response(503 if is_down and page == "health" else 200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # a watcher that ends lets its polls go
            self.wfile.write(body)

    def do_POST(self):
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        pass


class Failed(Exception):
    pass


class Case:
    """One configuration, from nothing to its end."""

    def __init__(self, number, choice, port):
        self.choice, self.port = choice, port
        self.names = [f"app{number}"] + ([f"other{number}"] if choice["services"] == "two" else [])
        self.name = self.names[0]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-accepted-"))
        self.folder.chmod(0o755)
        self.listen = free_port()
        self.environment = {**os.environ, "ROLLBACKD_HOST_LOCK": str(self.folder / "host.lock")}
        self.watcher = None
        self.sites = {name: SITES[choice["driver"]](self, name) for name in self.names}
        self.site = self.sites[self.name]

    # What a stranger writes.

    def service(self, name):
        lines = [f"[service.{name}]", 'start_deadline = "5s"', 'cooldown = "1s"', *self.sites[name].lines()]
        if self.choice["arm"] == "always":
            lines.append('arm = "always"')
        base = f"http://127.0.0.1:{self.port}/{name}"
        if self.choice["form"] == "short":
            lines += [f'health = "{base}/health"', f'metrics = "{base}/metrics"', 'rules = ["error_rate > 5% for 5m", "down for 2s"]']
            return "\n".join(lines)
        lines += [f"[probe.{name}]", 'type = "http"', f'url = "{base}/health"', 'interval = "500ms"', 'max_gap = "4s"',
                  f"[rule.{name}-down]", f'when = "{name}.up == 0"', 'for = "2s"', f'service = "{name}"']
        if self.choice["plan"] == "ladder":
            lines.append('respond = ["restart", "rollback"]')
        return "\n".join(lines)

    def plan(self):
        kind = self.choice["plan"]
        switch = self.site.revision("v1") if kind == "named-target" else "last-good"
        restart = '[action.restart]\nsettle = "2s"\n[[action.restart.step]]\nrun = ["/bin/true"]\n'
        if kind == "bare":
            return ""
        if kind == "ladder":
            return restart + f'[[action.rollback.step]]\nswitch = "{switch}"\n'
        if kind in ("waits", "asks"):
            probe = f"{self.name}_health" if self.choice["form"] == "short" and self.choice["services"] == "two" else \
                "health" if self.choice["form"] == "short" else self.name
            steps = (f'switch = "{switch}"', f'wait = "{probe}.up == 1"\nfor = "1s"') if kind == "waits" else ('ask = "Shall it go on?"', f'switch = "{switch}"')
            return "".join(f"[[action.rollback.step]]\n{step}\n" for step in steps)
        user = f'user = "{STRANGER}"\n' if self.choice["owner"] == "stranger" else ""
        folder = self.elsewhere() if self.choice["dir"] == "apart" else self.site.top
        steps = (f'capture = "what.txt"\nrun = ["/bin/echo", "captured"]\n{user}', 'notify = "people"', f'http = "POST http://127.0.0.1:{self.port}/pause"',
                 'sleep = "100ms"', f'run = ["/bin/true"]\ndir = "{folder}"\n{user}', f'switch = "{switch}"')
        done = f'[[action.rollback.on_success]]\nrun = ["/bin/true"]\n[[action.rollback.always]]\nhttp = "POST http://127.0.0.1:{self.port}/resume"\n'
        return "".join(f"[[action.rollback.step]]\n{step}\n" for step in steps) + done + \
            f'[notify.people]\ntype = "webhook"\nurl = "http://127.0.0.1:{self.port}/people"\n'

    def configuration(self):
        mode = "" if self.choice["mode"] == "act" else f'mode = "{self.choice["mode"]}"\n'
        watcher = f'[watcher]\nname = "accepted"\nstate_dir = "{self.folder}/state"\nlisten = "127.0.0.1:{self.listen}"\ncontrol = "{self.folder}/control.sock"\n{mode}'
        return "\n".join([watcher, *(self.service(name) for name in self.names), self.plan()])

    # What there is.

    def elsewhere(self):
        """Another folder, of whom the checkouts are not."""
        return self.folder / "elsewhere"

    def furnish(self):
        self.elsewhere().mkdir()
        if os.geteuid() == 0 and self.choice["owner"] == "ourselves":
            shutil.chown(self.elsewhere(), STRANGER)
        for name, site in self.sites.items():
            site.furnish()
            Application.sites[name] = site
        write_config(self.folder / "rollbackd.toml", self.configuration())

    # What happens.

    def run(self):
        self.furnish()
        checked = self.rollbackd("check")
        if checked.returncode != 0:
            raise Failed(f"check refuses it: {checked.stdout}{checked.stderr}")
        with (self.folder / "log").open("wb") as log:
            self.watcher = subprocess.Popen([ROLLBACKD, "run", "--config", self.folder / "rollbackd.toml"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=self.environment)
        self.wait_for("it is watched", self.is_watched)
        self.site.deploy("bad")
        if self.choice["identity"] == "yes":
            self.wait_for("the deployment is noticed", lambda: self.site.is_revision(self.service_now()["revision"], "bad"))
        self.wait_for("it is ready", lambda: self.service_now()["rollback_ready"])
        Application.sick.add(self.name)
        incident = self.wait_for("an incident is open", lambda: next(iter(self.incidents()), None))
        if self.choice["mode"] == "ask":
            self.wait_for("somebody is asked", lambda: self.rollbackd("approve", incident["id"]).returncode == 0)
        if self.choice["mode"] == "observe":
            time.sleep(3)
            Application.sick.discard(self.name)
        self.judge(self.wait_for("the incident is closed", self.closed))

    def closed(self):
        if self.choice["mode"] == "ask" or self.choice["plan"] == "asks":  # each rung of a ladder asks, and each step that does
            self.rollbackd("approve", self.incidents()[0]["id"])
        return next((one for one in self.incidents() if one["outcome"]), None)

    def is_watched(self):
        status = self.status()
        is_known = all(one["revision"] or self.choice["identity"] == "no" for one in status["services"].values())
        is_noted = all(site.is_noted() for site in self.sites.values())
        return is_known and is_noted and all(probe["up"] == 1 for probe in status["probes"].values())

    def judge(self, closed):
        wanted = ("observed", 0, "bad") if self.choice["mode"] == "observe" else ("recovered", 1, "v1")
        seen = (closed["outcome"], self.site.switches(), self.site.runs())
        if seen != wanted or len(self.incidents()) != 1:
            raise Failed(f"ended as {seen}, not as {wanted}; {len(self.incidents())} incidents")

    def rollbackd(self, *words):
        return subprocess.run([ROLLBACKD, *words, "--config", self.folder / "rollbackd.toml"], capture_output=True, text=True, timeout=60,
                              env=self.environment, check=False)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.listen}{path}", timeout=10) as reply:
            return json.loads(reply.read())

    def status(self):
        return self.get("/api/v1/status")

    def service_now(self):
        return self.status()["services"][self.name]

    def incidents(self):
        return self.get("/api/v1/incidents")["incidents"]

    def wait_for(self, what, holds):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.watcher.poll() is not None:
                raise Failed(f"rollbackd ended with {self.watcher.returncode}")
            try:
                value = holds()
            except OSError:
                value = None
            if value:
                return value
            time.sleep(0.5)
        raise Failed(f"waited {PATIENCE} s in vain until {what}; {json.dumps(self.status())}")

    def end(self):
        if self.watcher is not None:
            self.watcher.terminate()
            self.watcher.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


def live(case):
    """What is wrong with it; nothing: it acted."""
    try:
        case.run()
        return None
    except Failed as failure:
        log = case.folder / "log"
        said = log.read_text(errors="replace")[-3000:] if log.exists() else ""
        return f"{case.choice}\n{failure}\n{case.configuration()}\n{said}"
    finally:
        case.end()


class Accepted(unittest.TestCase):
    def test_every_pair_of_choices_that_check_accepts_acts(self):
        self.live(combinations() if os.environ.get("ROLLBACKD_ALL") else by_pairs(combinations()))

    def live(self, choices):
        if os.geteuid() != 0:  # only root may give a checkout away
            choices = [choice for choice in choices if choice["owner"] == "ourselves"]
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
        server.daemon_threads = True
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cases = [Case(number, choice, server.server_address[1]) for number, choice in enumerate(choices)]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            wrong = [said for said in pool.map(live, cases) if said]
        print(f"{len(cases)} configurations, {len(wrong)} of them did not act")
        self.assertFalse(wrong, "\n\n".join(wrong))


if __name__ == "__main__":
    machine.main()
