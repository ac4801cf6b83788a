"""How rollbackd watches the shop, and who is told: what the demonstration and the end-to-end tests share."""

import fcntl
import http.server
import json
import os
import pathlib
import random
import socket
import string
import tempfile
import threading
import time

SHOP = pathlib.Path(__file__).resolve().parent

# The runbooks' rules. Times are seconds where production has minutes; nothing else differs.
HOST = """
[watcher]
name      = "$name"
state_dir = "$folder/state"
listen    = "127.0.0.1:$listen"
control   = "$folder/control.sock"

[probe.app]
type     = "prometheus"
url      = "http://127.0.0.1:$port/metrics"
interval = "$interval"
max_gap  = "2s"

[probe.health]
type     = "http"
url      = "http://127.0.0.1:$port/api/health"
interval = "$interval"
max_gap  = "2s"
expect.status = "200-299"
expect.json   = { "/status" = "ok", "/database" = "connected" }

[signal.error_rate]
probe  = "app"
ratio  = ['http_requests_total{code=~"5.."}', 'http_requests_total']
window = "$window"

[signal.p95]
probe    = "app"
quantile = 0.95
of       = 'http_request_duration_seconds'
window   = "$window"

[signal.memory]
probe = "app"
expr  = 'process_resident_memory_bytes / shop_memory_limit_bytes'

[rule.errors]
when = "error_rate > 5%"
for  = "$sustain"
blind_after = "$blind_after"

[rule.slow]
when = "p95 > 3000ms"
for  = "$sustain"
blind_after = "$blind_after"

[rule.memory]
when = "memory > 90%"
for  = "$sustain"
blind_after = "$blind_after"

[rule.down]
when     = "health.up == 0"
for      = "$down"
severity = "P0"

[notify.people]
type = "webhook"
url  = "http://127.0.0.1:$people/"
"""

SERVICE = """
[service.shop]
driver         = "git"
dir            = "$repository"
build          = ["$repository/build"]
restart        = ["$repository/restart"]
start_deadline = "$start_deadline"
identify_interval = "1s"
$more
"""

# Where the shop is watched by its health alone, on the port that it has by itself.
HEALTH_ONLY = """
[watcher]
[probe.health]
type = "http"
url = "http://127.0.0.1:3001/api/health"
interval = "200ms"
max_gap = "2s"
expect.json = { "/status" = "ok" }
[rule.down]
when = "health.up == 0"
for = "2s"
severity = "P0"
"""


def filled(template, **values):
    return string.Template(template).substitute({key: str(value) for key, value in values.items()})


def write_config(file, text):
    """Only its owner may write a configuration."""
    file.write_text(text)
    file.chmod(0o600)


# Below the ports that the kernel gives to outgoing connections (32768 and up): none of those can take one meanwhile.
PORTS = range(20000, 32000)
claims = []  # held as long as this process lives


def free_port():
    """A port that nobody listens on and that no other test claims before this process ends."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"rollbackd-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for port in random.sample(PORTS, len(PORTS)):
        claim = open(folder / str(port), "w", encoding="utf-8")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        claims.append(claim)
        return port
    raise RuntimeError("no port is free")


def wait_until(holds, seconds, pause=0.1):
    """What `holds` returned when it was true for the first time; None when it never was."""
    end = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > end:
            return None
        time.sleep(pause)


class People(http.server.ThreadingHTTPServer):
    """Who the webhook reaches: keeps what was told, in order, and hands each message on."""

    daemon_threads = True

    def __init__(self, hear=lambda told: None):
        self.told = []
        self.paths = []  # of told, at which address
        self.hear = hear
        super().__init__(("127.0.0.1", 0), PeopleHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


class PeopleHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.paths.append(self.path)
        self.server.told.append(told)
        self.server.hear(told)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format, *args):
        pass
