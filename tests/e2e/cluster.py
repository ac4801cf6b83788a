"""The API of a Kubernetes cluster with one Deployment, as far as kubectl asks for it, and its controller and kubelet.

What the pods of an image run the test says; the Deployment's rollouts go as Kubernetes has them: a ReplicaSet for each template,
found again by its template, numbered anew each time; surplus pods first, then the old ones go.
"""

import copy
import datetime
import hashlib
import http.server
import json
import ssl
import threading
import time
import urllib.parse

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
TICK = 0.1  # seconds
RESOURCES = {
    "/api/v1": [("pods", "Pod"), ("events", "Event")],
    "/apis/apps/v1": [("deployments", "Deployment"), ("replicasets", "ReplicaSet")],
    "/apis/authorization.k8s.io/v1": [("selfsubjectaccessreviews", "SelfSubjectAccessReview")],
}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def digest(image):
    return hashlib.sha256(image.encode()).hexdigest()


def template(image):
    return {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [
        {"name": "shop", "image": image, "env": [{"name": "DB_PASSWORD", "value": "xyzzy-plugh"}]}]}}


class Refused(Exception):
    def __init__(self, code, reason, message):
        super().__init__(message)
        self.status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code}


class Cluster(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, runs, image="shop:v1", replicas=2, tls=None):
        """`tls`: a server's certificate and key; without, it is plain HTTP."""
        self.lock = threading.RLock()
        self.runs = runs             # what is run, given a version, when its first pod is ready
        self.patches = []            # every one that was taken
        self.asked = set()           # verb, resource and, where only one of its kind is asked for, its name
        self.may_patch = True
        self.before_patch = None     # called once, while a patch is under way
        self.after_patch = None      # the same, when it was done: somebody else's controller
        self.lost = False            # the answer to a patch
        self.token = None            # that is taken; None: nobody is asked for one
        self.refuses = None          # called with each request's method and path, and may raise Refused
        self.goes = threading.Event()  # pods become ready
        self.goes.set()
        self.broken = set()          # images whose pods end again and again
        self.deadline = 3            # seconds
        self.digests = {}            # of images whose tag means something else
        self.count, self.version = 0, 0
        self.serving = None
        self.sets, self.pods, self.events = [], [], []
        self.deployment = {
            "kind": "Deployment", "apiVersion": "apps/v1",
            "metadata": {"name": "shop", "namespace": "shop", "uid": "d0000000-0000-0000-0000-000000000001", "generation": 1,
                         "resourceVersion": "1", "annotations": {REVISION: "0"}, "labels": {"app": "shop"}},
            "spec": {"replicas": replicas, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
                     "selector": {"matchLabels": {"app": "shop"}}, "template": template(image)},
            "status": {}}
        self.progress = time.monotonic()
        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            # Whoever does not shake hands keeps his own thread waiting.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.ends = False
        threading.Thread(target=self.serve_forever, daemon=True).start()
        threading.Thread(target=self.control, daemon=True).start()

    def close(self):
        self.ends = True
        self.shutdown()
        self.server_close()

    def kubeconfig(self):
        return json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test", "users": [],
            "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{self.server_address[1]}"}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "", "namespace": "shop"}}]})

    # What people and their tools do.

    def changed(self, spec):
        """The Deployment's new spec is stored."""
        meta = self.deployment["metadata"]
        self.version += 1
        meta["resourceVersion"] = str(self.version)
        if spec != self.deployment["spec"]:
            meta["generation"] += 1
            if spec["template"] != self.deployment["spec"]["template"]:
                self.progress = time.monotonic()
            self.deployment["spec"] = spec

    def deploy(self, image):
        with self.lock:
            self.changed({**copy.deepcopy(self.deployment["spec"]), "template": template(image)})

    def restart(self):
        with self.lock:
            spec = copy.deepcopy(self.deployment["spec"])
            spec["template"]["metadata"]["annotations"] = {RESTARTED: now()}
            self.changed(spec)

    def edit(self, **spec):
        with self.lock:
            self.changed({**copy.deepcopy(self.deployment["spec"]), **spec})

    def image(self):
        with self.lock:
            return self.deployment["spec"]["template"]["spec"]["containers"][0]["image"]

    def numbers(self):
        with self.lock:
            return {one["spec"]["template"]["spec"]["containers"][0]["image"]: int(one["metadata"]["annotations"][REVISION]) for one in self.sets}

    def all_ready(self, image):
        with self.lock:
            status = self.deployment["status"]
            return self.image() == image and status.get("observedGeneration") == self.deployment["metadata"]["generation"] and \
                status["updatedReplicas"] == status["replicas"] == status["availableReplicas"] == self.deployment["spec"]["replicas"]

    def patch(self, operations):
        """A JSON Patch: as a whole or not at all."""
        whole = copy.deepcopy(self.deployment)
        for one in operations:
            *way, last = [part.replace("~1", "/").replace("~0", "~") for part in one["path"].split("/")[1:]]
            at = whole
            for part in way:
                at = at[part]
            if one["op"] == "test" and at.get(last) != one["value"]:
                raise Refused(422, "Invalid", "the server rejected our request due to an error in our request")
            if one["op"] in ("replace", "remove") and last not in at:
                raise Refused(422, "Invalid", f"there is no {one['path']}")
            if one["op"] in ("replace", "add"):
                at[last] = one["value"]
            if one["op"] == "remove":
                del at[last]
        self.deployment["metadata"]["annotations"] = whole["metadata"]["annotations"]
        self.changed(whole["spec"])

    # The controller and the kubelet.

    def control(self):
        while not self.ends:
            with self.lock:
                starts = self.turn()
            if starts is not None and starts != self.serving:
                self.serving = starts
                self.runs(starts)
            time.sleep(TICK)

    def turn(self):
        spec, meta = self.deployment["spec"], self.deployment["metadata"]
        current = self.current_set()
        mine = [pod for pod in self.pods if pod["metadata"]["ownerReferences"][0]["uid"] == current["metadata"]["uid"]]
        others = [pod for pod in self.pods if pod not in mine]
        for _ in range(spec["replicas"] - len(mine)):
            mine.append(self.new_pod(current))
            self.progress = time.monotonic()
        for pod in mine[spec["replicas"]:]:
            self.pods.remove(pod)
        mine = mine[:spec["replicas"]]
        starts = None
        for pod in mine:
            if self.kubelet(pod):
                self.progress = time.monotonic()
        ready = [pod for pod in mine if self.is_ready(pod)]
        if len(ready) == spec["replicas"] and ready:
            starts = ready[0]["spec"]["containers"][0]["image"].split(":")[1]
            if self.serving == starts:
                for pod in others:
                    self.pods.remove(pod)
                others = []
        complete = len(ready) == spec["replicas"] and not others
        late = not complete and time.monotonic() - self.progress > self.deadline
        reason = "NewReplicaSetAvailable" if complete else "ProgressDeadlineExceeded" if late else "ReplicaSetUpdated"
        before = self.deployment["status"].get("conditions", [{}])[0]
        at = before["lastUpdateTime"] if before.get("reason") == reason else now()
        self.deployment["status"] = {
            "observedGeneration": meta["generation"], "replicas": len(mine) + len(others), "updatedReplicas": len(mine),
            "readyReplicas": len(ready) + len(others), "availableReplicas": len(ready) + len(others),
            "conditions": [{"type": "Progressing", "status": "False" if late else "True", "reason": reason, "lastUpdateTime": at}]}
        return starts

    def current_set(self):
        spec, meta = self.deployment["spec"], self.deployment["metadata"]
        found = [one for one in self.sets if self.plain(one["spec"]["template"]) == self.plain(spec["template"])]
        if not found:
            hashed = digest(json.dumps(spec["template"], sort_keys=True))[:10]
            its = copy.deepcopy(spec["template"])
            its["metadata"]["labels"][HASH] = hashed
            self.count += 1
            found = [{"kind": "ReplicaSet", "apiVersion": "apps/v1",
                      "metadata": {"name": f"shop-{hashed}", "namespace": "shop", "uid": f"e0000000-0000-0000-0000-{self.count:012}",
                                   "annotations": {REVISION: "0"}, "labels": {"app": "shop"},
                                   "ownerReferences": [{"controller": True, "kind": "Deployment", "name": "shop", "uid": meta["uid"]}]},
                      "spec": {"replicas": spec["replicas"], "template": its}, "status": {"readyReplicas": 0}}]
            self.sets.append(found[0])
        newest = max(int(one["metadata"]["annotations"][REVISION]) for one in self.sets)
        if int(found[0]["metadata"]["annotations"][REVISION]) < newest or newest == 0:
            found[0]["metadata"]["annotations"][REVISION] = str(newest + 1)
        meta["annotations"][REVISION] = found[0]["metadata"]["annotations"][REVISION]
        old = sorted((one for one in self.sets if one is not found[0]), key=lambda one: int(one["metadata"]["annotations"][REVISION]))
        for one in old[:max(0, len(old) - spec["revisionHistoryLimit"])]:
            self.sets.remove(one)
        return found[0]

    @staticmethod
    def plain(one):
        one = copy.deepcopy(one)
        one["metadata"]["labels"].pop(HASH, None)
        return one

    @staticmethod
    def is_ready(pod):
        return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))

    def new_pod(self, owner):
        self.count += 1
        pod = {"kind": "Pod", "apiVersion": "v1",
               "metadata": {"name": f"{owner['metadata']['name']}-{self.count:05}", "namespace": "shop", "uid": f"f0000000-0000-0000-0000-{self.count:012}",
                            "labels": owner["spec"]["template"]["metadata"]["labels"],
                            "ownerReferences": [{"controller": True, "kind": "ReplicaSet", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}]},
               "spec": {**copy.deepcopy(owner["spec"]["template"]["spec"]), "nodeName": "node-1"},
               "status": {"phase": "Pending", "startTime": now(), "conditions": [{"type": "Ready", "status": "False"}],
                          "containerStatuses": [{"name": "shop", "image": "", "imageID": "", "restartCount": 0, "ready": False,
                                                 "state": {"waiting": {"reason": "ContainerCreating"}}}]}}
        self.pods.append(pod)
        return pod

    def kubelet(self, pod):
        """True: it became ready."""
        if self.is_ready(pod) or not self.goes.is_set():
            return False
        image = pod["spec"]["containers"][0]["image"]
        status = pod["status"]["containerStatuses"][0]
        status["image"], status["imageID"] = image, f"docker.io/library/shop@sha256:{self.digests.get(image, digest(image))}"
        pod["status"]["phase"] = "Running"
        if image in self.broken:
            status["restartCount"] += 1
            status["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
            status["lastState"] = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": now()}}
            return False
        status["state"], status["ready"] = {"running": {"startedAt": now()}}, True
        pod["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
        return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            pass  # a client that trusts another authority

    def reply(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(body, bytes) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self, method):
        try:
            body = self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else None
            if self.server.token and self.headers["Authorization"] != f"Bearer {self.server.token}":
                raise Refused(401, "Unauthorized", "Unauthorized")
            if self.server.refuses:
                self.server.refuses(self.command, self.path)
            self.reply(200, method(urllib.parse.urlsplit(self.path).path, body))
        except Refused as refused:
            self.reply(refused.status["code"], refused.status)
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def do_GET(self):
        self.answer(self.got)

    def do_POST(self):
        self.answer(self.posted)

    def do_PATCH(self):
        self.answer(self.patched)

    def got(self, path, _):
        cluster = self.server
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            groups = [group.split("/")[2] for group in RESOURCES if group.startswith("/apis/")]
            versions = {group: {"groupVersion": f"{group}/v1", "version": "v1"} for group in groups}
            return {"kind": "APIGroupList", "apiVersion": "v1",
                    "groups": [{"name": group, "versions": [versions[group]], "preferredVersion": versions[group]} for group in groups]}
        if path in RESOURCES:
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": path.split("/", 2)[2],
                    "resources": [{"name": name, "singularName": kind.lower(), "kind": kind, "namespaced": not name.startswith("self"),
                                   "verbs": ["get", "list", "patch", "create"]} for name, kind in RESOURCES[path]]}
        if path == "/api/v1/namespaces/shop":
            return {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}}
        below = path.split("/namespaces/shop/")[-1]
        resource, _, rest = below.partition("/")
        verb, what = ("get" if rest else "list"), (f"{resource}/log" if rest.endswith("/log") else resource)
        if "/namespaces/shop/" in path:
            cluster.asked.add((verb, what, "shop" if resource == "deployments" else ""))
        with cluster.lock:
            if below == "deployments/shop":
                return copy.deepcopy(cluster.deployment)
            lists = {"pods": ("Pod", "v1", cluster.pods), "replicasets": ("ReplicaSet", "apps/v1", cluster.sets), "events": ("Event", "v1", cluster.events)}
            if below in lists:
                kind, version, items = lists[below]
                return {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": str(cluster.version)}, "items": [{key: copy.deepcopy(one[key]) for key in one if key not in ("kind", "apiVersion")} for one in items]}
            pod = [one for one in cluster.pods if below == f"pods/{one['metadata']['name']}"]
            if pod:
                return copy.deepcopy(pod[0])
        if below.startswith("pods/") and below.endswith("/log"):
            return f"{below}: connected with xyzzy-plugh\n".encode()
        name = below.rpartition("/")[2]
        raise Refused(404, "NotFound", f'deployments.apps "{name}" not found')

    def posted(self, path, body):
        if not path.endswith("/selfsubjectaccessreviews"):
            raise Refused(404, "NotFound", "not found")
        # kubectl writes it as protobuf, and reads JSON as well.
        is_asked = all(word in body for word in (b"patch", b"apps", b"deployments", b"shop"))
        return {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": {},
                "status": {"allowed": is_asked and self.server.may_patch}}

    def patched(self, path, body):
        cluster = self.server
        if not path.endswith("/deployments/shop") or self.headers["Content-Type"] != "application/json-patch+json":
            raise Refused(415, "UnsupportedMediaType", "not in this cluster")
        if not cluster.may_patch:
            raise Refused(403, "Forbidden", 'deployments.apps "shop" is forbidden: User "rollbackd" cannot patch resource "deployments"')
        cluster.asked.add(("patch", "deployments", "shop"))
        before, cluster.before_patch = cluster.before_patch, None
        if before:
            before()
        with cluster.lock:
            cluster.patch(json.loads(body))
            cluster.patches.append(json.loads(body))
            answer = copy.deepcopy(cluster.deployment)
        after, cluster.after_patch = cluster.after_patch, None
        if after:
            after()
        if cluster.lost:
            raise ConnectionError
        return answer

    def log_message(self, *_):
        pass
