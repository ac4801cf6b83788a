#!/usr/bin/env python3
"""The kubernetes driver against a real control plane. Opt-in: ROLLBACKD_CONTROL_PLANE=1, which builds one first."""

import json
import shutil
import unittest

import test_kubernetes
import test_kubernetes_api
from cluster import digest
from control_plane import ControlPlane, programs
from service_account import ServiceAccount
from world import World

PROGRAMS = programs() if shutil.which("kubectl") else None


@unittest.skipUnless(PROGRAMS, "there is no control plane")
class Real(World):
    def configure(self, **_):
        self.account = ServiceAccount(self.folder)
        self.plane = ControlPlane(self.folder / "plane", PROGRAMS, super().deploy, self.account)
        self.addCleanup(self.plane.close)
        super().configure(service=self.service_text())

    def service_text(self):
        self.plane.give_role()
        file = self.folder / "kubeconfig"
        file.write_text(self.plane.kubeconfig())
        file.chmod(0o600)
        return test_kubernetes.SERVICE.format(folder=self.folder)

    def deploy(self, tag, mark=False):
        if tag != "v1":
            self.plane.deploy(f"shop:{tag}")
        if f"shop:{tag}" not in self.plane.broken:
            self.wait_for(f"all pods run {tag}", lambda: self.plane.all_ready(f"shop:{tag}"), 60)

    def runs(self, tag):
        short = digest(f"shop:{tag}")[:12]
        return self.wait_for(f"{tag} is known to run", lambda: str(self.service().get("revision")).startswith(short) and self.service()["revision"], 60)

    def number(self):
        return int(self.plane.deployment()["metadata"]["annotations"]["deployment.kubernetes.io/revision"])

    def test_a_bad_release_is_rolled_back_with_the_rights_of_the_example(self):
        self.good_shop_under_watch(named=False)
        v1 = self.runs("v1")
        self.plane.restart()
        self.wait_for("its pods are made anew", lambda: self.number() == 2 and self.plane.all_ready("shop:v1"), 60)
        self.stays_quiet(5)
        self.assertEqual(self.runs("v1"), v1)
        self.deploy("errors")
        incident = self.wait_for_incident_closed(180)
        report, _ = self.report_of(incident)
        self.assertEqual((incident["outcome"], incident["to"], self.version(), self.number()), ("recovered", v1, "v1", 4), report)
        self.assertEqual(len(self.incidents()), 1)

    def test_a_rollout_that_is_stuck_is_told_and_a_target_that_cannot_start_is_put_back(self):
        self.good_shop_under_watch(named=False)
        self.runs("v1")
        self.deploy("v2")
        self.runs("v2")
        self.plane.broken.add("shop:errors")
        self.deploy("errors")
        self.people_hear("fault", "do kubectl rollout undo deployment/shop", seconds=90)
        self.plane.kubectl("rollout", "undo", "deployment/shop")
        self.wait_for("v2 is back", lambda: self.plane.all_ready("shop:v2"), 60)
        self.wait_for("a rollback could be done", lambda: self.service().get("rollback_ready"), 60)
        self.plane.broken.add("shop:v1")
        self.cli("rollback", "shop", "--to", "v1", "--reason", "test", check=False, timeout=180)
        incident = self.wait_for_incident_closed(60)
        report, _ = self.report_of(incident)
        self.assertEqual((incident["outcome"], self.plane.image()), ("action_failed", "shop:v2"), report)
        self.assertIn("was put back, and its pods run again", report)
        self.assertNotIn("xyzzy-plugh", json.dumps(self.people.told))


class RealApi(Real):
    """As the service account of packaging/examples/kubernetes-deployment.yaml, without kubectl."""

    def service_text(self):
        self.plane.install()
        self.account.put(self.plane.token())
        self.environment = {**self.environment, **self.account.environment(self.plane.port)}
        self.environment.pop("KUBECONFIG", None)
        return test_kubernetes_api.SERVICE

    def test_its_role_allows_what_it_needs_and_nothing_else(self):
        for words in (("get", "deployments.apps/shop"), ("patch", "deployments.apps/shop"), ("list", "replicasets.apps"), ("list", "pods"), ("get", "pods", "--subresource=log"), ("list", "events")):
            self.assertTrue(self.plane.may(*words), words)
        for words in (("patch", "deployments.apps/rollbackd"), ("delete", "deployments.apps/shop"), ("get", "secrets"), ("create", "pods"), ("create", "pods", "--subresource=exec"), ("get", "pods"),
                      ("patch", "deployments.apps/shop", "--subresource=scale"), ("list", "pods", "--namespace=default")):
            self.assertFalse(self.plane.may(*words), words)

    def test_a_token_is_exchanged_and_one_that_is_none_is_not_bad(self):
        self.good_shop_under_watch(named=False)
        self.runs("v1")
        self.account.put("eyJhbGciOiJSUzI1NiJ9.of.nobody")
        self.stays_quiet(5)
        self.assertIn("answered 401: Unauthorized; do look whether the pod's service account is still there", self.cli("check", "--online", check=False).stdout)
        self.account.put(self.plane.token())
        self.deploy("errors")
        incident = self.wait_for_incident_closed(180)
        report, _ = self.report_of(incident)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), report)


if __name__ == "__main__":
    unittest.main()
