#!/usr/bin/env python3
"""What the documents say works: their configurations pass `check`, their commands and files exist."""

import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

from world import ROLLBACKD, ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "packaging/examples/README.md")


def blocks(document, language):
    text = (ROOT / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands():
    """Every `rollbackd ...` of a shell block, and every one in backquotes, as words."""
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        lines = [line for block in blocks(document, "sh") for line in block.splitlines()]
        lines += re.findall(r"`(rollbackd [a-z][^`]*)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        for line in lines:
            words = shlex.split(line, comments=True)
            if words[:1] == ["rollbackd"]:
                yield words[1:]


class Readme(unittest.TestCase):
    def test_every_configuration_passes_check(self):
        found = blocks("README.md", "toml")
        self.assertGreaterEqual(len(found), 3)
        for text in found:
            with self.subTest(text.splitlines()[0]), tempfile.TemporaryDirectory() as folder:
                script = pathlib.Path(folder, "rollback.sh")
                script.write_text("#!/bin/sh\n")
                script.chmod(0o700)
                for secret in set(re.findall("/etc/rollbackd/([a-z-]+)", text)):
                    content = "http://127.0.0.1:1/\n" if secret.endswith("-url") else "n0b0dys words\n"
                    pathlib.Path(folder, secret).write_text(content)
                    text = text.replace(f"/etc/rollbackd/{secret}", f"{folder}/{secret}")
                file = pathlib.Path(folder, "rollbackd.toml")
                file.write_text(text)
                file.chmod(0o600)
                for words in (["check"], ["check", "--expand"]):
                    done = subprocess.run([ROLLBACKD, *words, "--config", file], capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, f"{text}\n{done.stdout}{done.stderr}")
                expanded = pathlib.Path(folder, "expanded.toml")
                expanded.write_text(done.stdout)
                expanded.chmod(0o600)
                again = subprocess.run([ROLLBACKD, "check", "--config", expanded], capture_output=True, text=True)
                self.assertEqual(again.returncode, 0, again.stdout + again.stderr)

    def test_every_command_and_option_exists(self):
        found = list(commands())
        self.assertGreaterEqual(len(found), 10)
        for words in found:
            with self.subTest(" ".join(words)):
                names = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
                path = names[:2] if names[:1] in (["deploy"], ["fuse"]) else names[:1]
                done = subprocess.run([ROLLBACKD, *path, "--help"], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                for option in re.findall(r"--[a-z]+", " ".join(words)):
                    self.assertIn(option, done.stdout)

    def test_every_file_that_is_named_exists(self):
        for document in DOCUMENTS:
            text = (ROOT / document).read_text()
            for name in set(re.findall(r"(?:packaging|tests)/[a-zA-Z0-9_./-]+[a-zA-Z0-9]", text)):
                if f"build/dev/{name}" not in text:
                    self.assertTrue((ROOT / name).exists(), f"{document} names {name}")
            for name in re.findall(r"\]\(([A-Za-z0-9_/.-]+)\)", text):
                self.assertTrue((ROOT / document).parent.joinpath(name).exists(), f"{document} links {name}")

    def test_every_test_that_a_promise_names_exists(self):
        there = {path.name for path in (ROOT / "tests").rglob("*.*")}
        named = set(re.findall(r"`([a-z_]+\.(?:cpp|py))`", (ROOT / "SECURITY.md").read_text()))
        self.assertGreaterEqual(len(named), 20)
        self.assertEqual(named - there, set())

    def test_every_dependency_is_in_the_list_of_packages(self):
        packages = (ROOT / "packaging" / "apt-packages").read_text()
        for word in ("boost", "ssl", "curl", "prometheus-cpp", "tomlplusplus", "sqlite3", "re2", "cli11", "spdlog", "fmt", "zstd", "doctest", "benchmark"):
            self.assertIn(word, packages)


if __name__ == "__main__":
    unittest.main()
