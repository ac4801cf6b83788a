#!/usr/bin/env python3
"""The kubernetes driver in a pod without kubectl: all that test_kubernetes.py has, and what only this way has.

The API is that of cluster.py, over TLS with an authority of the test's own, for a service account whose token is exchanged.
"""

import os
import pathlib
import re
import subprocess
import textwrap
import unittest

import test_kubernetes
from cluster import Cluster, Refused
from runbook import EXAMPLES
from service_account import ServiceAccount
from world import ROLLBACKD, World

SERVICE = """
[service.shop]
driver     = "kubernetes"
start_deadline    = "10s"
identify_interval = "1s"
$more
"""
TOKEN = "eyJhbGciOiJSUzI1NiJ9.first.token"


class Api(test_kubernetes.Kubernetes):
    role = "kubernetes-deployment.yaml"
    no_right = "the pod's service account may not patch deployments.apps/shop in shop"

    def setUp(self):
        World.setUp(self)

    def make_cluster(self):
        self.account = ServiceAccount(self.folder)
        cluster = Cluster(lambda tag: World.deploy(self, tag), tls=self.account.tls)
        cluster.token = TOKEN
        self.account.put(TOKEN)
        without = ("KUBECONFIG",)
        self.environment = {name: value for name, value in self.environment.items() if name not in without} | self.account.environment(cluster.server_address[1])
        return cluster

    def service_text(self):
        return SERVICE

    def everything(self, refusal):
        """Every request is refused so."""
        def refuse(*_):
            raise Refused(*refusal)
        self.cluster.refuses = refuse

    def no_longer(self):
        self.cluster.refuses = None

    def is_seen(self):
        return bool(self.service().get("revision")) and self.service().get("rollback_ready")

    def test_check_says_which_way_is_taken(self):
        self.wait_for("its pods run", lambda: self.cluster.all_ready("shop:v1"), 10)
        done = self.cli("check", "--online", check=False).stdout
        self.assertIn(f"in the namespace shop, through the API at 127.0.0.1:{self.cluster.server_address[1]} with the service account of this pod", done)
        self.assertIn("could be switched now", done)
        # Whoever names kubectl gets kubectl.
        self.configure(service_more='kubectl = ["kubectl"]')
        self.assertIn("kubectl: no such command in PATH", self.cli("check", "--online", check=False).stdout)

    def test_a_token_that_is_exchanged_is_used_at_once(self):
        self.watched()
        self.account.put("second")
        self.cluster.token = "second"
        self.deploy("errors")
        self.cluster.goes.clear()
        self.cluster.deadline = 600
        self.wait_for("the Deployment is changed", self.switched, 60)
        self.account.put("third")
        self.cluster.token = "third"
        self.cluster.goes.set()
        incident = self.wait_for_incident_closed()
        report, _ = self.report_of(incident)
        self.assertEqual((incident["outcome"], self.switched(), self.version()), ("recovered", 1, "v1"), report)
        told = [path for path in [self.log, *(self.folder / "state").rglob("*")] if path.is_file()]
        for token in (TOKEN, "Bearer"):
            self.assertEqual([path for path in told if token.encode() in path.read_bytes()], [])

    def test_what_the_server_refuses_to_say_is_not_bad(self):
        self.from_v2()
        self.wait_for("a rollback could be done", self.is_seen, 40)
        forbidden = 'deployments.apps "shop" is forbidden: User "system:serviceaccount:shop:rollbackd" cannot get resource'
        for refusal, words in (((401, "Unauthorized", "Unauthorized"), "do look whether the pod's service account is still there"),
                               ((403, "Forbidden", forbidden), "do grant it: SECURITY.md has the Role"),
                               ((410, "Gone", "the resourceVersion is too old"), "is asked for anew"),
                               ((429, "TooManyRequests", "please try again later"), "has time"),
                               ((500, "InternalError", "etcdserver: \\x1b[2J no leader"), "answered 500")):
            self.everything(refusal)
            self.stays_quiet(3)
            self.assertIn(words, self.cli("check", "--online", check=False).stdout)
            self.no_longer()
            self.wait_for("it is seen again", self.is_seen, 40)
        self.assertEqual((self.switched(), self.version()), (0, "v2"))

    def test_a_server_that_is_gone_is_not_bad(self):
        self.from_v2()
        self.wait_for("a rollback could be done", self.is_seen, 40)
        self.cluster.close()
        self.wait_for("no rollback could be done", lambda: self.service().get("rollback_ready") is False, 60)
        self.people_hear("fault", "do look whether the API server is up", seconds=15)
        self.stays_quiet(5)
        self.assertEqual((self.switched(), self.version()), (0, "v2"))

    def test_a_server_that_is_gone_in_the_middle_of_a_switch_is_waited_for(self):
        self.switch_at_work()
        self.everything((503, "ServiceUnavailable", "the server is starting"))
        self.stays_in_switch(4)
        self.no_longer()
        self.cluster.goes.set()
        incident = self.wait_for_incident_closed()
        report, _ = self.report_of(incident)
        self.assertEqual((incident["outcome"], self.switched(), self.version()), ("recovered", 1, "v1"), report)

    def stays_in_switch(self, seconds):
        self.assertFalse(test_kubernetes.wait_until(lambda: any(one.get("outcome") for one in self.incidents()), seconds))

    def test_a_change_that_collides_or_finds_no_time_is_tried_again(self):
        self.from_v2()
        refusals = [(409, "Conflict", "the object has been modified"), (429, "TooManyRequests", "please try again later"),
                    (409, "Conflict", "the object has been modified")]

        def refuse(method, _):
            if method == "PATCH" and refusals:
                raise Refused(*refusals.pop())
        self.cluster.refuses = refuse
        incident, report = self.by_hand()
        self.assertEqual((incident["outcome"], self.switched(), refusals, self.version()), ("recovered", 1, [], "v1"), report)

    def test_a_change_that_is_forbidden_is_told_and_nothing_is_changed(self):
        self.from_v2()

        def refuse(method, _):
            if method == "PATCH":
                raise Refused(403, "Forbidden", 'deployments.apps "shop" is forbidden')
        self.cluster.refuses = refuse
        incident, report = self.by_hand()
        self.assertEqual((incident["outcome"], self.switched(), self.version()), ("action_failed", 0, "v2"), report)
        self.assertIn('PATCH /apis/apps/v1/namespaces/shop/deployments/shop: answered 403: deployments.apps "shop" is forbidden; do grant it', report)

    def test_another_authority_s_server_is_told_nothing(self):
        self.wait_for("its pods run", lambda: self.cluster.all_ready("shop:v1"), 10)
        self.account.put(TOKEN, ca=self.account.authority("other"))
        asked = []
        self.cluster.refuses = lambda method, path: asked.append(path)
        self.assertIn("do look whether ca.crt", self.cli("check", "--online", check=False).stdout)
        self.assertEqual(asked, [])

    def test_an_account_that_others_could_change_is_not_used(self):
        (self.account.place / "..1").chmod(0o777)
        done = self.cli("check", "--online", check=False).stdout
        self.assertIn("other users could change the pod's service account", done)
        (self.account.place / "..1").chmod(0o755)
        pathlib.Path(self.account.place / "..1" / "token").write_text("")
        self.assertIn("token cannot be read, or is none", self.cli("check", "--online", check=False).stdout)

    def test_the_deployment_that_it_runs_in_itself_is_not_changed(self):
        self.wait_for("its pods run", lambda: self.cluster.all_ready("shop:v1"), 10)
        self.assertIn("could be switched now", self.cli("check", "--online", check=False).stdout)
        self.environment["HOSTNAME"] = self.cluster.pods[0]["metadata"]["name"]
        self.assertIn("is the pod that rollbackd runs in", self.cli("check", "--online", check=False).stdout)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to be the pod's user")
    def test_the_configuration_of_the_example_is_fine_in_volumes_as_a_pod_has_them(self):
        text = (EXAMPLES / "kubernetes-deployment.yaml").read_text()
        inside = textwrap.dedent(text.split("rollbackd.toml: |\n")[1].split("---\n")[0])
        user = int(re.search(r"runAsUser: (\d+)", text)[1])
        volume, secret = self.folder / "volume", self.folder / "slack-url"
        volume.mkdir()
        secret.write_text("https://hooks.slack.test/x")
        self.config_file.write_text(inside.replace("/etc/rollbackd-secrets/slack-url", str(secret)).replace("/var/lib/rollbackd", str(volume)))
        # What fsGroup makes of a disk, a Secret (0400) and a ConfigMap.
        for path, mode in ((volume, 0o2775), (secret, 0o440), (self.config_file, 0o644), (self.folder, 0o755)):
            os.chown(path, 0, user)
            path.chmod(mode)
        words = [ROLLBACKD, "check", "--config", self.config_file]
        done = subprocess.run(words, capture_output=True, text=True, env=self.environment, user=user, group=user, extra_groups=[], check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("through the API at", done.stdout)


if __name__ == "__main__":
    unittest.main()
