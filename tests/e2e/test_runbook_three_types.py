#!/usr/bin/env python3
"""The runbook of three types of rollback, with a real PostgreSQL, real migrations, and visitors who come through a real HAProxy."""

import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import machine
from rehearsed import Postgres, Rehearsed, put, replaced, scripts_of
from world import free_port

FIRST = {"migrations/0001_accounts.up.sql": "SELECT 1;\n", "migrations/0001_accounts.down.sql": "SELECT 1;\n"}
SECOND = {"migrations/0002_prices.up.sql": "CREATE TABLE prices (item text, price int);\nALTER TABLE accounts ADD COLUMN discount int;\n",
          "migrations/0002_prices.down.sql": "DROP TABLE prices;\nALTER TABLE accounts DROP COLUMN discount;\n"}
PROMPT = 0.05  # seconds between two looks of a visitor


class ThreeTypes(Rehearsed):
    example = "runbook-three-types.toml"
    releases = (("v1", {}, FIRST), ("errors", {"errors": 0.3}, {}), ("v2", {}, SECOND), ("prices", {"errors": 0.3}, {}))
    programs = {"systemctl": 'echo "$*" >>$repository/run/systemctl\nexec $repository/restart\n'}

    def setUp(self):
        for program in ("haproxy", "socat"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"there is no {program}")
        self.seen = []  # what a visitor saw, one after the other, each once: shop or maintenance
        super().setUp()
        self.visitors_come_through_haproxy()

    def files(self):
        return {name: text for name, text in super().files().items() if not name.startswith("scripts/")}

    def table(self):
        return [*super().table(), ("/usr/local/lib/shop", self.folder / "lib"), ("/var/backups/shop", self.folder / "backups")]

    def make_application(self):
        self.entry = free_port()
        self.folder.chmod(0o755)
        self.postgres = Postgres(self.folder)
        self.addCleanup(self.postgres.stop)
        self.postgres.start()
        self.settings = {"database": self.postgres.port}
        super().make_application()
        (self.folder / "backups").mkdir()
        (self.folder / "haproxy").mkdir()
        files = {name.removeprefix("scripts/"): text for name, text in scripts_of(self.example).items()}
        paths = (("/etc/haproxy", self.folder / "haproxy"), ("/run/haproxy/admin.sock", self.folder / "haproxy" / "admin.sock"))
        put(self.folder / "lib", {**files, "traffic.sh": replaced(files["traffic.sh"], paths)})
        put(self.folder / "haproxy", {
            "haproxy.cfg": replaced(files["haproxy.cfg"], (*paths, ("127.0.0.1:3001", f"127.0.0.1:{self.port}"), ("bind :80", f"bind 127.0.0.1:{self.entry}"))),
            "maintenance.html": files["maintenance.html"], "traffic.map": "share 100\n"})
        put(self.repository, {".env": f"DATABASE_URL=postgresql://shop@127.0.0.1:{self.postgres.port}/shop\n"})
        self.postgres.sql("CREATE TABLE migrations (number int); INSERT INTO migrations VALUES (1)")

    def visitors_come_through_haproxy(self):
        process = subprocess.Popen(["haproxy", "-db", "-f", self.folder / "haproxy" / "haproxy.cfg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        ended = threading.Event()
        visitor = threading.Thread(target=self.visit, args=(ended,), daemon=True)
        visitor.start()
        self.addCleanup(visitor.join)
        self.addCleanup(ended.set)

    def visit(self, ended):
        while not ended.wait(PROMPT):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.entry}/products", timeout=5) as reply:
                    page = "shop" if b"<h1>products" in reply.read() else "something else"
            except urllib.error.HTTPError as error:
                with error:
                    page = "maintenance" if b"Back in a few minutes" in error.read() else f"{error.code}"
            except OSError:
                page = "nothing"
            if self.seen[-1:] != [page]:
                self.seen.append(page)

    def visitors(self, **options):
        """Those who make the load come the same way."""
        port, self.port = self.port, self.entry
        try:
            return super().visitors(**options)
        finally:
            self.port = port

    def migrated(self, tag):
        """What the deploy script does for a release that changes the schema: its migrations first, then the release itself."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            shutil.copy(self.repository / ".env", folder)
            packed = subprocess.run(["git", "-C", self.repository, "archive", tag, "migrations"], check=True, capture_output=True).stdout
            subprocess.run(["tar", "-x", "-C", folder], input=packed, check=True)
            subprocess.run([self.folder / "lib" / "migrate.sh", "up"], cwd=folder, check=True, capture_output=True)
        self.deploy(tag)

    def deployed_with_migration(self, tag):
        """v1 runs; then a backup is made, and the release comes, as the comment of the example says."""
        self.good_shop_under_watch()
        self.backup = self.folder / "backups" / f"before-{tag}.dump"
        subprocess.run(["pg_dump", "--format=custom", f"--file={self.backup}", f"postgresql://shop@127.0.0.1:{self.postgres.port}/shop"], check=True)
        self.deploy_marked(tag, tag, "--schema", "2", "--backup", str(self.backup), deployed=self.migrated)
        self.wait_for(f"{tag} is known to run", lambda: self.service().get("revision") == self.revision(tag), 20)
        self.wait_until_shop_serves(tag)
        self.postgres.sql("INSERT INTO accounts VALUES ('late@example.com', 'x', 5)")

    def schema(self):
        return self.postgres.sql("SELECT max(number) FROM migrations")

    def accounts(self):
        return self.postgres.sql("SELECT email FROM accounts ORDER BY email").splitlines()

    def restarts(self):
        file = self.repository / "run" / "systemctl"
        return file.read_text().splitlines() if file.exists() else []

    def test_code_alone_goes_back_by_itself_and_nobody_is_shut_out(self):
        self.good_shop_under_watch()
        self.deploy("errors")
        incident = self.wait_for_incident_closed(60)
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), report)
        self.assert_switched_once(incident)
        self.assertEqual(self.restarts(), ["restart shop"])
        self.assertNotIn("maintenance", self.seen)
        self.assertEqual(list((self.folder / "backups").iterdir()), [])
        self.assert_told("slack-url", "errors", "Some pages fail.", "https://wiki.example.com/shop/rollback", "https://status.example.com")

    def test_a_changed_schema_is_asked_about_and_goes_down_by_one(self):
        self.deployed_with_migration("prices")
        self.wait_for("it asks", lambda: [one for one in self.incidents() if one["phase"] == "asking"], 30)
        self.assertEqual((self.version(), self.restarts()), ("prices", []))
        done = self.cli("rollback", "shop", "--action", "rollback-schema", "--reason", "prices are wrong", "--yes", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        incident = self.incidents()[0]
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], self.version(), self.schema()), ("recovered", "v1", "1"), report)
        self.assertEqual(self.accounts(), ["late@example.com", "probe@example.com"])  # what customers did is kept
        self.assert_in_order([step for step, _ in self.steps_of(incident)], "traffic.sh 0", "pg_dump", "migrate.sh down", f"switch {self.revision('v1')}", "wait",
                             "traffic.sh 10", "wait", "traffic.sh 100")
        self.assertEqual(self.restarts(), ["restart shop"])
        self.assert_visitors_saw_the_page_and_the_shop_again()
        self.assertIn("prices are wrong", report)
        self.assertTrue((self.folder / "backups" / f"before-rollback-{incident['id']}.dump").stat().st_size)

    def test_a_schema_that_changes_after_the_release_was_checked_out_is_asked_about_too(self):
        self.good_shop_under_watch()
        self.deploy_marked("prices", "prices", "--schema", "2", deployed=self.migrated_slowly)
        self.wait_for("it asks", lambda: [one for one in self.incidents() if one["phase"] == "asking"], 30)
        self.assertEqual((self.version(), self.restarts()), ("prices", []))

    def migrated_slowly(self, tag):
        """A deploy script that migrates in the new checkout: what is checked out is seen before the schema is that release's."""
        self.checkout(tag)
        time.sleep(3)
        subprocess.run([self.folder / "lib" / "migrate.sh", "up"], cwd=self.repository, check=True, capture_output=True)
        subprocess.run([self.repository / "restart"], check=True)

    def assert_visitors_saw_the_page_and_the_shop_again(self):
        self.wait_for("visitors are in the shop again", lambda: self.seen[-1] == "shop", 10)
        self.assertIn("maintenance", self.seen)
        self.assertNotIn("nothing", self.seen[self.seen.index("maintenance"):])

    def test_everything_goes_back_to_the_backup_and_the_revision_that_belongs_to_it(self):
        self.deployed_with_migration("v2")
        unnamed = self.cli("rollback", "shop", "--action", "full-restore", "--reason", "data are damaged", check=False)
        self.assertEqual((unnamed.returncode, self.version()), (2, "v2"), unnamed.stdout + unnamed.stderr)
        plan = self.cli("rollback", "shop", "--action", "full-restore", "--plan").stdout
        self.assertIn(str(self.backup), plan)
        self.assertIn(self.revision("v1")[:12], plan)
        done = self.cli("rollback", "shop", "--action", "full-restore", "--reason", "data are damaged", "--yes", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        incident = self.incidents()[0]
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], self.version(), self.schema()), ("recovered", "v1", "1"), report)
        self.assertEqual(self.accounts(), ["probe@example.com"])
        self.assert_in_order([step for step, _ in self.steps_of(incident)], "traffic.sh 0", "pg_dump", "restore.sh", f"switch {self.revision('v1')}", "wait", "traffic.sh 10",
                             "wait", "traffic.sh 50", "wait", "traffic.sh 100")
        self.assert_switched_once(incident)
        self.assert_visitors_saw_the_page_and_the_shop_again()
        self.assertIn("restored", report)
        self.assertIn("Enter again what customers ordered", report)
        self.people_are_reminded()

    def people_are_reminded(self):
        self.wait_for("a day later people are told what is left", lambda: [
            told for told in self.told_at("slack-url") if "Enter again what customers ordered" in told], 15)

    def test_a_migration_that_cannot_be_undone_leaves_the_page_on_and_switches_nothing(self):
        self.deployed_with_migration("v2")
        self.postgres.sql("DROP TABLE prices")  # what the down migration wants to drop
        done = self.cli("rollback", "shop", "--action", "rollback-schema", "--reason", "prices are wrong", "--yes", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        incident = self.incidents()[0]
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], self.version(), self.schema()), ("action_failed", "v2", "2"), report)
        self.assertIn("prices", report)
        self.assertIn("traffic.sh 0", report)  # what it left behind
        self.assertEqual(self.restarts(), [])
        time.sleep(1)
        self.assertEqual(self.seen[-1], "maintenance")


if __name__ == "__main__":
    machine.main()
