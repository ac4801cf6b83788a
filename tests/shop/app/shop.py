#!/usr/bin/env python3
"""A small web shop to be deployed, broken and rolled back.

How it behaves is written in release.json beside this file, so that checking out another revision and restarting really
changes it; where it listens is written in run/settings.json, which no revision contains.

release.json: version; errors (share of requests answered 500); slow (share that take slow_seconds); memory (grow until
96 % of the limit); crash (exit at start); start_seconds (until it listens); metrics (whether /metrics is served).
run/settings.json: port; slow_seconds, start_seconds (shorter ones, for tests).
"""

import json
import os
import pathlib
import random
import re
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER = pathlib.Path(__file__).resolve().parent
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MEMORY_LIMIT = 160 << 20  # bytes; small, so that filling it hurts no machine
MEMORY_STEP = 4 << 20     # bytes a tenth of a second
PAGES = {"/": "home", "/products": "products", "/cart": "cart", "/api/recommendations": "recommendations"}
RECOMMENDATION_ERRORS = 0.3  # share; every release has a route that fails now and then


def read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Metrics:
    """What the shop tells Prometheus, under the names that client libraries use."""

    def __init__(self):
        self._lock = threading.Lock()
        self._requests = {}
        self._durations = {}
        self._started = time.time()

    def observe(self, route, code, seconds):
        with self._lock:
            self._requests[route, code] = self._requests.get((route, code), 0) + 1
            counts = self._durations.setdefault(route, [0] * len(BUCKETS) + [0, 0.0])
            for index, bound in enumerate(BUCKETS):
                if seconds <= bound:
                    counts[index] += 1
            counts[-2] += 1
            counts[-1] += seconds

    def page(self, version):
        with self._lock:
            requests = dict(self._requests)
            durations = {route: list(counts) for route, counts in self._durations.items()}
        lines = ["# HELP http_requests_total Requests answered.", "# TYPE http_requests_total counter"]
        for (route, code), count in sorted(requests.items()):
            lines.append(f'http_requests_total{{code="{code}",route="{route}"}} {count}')
        lines += ["# HELP http_request_duration_seconds Time to answer.", "# TYPE http_request_duration_seconds histogram"]
        for route, counts in sorted(durations.items()):
            name = "http_request_duration_seconds"
            for bound, count in zip(BUCKETS, counts):
                lines.append(f'{name}_bucket{{route="{route}",le="{bound}"}} {count}')
            lines.append(f'{name}_bucket{{route="{route}",le="+Inf"}} {counts[-2]}')
            lines.append(f'{name}_sum{{route="{route}"}} {counts[-1]:.6f}')
            lines.append(f'{name}_count{{route="{route}"}} {counts[-2]}')
        for name, meaning, value in (
                ("process_start_time_seconds", "When the process started.", f"{self._started:.3f}"),
                ("process_resident_memory_bytes", "Resident memory.", resident_bytes()),
                ("shop_memory_limit_bytes", "Memory the shop may use.", MEMORY_LIMIT)):
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", f"{name} {value}"]
        lines += ["# HELP shop_build_info Which release runs.", "# TYPE shop_build_info gauge",
                  f'shop_build_info{{version="{version}"}} 1']
        return "\n".join(lines) + "\n"


class Shop(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address, release, slow_seconds):
        self.release = release
        self.slow_seconds = slow_seconds
        self.metrics = Metrics()
        super().__init__(address, Handler)

    def handle_error(self, request, client_address):
        # A client that hangs up is no news; anything else is.
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True
    wbufsize = -1  # one write a response

    def do_GET(self):
        path = self.path.split("?")[0]
        release = self.server.release
        if path == "/api/health":
            self.answer_json(200, {"status": "ok", "database": "connected"})
        elif path == "/api/version":
            self.answer_json(200, {"version": release["version"]})
        elif path == "/api/auth/session":
            self.answer_json(200 if self.headers.get("Authorization", "").startswith("Bearer for ") else 401, {})
        elif path == "/api/queues":
            self.answer_json(200, {"active": 0})
        elif path == "/metrics" and release.get("metrics", True):
            self.answer(200, "text/plain; version=0.0.4; charset=utf-8", self.server.metrics.page(release["version"]))
        else:
            self.sell(PAGES.get(path, "unknown"))

    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        path = self.path.split("?")[0]
        queue = re.fullmatch(r"/api/queues/([a-z]+)/(pause|resume)", path)
        if path in ("/api/auth/register", "/api/auth/login") and sent.get("password"):
            self.answer_json(201 if path.endswith("register") else 200, {"token": "for " + sent["email"]})
        elif queue:
            note = FOLDER / "run" / "queues"
            with note.open("a", encoding="utf-8") as out:
                out.write(f"{queue[2]} {queue[1]}\n")
            self.answer_json(200, {"paused": queue[2] == "pause"})
        else:
            self.answer_json(404, {})

    def sell(self, route):
        release = self.server.release
        started = time.monotonic()
        code = 404 if route == "unknown" else 200
        time.sleep(random.uniform(0.001, 0.01))
        if random.random() < release.get("slow", 0):
            time.sleep(self.server.slow_seconds)
        errors = RECOMMENDATION_ERRORS if route == "recommendations" else release.get("errors", 0)
        if random.random() < errors:
            code = 500
        self.server.metrics.observe(route, code, time.monotonic() - started)
        self.answer(code, "text/html; charset=utf-8", f"<h1>{route}</h1><p>release {release['version']}</p>\n")

    def answer_json(self, code, value):
        self.answer(code, "application/json", json.dumps(value) + "\n")

    def answer(self, code, content_type, text):
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


def eat_memory():
    """Grows to just below the limit and stays there: bounded, whatever happens."""
    eaten = []
    while resident_bytes() < 0.96 * MEMORY_LIMIT and len(eaten) * MEMORY_STEP < MEMORY_LIMIT:
        eaten.append(b"x" * MEMORY_STEP)
        time.sleep(0.1)
    threading.Event().wait()


def main():
    release = read_json(FOLDER / "release.json")
    settings = read_json(FOLDER / "run" / "settings.json")
    if release.get("crash"):
        print(f"{release['version']}: cannot read the price list", file=sys.stderr)
        return 1
    if release.get("start_seconds"):
        time.sleep(settings.get("start_seconds", release["start_seconds"]))
    slow_seconds = settings.get("slow_seconds", release.get("slow_seconds", 4))
    shop = Shop(("127.0.0.1", settings.get("port", 3001)), release, slow_seconds)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=shop.shutdown, daemon=True).start())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if release.get("memory"):
        threading.Thread(target=eat_memory, daemon=True).start()
    print(f"{release['version']} listens on port {shop.server_address[1]}", flush=True)
    shop.serve_forever(poll_interval=0.05)
    shop.socket.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
