#!/usr/bin/env python3
"""The examples: each passes check as it is written; and the runbook of a pinned tag that a workflow puts into effect."""

import pathlib
import re
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
                pathlib.Path(folder, "kubeconfig").touch()
                for secret in SECRETS:
                    pathlib.Path(folder, secret).write_text("http://127.0.0.1:1/\n")
                file = pathlib.Path(folder, "rollbackd.toml")
                file.write_text(example.read_text().replace("/etc/rollbackd/", f"{folder}/").replace("/opt/app", folder))
                file.chmod(0o600)
                done = subprocess.run([ROLLBACKD, "check", "--strict", "--config", file], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_the_table_of_runbooks_names_is_there(self):
        here = pathlib.Path(__file__).parent
        table = (here / "RUNBOOKS.md").read_text()
        methods = "".join(file.read_text() for file in (*here.glob("test_runbook*.py"), here / "four_triggers.py"))
        for name in re.findall(r"`(test_\w+)`", table):
            self.assertIn(f"def {name}(", methods)
        for name in re.findall(r"\((\S+\.toml)\)", table) + re.findall(r"`(test_runbook\w*\.py)`", table):
            self.assertTrue((here / name).exists(), name)
        # And no test of theirs is left out.
        for file in here.glob("test_runbook_*.py"):
            for name in re.findall(r"def (test_\w+)\(", file.read_text()):
                self.assertIn(name, table)


    def test_each_cell_of_the_matrix_of_drivers_is_a_test(self):
        here = pathlib.Path(__file__).parent
        rows = [line.split("|")[2:-1] for line in (here / "MATRIX.md").read_text().splitlines() if line.startswith("|")]
        texts = [(here / re.search(r"\((?:`)?(test_\w+\.py)", cell.replace("`", ""))[1]).read_text() for cell in rows[0]]
        self.assertEqual((len(rows), len(rows[0])), (11, 7))
        for row in rows[2:]:
            for cell, text in zip(row, texts, strict=True):
                self.assertIn(f"def test_{cell.strip(' `')}(", text)


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
        # Who has `after` is called in this order, and only while it does not go well.
        called = [path.removeprefix("/") for path in dict.fromkeys(self.people.paths)]
        self.assertEqual(called, ["slack-url", "slack-url-lead", "slack-url-manager"][:len(called)])
        self.assertEqual(self.people.told[-1].get("text", "").count("recovered"), 1)


if __name__ == "__main__":
    unittest.main()
