#!/usr/bin/env python3
"""demonstrate.py ROLLBACKD RELEASE: deploys a bad release of the demo application under load while ROLLBACKD watches,
and tells each stage as it happens. Exit code 0 only when what should come of that release came of it: the good one is
back and the incident is written down, or, where nothing can be measured, people were told and nothing was done.

RELEASE: errors, slow, memory, crash, slow_start, no_metrics. Or six-lines: release errors, watched by the shortest
configuration there is, with a rollback script as an operator has one.

The stages are what rollbackd tells people: this is the receiver of its webhook. Sustain times are seconds here, minutes
in production; nothing else differs.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHOP = ROOT / "tests" / "shop"
sys.path.insert(0, str(SHOP))
sys.dont_write_bytecode = True
from watched import HOST, SERVICE, People, filled, free_port, write_config  # noqa: E402

PATIENCE = 120  # seconds for the whole loop; it takes about half a minute
REPORT_LINES = 24  # of the report that are shown

WHAT_IT_DOES = {
    "errors": "answers a fifth of its requests with 500",
    "slow": "lets a tenth of its visitors wait for 4 s",
    "memory": "eats memory up to 96 % of its limit",
    "crash": "dies when it starts",
    "slow_start": "takes 40 s to start, where the configuration allows 5 s",
    "no_metrics": "works, but serves no metrics any more: cannot be measured, which does not mean that it is bad",
}
NOT_ROLLED_BACK = ("no_metrics",)
SIX_LINES = "six-lines"
# Of [watcher] and [notify] only what a demonstration needs to stay in its own folder and to hear what people are told.
AROUND_SIX_LINES = """
[watcher]
name      = "quickstart"
state_dir = "$folder/state"
listen    = "127.0.0.1:$listen"
control   = "$folder/control.sock"

