"""GitHub's API as far as a workflow is dispatched and its runs are listed. A run does what the test says."""

import datetime
import http.server
import json
import threading
import urllib.parse

TOKEN = "ghp_0123456789abcdefTOKEN"
WORKFLOW = "/repos/example/shop/actions/workflows/rollback.yml"

# What the driver has to be told of it, for str.format: `api` and `workflow`.
KEYS = """version      = "http://127.0.0.1:$port/api/version"
version_json = "/version"
dispatch     = "POST {api}{workflow}/dispatches"
header       = {{ Authorization = {{ env = "CI_TOKEN" }}, Accept = "application/vnd.github+json" }}
body.json    = {{ ref = "main", inputs = {{ revision = "{{to}}", id = "{{id}}" }} }}
runs         = "{api}{workflow}/runs?event=workflow_dispatch&created=%3E%3D{{since}}"
target       = "{api}/repos/example/shop/commits/{{to}}"
poll_interval  = "300ms"
appears_within = "3s"
version_within = "3s"
"""


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class GitHub(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, does, commits):
        self.does = does              # what a run does, given the revision
        self.commits = commits        # that the repository has
        self.token = TOKEN          # in the header after "Bearer "
        self.dispatched = []          # inputs of every dispatch that was taken
        self.runs = []
        self.refused = 0              # dispatches
        self.refused_most = None      # after that many they are taken
        self.hidden_for = 2           # looks at the list before a new run is in it
        self.goes = threading.Event()  # runs end when it is set
        self.goes.set()
        self.conclusion = "success"
        self.refused_for = None       # seconds, in Retry-After of another status
        self.answers = "204"          # or another status, "lost": it is taken and not answered
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def dispatch(self, inputs):
        run = {"id": 1000 + len(self.runs), "name": "Rollback", "display_title": f"Back to {inputs['revision']} ({inputs['id']})",
               "status": "queued", "conclusion": None, "created_at": now(), "hidden": self.hidden_for,
               "repository": {"full_name": "example/shop", "description": "}{\"[]\\"}}
        run["html_url"] = f"https://github.test/example/shop/actions/runs/{run['id']}"
        self.dispatched.append(inputs)
        self.runs.insert(0, run)
        threading.Thread(target=self.work, args=(run, inputs["revision"]), daemon=True).start()

    def work(self, run, to):
        run["status"] = "in_progress"
        self.goes.wait()
        if self.conclusion == "success":
            self.does(to)
        run["conclusion"], run["status"] = self.conclusion, "completed"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, body=None, fields=()):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def may(self):
        if self.headers.get("Authorization") == f"Bearer {self.server.token}":
            return True
        self.reply(401, {"message": "Bad credentials", "status": "401"})
        return False

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.may():
            return
        github = self.server
        if self.path != WORKFLOW + "/dispatches" or body.get("ref") != "main":
            return self.reply(404, {"message": "Not Found"})
        if github.answers not in ("204", "lost"):
            github.refused += 1
            status, wait = int(github.answers), github.refused_for
            if github.refused == github.refused_most:
                github.answers = "204"
            fields = () if wait is None else (("Retry-After", str(wait)),)
            return self.reply(status, {"message": "Cannot trigger a 'workflow_dispatch' on a disabled workflow"}, fields)
        github.dispatch(body["inputs"])
        if github.answers == "lost":
            self.close_connection = True
            return None
        return self.reply(204)

    def do_GET(self):
        if not self.may():
            return None
        path, _, query = self.path.partition("?")
        if path.startswith("/repos/example/shop/commits/"):
            name = path.rsplit("/", 1)[1]
            known = name in self.server.commits
            return self.reply(200, {"sha": name}) if known else self.reply(422, {"message": f"No commit found for SHA: {name}"})
        if path != WORKFLOW + "/runs":
            return self.reply(404, {"message": "Not Found"})
        since = urllib.parse.parse_qs(query)["created"][0].removeprefix(">=")
        shown = []
        for run in self.server.runs:
            run["hidden"] -= 1
            if run["hidden"] < 0 and run["created_at"] >= since:
                shown.append({key: value for key, value in run.items() if key != "hidden"})
        return self.reply(200, {"total_count": len(shown), "workflow_runs": shown})

    def log_message(self, format, *args):
        pass
