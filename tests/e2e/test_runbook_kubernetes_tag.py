#!/usr/bin/env python3
"""The runbook of a pinned tag, in Kubernetes: each of its four triggers, who is called when, and what is looked at half an hour later.

kubectl is the real one, and the API that it asks is that of cluster.py.
"""

import shutil
import unittest

import machine
from cluster import Cluster, digest
from four_triggers import FourTriggers
from rehearsed import Rehearsed, shop_files


class PinnedTag(FourTriggers, Rehearsed):
    by_then = "Put the tag back in git"
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


if __name__ == "__main__":
    machine.main()
