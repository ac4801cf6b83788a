#!/usr/bin/env python3
"""The runbook of a pinned tag, in Kubernetes: each of its four triggers, who is called when, and what is looked at half an hour later.

kubectl is the real one, and the API that it asks is that of cluster.py.
"""

import shutil
import socketserver
import threading
import unittest

import machine
from cluster import Cluster, digest
from rehearsed import Rehearsed, shop_files
from world import free_port


class PinnedTag(Rehearsed):
    example = "runbook-kubernetes-tag.toml"
    releases = (("v1", {}, {}), ("v2", {}, {}), ("errors", {"errors": 0.3}, {}), ("slow", {"slow": 0.3}, {}), ("memory", {"memory": True}, {}),
                ("crash", {"crash": True}, {}))

    @classmethod
    def setUpClass(cls):
        if not shutil.which("kubectl"):
            raise unittest.SkipTest("there is no kubectl")

    def table(self):
        return [one for one in super().table() if one[0].startswith("/etc")] + [("shop.shop.svc:3001", f"127.0.0.1:{self.port}")]

    def files(self):
        return shop_files()

    def make_application(self):
        self.database = socketserver.TCPServer(("127.0.0.1", free_port()), socketserver.BaseRequestHandler)
        threading.Thread(target=self.database.serve_forever, daemon=True).start()
        self.addCleanup(self.database.server_close)
        self.settings = {"database": self.database.server_address[1]}
        super().make_application()
        self.cluster = Cluster(super().deploy)
        self.addCleanup(self.cluster.close)
        file = self.folder / "etc" / "kubeconfig"
        file.write_text(self.cluster.kubeconfig())
        file.chmod(0o600)

    def deploy(self, tag, mark=False):
        """What the deploy script does: kubectl set image."""
        if self.cluster.image() != f"shop:{tag}":
            self.cluster.deploy(f"shop:{tag}")
        self.wait_for(f"all pods run {tag}", lambda: self.cluster.all_ready(f"shop:{tag}") and self.cluster.serving == tag, 30)

    def revision(self, tag):
        """Its first digits are the image's digest's; those of the template follow."""
        return next((one for one in [self.service().get("revision") or ""] if one.startswith(digest(f"shop:{tag}")[:12])), None)

    def goes_bad(self, tag, rule, severity="P1"):
        self.good_shop_under_watch()
        self.wait_for("a rollback could be done", lambda: self.http("/api/v1/status")[0] == 200, 10)
        template = self.cluster.deployment["spec"]["template"]
        self.deploy_marked(tag)
        incident = self.wait_for_incident_closed(90)
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], incident["rule"], incident["severity"], self.version()), ("recovered", rule, severity, "v1"), report)
        self.assert_switched_once(incident)
        self.assertEqual([outcome for _, outcome in self.steps_of(incident)], ["succeeded", "succeeded"])
        self.assertEqual((len(self.cluster.patches), self.cluster.deployment["spec"]["template"]), (1, template))
        self.assertIn(f"image=shop:{tag}", self.evidence(incident, "kubernetes-pods.txt"))
        return incident

    def test_errors_and_half_an_hour_later(self):
        incident = self.goes_bad("errors", "errors")
        self.wait_for("half an hour later it is looked again", lambda: not self.service()["later"], 20)
        self.wait_for("and told", lambda: "Put the tag back in git" in self.told_at("slack-url")[-1], 10)
        self.assert_told("slack-url", "Pages fail.", "https://wiki.example.com/shop/rollback", "https://status.example.com", "recovered")
        self.assertEqual(self.told_at("slack-url-manager"), [])
        self.assertIn("Put the tag back in git", self.report_of(incident)[0])

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
    machine.main()
