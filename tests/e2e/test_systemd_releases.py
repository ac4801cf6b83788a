#!/usr/bin/env python3
"""The systemd driver under a systemd that boots: releases are folders, deployed as people do it, by a link and a restart."""

import json
import os
import time

import machine
from booted import Boot

CONFIG = """
[watcher]
name = "e2e"
[probe.health]
type = "http"
url = "http://127.0.0.1:3001/health"
interval = "200ms"
max_gap = "2s"
[rule.down]
when = "health.up == 0"
for = "2s"
severity = "P0"
[notify.people]
type = "webhook"
url = "http://127.0.0.1:3002/"
[service.shop]
driver = "systemd"
link = "/opt/shop/current"
steady = "1s"
start_deadline = "{start_deadline}"
identify_interval = "500ms"
cooldown = "1s"
{more}
"""

# Every release: says which it is, and how it is.
APP = """
import http.server, os, pathlib, socket, sys
release = (pathlib.Path(sys.argv[0]).resolve().parent / "release").read_text()
broken = pathlib.Path("/opt/shop/broken-" + release)
if broken.exists():
    sys.exit(3)
class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sick = release == "bad" and pathlib.Path("/opt/shop/sick").exists()
        self.send_response(503 if sick else 200)
        self.end_headers()
        self.wfile.write(release.encode())
    def log_message(self, *words):
        print(*words, flush=True)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 3001), Shop)
if "NOTIFY_SOCKET" in os.environ and not pathlib.Path("/opt/shop/slow-" + release).exists():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
        said.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
server.serve_forever()
"""

PEOPLE = """
import http.server
class People(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        told = self.rfile.read(int(self.headers["Content-Length"]))
        with open("/opt/shop/told", "ab") as out:
            out.write(told + b"\\n")
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 3002), People).serve_forever()
"""

BY_FOLDER = "WorkingDirectory=/opt/shop/current\nExecStart=/usr/bin/python3 app.py\n"
BY_PATH = "ExecStart=/usr/bin/python3 /opt/shop/current/app.py\n"  # nothing of the process shows where it runs

# systemctl behind a script of the test's: each restart is counted, and waits.
WAITING = '''case "$1" in restart) echo restart >>/opt/shop/restarts; echo $$ >/opt/shop/waits; read go </opt/shop/go ;; esac'''


