#!/usr/bin/env python3
"""The runbook of scripts per environment: a backend, a frontend that needs it, and a database, each rolled back alone."""

import http.server
import threading
import unittest

from runbook import Runbook


class Frontend(http.server.BaseHTTPRequestHandler):
    """What is deployed of it says whether it works; it does not without a backend."""

    def do_GET(self):
        works = "bad" not in self.server.version.read_text() and self.server.backend_is_up()
        self.send_response(200 if works else 502)
        self.end_headers()
        self.wfile.write(b"<h1>Shop</h1>" if works else b"bad gateway")

    def log_message(self, *_):
        pass


class Scripts(Runbook):
    example = "scripts.toml"
    scripts = {"scripts/version.sh": """
*" frontend") cat run/frontend ;;
*) git rev-parse HEAD ;;
""", "scripts/rollback.sh": """
*" backend "*) git checkout -q "$3" && exec ./restart ;;
*" frontend "*) echo "$3" >run/frontend ;;
""", "scripts/restore-database.sh": "", "scripts/maintenance.sh": ""}

    def setUp(self):
        frontend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Frontend)
        self.frontend_port = frontend.server_port
        super().setUp()
        self.frontend = self.repository / "run" / "frontend"
        self.frontend.parent.mkdir(exist_ok=True)
        self.frontend.write_text("f1\n")
        frontend.version = self.frontend
        frontend.backend_is_up = lambda: self.http("/api/health", self.port)[0] == 200
        threading.Thread(target=frontend.serve_forever, daemon=True).start()
        self.addCleanup(frontend.server_close)
        self.addCleanup(frontend.shutdown)

    def service(self, name="backend"):
        return ((self.status() or {}).get("services") or {}).get(name) or {}

    def deploy_frontend(self, version):
        self.frontend.write_text(version + "\n")
        self.wait_for(f"{version} is known to run", lambda: self.service("frontend").get("revision") == version, 40)

    def test_the_frontend_alone_is_rolled_back(self):
        self.good_shop_under_watch()
        before = len(self.checkouts())
        self.frontend.write_text("f2-bad\n")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["service"], incident["outcome"], incident["severity"]), ("frontend", "recovered", "P0"), incident)
        self.assertEqual((incident["from"], incident["to"], self.frontend.read_text()), ("f2-bad", "f1", "f1\n"))
        self.assert_in_order("rollback.sh production frontend f1")
        self.assert_once("rollback.sh")
        self.assertEqual(len(self.checkouts()), before)
        self.assertEqual(len(self.incidents()), 1)

    def test_a_frontend_that_fails_for_its_backend_is_not_rolled_back(self):
        """Both were deployed; the backend does not start, and the frontend answers 502 for that."""
        self.good_shop_under_watch()
        self.deploy_frontend("f2")
        self.deploy("crash")
        self.wait_for("the backend is rolled back", lambda: any(
            (one["service"], one["outcome"]) == ("backend", "recovered") for one in self.incidents()), 120)
        self.assertEqual((self.version(), self.frontend.read_text()), ("v1", "f2\n"))
        self.wait_for("the frontend is well again", lambda: self.status()["rules"]["frontend-down"]["state"] == "idle", 60)
        self.assertEqual(len(self.calls("rollback.sh production backend")), 1)
        self.assertEqual(self.calls("rollback.sh production frontend"), [])

    def test_a_frontend_that_is_bad_besides_is_rolled_back_after_its_backend(self):
        self.good_shop_under_watch()
        self.frontend.write_text("f2-bad\n")
        self.deploy("crash")
        self.wait_for("the frontend is rolled back", lambda: any(
            (one["service"], one["outcome"]) == ("frontend", "recovered") for one in self.incidents()), 150)
        self.assert_in_order(f"rollback.sh production backend {self.revision('v1')}", "rollback.sh production frontend f1")
        self.assertEqual((self.version(), self.frontend.read_text()), ("v1", "f1\n"))
        frontend = next(one for one in self.incidents() if one["service"] == "frontend")
        self.assertIn("waits: backend, on which it depends, ", self.report_of(frontend)[0])

    def test_the_backend_alone_is_rolled_back(self):
        incident = self.goes_bad_and_is_rolled_back()
        self.assertEqual(incident["service"], "backend")
        self.assert_once("rollback.sh")
        self.assert_in_order(f"rollback.sh production backend {self.revision('v1')}")
        self.assertEqual(self.calls("maintenance", "restore"), [])
        self.assertIn("processes.txt", self.report_of(incident)[0])

    def test_the_database_alone_by_hand(self):
        self.good_shop_under_watch()
        before = len(self.checkouts())
        self.cli("deploy", "begin", "--service", "backend", "--backup", "/var/backups/shop/before-v2.dump")
        self.deploy("v2")
        self.cli("deploy", "end", "--service", "backend")
        self.wait_for("v2 is known to run", lambda: self.service().get("revision") == self.revision("v2"), 40)
        self.cli("rollback", "backend", "--action", "database", "--yes", timeout=120)
        self.assert_in_order("maintenance.sh production on", "restore-database.sh production /var/backups/shop/before-v2.dump",
                             "maintenance.sh production off")
        self.assertEqual((self.version(), len(self.checkouts())), ("v2", before + 1))

    def test_what_is_done_when_the_rollback_fails(self):
        self.executable(self.repository / "scripts/rollback.sh", "scripts/rollback.sh", '*) echo "no such release" >&2; exit 1 ;;')
        self.good_shop_under_watch()
        self.deploy("errors")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], self.version()), ("action_failed", "errors"), incident)
        self.assert_in_order("rollback.sh production backend", "maintenance.sh production on")
        self.assert_once("rollback.sh")
        report = self.report_of(incident)[0]
        self.assertIn("no such release", report)
        self.assertIn("processes.txt", report)
        self.wait_for("somebody is called", lambda: self.told_at("slack-url-manager"), 20)


if __name__ == "__main__":
    unittest.main()
