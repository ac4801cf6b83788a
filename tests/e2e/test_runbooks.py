#!/usr/bin/env python3
"""The runbooks: each example is what its operator would write, and the incident of its runbook ends as the runbook wants."""

import pathlib
import subprocess
import tempfile
import unittest

from runbook import EXAMPLES, SECRETS, Runbook
from world import ROLLBACKD


class Examples(unittest.TestCase):
    def test_each_passes_check_as_it_is_written_and_is_listed(self):
        listed = (EXAMPLES / "README.md").read_text()
        found = sorted(EXAMPLES.glob("*.toml"))
        self.assertTrue(found)
        for example in found:
            with self.subTest(example.name), tempfile.TemporaryDirectory() as folder:
                self.assertIn(f"({example.name})", listed)
                for secret in SECRETS:
                    pathlib.Path(folder, secret).write_text("http://127.0.0.1:1/\n")
                file = pathlib.Path(folder, "rollbackd.toml")
                file.write_text(example.read_text().replace("/etc/rollbackd/", f"{folder}/"))
                file.chmod(0o600)
                done = subprocess.run([ROLLBACKD, "check", "--config", file], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class ComposeRebuild(Runbook):
    example = "compose-rebuild.toml"
    programs = {"docker": """
*" build "*) exec ./build ;;
*" up "*) exec ./restart ;;
*" pg_dump "*) echo "every row" ;;
"""}
    scripts = {"scripts/validate.sh": ""}

    def test_it_is_rebuilt_from_the_good_revision(self):
        incident = self.goes_bad_and_is_rolled_back()
        self.assert_in_order(" logs ", " pg_dump ", " build ", " up ", "validate.sh", " ps ")
        for part in (" pg_dump ", " build ", " up ", "validate.sh", " ps "):
            self.assert_once(part)
        self.assertEqual((self.folder / "backups" / "before-rollback.dump").read_text(), "every row\n")
        self.assertIn(" logs ", self.evidence(incident, "compose-logs.txt"))
        report = self.report_of(incident)[0]
        for part in (self.revision("errors"), self.revision("v1"), "compose-logs.txt", "validate.sh"):
            self.assertIn(part, report)
        self.assertTrue(self.told_at("slack-url"))

    def test_without_a_backup_nothing_is_switched(self):
        self.executable(self.folder / "bin" / "docker", "docker", '*" pg_dump "*) echo "no space left" >&2; exit 1 ;;')
        self.good_shop_under_watch()
        self.deploy("errors")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], self.version()), ("action_failed", "errors"), incident)
        self.assertEqual(self.calls(" build ", " up "), [])
        self.assert_in_order(" pg_dump ", " ps ")
        self.assertIn("no space left", self.report_of(incident)[0])


class PinnedTag(Runbook):
    # The run that is dispatched is listed late: the first look after it still finds the one before.
    example = "pinned-tag.toml"
    programs = {"docker": """
"docker inspect -f "*) sed -n 's/.*"version": "\\([a-z0-9_]*\\)".*/ghcr.io\\/owner\\/shop:\\1/p' release.json ;;
""", "gh": """
"gh workflow run "*) for word; do case $word in image=*) git checkout -q "${word##*:}" && ./restart ;; esac; done ;;
"gh run list "*) sed -n '/workflow run/,$p' $calls | grep -c 'run list' | sed 's/[01]$/41/; t; s/.*/42/' ;;
"""}

    def revision(self, tag):
        return f"ghcr.io/owner/shop:{tag}"

    def test_the_workflow_is_run_and_people_are_called_one_after_the_other(self):
        incident = self.goes_bad_and_is_rolled_back(180)
        self.assert_in_order("docker logs", "image=ghcr.io/owner/shop:v1", "gh run watch 42", "docker inspect shop-backend")
        for part in ("gh workflow run", "gh run watch", "docker inspect shop-backend"):
            self.assert_once(part)
        report = self.report_of(incident)[0]
        for part in (self.revision("errors"), self.revision("v1"), "container-log.txt", "image.txt"):
            self.assertIn(part, report.replace("\\", ""))
        # Each was called while it was still watched whether that helped.
        for secret in ("slack-url", "slack-url-lead", "slack-url-manager"):
            self.assertTrue(self.told_at(secret), secret)
        self.assertLess(self.people.paths.index("/slack-url"), self.people.paths.index("/slack-url-lead"))
        self.assertLess(self.people.paths.index("/slack-url-lead"), self.people.paths.index("/slack-url-manager"))


