"""What the tests of the two runbooks with Docker Compose share: one engine, and containers that have the host's programs.

The shop is Python, and no registry is within reach: an image holds what a release is; the interpreter is the host's, mounted.
"""

import io
import itertools
import subprocess
import tarfile

from compose_shop import Engine
from rehearsed import Rehearsed

BASE = "host-programs:1"


class ComposeRehearsed(Rehearsed):
    count = itertools.count(1)

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.end)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name in ("bin", "sbin", "lib", "lib64"):
                link = tarfile.TarInfo(name)
                link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
                tar.addfile(link)
            for name in ("usr", "tmp", "app", "data", "etc"):
                folder = tarfile.TarInfo(name)
                folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
                tar.addfile(folder)
        cls.engine.docker("import", "-", BASE, input=out.getvalue())

    def make_application(self):
        self.folder.chmod(0o755)
        self.repository = self.folder / f"shop{next(self.count)}"  # the project's name
        self.environment.update(self.engine.environment("second"))
        self.environment["ROLLBACKD_HOST_LOCK"] = str(self.folder / "host.lock")
        super().make_application()

    def stop_application(self):
        """All containers of the project, with those of its database."""
        found = self.engine.docker("ps", "-aq", "--filter", f"label=com.docker.compose.project.working_dir={self.repository}").stdout.decode().split()
        if found:
            self.engine.docker("rm", "-f", *found)

    def compose(self, *words):
        done = subprocess.run(["docker", "compose", "-f", "docker-compose.prod.yml", *words], cwd=self.repository, env=self.environment, capture_output=True,
                              text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"docker compose {words}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def container(self, service):
        return self.compose("ps", "-q", service).strip()