class Releases(Boot):
    def furnish(self):
        self.app = self.folder / "shop"
        (self.app / "releases").mkdir(parents=True)
        (self.app / "people.py").write_text(PEOPLE)
        for release in ("v1", "v2", "v3", "bad"):
            self.make_release(release)
        (self.app / "current").symlink_to("releases/v1")
        (self.folder / "rollbackd.toml").write_text(CONFIG.format(more="", start_deadline="10s"))
        self.write_unit(BY_FOLDER)

    def make_release(self, release):
        folder = self.app / "releases" / release
        folder.mkdir()
        (folder / "app.py").write_text(APP)
        (folder / "release").write_text(release)

    def write_unit(self, lines):
        (self.folder / "shop.service").write_text(f"[Service]\nRestart=no\n{lines}")

    # What people do.

    def configure(self, more, start_deadline="10s"):
        text = CONFIG.format(more=more, start_deadline=start_deadline)
        self.inside("sh", "-c", f"cat >/etc/rollbackd/rollbackd.toml <<'END'\n{text}\nEND")

    def unit(self, lines):
        self.inside("sh", "-c", f"umount /etc/systemd/system/shop.service; printf '[Service]\\n{lines}' >/etc/systemd/system/shop.service")
        self.inside("systemctl", "daemon-reload")

    def tool(self, lines):
        """systemctl behind a script."""
        tool = self.app / "systemctl"
        tool.write_text(f'#!/bin/sh\n{lines}\nexec systemctl "$@"\n')
        tool.chmod(0o755)

    def pipe(self):
        os.mkfifo(self.app / "go")
        go = os.open(self.app / "go", os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, go)
        return go

    def link(self, release):
        self.inside("ln", "-sfn", f"releases/{release}", "/opt/shop/current")

    def deploy(self, release):
        self.link(release)
        self.inside("systemctl", "restart", "shop")

    def watched(self, release="v1"):
        self.inside("systemd-run", "--unit=people", "/usr/bin/python3", "/opt/shop/people.py")
        self.deploy(release)
        self.inside("systemctl", "start", "rollbackd")
        self.runs(release)

    def deployed(self, release):
        self.deploy(release)
        self.runs(release)

    def go_back(self, release):
        self.inside("rollbackd", "rollback", "shop", "--to", release, "--reason", "test", check=False)
        return self.closed()

    # What can be seen.

    def service(self):
        done = self.inside("rollbackd", "status", "--json", check=False)
        return json.loads(done.stdout)["services"]["shop"] if done.returncode == 0 else {}

    def runs(self, release):
        return self.wait_for(f"{release} is known to run", lambda: self.service().get("revision") == release, 40)

    def closed(self):
        return self.wait_for("the incident is closed", lambda: [one for one in self.incidents() if one.get("outcome")], 120)[0]

    def report(self, incident):
        file = f"/var/lib/rollbackd/incidents/{incident['id']}/report.md"
        written = self.wait_for("the report is written", lambda: self.written(file), 30)
        return written

    def written(self, file):
        done = self.inside("cat", file, check=False)
        return done.stdout if done.returncode == 0 and "is still open" not in done.stdout else None

    def told(self):
        file = self.app / "told"
        return file.read_text() if file.exists() else ""

    def says(self):
        return self.inside("/usr/bin/python3", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:3001/').read().decode())",
                           check=False).stdout.strip()

    def linked(self):
        return os.readlink(self.app / "current")

    def bad_deploy_is_rolled_back(self):
        self.watched()
        self.deployed("v2")
        self.inside("rollbackd", "deploy", "good", "v2")
        self.deployed("bad")
        (self.app / "sick").touch()
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], closed["from"], closed["to"]), ("recovered", "bad", "v2"), report)
        self.assertEqual((self.linked(), self.says(), self.service()["revision"]), ("releases/v2", "v2", "v2"))
        self.assertEqual(len(self.incidents()), 1)
        self.assertEqual(report.count("`switch last-good`"), 1, report)
        self.assertIn("bad is left in /opt/shop/releases", report)
        for part in ('"stage":"started"', '"stage":"completed"'):
            self.assertIn(part, self.told().replace(" ", ""))
        return f"/var/lib/rollbackd/incidents/{closed['id']}/evidence"

    def test_a_bad_release_is_left_and_what_its_unit_said_is_kept(self):
        evidence = self.bad_deploy_is_rolled_back()
        self.assertIn("restarts 0, link to releases/bad", self.inside("cat", f"{evidence}/systemd-status.txt").stdout)
        self.assertIn("GET /health", self.inside("cat", f"{evidence}/systemd-journal.txt").stdout)

    def test_where_no_process_shows_its_folder_the_times_of_link_and_start_tell(self):
        self.unit(BY_PATH.replace("\n", "\\n") + "User=nobody\\n")
        self.bad_deploy_is_rolled_back()
        # A link without a restart is no deployment.
        self.link("v1")
        time.sleep(2)
        self.assertEqual(self.service()["revision"], "v2")
        notes = "/var/lib/rollbackd/systemd/shop.json"
        self.wait_for("it is written down", lambda: "v2" in self.inside("cat", notes, check=False).stdout, 40)
        self.wait_for("people are told", lambda: "current points to v1, but v2 runs; do systemctl restart shop.service" in self.told(), 10)
        self.inside("systemctl", "restart", "rollbackd")
        self.runs("v2")
        self.assertNotIn("cannot read what runs", self.journal())
        # Without its notes nobody knows.
        self.inside("systemctl", "stop", "rollbackd")
        self.inside("rm", notes)
        self.inside("systemctl", "start", "rollbackd")
        self.wait_for("it is told that nobody knows", lambda: "was started before the link was changed to v1" in self.journal(), 20)

    def cause(self):
        done = self.inside("rollbackd", "status", "--json", check=False)
        return json.loads(done.stdout)["rules"]["down"].get("cause") if done.returncode == 0 else None

    def stopped(self):
        return "was stopped" in (self.service().get("stopped") or "")

    def stop_by_hand(self):
        """Seen for longer than a release may take to come up, it is no deployment of nobody's either."""
        self.inside("systemctl", "stop", "shop")
        self.wait_for("it is seen that somebody did", self.stopped, 20)
        time.sleep(5)  # twice what `down` waits for, and longer than `start_deadline`
        self.assertEqual((self.stopped(), self.cause(), self.incidents()), (True, "deploying", []))

    def start_again(self):
        self.inside("systemctl", "start", "shop")
        self.wait_for("v2 is judged again", lambda: self.says() == "v2" and self.cause() is None and not self.stopped(), 20)
        self.assertEqual(self.incidents(), [])

    def end_by_itself(self):
        self.inside("systemctl", "kill", "shop")  # of which systemd thinks no ill: TERM is a clean end
        self.assertEqual(self.closed()["outcome"], "recovered")
        self.assertEqual(self.linked(), "releases/v1")

    def test_what_somebody_stops_is_left_alone_though_systemd_forgets_it_and_what_ends_by_itself_is_rolled_back(self):
        self.configure("", start_deadline="4s")
        self.watched()
        self.deployed("v2")
        self.stop_by_hand()
        self.wait_for("systemd has forgotten it", lambda: self.inside("systemctl", "show", "-P", "ActiveExitTimestampMonotonic", "shop").stdout.strip() == "0", 10)
        self.inside("systemctl", "restart", "rollbackd")
        self.wait_for("it is seen after a restart too", self.stopped, 20)
        self.start_again()
        self.end_by_itself()

    def test_the_same_of_a_unit_that_systemd_keeps_and_has_to_kill(self):
        self.configure("", start_deadline="4s")
        self.unit(BY_FOLDER.replace("\n", "\\n") + "TimeoutStopSec=1\\nExecStart=\\nExecStart=/bin/sh -c "
                  '"trap \\"\\" TERM; while true; do python3 app.py; done"\\n[Install]\\nWantedBy=multi-user.target\\n')
        self.inside("systemctl", "enable", "shop")
        self.watched()
        self.deployed("v2")
        self.stop_by_hand()
        self.assertEqual(self.inside("systemctl", "show", "-P", "Result", "shop").stdout.strip(), "timeout")
        self.start_again()
        self.inside("systemctl", "kill", "--signal=KILL", "shop")
        self.assertEqual(self.closed()["outcome"], "recovered")

    def bad_is_not_started(self):
        self.configure("", start_deadline="4s")
        self.watched()
        self.deployed("v2")
        self.inside("rollbackd", "deploy", "good", "v2")
        (self.app / "releases" / "bad" / "release").unlink()
        self.link("bad")
        self.inside("systemctl", "restart", "shop", check=False)
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], closed["from"], self.linked()), ("recovered", "bad", "releases/v2"), report)

    def test_what_is_not_started_for_a_condition_of_its_own_was_not_stopped(self):
        self.unit("\\n[Unit]\\nConditionPathExists=/opt/shop/current/release\\n[Service]\\n" + BY_FOLDER.replace("\n", "\\n"))
        self.bad_is_not_started()

    def test_nor_was_what_is_not_started_for_what_it_depends_on(self):
        self.inside("sh", "-c", "printf '[Service]\\nType=oneshot\\nExecStart=/usr/bin/test -e /opt/shop/current/release\\n' >/etc/systemd/system/migrate.service")
        self.unit("\\n[Unit]\\nRequires=migrate.service\\nAfter=migrate.service\\n[Service]\\n" + BY_FOLDER.replace("\n", "\\n"))
        self.bad_is_not_started()

    def test_a_target_that_is_gone_is_told_and_not_tried(self):
        self.watched()
        self.deployed("v2")
        self.wait_for("a rollback could be done", lambda: self.service().get("rollback_ready"), 30)
        (self.app / "releases" / "v1").rename(self.app / "gone")
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 40)
        self.wait_for("people are told", lambda: "/opt/shop/releases/v1 is gone" in self.told(), 10)
        done = self.inside("rollbackd", "rollback", "shop", "--to", "v1", "--reason", "test", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual((self.linked(), self.says()), ("releases/v2", "v2"))

    def test_a_release_that_does_not_start_is_left_for_the_one_before(self):
        self.watched()
        self.deployed("v2")
        (self.app / "broken-v1").touch()
        closed = self.go_back("v1")
        report = self.report(closed)
        self.assertEqual(closed["outcome"], "action_failed", report)
        for part in ("shop.service has failed (exit-code, 3)", "v2 was put back and runs again"):
            self.assertIn(part, report)
        self.assertEqual((self.linked(), self.says()), ("releases/v2", "v2"))

    def test_a_restart_that_hangs_is_left_for_the_one_before(self):
        self.unit("Type=notify\\n" + BY_FOLDER.replace("\n", "\\n"))
        self.configure('restart_timeout = "3s"')
        self.watched()
        self.deployed("v2")
        (self.app / "slow-v1").touch()
        closed = self.go_back("v1")
        report = self.report(closed)
        self.assertEqual(closed["outcome"], "action_failed", report)
        self.assertIn("v2 was put back and runs again", report)
        self.assertEqual((self.linked(), self.says()), ("releases/v2", "v2"))

    def test_a_restart_that_lies_is_found_out(self):
        (self.app / "start").write_text("#!/bin/sh\ncd /opt/shop/releases/$(cat /opt/shop/which) && exec /usr/bin/python3 app.py\n")
        (self.app / "start").chmod(0o755)
        (self.app / "which").write_text("v1")
        self.unit("ExecStart=/opt/shop/start\\nUser=nobody\\n")
        self.watched()
        (self.app / "which").write_text("v2")
        self.deployed("v2")
        closed = self.go_back("v1")
        report = self.report(closed)
        self.assertEqual(closed["outcome"], "action_failed", report)
        for part in ("systemd reported success, but v2 runs, not v1", "v2 still runs, and the link is as it was"):
            self.assertIn(part, report)
        self.assertEqual((self.linked(), self.says()), ("releases/v2", "v2"))

    def switch_at_work(self):
        self.configure('systemctl = ["/opt/shop/systemctl"]')
        self.tool(WAITING)
        go = self.pipe()
        self.watched()
        self.deployed("bad")
        (self.app / "sick").touch()
        self.wait_for("the switch is at work", (self.app / "restarts").exists, 60)
        self.assertEqual(self.linked(), "releases/v1")
        return go

    def kill_the_watcher(self):
        first = self.show("MainPID")
        self.inside("kill", "-9", first)
        self.wait_for("another one runs", lambda: self.show("MainPID") not in ("0", first) and self.show("ActiveState") == "active", 30)

    def restarts(self):
        return (self.app / "restarts").read_text().splitlines()

    def test_a_watcher_killed_in_the_middle_switches_once(self):
        go = self.switch_at_work()
        self.kill_the_watcher()
        time.sleep(1)  # nothing is done meanwhile
        os.write(go, b"go\n")
        closed = self.closed()
        self.assertEqual((self.says(), self.linked(), len(self.restarts())), ("v1", "releases/v1", 1), self.report(closed))
        self.runs("v1")
        self.assertEqual(len(self.incidents()), 1)

    def test_a_switch_whose_restart_was_killed_too_is_done_again(self):
        go = self.switch_at_work()
        step = (self.app / "waits").read_text().strip()  # as the machine counts
        first = self.show("MainPID")
        self.inside("kill", "-9", first, step)
        os.write(go, b"go\ngo\n")  # whoever waits then
        closed = self.closed()
        report = self.report(closed)
        self.assertEqual((closed["outcome"], self.says(), self.linked(), len(self.restarts())), ("recovered", "v1", "releases/v1", 2), report)

    def test_a_deployment_in_the_middle_of_a_switch_stays(self):
        go = self.switch_at_work()
        self.deploy("v3")
        os.write(go, b"go\n")
        closed = self.closed()
        report = self.report(closed)
        self.assertIn("changed /opt/shop/current meanwhile (to v3), and it was left so", report)
        self.assertEqual((self.linked(), self.says(), len(self.restarts())), ("releases/v3", "v3", 1), report)
        self.runs("v3")

    def test_the_unit_of_rollbackd_itself_is_refused(self):
        self.configure('unit = "rollbackd"')
        done = self.inside("rollbackd", "check", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("is rollbackd's own", done.stdout + done.stderr)
        self.configure('unit = "watch"')
        self.inside("systemd-run", "--unit=watch", "/usr/local/bin/rollbackd", "run")
        self.wait_for("no rollback could be done", lambda: "is the unit that rollbackd runs in" in self.inside("journalctl", "-u", "watch").stdout, 40)


if __name__ == "__main__":
    machine.main()
