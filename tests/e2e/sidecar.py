"""packaging/examples/sidecar beside the demonstration application, both as Compose projects of their own.

The example is taken as it stands. Only addresses, folders and durations are another's.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import machine
from runbook import EXAMPLES, shortened
from watched import People, free_port
from world import ROOT, SHOP

OWNER = 4321  # of the application's folder: neither root nor whom the image runs as
GROUP = 4322  # may use Docker

PROJECT = """
services:
  backend:
    image: "shop:${SHOP_TAG}"
    ports: ["127.0.0.1:3001:3002"]
    mem_limit: 200m
"""

# The image that has Docker's command and Compose, by the name that users have it by.
TOOLS_DOCKERFILE = """
FROM scratch
COPY docker /usr/local/bin/docker
COPY docker-compose /usr/local/libexec/docker/cli-plugins/docker-compose
"""


def without_figures(text):
    """What two runs of the same story have in common."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\d{8}-\d{6}", "DAY-TIME", text)
    text = re.sub(r"\b[0-9a-f]{12}(?:-[0-9a-f]{12})?\b", "REVISION", text)
    text = re.sub(r"\b[\d.]+(?:ms|s|m)(?:[\d.]+(?:ms|s))*", "DURATION", text)
    return re.sub(r"\d+(?:\.\d+)?", "N", text)


def story_lines():
    """What README prints of it."""
    readme = (ROOT / "README.md").read_text()
    story = re.search(r"```text\n(  opened .*?)```", readme, re.DOTALL)[1] + re.search(r"```text\n(\[P1\] .*?)```", readme, re.DOTALL)[1]
    return [without_figures(line) for line in story.splitlines() if line.strip() not in ("", "...")]


