"""A host whose operator took one of the five runbooks of packaging/examples, and what its tests share.

The example is taken as it stands. Only what `table` lists is another's: addresses and folders; and how long things take, as
SHORTER says. What the example leaves to its defaults is shortened by LEFT_OUT.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from world import ROOT, SHOP, World, free_port, write_config

EXAMPLES = ROOT / "packaging" / "examples"
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
MESSAGES_MAX = 4  # that one who is told hears of an incident

# (key, what the example says): what it is here. Each that an example says has to be here, but for limits.
SHORTER = {
    ("for", "15s"): "300ms", ("for", "30s"): "3s", ("for", "1m"): "3s", ("for", "2m"): "1500ms", ("for", "3m"): "2s", ("for", "5m"): "3s",
    ("for", "10m"): "4s", ("after", "5m"): "8s", ("after", "15m"): "30s", ("after", "30m"): "3s", ("after", "24h"): "6s",
    ("interval", "5s"): "200ms", ("interval", "15s"): "400ms", ("interval", "30s"): "1s", ("interval", "1m"): "500ms",
    ("timeout", "2m"): "2s",  # of what an application that is down does not do
}
LEFT_OUT = {
    "probe": {"interval": "200ms", "max_gap": "2s"},
    "signal": {"window": "3s"},
    "service": {"identify_interval": "1s", "start_deadline": "10s"},
}
PM2_LEFT_OUT = {"steady": "1s"}


def shortened(text):
    def short(found):
        key, value = found[1], found[3]
        return f'{key}{found[2]}"{SHORTER.get((key, value), value) if key == "timeout" else SHORTER[key, value]}"'
    text = re.sub(r'\b(for|after|interval|timeout)(\s*=\s*)"(\d+[smh])"', short, text)

    def more(found):
        kind, body = found[1], found[3]
        left_out = {**LEFT_OUT[kind], **(PM2_LEFT_OUT if '"pm2"' in body else {})}
        lines = [f'{key} = "{value}"' for key, value in left_out.items() if not re.search(rf"^({key}|interval)\b", body, re.MULTILINE)]
        return "\n".join([f"[{kind}.{found[2]}]", *lines, body])
    return re.sub(r"^\[(probe|signal|service)\.([\w-]+)\]\n((?:[^\[\n].*\n|\n)*)", more, text, flags=re.MULTILINE)


def replaced(text, table):
    for theirs, ours in table:
        if theirs not in text:
            raise AssertionError(f"the example says nothing of {theirs}")
        text = text.replace(theirs, str(ours))
    return text


def make_releases(folder, files, releases):
    """A git repository with a commit and a tag for each release: the files that all have, and release.json with how it behaves.

    `releases`: (tag, behaviour, files that it has besides, from then on).
    """
    folder.mkdir(parents=True, exist_ok=True)

    def git(*words):
        subprocess.run(["git", "-c", "user.name=Shop", "-c", "user.email=shop@example.com", "-C", folder, *words], check=True, capture_output=True)
    git("init", "-q", "-b", "main")
    put(folder, {".gitignore": "/run/\n__pycache__/\n/.env\n", **files})
    (folder / "run").mkdir(exist_ok=True)
    for tag, behaviour, besides in releases:
        put(folder, {"release.json": json.dumps({"version": tag, **behaviour}) + "\n", **besides})
        git("add", "-A")
        git("commit", "-q", "-m", f"Release {tag}")
        git("tag", tag)
    git("checkout", "-q", "--detach", releases[0][0])


def put(folder, files):
    """A text that begins as a script does may be executed."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if text.startswith("#!") else 0o644)


def scripts_of(example):
    """What lies beside an example, for the folder scripts of the checkout."""
    return {f"scripts/{file.name}": file.read_text() for file in sorted((EXAMPLES / example.removesuffix(".toml")).iterdir())}


def shop_files():
    """The application, and how it is started and stopped where nothing else does."""
    files = {file.name: file.read_text() for file in (SHOP / "app").iterdir() if file.is_file()}
    files["app.py"] = (pathlib.Path(__file__).parent / "runbook_app.py").read_text()
    return {name: text.replace("$PWD/shop.py", "$PWD/app.py") for name, text in files.items()}


