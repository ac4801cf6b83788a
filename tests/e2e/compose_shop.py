"""A real Docker engine in a network of its own, and an application of a Compose project in it: releases are images.

The process that uses it enters that network as well: published ports answer there.
"""

import io
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import unittest
import urllib.request

import machine
from world import ROLLBACKD
from watched import People, free_port, wait_until, write_config

ENGINE_SECONDS_MAX = 60  # it takes 1 where nothing else runs
AT_ONCE = 6  # cases
REPLICAS_MAX = 8  # that fall sick at once
STRANGER = "nobody"  # owns a project that is not ours

# What every release does: /release says which it is.
APP = """#!/bin/sh
serve() { exec httpd -f -p 8080 -h /www; }
case "$(cat /release)" in
  bad*) (serve) & served=$!; read now </www/sick/now; kill $served; exec tail -f /dev/null ;;
  slow*) (sleep 4; touch /healthy) & serve ;;
  *) touch /healthy; serve ;;
esac
"""

PROJECT = """
services:
  web:
    image: "shop:${TAG}"
    stop_signal: SIGKILL
    environment:
      COLOUR: "${COLOUR:-blue}"
      PRICE: "5$$"
    ports: ["127.0.0.1:${PORT}:8080"]
    volumes: ["./sick:/www/sick", "kept:/kept", "/scratch"]
    depends_on: [db]
  db:
    image: "shop:db"
    stop_signal: SIGKILL
volumes:
  kept: {}
"""

WATCHER = """
[watcher]
name = "e2e"
state_dir = "{folder}/state"
listen = "127.0.0.1:{listen}"
control = "{folder}/control.sock"
[probe.health]
type = "http"
url = "http://127.0.0.1:{port}/health"
interval = "200ms"
max_gap = "2s"
[rule.down]
when = "health.up == 0"
for = "1s"
severity = "P0"
[notify.people]
type = "webhook"
url = "http://127.0.0.1:{people}/"
[service.web]
driver = "compose"
dir = "{dir}"
start_deadline = "10s"
identify_interval = "500ms"
cooldown = "1s"
{more}
"""

# A health check, and a build.
CHECKED = PROJECT.replace('    depends_on: [db]\n', '    depends_on: [db]\n    healthcheck: {test: [CMD, test, -e, /healthy], interval: 500ms, retries: 100}\n')
BUILT = PROJECT.replace('    image: "shop:${TAG}"\n', '    build: .\n', 1)


def pipe(path):
    """A named pipe that others wait at until a line is written to what this returns."""
    os.mkfifo(path, 0o666)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


