#!/usr/bin/env python3
"""The container image of packaging/Dockerfile, built and run by a real Docker engine, beside a shop in containers.

Its last stage, which users get, is built as it is. The first, which compiles for minutes, is replaced by the binary that
was built outside, unless ROLLBACKD_COMPILE_IN_IMAGE is set.
"""

import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import unittest

import machine
from sidecar import Sidecar, story_lines, without_figures
from world import ROLLBACKD, ROOT, SHOP
from watched import HEALTH_ONLY, wait_until

IMAGE_MIB_MAX = 200
ENGINE_SECONDS_MAX = 60  # it takes 1 where nothing else runs
COMPILE_SECONDS_MAX = 3000

CONFIG = HEALTH_ONLY + """
[service.shop]
identify = ["docker", "inspect", "-f", "{{.Config.Image}}", "shop"]
switch = ["/etc/rollbackd/run-shop", "{to}"]
start_deadline = "5s"
identify_interval = "1s"
"""

# How the shop is deployed, by people and by rollbackd. Published on the loopback of the network namespace.
RUN_SHOP = """#!/bin/sh
docker rm -f shop >/dev/null 2>&1
exec docker run -d --name shop --memory 200m -p 127.0.0.1:3001:3002 "$1"
"""

# The shop listens on the loopback alone: inside a container it has to be reached from outside.
SHOP_DOCKERFILE = """
FROM shop-base
COPY shop.py release.json /opt/shop/
RUN sed -i 's/"127.0.0.1"/"0.0.0.0"/' /opt/shop/shop.py && mkdir /opt/shop/run && echo '{"port": 3002}' >/opt/shop/run/settings.json
CMD ["python3", "/opt/shop/shop.py"]
"""

# What README tells: what the rollback calls goes into an image made FROM rollbackd's.
SIDECAR_DOCKERFILE = """
FROM rollbackd
COPY docker /usr/bin/docker
COPY rollbackd.toml run-shop /etc/rollbackd/
"""