[notify.people]
type = "webhook"
url  = "http://127.0.0.1:$people/"
"""
THE_SIX_LINES = """
[service.shop]
health   = "http://127.0.0.1:$port/api/health"
metrics  = "http://127.0.0.1:$port/metrics"
rules    = ["error_rate > 5% for 10s", "p95 > 3000ms for 10s", "memory > 99% for 10s", "down for 5s"]
rollback = ["./rollback.sh", "{to}"]
identify = ["git", "-C", "$repository", "rev-parse", "HEAD"]
"""
ROLLBACK_SCRIPT = """#!/bin/sh
# What an operator's script does: go to the revision that it is told, and restart.
cd "$repository" && git checkout -q "$$1" && exec ./restart
"""
RESET = "\033[0m"
# Who is told in a demonstration hears of every step.
EVERY_STEP = 'on = ["started", "late", "progress", "ask", "completed", "failed", "cleared", "blind", "seeing", "fault"]\n'
# A webhook's stages, where another word tells a newcomer more.
STAGES = {"started": "fired", "progress": "acting", "completed": "closed"}
COLOURS = {"bad": "\033[31m", "good": "\033[32m", "quiet": "\033[2m", "plain": ""}


class Terminal:
    """Prints lines with the time since the start; in colour on a terminal only."""

    def __init__(self):
        self._started = time.monotonic()
        self._colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()

    def say(self, stage, text, tone="plain"):
        """One line: when, what stage, what happened; further lines of `text` below it."""
        with self._lock:
            first, *others = [line for line in text.splitlines() if line.strip()]
            colour, reset = (COLOURS[tone], RESET) if self._colours else ("", "")
            print(f"{time.monotonic() - self._started:6.1f}s  {colour}{stage:<10} {first}{reset}", flush=True)
            for line in others:
                print(f"{'':20}{colour}{line}{reset}", flush=True)

    def hear(self, told):
        """What rollbackd tells people. Its title says what happened; its text is worth a line where people have to act on it."""
        stage = told["stage"]
        tone = {"started": "bad", "failed": "bad", "completed": "good"}.get(stage, "plain")
        more = told["text"] if stage in ("failed", "ask", "blind", "fault") else ""
        self.say(STAGES.get(stage, stage), told["title"] + "\n" + more, tone)


class Demonstration:
    def __init__(self, rollbackd, bad):
        self.rollbackd = str(pathlib.Path(rollbackd).resolve())
        self.is_short = bad == SIX_LINES
        self.bad = "errors" if self.is_short else bad
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-quickstart-"))
        self.shop = self.folder / "shop"
        self.terminal = Terminal()
        self.port, self.listen = free_port(), free_port()
        self.processes = []
        # A host of its own: what else this machine's watchers do is none of the demonstration's business.
        os.environ["ROLLBACKD_HOST_LOCK"] = str(self.folder / "host.lock")

    def run(self):
        say = self.terminal.say
        people = People(self.terminal.hear)
        self.furnish(people.port)
        subprocess.run([self.shop / "restart"], check=True)
        self.wait_for("the shop answers", lambda: self.version() == "v1")
        say("shop", f"release v1 runs on http://127.0.0.1:{self.port}/ and has 80 visitors a second", "quiet")
        self.start([SHOP / "load", f"--port={self.port}", "--rate=80", f"--duration={PATIENCE + 30}"], "visitors.log")
        watcher = self.start([self.rollbackd, "run", "--config", self.folder / "rollbackd.toml"], "rollbackd.log")
        self.wait_for("rollbackd watches", lambda: self.service().get("revision"), watcher)
        say("rollbackd", f"watches it: http://127.0.0.1:{self.listen}/api/v1/status", "quiet")
        self.wait_for("every rule is observed as good",
                      lambda: all(rule["verdict"] == "good" for rule in self.get("/api/v1/status")["rules"].values()), watcher)
        say("rollbackd", "observes every rule, and all are good; release v1 is what a rollback would go back to", "quiet")
        self.deploy()
        self.wait_for("the deployment is noticed", lambda: self.service().get("revision") == self.revision(self.bad), watcher)
        say("noticed", f"revision {self.revision(self.bad)[:12]} runs; rollbackd is armed until it has been good for long enough")
        if self.bad in NOT_ROLLED_BACK:
            self.wait_for("people are told", lambda: any(told["stage"] in ("fault", "blind") for told in people.told), watcher)
            return self.conclude_without_incident()
        return self.conclude(self.follow(watcher))

    def furnish(self, people_port):
        subprocess.run([SHOP / "make_repository", self.shop, str(self.port)], check=True)
        if self.is_short:
            return self.furnish_shortly(people_port)
        write_config(self.folder / "rollbackd.toml", filled(
            HOST + EVERY_STEP + SERVICE, name="quickstart", folder=self.folder, listen=self.listen, port=self.port, repository=self.shop,
            people=people_port, interval="250ms", window="5s", sustain="5s", down="3s", start_deadline="5s", more="",
            blind_after="30s" if self.bad in NOT_ROLLED_BACK else "1m"))

    def furnish_shortly(self, people_port):
        known = {"folder": self.folder, "listen": self.listen, "people": people_port, "port": self.port, "repository": self.shop}
        lines = filled(THE_SIX_LINES, **known)
        script = self.folder / "rollback.sh"
        script.write_text(filled(ROLLBACK_SCRIPT, **known))
        script.chmod(0o755)
        write_config(self.folder / "rollbackd.toml", filled(AROUND_SIX_LINES, **known) + EVERY_STEP + lines)
        self.terminal.say("configured", "by six lines:\n" + "\n".join(lines.strip().splitlines()[1:]), "quiet")

    def deploy(self):
        """What a deploy script does: say that it begins, check out, restart, say that it ended."""
        word = [self.rollbackd, "deploy", "begin", "--service", "shop", "--config", self.folder / "rollbackd.toml"]
        subprocess.run(word, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["git", "-C", self.shop, "checkout", "-q", self.bad], check=True)
        subprocess.run([self.shop / "restart"], check=True)
        word[2] = "end"
        subprocess.run(word, check=True, stdout=subprocess.DEVNULL)
        self.terminal.say("deployed", f"release '{self.bad}', which {WHAT_IT_DOES[self.bad]}", "bad")

    def follow(self, watcher):
        """Until the incident is closed; says when a rule turns bad for the new revision, which nobody is told of yet."""
        seen_bad = set()

        def closed():
            for name, rule in self.get("/api/v1/status")["rules"].items():
                if rule["state"] == "pending" and name not in seen_bad:
                    seen_bad.add(name)
                    self.terminal.say("bad", f"rule '{name}' is bad ({number(rule['value'])}, limit {number(rule['threshold'])}); "
                                             f"it fires when that has lasted for {rule['for_seconds']:g} s", "bad")
            return next((one for one in self.get("/api/v1/incidents")["incidents"] if one.get("outcome")), None)
        return self.wait_for("the incident is closed", closed, watcher)

    def conclude(self, incident):
        time.sleep(0.5)  # the last message may still be under way
        report = self.folder / "state" / "incidents" / str(incident["id"]) / "report.md"
        recovered = incident["outcome"] == "recovered" and self.version() == "v1" and report.exists()
        self.terminal.say("shop", f"runs release {self.version()} again; outcome of the incident: {incident['outcome']}", "good" if recovered else "bad")
        if report.exists():
            self.terminal.say("report", str(report))
            lines = report.read_text().splitlines()
            print("\n" + "\n".join("    " + line for line in lines[:REPORT_LINES]) + "\n    ...\n", flush=True)
        self.say_where()
        return 0 if recovered else 1

    def conclude_without_incident(self):
        untouched = self.version() == self.bad and not self.get("/api/v1/incidents")["incidents"]
        self.terminal.say("shop", f"still runs release {self.version()}: people were told, nothing was done", "good" if untouched else "bad")
        self.say_where()
        return 0 if untouched else 1

    def say_where(self):
        self.terminal.say("kept", f"everything that was written lies in {self.folder}", "quiet")

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

    def revision(self, tag):
        return subprocess.run(["git", "-C", self.shop, "rev-parse", tag], check=True, capture_output=True, text=True).stdout.strip()

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


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in (*WHAT_IT_DOES, SIX_LINES):
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
