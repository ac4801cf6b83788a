#!/usr/bin/env python3
"""The runbook of a pinned tag, with Docker Compose: each of its four triggers, who is called when, and what is looked at half an hour later.

What the release runs as (an image of a Compose project here) is one class; another way of running a pinned image gets one of its own.
"""

import socketserver
import threading

import machine
from compose_rehearsed import BASE, ComposeRehearsed
from rehearsed import make_releases, put, shop_files
from world import free_port

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


class PinnedTag(ComposeRehearsed):
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

    def make_application(self):
        self.database = socketserver.TCPServer(("127.0.0.1", free_port()), socketserver.BaseRequestHandler)
        threading.Thread(target=self.database.serve_forever, daemon=True).start()
        self.addCleanup(self.database.server_close)
        self.settings = {"database": self.database.server_address[1]}
        super().make_application()

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

    def test_errors_and_half_an_hour_later(self):
        incident = self.goes_bad("errors", "errors")
        self.wait_for("half an hour later it is looked again", lambda: not self.service()["later"], 20)
        self.wait_for("and told", lambda: "Tell the customers who wrote in" in self.told_at("slack-url")[-1], 10)
        self.assert_told("slack-url", "Pages fail.", "https://wiki.example.com/shop/rollback", "https://status.example.com", "recovered")
        self.assertEqual(self.told_at("slack-url-manager"), [])
        self.assertIn("Tell the customers who wrote in", self.report_of(incident)[0])

    def test_slow(self):
        self.goes_bad("slow", "slow")
        self.assert_told("slack-url", "Pages take long.")

    def test_memory(self):
        self.goes_bad("memory", "memory")
        self.assert_told("slack-url", "killed for want of memory")

    def test_down(self):
        self.goes_bad("crash", "down", "P0")
        self.assert_told("slack-url", "Nobody can buy anything.")

    def test_what_no_release_cures_calls_the_lead_and_then_the_manager(self):
        self.good_shop_under_watch()
        self.deploy_marked("v2")
        self.wait_for("v2 is judged", lambda: self.status()["rules"]["down"]["verdict"] == "good" and self.revision("v2"), 20)
        self.database.shutdown()  # whatever runs
        self.database.server_close()
        self.wait_for("the team is told", lambda: self.told_at("slack-url"), 30)
        self.wait_for("the lead is called", lambda: self.told_at("slack-url-lead"), 30)
        self.assertEqual(self.told_at("slack-url-manager"), [])
        self.wait_for("the manager is called", lambda: self.told_at("slack-url-manager"), 60)
        for secret in ("slack-url", "slack-url-lead", "slack-url-manager"):
            self.assert_told(secret, "Nobody can buy anything.")
        self.assertEqual(len([one for one in self.incidents() if one["to"]]), 1, self.incidents())


if __name__ == "__main__":
    machine.main_beside_each_other(PinnedTag, AT_ONCE)
