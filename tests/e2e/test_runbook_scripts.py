#!/usr/bin/env python3
"""The runbook of scripts per environment, as they lie in packaging/examples, with a real PostgreSQL and releases of a frontend in folders."""

import http.server
import os
import subprocess
import threading

import machine
from rehearsed import Postgres, Rehearsed, put, replaced, scripts_of
from world import ROLLBACKD


class Frontend(http.server.BaseHTTPRequestHandler):
    """As a web server does: files of the release that `current` leads to; the cart is the backend's page."""

    def do_GET(self):
        page = self.server.current / "index.html"
        works = page.exists() and (self.path == "/" or self.server.backend_is_up())
        self.send_response(200 if works else 502)
        self.end_headers()
        self.wfile.write(page.read_bytes() + b"Your cart" if works else b"bad gateway")

    def log_message(self, *_):
        pass


class Scripts(Rehearsed):
    example = "runbook-scripts.toml"
    name = "backend"
    programs = {"systemctl": '[ ! -e $repository/run/no-restart ] || { echo "unit shop is masked" >&2; exit 1; }\nexec $repository/restart\n'}

    def files(self):
        return {name: text for name, text in super().files().items() if not name.startswith("scripts/")}

    def paths(self):
        return [("/opt/app", self.repository), ("5432", self.postgres.port)]

    def table(self):
        return [("/etc/rollbackd", self.folder / "etc"), ("/usr/local/lib/shop", self.folder / "lib"), *self.paths(),
                ("127.0.0.1:3001", f"127.0.0.1:{self.port}"), ("127.0.0.1:3000", f"127.0.0.1:{self.frontend.server_port}")]

    def make_application(self):
        self.folder.chmod(0o755)
        self.postgres = Postgres(self.folder)
        self.addCleanup(self.postgres.stop)
        self.postgres.start()
        self.settings = {"database": self.postgres.port}
        self.frontend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Frontend)
        self.frontend.current = self.folder / "frontend" / "current"
        self.frontend.backend_is_up = lambda: self.http("/api/health", self.port)[0] == 200
        threading.Thread(target=self.frontend.serve_forever, daemon=True).start()
        self.addCleanup(self.frontend.server_close)
        self.addCleanup(self.frontend.shutdown)
        self.programs = {**self.programs, "rollbackd": f'exec {ROLLBACKD} "$@" --config {self.config_file}\n'}
        super().make_application()
        (self.folder / "backups").mkdir()
        put(self.folder / "frontend" / "releases", {"f1/index.html": "<h1>Shop</h1>", "f2/index.html": "<h1>Shop</h1>", "f3/index.html": "Ooops"})
        self.frontend_is("f1")
        self.maintenance = self.folder / "maintenance"
        files = {name.removeprefix("scripts/"): text for name, text in scripts_of(self.example).items()}
        files["production.env"] = replaced(files["production.env"], [
            *self.paths(), ("/srv/frontend", self.folder / "frontend"), ("/run/shop/maintenance", self.maintenance)])
        put(self.folder / "lib", files)

    def frontend_is(self, release):
        """As people deploy it: the link is exchanged."""
        new = self.folder / "frontend" / "new"
        new.symlink_to(f"releases/{release}")
        new.replace(self.frontend.current)

    def frontend_runs(self):
        return os.readlink(self.frontend.current)

    def outcomes(self):
        return [(one["service"], one["rule"], one["outcome"]) for one in self.incidents()]

    def test_the_frontend_alone(self):
        self.good_shop_under_watch()
        before = len(self.checkouts())
        self.frontend_is("f3")
        incident = self.wait_for_incident_closed(60)
        report = self.report_of(incident)[0]
        self.assertEqual((incident["service"], incident["outcome"], incident["from"], incident["to"]), ("frontend", "recovered", "f3", "f1"), report)
        self.assertEqual(self.frontend_runs(), "releases/f1")
        self.assertEqual(len(self.checkouts()), before)
        self.assert_switched_once(incident)
        self.assert_told("slack-url", "The shop's pages do not come up.", "https://wiki.example.com/shop/frontend")
        self.assertEqual(self.told_at("slack-url-on-call"), [])

    def test_the_backend_alone_though_its_frontend_fails_with_it(self):
        self.good_shop_under_watch()
        self.frontend_is("f2")
        self.wait_for("f2 is known to run", lambda: self.service("frontend").get("revision") == "f2", 20)
        self.deploy_marked("crash")
        self.wait_for("the backend is rolled back", lambda: ("backend", "backend-down", "recovered") in self.outcomes(), 60)
        self.wait_for("the frontend is well again", lambda: self.status()["rules"]["frontend-down"]["state"] == "idle", 40)
        self.assertEqual((self.version(), self.frontend_runs()), ("v1", "releases/f2"))
        backend = next(one for one in self.incidents() if one["service"] == "backend")
        self.assertEqual([step for step, _ in self.steps_of(backend)], ["switch last-good"])
        self.assertEqual(len(self.told_at("slack-url-on-call")), 0, self.told_at("slack-url-on-call"))

    def test_a_frontend_that_is_bad_besides_follows_its_backend(self):
        self.good_shop_under_watch()
        self.frontend_is("f3")
        self.deploy_marked("crash")
        self.wait_for("the frontend is rolled back", lambda: ("frontend", "frontend-down", "recovered") in self.outcomes(), 90)
        self.assertEqual((self.version(), self.frontend_runs()), ("v1", "releases/f1"))
        frontend = next(one for one in self.incidents() if one["service"] == "frontend")
        self.assertIn("waits: backend, on which it depends, ", self.report_of(frontend)[0])
        self.assertIn(("backend", "backend-down", "recovered"), self.outcomes())

    def test_a_database_that_is_down_is_told_and_blamed_on_no_release(self):
        self.good_shop_under_watch()
        self.frontend_is("f2")
        self.deploy_marked("v2")
        self.wait_for("both are known to run", lambda: (self.service().get("revision"), self.service("frontend").get("revision")) == (self.revision("v2"), "f2"), 20)
        self.wait_for("v2 is judged", lambda: self.status()["rules"]["backend-down"]["verdict"] == "good", 20)
        before = len(self.checkouts())
        self.postgres.stop()
        self.wait_for("people are told", lambda: "A rollback of the backend does not help." in "".join(self.told_at("slack-url")), 30)
        self.wait_for("the backend waits", lambda: self.status()["rules"]["backend-down"]["verdict"] == "bad", 10)
        self.assertNotIn("acting", [one["phase"] for one in self.incidents()])
        self.postgres.start_again()
        self.wait_for("all is over", lambda: all(outcome in ("notified", "cleared") for _, _, outcome in self.outcomes()), 30)
        self.assertNotIn(("backend", "backend-down"), [(service, rule) for service, rule, _ in self.outcomes()])
        self.assertEqual((len(self.checkouts()), self.version(), self.frontend_runs()), (before, "v2", "releases/f2"))

    def test_the_database_alone_by_hand(self):
        self.good_shop_under_watch()
        backup = self.folder / "backups" / "before-v2.dump"
        subprocess.run(["pg_dump", "--format=custom", f"--file={backup}", f"postgresql://shop@127.0.0.1:{self.postgres.port}/shop"], check=True)
        self.deploy_marked("v2", "--backup", str(backup))
        self.wait_for("v2 is known to run", lambda: self.service().get("revision") == self.revision("v2"), 20)
        self.postgres.sql("DELETE FROM accounts")
        before = len(self.checkouts())
        done = self.cli("rollback", "backend", "--action", "database", "--reason", "accounts are gone", "--yes", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        incident = self.incidents()[0]
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], self.version(), len(self.checkouts())), ("recovered", "v2", before), report)
        self.assert_in_order([step for step, _ in self.steps_of(incident)], "maintenance.sh production on", "restore-database.sh", "wait",
                             "maintenance.sh production off")
        self.assertEqual((self.postgres.sql("SELECT email FROM accounts"), self.maintenance.exists()), ("probe@example.com", False))
        self.assertTrue((self.folder / "backups" / f"before-restore-{incident['id']}.dump").stat().st_size)
        self.assertIn("accounts are gone", report)

    def test_what_is_done_when_the_rollback_fails(self):
        self.good_shop_under_watch()
        (self.repository / "run" / "no-restart").touch()
        self.deploy("errors")
        incident = self.wait_for_incident_closed(60)
        report = self.report_of(incident)[0]
        self.assertEqual(incident["outcome"], "action_failed", report)
        self.assertIn("unit shop is masked", report)
        self.assertTrue(self.maintenance.exists())
        self.assertIn("app.py", self.evidence(incident, "processes.txt"))
        self.wait_for("somebody is called", lambda: "the maintenance page is on" in "".join(self.told_at("slack-url-on-call")), 20)
        self.assertEqual(len([step for step, _ in self.steps_of(incident) if step.startswith("switch")]), 1)

    def test_the_monthly_drill(self):
        self.good_shop_under_watch()
        self.frontend_is("f2")
        self.deploy_marked("v2")
        for service, release in (("backend", self.revision("v2")), ("frontend", "f2")):
            self.wait_for(f"{release} is known to run", lambda name=service, runs=release: self.service(name).get("revision") == runs, 20)
            self.wait_for("a rollback could be done", lambda name=service: self.service(name).get("rollback_ready"), 20)
        done = self.drill()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for part in ("== backend", "== frontend", self.revision("v1"), "f1"):
            self.assertIn(part, done.stdout)
        (self.folder / "lib" / "rollback.sh").rename(self.folder / "lib" / "gone")
        done = self.drill()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual((self.incidents(), self.version(), self.frontend_runs()), ([], "v2", "releases/f2"))

    def drill(self):
        return subprocess.run([self.folder / "lib" / "monthly-drill.sh", "production"], capture_output=True, text=True, env=self.environment, timeout=60)


if __name__ == "__main__":
    machine.main()
