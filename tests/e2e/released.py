"""A booted machine on which releases are folders, deployed as people do it, by a link and a restart, and watched."""

import json
import os

from booted import Boot

HEALTH = """
[probe.health]
type = "http"
url = "http://127.0.0.1:3001/health"
interval = "200ms"
max_gap = "2s"
"""

CONFIG = """
[watcher]
name = "e2e"
""" + HEALTH + """\
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
steady = "{steady}"
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
    print("no such table: orders", flush=True)
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


class Released(Boot):
    def furnish(self):
        self.app = self.folder / "shop"
        (self.app / "releases").mkdir(parents=True)
        (self.app / "people.py").write_text(PEOPLE)
        for release in ("v1", "v2", "v3", "bad"):
            self.make_release(release)
        (self.app / "current").symlink_to("releases/v1")
        (self.folder / "rollbackd.toml").write_text(CONFIG.format(more="", start_deadline="10s", steady="1s"))
        self.write_unit(BY_FOLDER)

    def make_release(self, release):
        folder = self.app / "releases" / release
        folder.mkdir()
        (folder / "app.py").write_text(APP)
        (folder / "release").write_text(release)

    def write_unit(self, lines):
        (self.folder / "shop.service").write_text(f"[Service]\nRestart=no\n{lines}")

    # What people do.

    def configure(self, more, start_deadline="10s", steady="1s"):
        text = CONFIG.format(more=more, start_deadline=start_deadline, steady=steady)
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

    def cause(self):
        done = self.inside("rollbackd", "status", "--json", check=False)
        return json.loads(done.stdout)["rules"]["down"].get("cause") if done.returncode == 0 else None

    def stopped(self):
        return "was stopped" in (self.service().get("stopped") or "")

    def bad_deploy_is_rolled_back(self):
        self.watched()
        self.deployed("v2")
        self.inside("rollbackd", "deploy", "good", "--service", "shop", "v2")
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
