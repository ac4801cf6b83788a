#!/usr/bin/env python3
"""The kubernetes driver with the real kubectl: a Deployment's pods run the shop, and the API is that of cluster.py."""

import json
import re
import shutil
import subprocess
import time
import unittest

from cluster import Cluster, digest
from runbook import EXAMPLES, Runbook
from world import ROLLBACKD, World
from watched import free_port, wait_until

SERVICE = """
[service.shop]
driver     = "kubernetes"
namespace  = "shop"
kubeconfig = "{folder}/kubeconfig"
start_deadline    = "10s"
identify_interval = "1s"
$more
"""


class Kubernetes(World):
    role = "kubernetes-role.yaml"
    no_right = "kubectl auth can-i patch deployments.apps/shop: no"

    def setUp(self):
        if shutil.which("kubectl") is None:
            self.skipTest("there is no kubectl")
        super().setUp()

    def make_cluster(self):
        """The cluster, and how it is reached."""
        cluster = Cluster(super().deploy)
        file = self.folder / "kubeconfig"
        file.write_text(cluster.kubeconfig())
        file.chmod(0o600)
        return cluster

    def service_text(self):
        return SERVICE.format(folder=self.folder)

    def configure(self, more="", service_more="", **_):
        if not hasattr(self, "cluster"):
            self.cluster = self.make_cluster()
            self.addCleanup(self.cluster.close)
        super().configure(more=more, service_more=service_more, service=self.service_text())

    def deploy(self, tag, mark=False):
        if tag != self.cluster.image().split(":")[1]:
            self.cluster.deploy(f"shop:{tag}")
        if tag not in {image.split(":")[1] for image in self.cluster.broken}:
            self.wait_for(f"all pods run {tag}", lambda: self.cluster.all_ready(f"shop:{tag}"), 15)

    def runs(self, tag, seconds=40):
        """What of its image is in the revision."""
        short = digest(f"shop:{tag}")[:12]
        return self.wait_for(f"{tag} is known to run", lambda: str(self.service().get("revision")).startswith(short) and self.service()["revision"], seconds)

    def watched(self):
        self.good_shop_under_watch(named=False)
        self.runs("v1")
        self.wait_for("a rollback could be done", lambda: self.http("/api/v1/status")[0] == 200, 10)

    def from_v2(self):
        self.watched()
        self.deploy("v2")
        self.runs("v2")

    def by_hand(self, to="v1", check=False):
        self.cli("rollback", "shop", "--to", to, "--reason", "test", check=check, timeout=120)
        incident = self.wait_for_incident_closed(30)
        return incident, self.report_of(incident)[0]

    def switched(self):
        return len(self.cluster.patches)

    def nothing_secret(self):
        for path in [self.log, *(self.folder / "state").rglob("*")]:
            if path.is_file() and "logs" not in path.name:
                self.assertNotIn(b"xyzzy-plugh", path.read_bytes(), path)
        self.assertNotIn("xyzzy-plugh", json.dumps(self.people.told))

    def switch_at_work(self):
        """A bad release is rolled back, and the pods of the good one are not ready yet."""
        self.cluster.deadline = 600
        self.watched()
        self.deploy("errors")
        self.cluster.goes.clear()
        self.wait_for("the Deployment is changed", self.switched, 60)

    def test_a_bad_release_is_rolled_back_by_one_change(self):
        self.watched()
        v1 = self.service()["revision"]
        before = self.cluster.deployment["spec"]["template"]
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        report, _ = self.report_of(incident)
        self.assertEqual((incident["outcome"], incident["to"], self.version(), self.switched()), ("recovered", v1, "v1", 1), report)
        self.assertEqual(self.cluster.deployment["spec"]["template"], before)
        self.assertEqual(self.cluster.numbers(), {"shop:v1": 3, "shop:errors": 2})
        self.assertEqual(len(self.incidents()), 1)
        self.assertIn("is given the template of its revision 1", report)
        evidence = self.folder_of(incident) / "evidence"
        pods = (evidence / "kubernetes-pods.txt").read_text()
        self.assertIn(f"image=shop:errors docker.io/library/shop@sha256:{digest('shop:errors')} ready=true restarts=0", pods)
        self.assertIn("shop:errors", (evidence / "kubernetes-replicasets.txt").read_text())
        self.assertTrue(list(evidence.glob("kubernetes-logs-shop-*.txt")))
        self.nothing_secret()

    def test_a_good_release_a_restart_and_an_autoscaler_are_left_alone(self):
        self.watched()
        v1 = self.service()["revision"]
        self.cluster.restart()
        self.wait_for("its pods are made anew", lambda: self.cluster.all_ready("shop:v1") and len(self.cluster.sets) == 2, 15)
        self.cluster.edit(replicas=3)
        self.wait_for("there are three", lambda: self.cluster.all_ready("shop:v1"), 15)
        self.stays_quiet(6)
        self.assertEqual(self.service()["revision"], v1)
        self.deploy("v2")
        self.runs("v2")
        self.stays_quiet(8)
        self.assertEqual(self.switched(), 0)

    def test_a_target_that_is_not_kept_is_told_and_not_tried(self):
        self.from_v2()
        self.wait_for("a rollback could be done", lambda: self.service().get("rollback_ready"), 40)
        with self.cluster.lock:
            self.cluster.sets[:] = [one for one in self.cluster.sets if "shop:v2" in json.dumps(one)]
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 60)
        self.people_hear("fault", "is kept any more", "revisionHistoryLimit", seconds=15)
        done = self.cli("rollback", "shop", "--to", "v1", "--reason", "test", check=False)
        self.assertEqual((done.returncode, self.switched(), self.version()), (1, 0, "v2"), done.stdout + done.stderr)

    def test_a_right_that_is_missing_is_told_before_it_is_needed(self):
        self.cluster.may_patch = False
        self.watched()
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 60)
        self.people_hear("fault", self.no_right, seconds=15)

    def test_a_rollout_that_fails_is_put_back_and_told(self):
        self.from_v2()
        self.cluster.broken.add("shop:v1")
        incident, report = self.by_hand()
        self.assertEqual((incident["outcome"], self.version(), self.cluster.image()), ("action_failed", "v2", "shop:v2"), report)
        for part in ("CrashLoopBackOff, OOMKilled, exit code 137", "was put back, and its pods run again"):
            self.assertIn(part, report)
        self.assertEqual(self.switched(), 2)
        self.people_hear("failed", "CrashLoopBackOff", seconds=15)

    def test_an_operator_that_puts_the_bad_release_back_is_found_out(self):
        self.from_v2()
        self.cluster.after_patch = lambda: self.cluster.deploy("shop:v2")
        incident, report = self.by_hand()
        self.assertEqual((incident["outcome"], self.switched(), self.version()), ("action_failed", 1, "v2"), report)
        self.assertIn("somebody has changed the template of shop meanwhile, and it was left so", report)

    def test_a_tag_that_names_another_image_is_found_out(self):
        self.from_v2()
        self.cluster.digests["shop:v1"] = digest("another")
        incident, report = self.by_hand()
        self.assertEqual((incident["outcome"], self.switched()), ("action_failed", 1), report)
        self.assertIn("what the image's tag names has changed; do pin images by digest", report)

    def test_a_rollout_that_hangs_is_left_at_the_time_limit(self):
        self.configure(service_more='rollout_timeout = "3s"')
        self.cluster.deadline = 600
        self.from_v2()
        self.cluster.goes.clear()
        incident, report = self.by_hand()
        self.assertEqual((incident["outcome"], self.switched()), ("action_failed", 1), report)
        self.assertIn("goes on without rollbackd: kubectl rollout status deployment/shop", report)

    def test_an_answer_that_is_lost_is_looked_for(self):
        self.from_v2()
        self.cluster.lost = True
        incident, report = self.by_hand()
        self.assertEqual((incident["outcome"], self.switched(), self.version()), ("recovered", 1, "v1"), report)

    def test_a_watcher_killed_in_the_middle_changes_it_once(self):
        self.switch_at_work()
        self.watcher.kill()
        self.watcher.wait()
        self.start_watcher()
        self.wait_for("the switch is taken up again", lambda: self.log.read_text().count("event=step_started") == 2, 60)
        self.cluster.goes.set()
        incident = self.wait_for_incident_closed()
        report, _ = self.report_of(incident)
        self.assertEqual((incident["outcome"], self.version(), self.switched(), len(self.incidents())), ("recovered", "v1", 1, 1), report)

    def test_a_deployment_just_before_the_change_is_never_taken_back(self):
        self.watched()
        self.cluster.before_patch = lambda: self.cluster.deploy("shop:v2")
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        self.runs("v2", 30)
        report, _ = self.report_of(incident)
        self.assertEqual((incident["outcome"], self.switched(), self.version()), ("action_failed", 0, "v2"), report)
        self.assertIn("somebody has deployed meanwhile, and it was left so", report)

    def test_an_autoscaler_just_before_the_change_does_not_stop_it(self):
        self.watched()
        self.cluster.before_patch = lambda: self.cluster.edit(replicas=3)
        self.deploy("errors")
        incident = self.wait_for_incident_closed()
        report, _ = self.report_of(incident)
        self.assertEqual((incident["outcome"], self.switched(), self.cluster.deployment["spec"]["replicas"]), ("recovered", 1, 3), report)

    def test_a_deployment_while_the_rollout_goes_on_stays_and_is_told(self):
        self.switch_at_work()
        self.cluster.deploy("shop:v2")
        self.cluster.goes.set()
        incident = self.wait_for_incident_closed()
        report, _ = self.report_of(incident)
        self.wait_until_shop_serves("v2")
        self.assertEqual(self.switched(), 1, report)
        self.assertIn(incident["outcome"], ("action_failed", "superseded", "wrong_revision"), report)
        self.runs("v2")

    def test_a_second_watcher_of_the_host_changes_nothing_more(self):
        other = self.folder / "other.toml"
        text = self.config_file.read_text().replace(f"{self.folder}/state", f"{self.folder}/other-state")
        other.write_text(text.replace(f"{self.folder}/control.sock", f"{self.folder}/other.sock").replace(str(self.listen), str(free_port())))
        other.chmod(0o600)
        log = (self.folder / "other.log").open("wb")
        self.addCleanup(log.close)
        self.watched()
        v1 = self.service()["revision"]
        self.processes.append(subprocess.Popen([ROLLBACKD, "run", "--config", other], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                               start_new_session=True, env=self.environment))

        def others(command, key):
            done = subprocess.run([ROLLBACKD, command, "--json", "--config", other], capture_output=True, text=True, env=self.environment, check=False)
            return json.loads(done.stdout)[key] if done.returncode == 0 else {}
        self.wait_for("the other one knows what runs", lambda: others("status", "services") and others("status", "services")["shop"].get("revision") == v1, 30)
        time.sleep(6)  # its windows are full
        self.deploy("errors")
        self.wait_for("one of them has acted", lambda: "recovered" in self.outcomes(others) and None not in self.outcomes(others), 90)
        self.assertTrue(wait_until(lambda: others("status", "services")["shop"].get("revision") == v1 == self.service().get("revision"), 30))
        self.assertEqual((sorted({*self.outcomes(others)} - {"superseded"}), self.version(), self.switched()), (["recovered"], "v1", 1))

    def outcomes(self, others):
        return [one["outcome"] for one in self.incidents() + list(others("incidents", "incidents") or [])]

    def test_a_rollout_that_is_stuck_is_told_and_nothing_older_is_gone_back_to(self):
        self.from_v2()
        self.cluster.broken.add("shop:errors")
        self.deploy("errors")
        self.people_hear("fault", "which is not the Deployment's template any more", "do kubectl rollout undo deployment/shop", seconds=60)
        self.runs("v2")
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 60)
        self.assertEqual((self.switched(), self.version()), (0, "v2"))

    def test_who_else_keeps_it_is_told_by_check(self):
        self.cluster.deployment["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = "shop:apps/Deployment:shop/shop"
        self.cluster.edit(paused=False)
        self.wait_for("its pods run", lambda: self.cluster.all_ready("shop:v1"), 10)
        done = self.cli("check", "--online", check=False)
        self.assertIn("Argo CD keeps it as git has it", done.stdout)
        self.cluster.edit(paused=True)
        paused = self.cli("check", "--online", check=False)
        self.assertIn("shop is paused; do kubectl rollout resume deployment/shop", paused.stdout)
        self.cluster.close()
        gone = self.cli("check", "--online", check=False)
        self.assertIn("do look whether the API server is up", gone.stdout)

    def test_the_role_of_the_example_is_what_is_asked_for(self):
        """No less, or a rollback would be refused; no more."""
        self.watched()
        self.deploy("errors")
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "recovered")
        rules = re.findall(r"resources: \[([\w/]+)\](?:, resourceNames: \[(\w+)\])?, verbs: \[([\w, ]+)\]", (EXAMPLES / self.role).read_text())
        granted = {(verb, resource, name) for resource, name, verbs in rules for verb in verbs.split(", ")}
        # Everybody may ask what he may.
        self.assertEqual(granted, self.cluster.asked)


class Example(Runbook):
    example = "kubernetes.toml"

    def configure(self, *_, **__):
        self.cluster = Cluster(super().deploy)
        self.addCleanup(self.cluster.close)
        self.moved = (("shop.shop.svc:3001", f"127.0.0.1:{self.port}"),)
        super().configure()
        file = self.folder / "etc" / "kubeconfig"
        file.write_text(self.cluster.kubeconfig())
        file.chmod(0o600)

    def deploy(self, tag, mark=False):
        if tag != "v1":
            self.cluster.deploy(f"shop:{tag}")
        self.wait_for(f"all pods run {tag}", lambda: self.cluster.all_ready(f"shop:{tag}"), 15)

    def test_packaging_examples_kubernetes(self):
        self.good_shop_under_watch(named=False)
        self.wait_for("v1 is known to run", lambda: self.service().get("revision"), 30)
        self.deploy("errors")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], self.version(), len(self.cluster.patches)), ("recovered", "v1", 1), incident)


if __name__ == "__main__":
    unittest.main()