class Docker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        machine.need_root_and("dockerd", "docker", "ip", "nsenter", "tar")
        cls.base, cls.full = machine.root_file_system("base"), machine.root_file_system("systemd")
        cls.folder = machine.make_folder()
        cls.addClassCleanup(machine.remove_folder, cls.folder)
        cls.socket = cls.folder / "docker.sock"
        # Packages come from outside: this engine is in the machine's network, and leaves that alone.
        engine = cls.start_engine([], "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false")
        cls.build()
        machine.stop(engine)
        # From here on as engines usually run, in a network of its own.
        cls.network = machine.Network()
        cls.addClassCleanup(cls.network.remove)
        cls.start_engine(["nsenter", f"--net={cls.network.path}"])

    @classmethod
    def start_engine(cls, prefix, *flags):
        log = cls.folder / "dockerd.log"
        with log.open("ab") as out:
            engine = machine.start([*prefix, "dockerd", "--data-root", cls.folder / "data", "--exec-root", cls.folder / "exec",
                                    "--pidfile", cls.folder / "pid", "-H", f"unix://{cls.socket}", *flags], out)
        cls.addClassCleanup(machine.stop, engine)
        end = time.monotonic() + ENGINE_SECONDS_MAX
        while cls.docker("info", check=False).returncode != 0:
            if engine.poll() is not None:
                raise unittest.SkipTest("dockerd does not run here: " + log.read_text(errors="replace")[-400:])
            if time.monotonic() > end:
                raise AssertionError("dockerd does not answer: " + log.read_text(errors="replace")[-2000:])
            time.sleep(0.2)
        return engine

    @classmethod
    def docker(cls, *words, check=True, timeout=240, **more):
        environment = {**os.environ, "DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": str(cls.folder / "config")}
        done = subprocess.run(["docker", "-H", f"unix://{cls.socket}", *map(str, words)], capture_output=True, text=True,
                              timeout=timeout, env=environment, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"docker {words}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    @classmethod
    def build(cls):
        """The base has the name that the Dockerfile's FROM uses, and is what that name stands for."""
        cls.import_image(cls.base, "debian:bookworm-slim")
        words = ["build", "--network=host", "-t", "rollbackd"]
        file = ROOT / "packaging" / "Dockerfile"
        if os.environ.get("ROLLBACKD_COMPILE_IN_IMAGE"):
            cls.docker(*words, "-f", file, ROOT, timeout=COMPILE_SECONDS_MAX)
            return
        folder = cls.context("binary", "FROM scratch\nCOPY rollbackd /usr/local/bin/rollbackd\n")
        subprocess.run(["strip", "-o", folder / "rollbackd", ROLLBACKD], check=True)
        cls.docker("build", "-t", "built-outside", folder)
        text, stages = re.subn(r"^FROM \S+ AS build$.*?(?=^FROM )", "FROM built-outside AS build\n", file.read_text(),
                               flags=re.DOTALL | re.MULTILINE)
        if stages != 1:
            raise AssertionError("packaging/Dockerfile has no first stage named build")
        cls.docker(*words, "-f", "-", ROOT, input=text)

    @classmethod
    def import_image(cls, root, name, *leave_out):
        tar = subprocess.Popen(["tar", "-C", root, *(f"--exclude={one}" for one in leave_out), "-c", "."], stdout=subprocess.PIPE)
        cls.docker("import", "-", name, stdin=tar.stdout)
        tar.stdout.close()
        if tar.wait() > 1:  # 1: its folder was marked as used by another test meanwhile
            raise AssertionError(f"tar of {root} ended with {tar.returncode}")

    @classmethod
    def context(cls, name, dockerfile):
        folder = cls.folder / name
        folder.mkdir()
        (folder / "Dockerfile").write_text(dockerfile)
        return folder

    def wait_for(self, what, holds, seconds, container="watcher"):
        found = wait_until(holds, seconds)
        if not found:
            logs = self.docker("logs", container, check=False)
            self.fail(f"after {seconds}s not yet so: {what}\n{(logs.stdout + logs.stderr)[-3000:]}")
        return found

    def ask(self, *words):
        done = self.docker("exec", "watcher", "rollbackd", *words, "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def test_the_image_brings_rollbackd_alone(self):
        self.assertIn("rollbackd", self.docker("run", "--rm", "--network=none", "rollbackd", "version").stdout)
        base = int(self.docker("image", "inspect", "-f", "{{.Size}}", "debian:bookworm-slim").stdout)
        size = int(self.docker("image", "inspect", "-f", "{{.Size}}", "rollbackd").stdout)
        self.assertLess((size - base) / 2**20, IMAGE_MIB_MAX)

    def test_a_container_whose_loop_hangs_is_unhealthy(self):
        config = self.folder / "idle.toml"
        config.write_text('[watcher]\nmode = "observe"\n[service.web]\nhealth = "http://127.0.0.1:9/"\n'
                          'rules = ["down for 5m"]\nrollback = ["/bin/true"]\n')
        config.chmod(0o644)
        self.docker("run", "-d", "--name", "watcher", "--network=none", "--health-interval=1s", "--health-timeout=2s", "--health-retries=2",
                    "-v", f"{config}:/etc/rollbackd/rollbackd.toml:ro", "rollbackd")
        self.addCleanup(self.docker, "rm", "-f", "watcher", check=False)
        health = lambda: self.docker("inspect", "-f", "{{.State.Health.Status}}", "watcher").stdout.strip()
        self.wait_for("the container is healthy", lambda: health() == "healthy", 60)
        self.docker("kill", "--signal=STOP", "watcher")  # reaches tini; the loop goes on
        tini = self.docker("inspect", "-f", "{{.State.Pid}}", "watcher").stdout.strip()
        child = pathlib.Path(f"/proc/{tini}/task/{tini}/children").read_text().split()[0]
        subprocess.run(["kill", "-STOP", child], check=True)
        self.wait_for("the container is unhealthy", lambda: health() == "unhealthy", 60)

    def make_shop(self):
        """Its releases as images, each from the commit of that name; once for all cases."""
        if (self.folder / "shop").exists():
            return
        self.import_image(self.full, "shop-base", "./usr/share/doc", "./usr/share/locale", "./var/lib/dpkg")
        repository = self.folder / "shop"
        subprocess.run([SHOP / "make_repository", repository], check=True)
        for tag in ("v1", "crash", "errors"):
            subprocess.run(["git", "-C", repository, "checkout", "-q", tag], check=True)
            (repository / "Dockerfile").write_text(SHOP_DOCKERFILE)
            self.docker("build", "-t", f"shop:{tag}", repository)

    def make_sidecar(self):
        folder = self.context("sidecar", SIDECAR_DOCKERFILE)
        shutil.copy(shutil.which("docker"), folder / "docker")
        (folder / "rollbackd.toml").write_text(CONFIG)
        (folder / "run-shop").write_text(RUN_SHOP)
        (folder / "run-shop").chmod(0o755)
        self.docker("build", "-t", "sidecar", folder)
        self.run_shop = folder / "run-shop"

    def deploy(self, tag):
        subprocess.run([self.run_shop, f"shop:{tag}"], check=True, env={**os.environ, "DOCKER_HOST": f"unix://{self.socket}"},
                       stdout=subprocess.DEVNULL)

    def whose_memory(self):
        """What a rollbackd on the host says of the container's memory, behind the port that Docker publishes."""
        config = self.folder / "short.toml"
        config.write_text(f'[watcher]\nstate_dir = "{self.folder}/state"\n[service.shop]\nhealth = "http://127.0.0.1:3001/api/health"\n'
                          'rules = ["memory > 90% for 5m"]\nrollback = ["true"]\n')
        config.chmod(0o600)
        found = subprocess.run(["nsenter", f"--net={self.network.path}", ROLLBACKD, "check", "--online", "--config", config],
                               capture_output=True, text=True, timeout=60)
        return next((line for line in found.stdout.splitlines() if "memory is" in line), found.stdout + found.stderr)

    def test_a_sidecar_is_healthy_and_rolls_back(self):
        self.make_shop()
        self.make_sidecar()
        self.addCleanup(self.docker, "rm", "-f", "shop", check=False)
        self.deploy("v1")
        container = self.docker("inspect", "-f", "{{.Id}}", "shop").stdout.strip()
        self.wait_for("the container's memory is found",
                      lambda: f"{container}, of at most 200 MiB: python3" in self.whose_memory(), 30)
        self.docker("run", "-d", "--name", "watcher", "--network=host", "--health-interval=1s", "-v", "rollbackd:/var/lib/rollbackd",
                    "-v", f"{self.socket}:/var/run/docker.sock", f"--group-add={self.socket.stat().st_gid}", "sidecar")
        self.addCleanup(self.docker, "rm", "-f", "watcher", check=False)
        self.wait_for("the container is healthy",
                      lambda: self.docker("inspect", "-f", "{{.State.Health.Status}}", "watcher").stdout.strip() == "healthy", 60)
        self.wait_for("v1 is adopted", lambda: self.ask("status").get("services", {}).get("shop", {}).get("revision") == "shop:v1", 60)
        # Marked, as deploy scripts do: docker may take longer for it than the rule has patience.
        self.docker("exec", "watcher", "rollbackd", "deploy", "begin", "--service", "shop")
        self.deploy("crash")
        self.docker("exec", "watcher", "rollbackd", "deploy", "end", "--service", "shop")
        closed = self.wait_for("the incident is closed",
                               lambda: [one for one in self.ask("incidents").get("incidents", []) if one.get("outcome")], 120)
        self.assertEqual(closed[0]["outcome"], "recovered", closed)
        self.assertEqual(self.docker("inspect", "-f", "{{.Config.Image}} {{.State.Running}}", "shop").stdout.strip(), "shop:v1 true")
        self.docker("stop", "-t", "20", "watcher")
        self.assertEqual(self.docker("inspect", "-f", "{{.State.ExitCode}}", "watcher").stdout.strip(), "0")

    def test_a_sidecar_of_a_project_of_its_own_rolls_its_neighbour_back_and_never_itself(self):
        self.make_shop()
        sidecar = Sidecar(self)
        sidecar.deploy("v1")
        sidecar.start()
        good, own = sidecar.known("v1"), sidecar.own_container()
        sidecar.deploy_marked("errors")
        sidecar.has_visitors()
        closed = sidecar.closed()
        told = sidecar.says("explain", str(closed["id"]))
        self.assertEqual((closed["outcome"], closed["rule"], closed["to"]), ("recovered", "error_rate", good), told)
        self.assertEqual((sidecar.image(), sidecar.settings()), ((sidecar.image_of("v1"), "true"), "SHOP_TAG=v1\n"), told)
        self.assertEqual(told.count("step_succeeded: switch last-good"), 1, told)
        self.assertEqual(sidecar.own_container(), own)
        messages = html.unescape("\n".join(message["text"] for message in sidecar.people.told))
        if os.environ.get("KEEP"):
            print(told, messages)
        for line in story_lines():
            self.assertIn(line, without_figures(told + messages))
        self.assertIn("would end the rollback", sidecar.foretold_of_itself())
        name = self.docker("inspect", "-f", "{{.Name}}", own).stdout.strip().lstrip("/")
        for words in (("docker", "restart", name), ("docker", "compose", "-p", "rollbackd", "restart"), ("docker", "rm", "-f", own[:12])):
            self.assertIn("would end rollbackd itself", sidecar.foretold_of_a_command(*words))
        self.assertNotIn("would end rollbackd itself", sidecar.foretold_of_a_command("docker", "restart", "app-backend-1"))


if __name__ == "__main__":
    machine.main()
