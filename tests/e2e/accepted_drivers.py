"""How each driver's service is set up, deployed and looked at by the tests of what `check` accepts."""

import os
import pwd
import subprocess

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
        return release

    def runs(self):
        """The name of the release that runs."""
        return (self.top / "release").read_text().strip()

    def switches(self):
        """How often it was left for another revision since it was deployed."""
        raise NotImplementedError

    def owner(self):
        """Who may write it."""
        return STRANGER if self.choice["owner"] == "stranger" else ourselves()

    def hand_over(self):
        if self.choice["owner"] != "stranger":
            return
        owner = pwd.getpwnam(STRANGER)
        for path in [self.top, *self.top.rglob("*")]:
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
        self.hand_over()

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


# What systemd would say of a unit that was started at the last restart.
SYSTEMCTL = """#!/bin/sh
cd "${0%/*}"
case $1 in
  show) echo "Id=app.service\nLoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nInvocationID=$(cat started)"
    echo "ExecMainStartTimestampMonotonic=$(cat started)" ;;
  restart) sleep 0.02; sed 's/ .*//; s/\\.//; s/$/0000/' /proc/uptime >started; echo restart >>restarts ;;
esac
"""


class Systemd(Site):
    def lines(self):
        return ['driver = "systemd"', 'unit = "app"', f'link = "{self.top}/current"', f'systemctl = ["{self.case.folder}/tool-{self.name}/systemctl"]',
                'steady = "500ms"', 'identify_interval = "1s"']

    def furnish(self):
        tool = self.case.folder / f"tool-{self.name}"
        tool.mkdir()
        (tool / "systemctl").write_text(SYSTEMCTL)
        (tool / "systemctl").chmod(0o755)
        for release in ("v1", "bad"):
            (self.top / "releases" / release).mkdir(parents=True)
            (self.top / "releases" / release / "release").write_text(release)
        self.deploy("v1")

    def deploy(self, release):
        tool = self.case.folder / f"tool-{self.name}"
        subprocess.run(["ln", "-sfn", f"releases/{release}", self.top / "current"], check=True)
        self.hand_over()
        subprocess.run([tool / "systemctl", "restart"], check=True)
        (tool / "restarts").unlink()

    def runs(self):
        return (self.top / "current" / "release").read_text().strip()

    def switches(self):
        restarts = self.case.folder / f"tool-{self.name}" / "restarts"
        return len(restarts.read_text().splitlines()) if restarts.exists() else 0


SITES = {"script": Checkout, "git": Git, "systemd": Systemd}


def is_possible(choice):
    """False: the driver knows no such configuration."""
    named = {"git", "systemd"}
    return not (choice.get("identity") == "no" and choice.get("driver") in named  # they always say what runs
                or choice.get("user") == "named" and choice.get("driver") == "systemd")
