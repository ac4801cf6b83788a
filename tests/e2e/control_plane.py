"""A real control plane of Kubernetes on this host: etcd, API server and controllers; what a kubelet would do is done here."""

import json
import os
import pathlib
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

from cluster import digest, template
from runbook import EXAMPLES
from world import free_port, wait_until

ADMIN, ROLLBACKD = "admin-token", "rollbackd-token"


class ControlPlane:
    """One Deployment, shop, in the namespace shop. `runs` is called with the version whose pods are the first to be ready.

    `account`: whose authority has signed the server's certificate.
    """

    def __init__(self, folder, programs, runs, account):
        self.folder, self.runs, self.processes, self.broken, self.serving = folder, runs, [], set(), None
        self.account = account
        folder.mkdir()
        etcd, peer, self.port = free_port(), free_port(), free_port()
        (folder / "tokens.csv").write_text(f"{ADMIN},admin,1,system:masters\n{ROLLBACKD},rollbackd,2\n")
        subprocess.run(["openssl", "genrsa", "-out", folder / "sa.key", "2048"], check=True, capture_output=True)
        (folder / "admin.json").write_text(self.kubeconfig(ADMIN))
        self.start([programs / "etcd", f"--data-dir={folder}/etcd", f"--listen-client-urls=http://127.0.0.1:{etcd}", f"--advertise-client-urls=http://127.0.0.1:{etcd}",
                    f"--listen-peer-urls=http://127.0.0.1:{peer}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}", f"--initial-cluster=default=http://127.0.0.1:{peer}"])
        self.start([programs / "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1", f"--secure-port={self.port}", "--insecure-port=0",
                    f"--tls-cert-file={account.tls[0]}", f"--tls-private-key-file={account.tls[1]}", f"--token-auth-file={folder}/tokens.csv", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
                    "--service-account-issuer=https://shop.test", f"--service-account-key-file={folder}/sa.key", f"--service-account-signing-key-file={folder}/sa.key",
                    "--disable-admission-plugins=ServiceAccount"])
        if not wait_until(lambda: self.answers("/readyz"), 60):
            raise RuntimeError((folder / "kube-apiserver.log").read_text()[-2000:])
        self.start([programs / "kube-controller-manager", f"--kubeconfig={folder}/admin.json", "--controllers=deployment,replicaset", "--leader-elect=false", "--port=0"])
        self.ends = False
        self.furnish()
        threading.Thread(target=self.kubelet, daemon=True).start()

    def start(self, argv):
        with (self.folder / f"{argv[0].name}.log").open("wb") as log:
            self.processes.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def close(self):
        self.ends = True
        for process in reversed(self.processes):
            process.terminate()
            process.wait()

    def kubeconfig(self, token=ROLLBACKD):
        return json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test", "users": [{"name": "test", "user": {"token": token}}],
            "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": str(self.account.folder / "ca.pem")}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "shop"}}]})

    def kubectl(self, *words, check=True, **more):
        done = subprocess.run(["kubectl", f"--kubeconfig={self.folder}/admin.json", f"--cache-dir={self.folder}/cache", *words], check=False, capture_output=True, text=True, **more)
        if check and done.returncode != 0:
            raise RuntimeError(f"kubectl {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def furnish(self):
        self.kubectl("create", "namespace", "shop")
        self.kubectl("apply", "-f", "-", input=json.dumps({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {"replicas": 2, "progressDeadlineSeconds": 5, "selector": {"matchLabels": {"app": "shop"}}, "template": template("shop:v1")}}))

    def give_role(self):
        """To the user of the kubeconfig."""
        role = (EXAMPLES / "kubernetes-role.yaml").read_text()
        account = "kind: ServiceAccount, name: rollbackd, namespace: shop"
        self.kubectl("apply", "-f", "-", input=role.replace(account, "apiGroup: rbac.authorization.k8s.io, kind: User, name: rollbackd"))

    def install(self):
        """rollbackd in the cluster, as people do it; nobody runs its pod."""
        self.kubectl("apply", "-f", str(EXAMPLES / "kubernetes-deployment.yaml"))

    def token(self):
        """One of rollbackd's service account, as the kubelet asks for it."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
        path = "/api/v1/namespaces/shop/serviceaccounts/rollbackd/token"
        return json.loads(self.request(path, "POST", body, "application/json"))["status"]["token"]

    def may(self, *words):
        """What rollbackd's service account is allowed."""
        return self.kubectl("auth", "can-i", *words, "--as=system:serviceaccount:shop:rollbackd", check=False).strip() == "yes"

    # What people do, and see.

    def deploy(self, image):
        self.kubectl("set", "image", "deployment/shop", f"shop={image}")

    def restart(self):
        self.kubectl("rollout", "restart", "deployment/shop")

    def deployment(self):
        return json.loads(self.kubectl("get", "deployment", "shop", "--output=json"))

    def image(self):
        return self.deployment()["spec"]["template"]["spec"]["containers"][0]["image"]

    def all_ready(self, image):
        whole = self.deployment()
        status = whole["status"]
        return whole["spec"]["template"]["spec"]["containers"][0]["image"] == image and status.get("observedGeneration") == whole["metadata"]["generation"] and \
            status.get("updatedReplicas") == status.get("replicas") == status.get("availableReplicas") == whole["spec"]["replicas"]

    # The kubelet.

    def request(self, path, method="GET", body=None, content_type="application/merge-patch+json"):
        context = ssl.create_default_context(cafile=self.account.folder / "ca.pem")
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": content_type}
        asked = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", method=method, headers=headers, data=json.dumps(body).encode() if body else None)
        with urllib.request.urlopen(asked, timeout=5, context=context) as reply:
            return reply.read()

    def answers(self, path):
        try:
            return bool(self.request(path))
        except OSError:
            return False

    def kubelet(self):
        while not self.ends:
            try:
                for pod in json.loads(self.request("/api/v1/namespaces/shop/pods?labelSelector=app%3Dshop"))["items"]:
                    self.look_after(pod)
            except OSError:
                pass  # it is gone meanwhile, or the server is
            time.sleep(0.2)

    def look_after(self, pod):
        image = pod["spec"]["containers"][0]["image"]
        if pod["status"].get("phase") == "Running" or pod["metadata"].get("deletionTimestamp"):
            return
        is_broken = image in self.broken
        version = image.split(":")[1]
        if not is_broken and self.serving != version:
            self.serving = version
            self.runs(version)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        state = {"waiting": {"reason": "CrashLoopBackOff"}} if is_broken else {"running": {"startedAt": now}}
        ready = "False" if is_broken else "True"
        self.request(f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}/status", "PATCH", {"status": {
            "phase": "Running", "startTime": now, "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": now}],
            "containerStatuses": [{"name": "shop", "image": image, "imageID": f"docker.io/library/shop@sha256:{digest(image)}", "restartCount": 3 if is_broken else 0,
                                   "ready": not is_broken, "state": state}]}})


def programs():
    """None: they are not to be had, or not wanted: they take ten minutes to build."""
    if not os.environ.get("ROLLBACKD_CONTROL_PLANE"):
        return None
    made = subprocess.run([pathlib.Path(__file__).with_name("make_control_plane")], stdout=subprocess.PIPE, text=True, check=False)
    return pathlib.Path(made.stdout.strip()) if made.returncode == 0 else None
