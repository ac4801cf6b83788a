#!/usr/bin/env python3
"""The container image: built from packaging/Dockerfile by a real Docker engine, and run beside an application."""

import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

from world import ROOT, free_port

IMAGE_MIB_MAX = 200

CONFIG = """
[watcher]
listen = "127.0.0.1:{listen}"
[probe.health]
type = "http"
url = "http://127.0.0.1:{port}/health"
interval = "200ms"
max_gap = "2s"
expect.status = 200
[rule.down]
when = "health.up == 0"
for = "2s"
severity = "P0"
[service.app]
identify = ["cat", "/shared/revision"]
switch = ["sh", "-c", 'echo "$1" >/shared/revision', "switch", "{{to}}"]
start_deadline = "5s"
identify_interval = "1s"
"""


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


class App(http.server.ThreadingHTTPServer):
    """An application that is well as long as the revision in the shared volume is v1."""

    daemon_threads = True

    def __init__(self, revision):
        self.revision = revision
        super().__init__(("127.0.0.1", 0), AppHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class AppHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.server.revision.read_text().strip() == "v1" else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        pass


class Docker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0 or not shutil.which("dockerd"):
            skip("a Docker engine of our own takes root and dockerd")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollbackd-docker-"))
        cls.socket = cls.folder / "docker.sock"
        cls.log = (cls.folder / "dockerd.log").open("wb")
        # No bridge and no firewall rules of its own: it leaves the machine's network alone.
        cls.engine = subprocess.Popen(
            ["dockerd", "--data-root", cls.folder / "data", "--exec-root", cls.folder / "exec", "--pidfile", cls.folder / "pid",
             "-H", f"unix://{cls.socket}", "--bridge=none", "--iptables=false", "--ip6tables=false"], stdout=cls.log, stderr=cls.log)
        try:
            cls.wait_for_engine()
            cls.build()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        if cls.engine.poll() is None:
            cls.engine.terminate()
            try:
                cls.engine.wait(30)
            except subprocess.TimeoutExpired:
                cls.engine.kill()
                cls.engine.wait()
        cls.log.close()
        for mount in sorted((line.split()[1] for line in open("/proc/mounts") if line.split()[1].startswith(str(cls.folder))), reverse=True):
            subprocess.run(["umount", mount], check=False)
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def docker(cls, *words, check=True, timeout=120, **more):
        done = subprocess.run(["docker", "-H", f"unix://{cls.socket}", *map(str, words)], capture_output=True, text=True, timeout=timeout, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"docker {words}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    @classmethod
    def wait_for_engine(cls):
        end = time.monotonic() + 30
        while cls.docker("info", check=False).returncode != 0:
            if cls.engine.poll() is not None or time.monotonic() > end:
                skip("dockerd does not run here: " + (cls.folder / "dockerd.log").read_text(errors="replace")[-400:])
            time.sleep(0.2)

    @classmethod
    def build(cls):
        """The base has the name that the Dockerfile's FROM uses, and is what that name stands for."""
        made = subprocess.run([pathlib.Path(__file__).parent / "make_rootfs", "base"], capture_output=True, text=True)
        if made.returncode == 77:
            skip(made.stderr.strip())
        if made.returncode != 0:
            raise AssertionError(made.stderr)
        tar = subprocess.Popen(["tar", "-C", made.stdout.strip(), "-c", "."], stdout=subprocess.PIPE)
        cls.docker("import", "-", "debian:bookworm-slim", stdin=tar.stdout)
        tar.wait()
        cls.docker("build", "--network=host", "-t", "rollbackd", "-f", ROOT / "packaging" / "Dockerfile", ROOT, timeout=2400)

    def wait_for(self, what, holds, seconds):
        end = time.monotonic() + seconds
        while True:
            value = holds()
            if value:
                return value
            if time.monotonic() > end:
                self.fail(f"after {seconds}s not yet so: {what}\n{self.docker('logs', 'watcher', check=False).stderr[-3000:]}")
            time.sleep(0.2)

    def test_the_image_brings_rollbackd_alone(self):
        self.assertIn("rollbackd", self.docker("run", "--rm", "--network=none", "rollbackd", "version").stdout)
        base = int(self.docker("image", "inspect", "-f", "{{.Size}}", "debian:bookworm-slim").stdout)
        size = int(self.docker("image", "inspect", "-f", "{{.Size}}", "rollbackd").stdout)
        self.assertLess((size - base) / 2**20, IMAGE_MIB_MAX)

    def test_a_sidecar_is_healthy_and_rolls_back(self):
        shared = self.folder / "shared"
        shared.mkdir(mode=0o777)
        shared.chmod(0o777)
        (shared / "revision").write_text("v1\n")
        (shared / "revision").chmod(0o666)
        app = App(shared / "revision")
        self.addCleanup(app.server_close)
        self.addCleanup(app.shutdown)
        config = self.folder / "rollbackd.toml"
        listen = free_port()
        config.write_text(CONFIG.format(port=app.server_address[1], listen=listen))
        config.chmod(0o644)
        self.docker("run", "-d", "--name", "watcher", "--network=host", "-v", f"{config}:/etc/rollbackd/rollbackd.toml:ro",
                    "-v", f"{shared}:/shared", "--health-interval=1s", "rollbackd")
        self.addCleanup(self.docker, "rm", "-f", "watcher", check=False)
        self.wait_for("the container is healthy",
                      lambda: self.docker("inspect", "-f", "{{.State.Health.Status}}", "watcher").stdout.strip() == "healthy", 40)

        def api(path):
            with urllib.request.urlopen(f"http://127.0.0.1:{listen}{path}", timeout=5) as reply:
                return reply.read().decode()
        self.wait_for("v1 is adopted", lambda: json.loads(api("/api/v1/status"))["services"]["app"]["revision"] == "v1", 40)
        self.assertIn("rollbackd_build_info", api("/metrics"))
        (shared / "revision").write_text("v2\n")
        closed = self.wait_for("the incident is closed", lambda: [one for one in json.loads(api("/api/v1/incidents"))["incidents"] if one.get("outcome")], 120)
        self.assertEqual(closed[0]["outcome"], "recovered", closed)
        self.assertEqual((shared / "revision").read_text().strip(), "v1")
        self.docker("stop", "-t", "20", "watcher")
        self.assertEqual(self.docker("inspect", "-f", "{{.State.ExitCode}}", "watcher").stdout.strip(), "0")


if __name__ == "__main__":
    unittest.main()