class Sidecar:
    def __init__(self, test):
        self.test = test
        self.folder = pathlib.Path(test.folder)
        self.app, self.beside = self.folder / "app", self.folder / "beside"
        found = subprocess.run([pathlib.Path(__file__).parent / "make_compose"], capture_output=True, text=True)
        if found.returncode == 77:
            test.skipTest(found.stderr.strip())
        self.plugin = pathlib.Path(found.stdout.strip()) / "docker-compose"
        plugins = self.folder / "config" / "cli-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.plugin, plugins)
        os.chown(test.socket, 0, GROUP)
        test.network.enter()
        self.people = People()
        self.make_application()
        self.make_tools()
        self.make_project()
        test.addCleanup(self.end)

    def make_application(self):
        self.app.mkdir()
        (self.app / "docker-compose.yml").write_text(PROJECT)
        (self.app / ".env").touch()
        for one in (self.app, *self.app.iterdir()):
            os.chown(one, OWNER, OWNER)

    def make_tools(self):
        folder = self.test.context("tools", TOOLS_DOCKERFILE)
        shutil.copy(shutil.which("docker"), folder / "docker")
        shutil.copy(self.plugin, folder / "docker-compose")
        self.test.docker("build", "-t", "docker:cli", folder)

    def make_project(self):
        """What the comment in the Compose file says, for these folders."""
        shutil.copytree(EXAMPLES / "sidecar", self.beside)
        own = f'[watcher]\nlisten = "127.0.0.1:{free_port()}"\n'
        text = shortened((EXAMPLES / "sidecar.toml").read_text().replace("[watcher]\n", own).replace("/opt/app", str(self.app)))
        for rule in ("error_rate > 5%", "p95 > 3000ms"):
            text = text.replace(f"{rule} for 5m", f"{rule} for 3s")
        (self.beside / "sidecar.toml").write_text(text.replace("down for 30s", "down for 10s"))
        (self.beside / "slack-url").write_text(f"http://127.0.0.1:{self.people.port}/slack\n")
        (self.beside / "state").mkdir(mode=0o700)
        for name, mode in (("slack-url", 0o400), ("state", 0o700), ("sidecar.toml", 0o644)):
            (self.beside / name).chmod(mode)
            os.chown(self.beside / name, OWNER, OWNER)
        (self.beside / ".env").write_text(f"APP_UID={OWNER}\nAPP_GID={OWNER}\nDOCKER_GID={GROUP}\n")
        file = self.beside / "docker-compose.yml"
        file.write_text(file.read_text().replace("/opt/app", str(self.app)).replace("- /var/run/docker.sock:", f"- {self.test.socket}:"))

    def compose(self, folder, *words):
        return self.test.docker("compose", "--project-directory", folder, *words).stdout

    def start(self):
        self.compose(self.beside, "up", "-d", "--build")

    def deploy(self, tag):
        (self.app / ".env").write_text(f"SHOP_TAG={tag}\n")
        self.compose(self.app, "up", "-d")

    def deploy_marked(self, tag):
        self.says("deploy", "begin", "--service", "shop")
        self.deploy(tag)
        self.says("deploy", "end", "--service", "shop")

    def has_visitors(self):
        load = subprocess.Popen([sys.executable, SHOP / "load", "--port=3001", "--rate=40", "--duration=120"], stdout=subprocess.DEVNULL)
        self.test.addCleanup(machine.stop, load)

    # What can be seen.

    def own_container(self):
        return self.compose(self.beside, "ps", "-q", "rollbackd").strip()

    def inspected(self, what):
        return self.test.docker("inspect", "-f", what, self.compose(self.app, "ps", "-q", "backend").strip()).stdout.strip()

    def image(self):
        return self.inspected("{{.Image}}"), self.inspected("{{.State.Running}}")

    def image_of(self, tag):
        return self.test.docker("image", "inspect", "-f", "{{.Id}}", f"shop:{tag}").stdout.strip()

    def settings(self):
        return (self.app / ".env").read_text()

    def says(self, *words, check=True):
        """What the program in the container prints."""
        done = self.test.docker("exec", self.own_container(), "rollbackd", *words, check=check)
        return done.stdout + done.stderr

    def asked(self, *words):
        done = self.test.docker("exec", self.own_container(), "rollbackd", *words, "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def wait_for(self, what, holds, seconds=90):
        return self.test.wait_for(what, holds, seconds, self.own_container())

    def known(self, tag):
        """The revision of that release, once it runs and could be left again."""
        digits = self.image_of(tag).removeprefix("sha256:")[:12]

        def found():
            now = (self.asked("status").get("services") or {}).get("shop", {}).get("revision") or ""
            notes = self.beside / "state" / "compose" / "shop.json"
            return now.startswith(digits) and notes.exists() and digits in notes.read_text() and now
        return self.wait_for(f"{tag} is known", found)

    def closed(self):
        return self.wait_for("the incident is closed", lambda: next(
            (one for one in self.asked("incidents").get("incidents", []) if one.get("outcome")), None), 150)

    def end(self):
        if os.environ.get("KEEP"):
            print(self.test.docker("logs", self.own_container(), check=False).stdout)
        for folder in (self.beside, self.app):
            self.test.docker("compose", "--project-directory", folder, "down", "-t", "1", check=False)
        self.people.shutdown()
        self.people.server_close()

    def foretold_of_itself(self):
        """What `check --online` says in the container of a configuration that would have it replace its own."""
        text = (self.beside / "sidecar.toml").read_text().replace('"backend"', '"rollbackd"\nproject = "rollbackd"')
        (self.beside / "state" / "itself.toml").write_text(text)
        os.chown(self.beside / "state" / "itself.toml", OWNER, OWNER)
        return self.says("check", "--online", "--config", "/var/lib/rollbackd/itself.toml", check=False)

    def foretold_of_a_command(self, *words):
        """The same of one whose rollback is this command."""
        text = f'[watcher]\nstate_dir = "/var/lib/rollbackd/other"\n[service.shop]\nhealth = "http://127.0.0.1:9/"\nrules = ["down for 5m"]\nrollback = {json.dumps(words)}\n'
        (self.beside / "state" / "command.toml").write_text(text)
        os.chown(self.beside / "state" / "command.toml", OWNER, OWNER)
        return self.says("check", "--online", "--config", "/var/lib/rollbackd/command.toml", check=False)
