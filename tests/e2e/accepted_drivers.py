"""How each driver's service is set up, deployed and looked at by the tests of what `check` accepts."""

import os
import pwd
import shutil
import subprocess

from cluster import Cluster, digest
from github import TOKEN, WORKFLOW, GitHub

STRANGER = "nobody"  # owns what is not ours


def ourselves():
    return pwd.getpwuid(os.geteuid()).pw_name


class Site:
    """One service of a configuration: the releases `v1` and `bad`, of which `v1` is deployed first."""

    def __init__(self, case, name):
        self.case, self.name, self.choice = case, name, case.choice
        self.top = case.folder / name

    def lines(self):
        """Its part of [service.NAME]."""
        raise NotImplementedError

    def furnish(self):
        raise NotImplementedError

    def deploy(self, release):
        raise NotImplementedError

    def revision(self, release):
        """By which a configuration names it."""
        return release

    def is_revision(self, revision, release):
        return revision == self.revision(release)

    def is_noted(self):
        """The watcher has written down what it needs to come back to what runs."""
        return True

    def tool(self):
        """The folder of what stands in for the driver's own program."""
        return self.case.folder / f"tool-{self.name}"

    def make_tool(self, name, text):
        self.tool().mkdir()
        (self.tool() / name).write_text(text)
        (self.tool() / name).chmod(0o755)

    def runs(self):
        """The name of the release that runs."""
        return (self.top / "release").read_text().strip()

    def switches(self):
        """How often it was left for another revision since it was deployed."""
        raise NotImplementedError

    def owner(self):
        """Who may write it."""
        return STRANGER if self.choice["owner"] == "stranger" else ourselves()

    def hand_over(self, folder):
        if self.choice["owner"] != "stranger":
            return
        owner = pwd.getpwnam(STRANGER)
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


class Checkout(Site):
    """A git checkout that a script of the operator's switches."""

    def lines(self):
        is_known = self.choice["identity"] == "yes"
        out = [f'rollback = ["{self.case.folder}/rollback.sh", "{self.top}"{", " + chr(34) + "{to}" + chr(34) if is_known else ""}]']
        out += [f'identify = ["git", "-c", "safe.directory=*", "-C", "{self.top}", "rev-parse", "HEAD"]', 'identify_interval = "1s"'] if is_known else []
        out += [f'user = "{self.owner()}"'] if self.choice["user"] == "named" else []
        return out + ([f'dir = "{self.case.elsewhere()}"'] if self.choice["dir"] == "apart" else [])

    def git(self, *words):
        return subprocess.run(["git", "-c", "safe.directory=*", "-c", "user.name=t", "-c", "user.email=t@localhost", "-C", self.top, *words],
                              check=True, capture_output=True, text=True).stdout.strip()

    def furnish(self):
        subprocess.run(["git", "init", "-q", "-b", "main", self.top], check=True)
        for release in ("v1", "bad"):
            (self.top / "release").write_text(release + "\n")
            self.git("add", ".")
            self.git("commit", "-q", "-m", release)
            self.git("tag", release)
        self.deploy("v1")
        script = self.case.folder / "rollback.sh"
        script.write_text('#!/bin/sh\nexec git -c safe.directory="*" -C "$1" checkout -q "${2:-v1}"\n')
        script.chmod(0o755)

    def deploy(self, release):
        self.git("checkout", "-q", release)
        self.hand_over(self.top)

    def revision(self, release):
        return self.git("rev-parse", release)

    def switches(self):
        """By what git itself has written down."""
        heads = self.git("reflog", "show", "--format=%H", "HEAD").splitlines()[::-1]
        deployed = max(i for i, head in enumerate(heads) if head == self.revision("bad"))
        return sum(1 for before, after in zip(heads[deployed:], heads[deployed + 1:]) if before != after)


class Git(Checkout):
    def lines(self):
        out = ['driver = "git"', f'dir = "{self.top}"', 'restart = ["/bin/true"]', 'identify_interval = "1s"']
        return out + ([f'user = "{self.owner()}"', f'restart_user = "{ourselves()}"'] if self.choice["user"] == "named" else [])


