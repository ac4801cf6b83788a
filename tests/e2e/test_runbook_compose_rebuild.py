#!/usr/bin/env python3
"""The runbook of Docker Compose with a rebuild: real images, built from a real checkout, beside a real PostgreSQL in a container."""

import pwd
import subprocess

import machine
from compose_rehearsed import BASE, ComposeRehearsed
from rehearsed import POSTGRES, Postgres
from world import free_port

PROJECT = """
x-host: &host
  network_mode: host
  volumes: ["/usr:/usr:ro", "/etc/passwd:/etc/passwd:ro", "./run:/app/run"]
services:
  backend:
    <<: *host
    build: .
    command: [python3, /app/app.py]
  frontend:
    <<: *host
    build: .
    command: [python3, -m, http.server, "$FRONTEND", --bind, 127.0.0.1, --directory, /app/frontend]
    stop_signal: SIGINT
  postgres:
    image: "$BASE"
    network_mode: host
    user: "$USER"
    environment: {PATH: "$BIN:/usr/bin:/bin", PGHOST: 127.0.0.1, PGPORT: "$POSTGRES"}
    command: [$BIN/postgres, -D, /data]
    volumes: ["/usr:/usr:ro", "/etc/passwd:/etc/passwd:ro", "$DATA:/data"]
"""


class ComposeRebuild(ComposeRehearsed):
    example = "runbook-compose-rebuild.toml"
    releases = (("v1", {}, {}), ("errors", {"errors": 0.3}, {}), ("no_sign_up", {"register_fails": True}, {}))

    def files(self):
        user = pwd.getpwnam("postgres")
        compose = PROJECT
        for name, value in (("$FRONTEND", self.frontend_port), ("$BASE", BASE), ("$BIN", POSTGRES), ("$POSTGRES", self.postgres.port),
                            ("$DATA", self.postgres.data), ("$USER", f"{user.pw_uid}:{user.pw_gid}")):
            compose = compose.replace(name, str(value))
        return {**super().files(), "docker-compose.prod.yml": compose, "Dockerfile": f"FROM {BASE}\nCOPY . /app\n", ".dockerignore": ".git\nrun\n",
                "frontend/index.html": "<h1>Shop</h1>\n"}

    def table(self):
        return [*super().table(), ("127.0.0.1:3000", f"127.0.0.1:{self.frontend_port}"), ("/var/backups/shop", self.folder / "backups"),
                # How full the machine is that runs the tests is nobody's deployment.
                ("host.memory_used > 90%", "host.memory_used > 99.5%")]

    def make_application(self):
        self.frontend_port = free_port()
        self.postgres = Postgres(self.folder)
        self.settings = {"database": self.postgres.port}
        super().make_application()
        (self.folder / "backups").mkdir()
        self.compose("up", "-d", "postgres")
        self.wait_for("the database answers", lambda: subprocess.run(
            [POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.postgres.port)]).returncode == 0, 20)
        self.postgres.fill()

    def deploy(self, tag, mark=False):
        """What the deploy script does."""
        self.checkout(tag)
        self.compose("build", "backend", "frontend")
        self.compose("up", "-d", "--no-deps", "backend", "frontend")

    def test_it_is_dumped_rebuilt_validated_and_started(self):
        self.good_shop_under_watch()
        database = self.container("postgres")
        self.deploy_marked("errors")
        incident = self.wait_for_incident_closed(90)
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), report)
        self.assert_switched_once(incident)
        steps = self.steps_of(incident)
        self.assert_in_order([step for step, _ in steps], "capture compose-logs.txt", "pg_dump", "switch last-good", "wait", "validate.sh", "capture compose-ps.txt")
        self.assertEqual({outcome for _, outcome in steps}, {"succeeded"}, steps)
        self.assertEqual(self.container("postgres"), database)  # it was not touched
        self.assert_dump_has_accounts(self.folder / "backups" / f"before-{incident['id']}.dump")
        self.assertIn("errors listens on port", self.evidence(incident, "compose-logs.txt"))
        self.assertIn("postgres", self.evidence(incident, "compose-ps.txt"))
        for part in ("compose-logs.txt", "valid", "Merge a revert", "Release errors", self.revision("v1")):
            self.assertIn(part, report)
        self.assert_told("slack-url", "Pages fail.", "https://wiki.example.com/shop/rollback", "recovered")

    def assert_dump_has_accounts(self, dump):
        listed = subprocess.run([POSTGRES / "pg_restore", "--data-only", "--file=-", dump], check=True, capture_output=True, text=True).stdout
        self.assertIn("probe@example.com", listed)

    def test_a_smoke_test_that_fails_and_no_backup_nothing_is_switched(self):
        """Nobody can sign up, which no error rate shows; and the folder of the backups is full, or gone."""
        (self.folder / "backups").rmdir()
        self.good_shop_under_watch()
        self.deploy_marked("no_sign_up")
        incident = self.wait_for_incident_closed(90)
        report = self.report_of(incident)[0]
        self.assertEqual((incident["rule"], incident["outcome"], self.version()), ("smoke", "action_failed", "no_sign_up"), report)
        self.assertFalse([step for step, _ in self.steps_of(incident) if step.startswith("switch")])
        self.assertIn("before-", report)
        self.assert_told("slack-url", "Nobody can sign up, log in, or see the shop.")


if __name__ == "__main__":
    machine.main()
