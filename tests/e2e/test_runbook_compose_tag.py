#!/usr/bin/env python3
"""The runbook of a pinned tag, with Docker Compose: each of its four triggers, who is called when, and what is looked at half an hour later.

What the release runs as (an image of a Compose project here) is one class; another way of running a pinned image gets one of its own.
"""

import machine
from compose_rehearsed import BASE, ComposeRehearsed
from four_triggers import FourTriggers
from rehearsed import make_releases, put, shop_files

PROJECT = """
services:
  backend:
    image: "shop:${SHOP_TAG}"
    network_mode: host
    volumes: ["/usr:/usr:ro", "./run:/app/run"]
    command: [python3, /app/app.py]
    mem_limit: 158m
    memswap_limit: 158m
"""
RELEASES = ("v1", {}), ("v2", {}), ("errors", {"errors": 0.3}), ("slow", {"slow": 0.3}), ("memory", {"memory": True}), ("crash", {"crash": True})
AT_ONCE = 2  # cases


class PinnedTag(FourTriggers, ComposeRehearsed):
    by_then = "Tell the customers who wrote in"
    example = "runbook-compose-tag.toml"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.engine.folder / "images"
        for tag, behaviour in RELEASES:
            make_releases(folder / tag, {**shop_files(), "Dockerfile": f"FROM {BASE}\nCOPY . /app\n", ".dockerignore": ".git\n"}, [(tag, behaviour, {})])
            cls.engine.docker("build", "-q", "-t", f"shop:{tag}", folder / tag)

    def table(self):
        return [*super().table(), ("app_port = 3001", f"app_port = {self.port}")]

    def files(self):
        return {"docker-compose.prod.yml": PROJECT}

    def deploy(self, tag, mark=False):
        """What the deploy script does: the tag, and `up`."""
        put(self.repository, {".env": f"SHOP_TAG={tag}\n"})
        self.compose("up", "-d", "--no-build")

    def runs(self):
        return self.engine.docker("inspect", "-f", "{{.Config.Image}} {{.Image}}", self.container("backend")).stdout.decode().split()

    def revision(self, tag):
        """Its digits are the image's; those of the settings follow."""
        return next((one for one in [self.service().get("revision") or ""] if one.startswith(self.engine.image(f"shop:{tag}").removeprefix("sha256:")[:12])), None)

    def goes_bad(self, tag, rule, severity="P1"):
        self.good_shop_under_watch()
        self.wait_for("a target is kept", lambda: (self.folder / "state" / "compose" / "shop.json").exists(), 20)
        self.deploy_marked(tag)
        incident = self.wait_for_incident_closed(90)
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], incident["rule"], incident["severity"], self.version()), ("recovered", rule, severity, "v1"), report)
        self.assert_switched_once(incident)
        self.assertEqual([outcome for _, outcome in self.steps_of(incident)], ["succeeded", "succeeded"])
        self.assertEqual(self.runs()[1], self.engine.image("shop:v1"))
        self.assertEqual((self.repository / ".env").read_text(), "SHOP_TAG=v1\n")
        self.assertIn(f"{tag} listens on port" if tag != "crash" else "cannot read the price list", self.logs(incident))
        return incident

    def logs(self, incident):
        return "".join(file.read_text() for file in (self.folder_of(incident) / "evidence").glob("compose-logs*"))


if __name__ == "__main__":
    machine.main_beside_each_other(PinnedTag, AT_ONCE)
