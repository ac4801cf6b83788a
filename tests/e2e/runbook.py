"""A host whose operator took one of packaging/examples: what it calls is recorded and moves the demonstration application.

The example is taken as it stands. Only addresses, folders and durations are another's: a minute is six tenths of a second.
"""

import json
import re

from world import ROOT, World, write_config

EXAMPLES = ROOT / "packaging" / "examples"
SECRETS = ("slack-url", "slack-url-lead", "slack-url-manager", "slack-url-on-call", "probe-password", "github-token")

STAND_IN = """#!/bin/sh
# $program: notes what it is called with, and does to the shop what the real one would do.
cd $repository || exit 1
printf '%s\\n' "$program $*" >>$calls
case "$program $*" in
$does
*) echo "$program: $*" ;;
esac
"""


def shortened(text):
    def short(found):
        milliseconds = int(found[3]) * {"s": 1000 / 15, "m": 600, "h": 36000}[found[4]]
        return f'{found[1]}{found[2]}"{int(milliseconds)}ms"'
    text = re.sub(r"\b(for|after|settle|sleep|cooldown)(\s*=\s*)\"(\d+)([smh])\"", short, text)
    text = re.sub(r"^interval .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(\[probe\..*\])$", r'\1' + '\ninterval = "200ms"\nmax_gap = "2s"', text, flags=re.MULTILINE)
    text = re.sub(r"^(\[signal\..*\])$", r'\1' + '\nwindow = "4s"', text, flags=re.MULTILINE)
    text = re.sub(r"^(\[service\.[^.\]]+\])$", r'\1' + '\nidentify_interval = "1s"\nstart_deadline = "5s"', text, flags=re.MULTILINE)
    # How full the machine is that runs the tests is nobody's deployment.
    return text.replace("host.memory_used > 90%", "host.memory_used > 99.5%")


class Runbook(World):
    example = ""
    frontend_port = None  # else the application answers for it
    programs = {}  # what a stand-in does, by its name: branches of a shell's case, $repository and its like filled in
    scripts = {}   # the operator's own, in the checkout
    moved = ()     # addresses besides, and where they are here

    def setUp(self):
        super().setUp()
        self.environment["PATH"] = f"{self.folder / 'bin'}:{self.environment['PATH']}"

    def configure(self, *_, **__):
        (self.folder / "bin").mkdir(exist_ok=True)
        (self.folder / "etc").mkdir(exist_ok=True)
        (self.folder / "backups").mkdir(exist_ok=True)
        for program, does in self.programs.items():
            self.executable(self.folder / "bin" / program, program, does)
        for script, does in self.scripts.items():
            self.executable(self.repository / script, script, does)
        for secret in SECRETS:
            (self.folder / "etc" / secret).write_text(f"http://127.0.0.1:{self.people.port}/{secret}\n")
        text = shortened((EXAMPLES / self.example).read_text())
        for theirs, ours in (("/etc/rollbackd", self.folder / "etc"), ("/opt/app", self.repository),
                             ("/var/backups/shop", self.folder / "backups"),
                             ("127.0.0.1:3001", f"127.0.0.1:{self.port}"), ("127.0.0.1:3000", f"127.0.0.1:{self.frontend_port or self.port}"), *self.moved):
            text = text.replace(theirs, str(ours))
        own = (f'[watcher]\nstate_dir = "{self.folder}/state"\nlisten = "127.0.0.1:{self.listen}"\n'
               f'control = "{self.folder}/control.sock"')
        self.assertEqual(text.count("[watcher]"), 1)
        write_config(self.config_file, text.replace("[watcher]", own))

    def goes_bad_and_is_rolled_back(self, seconds=120):
        """A release with errors comes, and the one before comes back: by one switch, and none besides."""
        self.good_shop_under_watch()
        before = len(self.checkouts())
        self.deploy("errors")
        incident = self.wait_for_incident_closed(seconds)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), incident)
        self.assertEqual(len(self.checkouts()), before + 2)  # the deployment and the rollback
        return incident

    def executable(self, file, program, does):
        text = STAND_IN
        for name, value in (("$does", does.strip()), ("$program", program), ("$repository", str(self.repository)),
                            ("$calls", str(self.folder / "calls"))):
            text = text.replace(name, value)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def calls(self, *words):
        """What was called with one of these words, in order, since the application went bad."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if not words or any(word in line for word in words)]

    def assert_in_order(self, *parts):
        """Each part is in a call, after the call with the part before."""
        calls = self.calls()
        at = 0
        for part in parts:
            found = next((index for index in range(at, len(calls)) if part in calls[index]), None)
            self.assertIsNotNone(found, f"{part} after {calls[:at]} in {calls}")
            at = found + 1

    def assert_once(self, part):
        self.assertEqual(len(self.calls(part)), 1, self.calls())

    def evidence(self, incident, name):
        return (self.folder_of(incident) / "evidence" / name).read_text()

    def told_at(self, secret):
        return [json.dumps(told) for path, told in zip(self.people.paths, self.people.told) if path == f"/{secret}"]