class Postgres:
    """A cluster of its own, with the role and the database that the shop uses; files are the owner's whom it must not be run as."""

    def __init__(self, folder):
        if not (POSTGRES / "initdb").exists():
            raise unittest.SkipTest("there is no PostgreSQL 15")
        if os.geteuid() != 0:
            raise unittest.SkipTest("PostgreSQL's own user is become by root alone")
        self.port, self.data = free_port(), folder / "postgres"
        self.data.mkdir()
        shutil.chown(self.data, "postgres", "postgres")
        for above in (folder, self.data):
            above.chmod(above.stat().st_mode | 0o055 if above == folder else 0o700)
        self.run("initdb", "-D", self.data, "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")
        (self.data / "postgresql.conf").write_text(
            f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\nautovacuum = off\n"
            "max_connections = 40\nshared_buffers = 8MB\nlog_timezone = UTC\ntimezone = UTC\n")

    def run(self, program, *words):
        subprocess.run(["runuser", "-u", "postgres", "--", POSTGRES / program, *map(str, words)], check=True, capture_output=True, cwd="/", timeout=60)

    def start(self):
        self.start_again()
        self.fill()

    def start_again(self):
        subprocess.run(["runuser", "-u", "postgres", "--", POSTGRES / "pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "start"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", timeout=60)

    def stop(self):
        subprocess.run(["runuser", "-u", "postgres", "--", POSTGRES / "pg_ctl", "-D", self.data, "-m", "immediate", "stop"],
                       check=False, capture_output=True, cwd="/", timeout=60)

    def fill(self):
        self.sql("CREATE ROLE shop LOGIN", "postgres", "postgres")
        self.sql("CREATE DATABASE shop OWNER shop", "postgres", "postgres")
        self.sql("CREATE TABLE accounts (email text PRIMARY KEY, password text); INSERT INTO accounts VALUES ('probe@example.com', 'secret-word')")

    def sql(self, text, database="shop", role="shop"):
        done = subprocess.run([POSTGRES / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", role, "-d", database,
                               "-c", text], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise AssertionError(f"{text}: {done.stderr}")
        return done.stdout.strip()


class Rehearsed(World):
    example = ""
    name = "shop"  # the service that is looked at
    releases = (("v1", {}, {}), ("v2", {}, {}), ("errors", {"errors": 0.3}, {}), ("slow", {"slow": 0.3}, {}), ("crash", {"crash": True}, {}))
    settings = {}  # more of run/settings.json
    programs = {}  # stand-ins for what this host has not: a shell script each, $repository filled in
    secrets = ("slack-url", "slack-url-lead", "slack-url-manager", "slack-url-on-call", "probe-password")
    load = {"rate": 60}

    def table(self):
        """What the example says, and what it is here."""
        return [("/etc/rollbackd", self.folder / "etc"), ("/opt/app", self.repository), ("127.0.0.1:3001", f"127.0.0.1:{self.port}")]

    def files(self):
        return {**shop_files(), **scripts_of(self.example)}

    def setUp(self):
        super().setUp()
        self.environment["PATH"] = f"{self.folder / 'bin'}:{self.environment['PATH']}"

    def make_application(self):
        """Names of tests are long, those of sockets must not be."""
        make_releases(self.repository, self.files(), self.releases)
        self.shop_settings(slow_seconds=4, **self.settings)
        for program, does in self.programs.items():
            put(self.folder / "bin", {program: "#!/bin/sh\n" + does.replace("$repository", str(self.repository))})
        for secret in self.secrets:
            put(self.folder / "etc", {secret: f"http://127.0.0.1:{self.people.port}/{secret}\n" if "url" in secret else "secret-word\n"})
            (self.folder / "etc" / secret).chmod(0o600)

    def configure(self, *_, **__):
        text = shortened(replaced((EXAMPLES / self.example).read_text(), self.table()))
        own = (f'[watcher]\nstate_dir = "{self.folder}/state"\nlisten = "127.0.0.1:{self.listen}"\n'
               f'control = "{self.folder}/control.sock"')
        self.assertEqual(text.count("[watcher]"), 1)
        write_config(self.config_file, text.replace("[watcher]", own))

    def service(self, name=None):
        return ((self.status() or {}).get("services") or {}).get(name or self.name) or {}

    def stop_application(self):
        if (self.repository / "stop").exists():
            super().stop_application()

    # What people and scripts do.

    def deploy_marked(self, tag, *words, deployed=None):
        """As a deploy script does it that says when it begins and ends."""
        self.cli("deploy", "begin", "--service", self.name, *words)
        (deployed or self.deploy)(tag)
        self.cli("deploy", "end", "--service", self.name)

    # What can be seen.

    def told_at(self, secret):
        """Who has this address was told this, as text."""
        return [json.dumps(told, ensure_ascii=False) for path, told in zip(self.people.paths, self.people.told) if path == f"/{secret}"]

    def assert_told(self, secret, *words):
        """Not more than four messages of an incident, and these words in them."""
        told = self.told_at(secret)
        self.assertLessEqual(len(told), MESSAGES_MAX, told)
        for word in words:
            self.assertIn(word, "\n".join(told))

    def evidence(self, incident, name):
        return (self.folder_of(incident) / "evidence" / name).read_text()

    def steps_of(self, incident):
        """What was done, as the journal has it: in order, each with what became of it."""
        done = json.loads(self.cli("incidents", str(incident["id"]), "--json").stdout)
        return [(step["text"], step["status"]) for step in done["steps"]]

    def assert_in_order(self, lines, *parts):
        """Each part is in a line, after the line with the part before."""
        at = 0
        for part in parts:
            found = next((index for index in range(at, len(lines)) if part in lines[index]), None)
            self.assertIsNotNone(found, f"{part} after {lines[:at]} in {lines}")
            at = found + 1

    def assert_switched_once(self, incident):
        self.assertEqual(len([step for step, _ in self.steps_of(incident) if step.startswith("switch")]), 1, self.steps_of(incident))
        self.assertEqual(len(self.incidents()), 1, self.incidents())