class Several(Git):
    """The operator's script, which knows nothing of what runs, and git."""

    def lines(self):
        out = ['driver = ["command", "git"]', f'dir = "{self.top}"', f'command.switch = ["{self.case.folder}/rollback.sh", "{self.top}", "{{to}}"]',
               'command.ready = ["/bin/true"]', 'git.restart = ["/bin/true"]', 'identify_interval = "1s"']
        return out + ([f'command.user = "{self.owner()}"', f'git.user = "{self.owner()}"', f'git.restart_user = "{ourselves()}"']
                      if self.choice["user"] == "named" else [])


# What systemd would say of a unit that was started at the last restart.
SYSTEMCTL = """#!/bin/sh
cd "${0%/*}"
for last; do :; done
case $1 in
  show) echo "Id=$last\nLoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nInvocationID=$(cat started)"
    echo "ExecMainStartTimestampMonotonic=$(cat started)" ;;
  restart) sleep 0.02; sed 's/ .*//; s/\\.//; s/$/0000/' /proc/uptime >started; echo restart >>restarts ;;
esac
"""


class Systemd(Site):
    def lines(self):
        return ['driver = "systemd"', f'unit = "{self.name}"', f'link = "{self.top}/current"', f'systemctl = ["{self.tool()}/systemctl"]',
                'steady = "500ms"', 'identify_interval = "1s"']

    def furnish(self):
        self.make_tool("systemctl", SYSTEMCTL)
        for release in ("v1", "bad"):
            (self.top / "releases" / release).mkdir(parents=True)
            (self.top / "releases" / release / "release").write_text(release)
        self.deploy("v1")

    def deploy(self, release):
        subprocess.run(["ln", "-sfn", f"releases/{release}", self.top / "current"], check=True)
        self.hand_over(self.top)
        subprocess.run([self.tool() / "systemctl", "restart"], check=True)
        (self.tool() / "restarts").unlink()

    def runs(self):
        return (self.top / "current" / "release").read_text().strip()

    def switches(self):
        restarts = self.tool() / "restarts"
        return len(restarts.read_text().splitlines()) if restarts.exists() else 0


# What pm2 would say of a process that was started at the last restart; the test's own is in its place.
PM2 = """#!/bin/sh
cd "${0%/*}"
case $1 in
  jlist) echo "[{\\"name\\":\\"app\\",\\"pid\\":PID,\\"pm_id\\":0,\\"pm2_env\\":{\\"status\\":\\"online\\",\\"pm_uptime\\":$(cat started)}}]" ;;
  restart) sleep 0.02; date +%s%3N >started ;;
esac
"""


class Pm2(Checkout):
    def lines(self):
        tool = self.tool()
        out = ['driver = "pm2"', f'dir = "{self.top}"', 'process = "app"', f'pm2 = ["{tool}/pm2"]', f'home = "{tool}"', 'steady = "500ms"',
               'identify_interval = "1s"']
        return out + ([f'user = "{self.owner()}"'] if self.choice["user"] == "named" else [])

    def furnish(self):
        self.make_tool("pm2", PM2.replace("PID", str(os.getpid())))
        (self.tool() / "pm2.pid").write_text(str(os.getpid()))
        super().furnish()

    def deploy(self, release):
        super().deploy(release)
        subprocess.run([self.tool() / "pm2", "restart"], check=True)
        self.hand_over(self.tool())


# What Docker and Compose 2 would say of a project with one container.
DOCKER = r"""#!/bin/sh
cd "${0%/*}"
case "$*" in
  "compose version --short") echo 2.26.1 ;;
  "version --format "*) echo 20.10.24 ;;
  ps*) printf 'c1\tapp\tapp\tTOP\n' ;;
  inspect*) sed "s/IMAGE/$(cat image)/; s/NAME/$(cat name)/" container.json ;;
  "image inspect --format {{json"*) echo '[]' ;;
  "image inspect"* | tag*) ;;
  compose*" up "*) sed -n "s/.*image: '\(sha256:[0-9a-f]*\)'.*/\1/p" >image; echo up >>restarts; case $(cat image) in *1) echo shop:v1 >name ;; esac ;;
  *"config --hash="*) echo "app h1" ;;
  *"config --services") echo app ;;
  *config) printf 'services:\n  app:\n    image: %s\n' "$(cat name)" ;;
  *) exit 9 ;;
esac
"""
CONTAINER = """[{"Id":"c1","Name":"/app-1","Created":"2026-11-29T10:00:00Z","Image":"IMAGE","State":{"Status":"running"},"Config":{"Image":"NAME",
"Labels":{"com.docker.compose.project":"app","com.docker.compose.service":"app","com.docker.compose.config-hash":"h1",
"com.docker.compose.project.working_dir":"TOP"}}}]"""
IMAGES = {"v1": "sha256:" + 63 * "a" + "1", "bad": "sha256:" + 63 * "b" + "2"}