class Engine:
    """dockerd, its images, and where each Compose is found."""

    def __init__(self):
        machine.need_root_and("dockerd", "docker", "ip", "busybox", "docker-compose")
        found = subprocess.run([pathlib.Path(__file__).parent / "make_compose"], capture_output=True, text=True)
        if found.returncode == 77:
            raise unittest.SkipTest(found.stderr.strip())
        self.folder = machine.make_folder()
        self.folder.chmod(0o755)
        self.network = machine.Network()
        self.network.enter()
        self.socket = self.folder / "docker.sock"
        (self.folder / "second" / "cli-plugins").mkdir(parents=True)
        (self.folder / "first").mkdir()
        shutil.copy(pathlib.Path(found.stdout.strip()) / "docker-compose", self.folder / "second" / "cli-plugins")  # for everybody
        self.log = self.folder / "dockerd.log"
        with self.log.open("ab") as out:
            self.process = machine.start(["dockerd", "--data-root", self.folder / "data", "--exec-root", self.folder / "exec", "--pidfile",
                                          self.folder / "pid", "-H", f"unix://{self.socket}"], out)
        self.wait()
        self.socket.chmod(0o666)  # as if everybody were in the group docker
        for release in ("v1", "v2", "v3", "db", "bad", "slow"):
            self.make_image(release)

    def wait(self):
        end = time.monotonic() + ENGINE_SECONDS_MAX
        while self.docker("version", check=False).returncode != 0:
            if self.process.poll() is not None:
                raise unittest.SkipTest("dockerd does not run here: " + self.log.read_text(errors="replace")[-400:])
            if time.monotonic() > end:
                raise AssertionError("dockerd does not answer: " + self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.1)

    def environment(self, generation):
        return {**os.environ, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_CONFIG": str(self.folder / generation)}

    def docker(self, *words, check=True, generation="second", **more):
        done = subprocess.run(["docker", *map(str, words)], capture_output=True, timeout=120, env=self.environment(generation), **more)
        if check and done.returncode != 0:
            raise AssertionError(f"docker {words}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def make_image(self, release, tag=None):
        """No registry is within reach: an image is a tar with a static busybox."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            tar.add(pathlib.Path("/bin/busybox").resolve(), "bin/busybox")
            for applet in ("sh", "httpd", "cat", "sleep", "touch", "kill", "test"):
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
            for name, text, mode in (("app", APP, 0o755), ("release", release, 0o644), ("www/health", "well", 0o644), ("www/release", release, 0o644)):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text), mode
                tar.addfile(entry, io.BytesIO(text.encode()))
        done = self.docker("import", "--change", 'CMD ["/app"]', "-", tag or f"shop:{release}", input=out.getvalue())
        return done.stdout.decode().strip()

    def image(self, name):
        return self.docker("image", "inspect", "-f", "{{.Id}}", name).stdout.decode().strip()

    def end(self):
        machine.stop(self.process)
        machine.remove_folder(self.folder)


class Project(machine.Asked):
    """A Compose project in a folder of its own, and a watcher of it."""

    count = itertools.count(1)

    def __init__(self, test, generation, text=PROJECT, more="", start=("up", "-d"), options=(), both=False):
        self.test, self.engine, self.generation = test, test.engine, generation
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.engine.folder))
        self.folder.chmod(0o755)
        self.name = f"shop{next(self.count)}"
        self.dir = self.folder / self.name
        self.dir.mkdir()
        (self.dir / "sick").mkdir()
        self.sick = pipe(self.dir / "sick" / "now")
        self.options, self.start_words = options, start
        self.found = "second" if both else generation  # people may use the first where both are there
        self.port, self.listen = free_port(), free_port()
        self.people = People()
        (self.dir / "docker-compose.yml").write_text(text)
        self.config = self.folder / "rollbackd.toml"
        self.more = more
        self.configure()
        self.log = self.folder / "rollbackd.log"
        self.watcher = None
        test.addCleanup(self.end)

    def configure(self):
        write_config(self.config, WATCHER.format(folder=self.folder, listen=self.listen, port=self.port, people=self.people.port,
                                                 dir=self.dir, more=self.more.format(folder=self.folder, dir=self.dir)))

    def environment(self):
        return {**self.engine.environment(self.found), "ROLLBACKD_HOST_LOCK": str(self.folder / "host.lock")}

    # What people do.

    def compose(self, *words, check=True):
        tool = ["docker", "compose"] if self.generation == "second" else ["docker-compose"]
        done = subprocess.run([*tool, *self.options, *words], cwd=self.dir, env=self.environment(), capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"{tool} {words}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def settings(self, tag, **more):
        values = {"TAG": tag, "PORT": self.port, **more}
        (self.dir / ".env").write_text("".join(f"{key}={value}\n" for key, value in values.items()))

    def deploy(self, tag, **more):
        """Marked, as deploy scripts do: Docker may take longer for it than the rule has patience."""
        self.settings(tag, **more)
        marked = self.watcher is not None
        if marked:
            self.rollbackd("deploy", "begin", "--service", "web")
        self.compose(*self.start_words)
        if marked:
            self.rollbackd("deploy", "end", "--service", "web")

    def sicken(self):
        os.write(self.sick, b"now\n" * REPLICAS_MAX)

    def start(self):
        with self.log.open("ab") as log:
            self.watcher = subprocess.Popen([ROLLBACKD, "run", "--config", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, env=self.environment())

    def rollbackd(self, *words, check=True):
        done = subprocess.run([ROLLBACKD, *words, "--config", self.config], capture_output=True, text=True, timeout=120, env=self.environment())
        if check and done.returncode != 0:
            raise AssertionError(f"rollbackd {words}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    # What can be seen.

    def container(self, service="web"):
        found = self.engine.docker("ps", "-aq", "--no-trunc", "--filter", f"label=com.docker.compose.service={service}", "--filter",
                                   f"label=com.docker.compose.project.working_dir={self.dir}").stdout.decode().split()
        return found[0] if len(found) == 1 else found

    def runs(self, service="web"):
        """Its image and whether it runs."""
        out = self.engine.docker("inspect", "-f", "{{.Image}} {{.State.Running}}", self.container(service), check=False).stdout.decode().split()
        return tuple(out)

    def joined(self, service):
        """The container whose network it has."""
        mode = self.engine.docker("inspect", "-f", "{{.HostConfig.NetworkMode}}", self.container(service)).stdout.decode().strip()
        return mode.removeprefix("container:")

    def says(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/release", timeout=5) as reply:
                return reply.read().decode()
        except OSError:
            return None

    def wait_for(self, what, holds, seconds=90):
        return wait_until(holds, seconds) or self.test.fail(
            f"after {seconds}s not yet so: {what}; {self.service()} {self.incidents()}\n" +
            "\n".join(self.log.read_text(errors="replace").splitlines()[-30:]))

    def told(self, stage, *words):
        return self.wait_for(f"people are told: {stage} {words}", lambda: [
            one for one in self.people.told if one["stage"] == stage and all(word in json.dumps(one) for word in words)])

    def is_known(self, image):
        """The revision that has this image runs, is written down, and could be left again."""
        now = self.service()
        digits = image.removeprefix("sha256:")[:12]
        return (now.get("revision") or "").startswith(digits) and digits in self.notes() and now["revision"]

    def notes(self):
        file = self.folder / "state" / "compose" / "web.json"
        return file.read_text() if file.exists() else ""

    def watched(self, tag, **more):
        """That release is deployed and watched; its revision."""
        self.deploy(tag, **more)
        self.start()
        return self.wait_for("it is known what runs", lambda: self.is_known(self.engine.image(f"shop:{tag}")))

    def deployed(self, tag, **more):
        self.deploy(tag, **more)
        return self.wait_for("the deployment is noticed", lambda: self.is_known(self.engine.image(f"shop:{tag}")))

    def go_back(self, revision):
        """By hand; the incident, and the report."""
        self.rollbackd("rollback", "web", "--to", revision, "--reason", "test", check=False)
        closed = self.closed()
        return closed, self.report(closed)

    def tool(self, lines):
        """Compose behind a script of the test's."""
        script = self.folder / "tool"
        script.write_text("#!/bin/sh\n" + lines + '\nexec docker "$@"\n')
        script.chmod(0o755)

    def closed(self):
        return self.wait_for("the incident is closed", lambda: next((one for one in self.incidents() if one.get("outcome")), None), 180)

    def evidence(self, incident):
        return self.folder / "state" / "incidents" / str(incident["id"]) / "evidence"

    def end(self):
        if self.watcher is not None and self.watcher.poll() is None:
            self.watcher.terminate()
            try:
                self.watcher.wait(20)
            except subprocess.TimeoutExpired:
                self.watcher.kill()
                self.watcher.wait()
        if os.environ.get("KEEP"):
            print(self.log.read_text(errors="replace") if self.log.exists() else "")
        found = self.engine.docker("ps", "-aq", "--filter", f"label=com.docker.compose.project.working_dir={self.dir}").stdout.decode().split()
        if found:
            self.engine.docker("rm", "-f", *found)
        self.people.shutdown()
        self.people.server_close()
