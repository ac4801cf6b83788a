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
        self.good_shop_under_watch()
        before = len(self.checkouts())
        self.deploy("errors")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), incident)
        self.assertEqual(len(self.checkouts()), before + 2)  # the deployment and the rollback
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
    example = "pinned-tag.toml"
    programs = {"docker": """
"docker inspect -f "*) sed -n 's/.*"version": "\\([a-z0-9_]*\\)".*/ghcr.io\\/owner\\/shop:\\1/p' release.json ;;
""", "gh": """
"gh workflow run "*) for word; do case $word in image=*) git checkout -q "${word##*:}" && ./restart ;; esac; done ;;
"gh run list "*) echo 42 ;;
"""}

    def revision(self, tag):
        return f"ghcr.io/owner/shop:{tag}"

    def test_the_workflow_is_run_and_people_are_called_one_after_the_other(self):
        self.good_shop_under_watch()
        self.deploy("errors")
        incident = self.wait_for_incident_closed(180)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), incident)
        self.assert_in_order("docker logs", "image=ghcr.io/owner/shop:v1", "gh run list", "gh run watch 42", "docker inspect shop-backend")
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


if __name__ == "__main__":
    unittest.main()