class Compose(Site):
    def lines(self):
        out = ['driver = "compose"', f'dir = "{self.top}"', 'compose_service = "app"', f'compose = ["{self.tool()}/docker", "compose"]',
               'identify_interval = "1s"']
        return out + ([f'user = "{self.owner()}"'] if self.choice["user"] == "named" else [])

    def furnish(self):
        self.make_tool("docker", DOCKER.replace("TOP", str(self.top)))
        (self.tool() / "container.json").write_text(CONTAINER.replace("TOP", str(self.top)))
        self.top.mkdir()
        (self.top / "docker-compose.yml").write_text("services: {}\n")
        self.hand_over(self.top)
        self.deploy("v1")

    def deploy(self, release):
        (self.tool() / "image").write_text(IMAGES[release] + "\n")
        (self.tool() / "name").write_text(f"shop:{release}\n")
        (self.tool() / "restarts").write_text("")
        self.hand_over(self.tool())

    def is_revision(self, revision, release):
        return (revision or "").startswith(IMAGES[release].removeprefix("sha256:")[:12])

    def is_noted(self):
        """The watcher looks every 20 s."""
        notes = self.case.folder / "state" / "compose" / f"{self.name}.json"
        return notes.exists() and IMAGES["v1"] in notes.read_text()

    def runs(self):
        image = (self.tool() / "image").read_text().strip()
        return next((release for release, one in IMAGES.items() if one == image), "")

    def switches(self):
        return len((self.tool() / "restarts").read_text().splitlines())


class Workflow(Site):
    """A CI deploys it; the application says which release runs."""

    def lines(self):
        api = self.ci.url + WORKFLOW
        return ['driver = "http"', f'version = "http://127.0.0.1:{self.case.port}/{self.name}/version"', f'dispatch = "{api}/dispatches"',
                f'header.Authorization = "Bearer {TOKEN}"', 'body.json = { ref = "main", inputs = { revision = "{to}", id = "{id}" } }',
                f'runs = "{api}/runs?created={{since}}"', 'poll_interval = "500ms"', 'identify_interval = "1s"']

    def furnish(self):
        self.top.mkdir()
        self.ci = GitHub((self.top / "release").write_text, {"v1", "bad"})
        self.deploy("v1")

    def deploy(self, release):
        (self.top / "release").write_text(release)

    def switches(self):
        return len(self.ci.dispatched)


class Deployment(Site):
    """Of a cluster that stands in for one, asked by the real kubectl where it is there."""

    def lines(self):
        out = ['driver = "kubernetes"', 'deployment = "shop"', f'kubeconfig = "{self.top}/kubeconfig"', 'identify_interval = "1s"']
        return out + ([f'user = "{self.owner()}"'] if self.choice["user"] == "named" else [])

    def furnish(self):
        self.top.mkdir()
        self.cluster = Cluster((self.top / "release").write_text, "shop:v1")
        (self.top / "kubeconfig").write_text(self.cluster.kubeconfig())
        (self.top / "kubeconfig").chmod(0o600)
        if self.choice["user"] == "named":
            self.hand_over(self.top)

    def deploy(self, release):
        self.cluster.deploy(f"shop:{release}")

    def is_revision(self, revision, release):
        return (revision or "").startswith(digest(f"shop:{release}")[:12])

    def is_noted(self):
        """The watcher looks every 20 s."""
        notes = self.case.folder / "state" / "kubernetes" / f"{self.name}.json"
        return notes.exists() and "shop:v1" in notes.read_text()

    def runs(self):
        release = self.top / "release"
        return release.read_text() if release.exists() else ""

    def switches(self):
        return len(self.cluster.patches)


SITES = {"script": Checkout, "git": Git, "systemd": Systemd, "pm2": Pm2, "compose": Compose, "http": Workflow, "several": Several}
if shutil.which("kubectl"):
    SITES["kubernetes"] = Deployment


def is_possible(choice):
    """False: the driver knows no such configuration."""
    says_what_runs = choice.get("driver") not in (None, "script")
    return not (choice.get("identity") == "no" and says_what_runs
                or choice.get("user") == "named" and choice.get("driver") in ("systemd", "http"))