class ThreeTypes(Runbook):
    example = "three-types.toml"
    scripts = {"scripts/deploy-revision.sh": '*) git checkout -q "$1" && exec ./restart ;;',
               "scripts/schema-version.sh": "*) cat run/schema 2>/dev/null || echo 7 ;;",
               "scripts/migrate-down.sh": "*) echo 7 >run/schema ;;",
               "scripts/restore.sh": '*) echo "restored from $ROLLBACKD_BACKUP" >>$calls; echo 7 >run/schema ;;',
               "scripts/maintenance.sh": "", "scripts/traffic.sh": ""}
    SWITCH = "deploy-revision.sh"

    def deploy_v2(self, *words, schema="7"):
        self.good_shop_under_watch()
        self.cli("deploy", "begin", "--service", "shop", *words)
        (self.repository / "run" / "schema").write_text(schema + "\n")
        self.deploy("v2")
        self.cli("deploy", "end", "--service", "shop")
        self.wait_for("v2 is known to run", lambda: self.service().get("revision") == self.revision("v2"), 40)

    def test_code_alone_is_rolled_back_by_itself(self):
        self.goes_bad_and_is_rolled_back()
        self.assert_once(self.SWITCH)
        self.assertEqual(self.calls("maintenance", "traffic", "migrate", "restore"), [])

    def test_code_and_schema(self):
        self.deploy_v2(schema="8")
        self.cli("rollback", "shop", "--action", "rollback-schema", "--yes", "--reason", "wrong prices", timeout=120)
        incident = self.wait_for_incident_closed(60)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), incident)
        self.assert_in_order("maintenance.sh on", "migrate-down.sh", f"{self.SWITCH} {self.revision('v1')}", "maintenance.sh off")
        self.assert_once(self.SWITCH)
        self.assertIn("wrong prices", self.report_of(incident)[0])

    def test_everything_from_the_backup_with_its_revision(self):
        self.deploy_v2("--backup", "/var/backups/shop/before-v2.dump", schema="8")
        self.assertEqual(self.cli("rollback", "shop", "--action", "restore", check=False).returncode, 2)
        self.assertEqual(self.calls(self.SWITCH), [])
        self.cli("rollback", "shop", "--action", "restore", "--yes", timeout=120)
        incident = self.wait_for_incident_closed(60)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), incident)
        self.assert_in_order("maintenance.sh on", "traffic.sh block", "restored from /var/backups/shop/before-v2.dump",
                             f"{self.SWITCH} {self.revision('v1')}", "traffic.sh half", "traffic.sh all", "maintenance.sh off")
        self.assert_once(self.SWITCH)
        self.assertEqual(self.evidence(incident, "schema.txt").strip(), "7")


class Pmtwo(Runbook):
    example = "pm2-queues.toml"
    programs = {"pm2": '"pm2 restart "*) exec ./restart ;;', "npm": "*) exec ./build ;;", "redis-cli": ""}
    scripts = {"scripts/warm-cache.sh": ""}

    def queues(self):
        return (self.repository / "run" / "queues").read_text().splitlines()

    def test_queues_are_paused_and_resumed_one_by_one(self):
        incident = self.goes_bad_and_is_rolled_back()
        self.assert_in_order("pm2 logs", "npm ci", "pm2 restart", "flushdb", "warm-cache.sh", "pm2 jlist")
        for part in ("npm ci", "pm2 restart", "flushdb", "warm-cache.sh", "pm2 jlist"):
            self.assert_once(part)
        self.assertEqual(self.queues(), ["pause email", "pause invoices", "resume email", "resume invoices"])
        report = self.report_of(incident)[0]
        for part in ("email/resume", "invoices/resume", "pm2.txt", "pm2-list.txt"):
            self.assertIn(part, report.replace("\\", ""))

    def test_an_application_that_is_down_drains_nothing_and_is_rolled_back(self):
        # Two minutes are waited for the queues, as long as the runbook says.
        text = self.config_file.read_text().replace('timeout    = "2m"', 'timeout    = "2s"')
        self.config_file.write_text(text)
        self.good_shop_under_watch()
        self.deploy("crash")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], incident["severity"], self.version()), ("recovered", "P0", "v1"), incident)
        self.assertEqual(self.queues(), ["resume email", "resume invoices"])
        self.assert_once("pm2 restart")

    def test_p2_asks_and_is_approved(self):
        self.good_shop_under_watch()
        self.deploy("slow")
        self.wait_for("it asks", lambda: any(one["rule"] == "slow" and one["phase"] == "asking" for one in self.incidents()), 120)
        asked = self.incidents()[0]
        self.assertEqual((asked["severity"], self.version(), self.calls("pm2 restart")), ("P2", "slow", []))
        self.wait_for("people are asked", lambda: "rollbackd approve" in "".join(self.told_at("slack-url")), 10)
        self.assertIn(f"rollbackd approve {asked['id']}", self.cli("incidents", asked["id"]).stdout)
        self.cli("approve", asked["id"])
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), incident)
        self.assert_once("pm2 restart")

    def test_p3_tells_and_does_nothing(self):
        self.config_file.write_text(self.config_file.read_text().replace("host.memory_used > 99.5%", "host.memory_used > 99.5% or error_rate > 2%")
                                    .replace('when     = "error_rate > 5%"', 'when     = "error_rate > 99%"'))
        self.good_shop_under_watch()
        self.deploy("errors")
        self.wait_for("people are told", lambda: any("memory" in told for told in self.told_at("slack-url")), 120)
        opened = self.incidents()
        self.assertEqual([(one["rule"], one["severity"], one["phase"]) for one in opened], [("memory", "P3", "telling")], opened)
        self.checkout("v1")
        subprocess.run([self.repository / "restart"], check=True)
        incident = self.wait_for_incident_closed(60)
        self.assertIn(incident["outcome"], ("notified", "superseded"), incident)
        self.assertEqual(self.calls("pm2 restart", "npm ci"), [])


if __name__ == "__main__":
    unittest.main()
