#!/usr/bin/env python3
"""The pm2 driver with a real pm2: releases are commits, deployed as people do it, by a checkout and a restart."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

import machine
from another import Another
from world import ROLLBACKD
from watched import People, free_port, wait_until, write_config

AT_ONCE = 3  # cases: node is not small
SECRET = "xyzzy-plugh-4711"  # in the application's environment

APP = """
const http = require("http"), fs = require("fs"), path = require("path");
const release = fs.readFileSync(path.join(__dirname, "release"), "utf8").trim();
const top = path.dirname(__dirname);
if (fs.existsSync(top + "/broken-" + release)) process.exit(3);
console.log("connecting with " + process.env.DB_PASSWORD);
http.createServer((request, reply) => {
  reply.writeHead(release === "bad" && fs.existsSync(top + "/sick") ? 503 : 200);
  reply.end(release);
}).listen(Number(process.env.PORT), "127.0.0.1");
"""

CONFIG = """
[watcher]
name = "e2e"
state_dir = "{folder}/state"
listen = "127.0.0.1:{listen}"
control = "{folder}/control.sock"
[probe.health]
type = "http"
url = "http://127.0.0.1:{port}/"
interval = "200ms"
max_gap = "3s"
[rule.down]
when = "health.up == 0"
for = "3s"
severity = "P0"
[notify.people]
type = "webhook"
url = "http://127.0.0.1:{people}/"
[service.web]
driver = "pm2"
dir = "{folder}/shop"
home = "{folder}/pm2"
pm2 = ["{folder}/tool"]
steady = "{steady}"
start_deadline = "15s"
identify_interval = "1s"
cooldown = "1s"
{more}
"""

# Each restart that rollbackd begins is counted, and waits.
WAITING = 'case "$1" in restart) echo restart >>{folder}/restarts; echo $$ >{folder}/waits; read go <{folder}/go ;; esac'


class Pm2(machine.Asked, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("node"):
            raise unittest.SkipTest("there is no node")
        made = subprocess.run([pathlib.Path(__file__).parent / "make_pm2"], capture_output=True, text=True)
        if made.returncode == 77:
            raise unittest.SkipTest(made.stderr.strip())
        cls.pm2 = pathlib.Path(made.stdout.strip()) / "node_modules" / ".bin" / "pm2"

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-pm2-"))
        self.repository = self.folder / "shop"
        self.port, self.listen = free_port(), free_port()
        self.people = People()
        self.config = self.folder / "rollbackd.toml"
        self.log = self.folder / "rollbackd.log"
        self.watcher = None
        self.environment = {**os.environ, "ROLLBACKD_HOST_LOCK": str(self.folder / "host.lock"), "PM2_HOME": str(self.folder / "pm2"),
                            "PORT": str(self.port), "DB_PASSWORD": SECRET, "PM2_DISCRETE_MODE": "true"}
        self.addCleanup(self.end)
        subprocess.run(["git", "init", "-q", "-b", "main", self.repository], check=True)
        (self.repository / "app.js").write_text(APP)
        for release in ("v1", "v2", "v3", "bad"):
            (self.repository / "release").write_text(release + "\n")
            self.git("add", ".")
            self.git("commit", "-q", "-m", release)
            self.git("tag", release)
        self.tool("")
        self.configure()

    def end(self):
        if self.watcher is not None and self.watcher.poll() is None:
            self.watcher.terminate()
            self.watcher.wait(30)
        subprocess.run([self.pm2, "kill"], env=self.environment, capture_output=True, timeout=60)
        if os.environ.get("KEEP"):
            print(self.log.read_text(errors="replace") if self.log.exists() else "")
        self.people.shutdown()
        self.people.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, more="", steady="1s"):
        write_config(self.config, CONFIG.format(folder=self.folder, listen=self.listen, port=self.port, people=self.people.port, steady=steady, more=more))

    def tool(self, lines):
        """pm2 behind a script, for rollbackd alone."""
        tool = self.folder / "tool"
        tool.write_text(f'#!/bin/sh\n{lines.format(folder=self.folder)}\nexec {self.pm2} "$@"\n')
        tool.chmod(0o755)

    # What people do.

    def git(self, *words):
        return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-C", self.repository, *words], check=True,
                              capture_output=True, text=True).stdout.strip()

    def run_pm2(self, *words):
        subprocess.run([self.pm2, *words], env=self.environment, check=True, capture_output=True, timeout=60, cwd=self.repository)

    def deploy(self, release):
        if self.watcher is not None:
            self.rollbackd("deploy", "begin", "--service", "web")
        self.git("checkout", "-q", release)
        self.run_pm2("restart", "web")
        if self.watcher is not None:
            self.rollbackd("deploy", "end", "--service", "web")

    def start(self):
        with self.log.open("ab") as log:
            self.watcher = subprocess.Popen([ROLLBACKD, "run", "--config", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, env=self.environment)

    def watched(self, release="v1"):
        self.git("checkout", "-q", release)
        self.run_pm2("start", "app.js", "--name", "web", "--cwd", self.repository)
        self.start()
        self.runs(release)

    def deployed(self, release):
        self.deploy(release)
        self.runs(release)

    def rollbackd(self, *words):
        return subprocess.run([ROLLBACKD, *words, "--config", self.config], capture_output=True, text=True, timeout=120, env=self.environment)

    def go_back(self, release):
        self.rollbackd("rollback", "web", "--to", release, "--reason", "test")
        return self.closed()

    # What can be seen.

    def wait_for(self, what, holds, seconds=90):
        return wait_until(holds, seconds) or self.fail(
            f"after {seconds}s not yet so: {what}; {self.service()} {self.incidents()}\n" +
            "\n".join(self.log.read_text(errors="replace").splitlines()[-30:]))

    def runs(self, release):
        return self.wait_for(f"{release} is known to run", lambda: self.service().get("revision") == self.git("rev-parse", release))

    def says(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as reply:
                return reply.read().decode()
        except OSError:
            return None

    def closed(self):
        return self.wait_for("the incident is closed", lambda: next((one for one in self.incidents() if one.get("outcome")), None), 150)

    def stays(self, release):
        self.wait_for(f"{release} serves", lambda: self.says() == release, 20)
        self.assertEqual(self.git("rev-parse", "HEAD"), self.git("rev-parse", release))

    def test_a_bad_release_is_left_and_no_secret_gets_out(self):
        self.watched()
        self.deployed("v2")
        self.rollbackd("deploy", "good", self.git("rev-parse", "v2"))
        self.deployed("bad")
        (self.folder / "sick").touch()
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], len(self.incidents())), ("recovered", 1), report)
        self.assertEqual(report.count("`switch last-good`"), 1, report)
        self.stays("v2")
        self.runs("v2")
        evidence = self.folder / "state" / "incidents" / str(closed["id"]) / "evidence"
        self.assertIn("connecting with <redacted>", (evidence / "pm2-logs.txt").read_text())
        self.assertIn("web 0: online", (evidence / "pm2-processes.txt").read_text())
        for file in (self.folder / "state").rglob("*"):
            if file.is_file():
                self.assertNotIn(SECRET.encode(), file.read_bytes(), file)
        self.assertNotIn(SECRET, self.log.read_text() + json.dumps(self.people.told))
        self.assertEqual([one["stage"] for one in self.people.told if one["stage"] in ("started", "completed")], ["started", "completed"])

    def test_what_was_checked_out_and_not_restarted_does_not_run(self):
        self.watched()
        self.git("checkout", "-q", "v2")
        time.sleep(3)
        self.assertEqual(self.service()["revision"], self.git("rev-parse", "v1"))
        self.run_pm2("restart", "web")
        self.runs("v2")

    def cause(self):
        done = self.rollbackd("status", "--json")
        return json.loads(done.stdout)["rules"]["down"].get("cause")

    def test_what_somebody_stops_is_left_alone_and_what_crashes_is_rolled_back(self):
        self.watched()
        self.deployed("v2")
        self.run_pm2("stop", "web")
        self.wait_for("it is seen that somebody did", lambda: self.cause() == "deploying")
        time.sleep(7)  # twice what `down` waits for
        self.assertEqual(self.incidents(), [])
        self.run_pm2("start", "web")
        self.wait_for("v2 is judged again", lambda: self.says() == "v2" and self.cause() is None)
        self.assertEqual(self.incidents(), [])
        (self.folder / "broken-v2").touch()
        self.run_pm2("sendSignal", "SIGKILL", "web")
        self.assertEqual(self.closed()["outcome"], "recovered")
        self.stays("v1")

    def test_what_somebody_deletes_and_starts_again_is_left_alone(self):
        self.watched()
        self.deployed("v2")
        self.run_pm2("delete", "web")
        self.wait_for("it is seen that somebody did", lambda: self.cause() == "deploying")
        time.sleep(7)  # twice what `down` waits for
        self.run_pm2("start", "app.js", "--name", "web", "--cwd", self.repository)
        self.wait_for("v2 is judged again", lambda: self.says() == "v2" and self.cause() is None)
        self.assertEqual(self.incidents(), [])
        self.stays("v2")

    def test_a_target_that_is_gone_is_told_and_not_tried(self):
        self.watched()
        self.deployed("v2")
        self.wait_for("a rollback could be done", lambda: self.service().get("rollback_ready"))
        self.run_pm2("delete", "web")
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False)
        self.wait_for("people are told", lambda: "pm2 has no process web" in json.dumps(self.people.told))

    def test_a_release_that_does_not_start_is_left_for_the_one_before(self):
        self.watched()
        self.deployed("v2")
        (self.folder / "broken-v1").touch()
        closed = self.go_back("v1")
        report = self.report(closed)
        self.assertEqual(closed["outcome"], "action_failed", report)
        for part in ("pm2 logs web", "built and restarted"):
            self.assertIn(part, report)
        self.stays("v2")
        self.runs("v2")

    def stopped_in_the_switch(self):
        self.configure(steady="15s")
        self.watched()
        self.deployed("v2")
        self.rollbackd("deploy", "good", self.git("rev-parse", "v2"))
        self.deployed("bad")
        (self.folder / "sick").touch()
        self.wait_for("v2 is started", lambda: self.says() == "v2")
        self.run_pm2("stop", "web")
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], len(self.incidents())), ("action_failed", 1), report)
        self.assertIn("nothing was put back or started against that", report)
        self.assertEqual((self.git("rev-parse", "HEAD"), self.says()), (self.git("rev-parse", "v2"), None))

    def test_what_somebody_stops_in_the_switch_is_not_started_against_him(self):
        self.stopped_in_the_switch()
        self.wait_for("it is seen that somebody did", lambda: "was stopped" in (self.service().get("stopped") or ""))

    def test_what_fails_when_it_is_stopped_is_not_started_against_him(self):
        # Its exit code says as much as that of a crash.
        with (self.repository / "app.js").open("a") as app:
            app.write('process.on("SIGINT", () => process.exit(1));\n')
        for release in ("v1", "v2", "v3", "bad"):
            (self.repository / "release").write_text(release + "\n")
            self.git("commit", "-qam", release)
            self.git("tag", "-f", release)
        self.stopped_in_the_switch()

    def restart_fails(self, tool, said):
        """A restart by this tool ends nothing well: people are told so, and v2 stays."""
        self.tool(tool)
        self.configure('restart_timeout = "4s"')
        self.watched()
        self.deployed("v2")
        closed = self.go_back("v1")
        report = self.report(closed)
        self.assertEqual(closed["outcome"], "action_failed", report)
        self.assertIn(said, report)
        self.stays("v2")

    def test_a_restart_that_lies_is_found_out(self):
        self.restart_fails('case "$1" in restart) exit 0 ;; esac', "web was not started anew after 4s")

    def test_a_restart_that_hangs_is_ended(self):
        self.restart_fails('[ "$1" != restart ] || [ -e {folder}/restarts ] || {{ touch {folder}/restarts; exec tail -f /dev/null; }}',
                           "4s")

    def switch_at_work(self):
        self.tool(WAITING)
        os.mkfifo(self.folder / "go")
        go = os.open(self.folder / "go", os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, go)
        self.watched()
        self.deployed("bad")
        (self.folder / "sick").touch()
        self.wait_for("the switch is at work", (self.folder / "restarts").exists)
        return go

    def restarts(self):
        return (self.folder / "restarts").read_text().splitlines()

    def test_a_watcher_killed_in_the_middle_switches_once(self):
        go = self.switch_at_work()
        self.watcher.kill()
        self.watcher.wait()
        self.start()
        time.sleep(1)  # nothing is done meanwhile
        os.write(go, b"go\n")
        closed = self.closed()
        self.assertEqual((closed["outcome"], len(self.restarts())), ("recovered", 1), self.report(closed))
        self.stays("v1")
        self.assertEqual(len(self.incidents()), 1)

    def test_a_deployment_in_the_middle_of_a_switch_is_seen(self):
        go = self.switch_at_work()
        self.git("checkout", "-q", "v3")
        self.run_pm2("restart", "web")
        os.write(go, b"go\ngo\n")
        closed = self.closed()
        report = self.report(closed)
        self.assertIn(closed["outcome"], ("superseded", "wrong_revision", "action_failed"), report)
        self.stays("v3")

    def test_a_good_release_stays(self):
        self.watched()
        self.deployed("v2")
        self.assertFalse(wait_until(self.incidents, 8))
        self.stays("v2")

    def test_a_second_watcher_of_the_host_switches_nothing_more(self):
        self.tool('case "$1" in restart) echo restart >>{folder}/restarts ;; esac')
        self.watched()
        another = Another(self, self.config, self.folder, self.listen, self.environment)
        self.wait_for("the other one knows what runs", lambda: another.revision() == self.git("rev-parse", "v1"))
        self.wait_for("it sees all as good", another.sees_all_well)
        self.deployed("bad")
        self.wait_for("the other one as well", lambda: another.revision() == self.git("rev-parse", "bad"))
        (self.folder / "sick").touch()
        another.one_acts(self.incidents)
        self.stays("v1")
        self.assertEqual(len(self.restarts()), 1)


if __name__ == "__main__":
    machine.main_beside_each_other(Pm2, AT_ONCE)
