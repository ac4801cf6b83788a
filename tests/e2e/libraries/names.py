#!/usr/bin/env python3
"""PORT KIND: an application that writes its page itself, as libraries do that this machine lacks: `utf8`, OpenTelemetry with names in
UTF-8, and `microseconds`, Hertz."""

import http.server
import sys
import threading
import time

PORT, KIND = int(sys.argv[1]), sys.argv[2]
SECOND = 1 if KIND == "utf8" else 1e6
BOUNDS = [bound * SECOND for bound in (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5)]
LOCK, COUNTS = threading.Lock(), {}


def series(suffix, status, path, bound=""):
    if KIND == "utf8":
        le = f',le="{bound}"' if bound else ""
        return f'{{"http.server.request.duration_seconds{suffix}","http.response.status_code"="{status}","http.route"="{path}"{le}}}'
    le = f',le="{bound}"' if bound else ""
    return f'hertz_server_latency_us{suffix}{{method="GET",path="{path}",statusCode="{status}"{le}}}'


def page():
    out = []
    with LOCK:
        for (status, path), times in COUNTS.items():
            if KIND == "microseconds":
                out.append(f'hertz_server_throughput{{method="GET",path="{path}",statusCode="{status}"}} {len(times)}')
            for bound in BOUNDS:
                out.append(f"{series('_bucket', status, path, f'{bound:g}')} {sum(took <= bound for took in times)}")
            out.append(f"{series('_bucket', status, path, '+Inf')} {len(times)}")
            out.append(f"{series('_sum', status, path)} {sum(times)}")
            out.append(f"{series('_count', status, path)} {len(times)}")
    return "\n".join(out).encode() + b"\n"


class Application(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/metrics":
            return self.answer(200, page())
        begin = time.monotonic()
        time.sleep(0.7 if self.path == "/slow" else 0)
        status = 500 if self.path == "/bad" else 200
        with LOCK:
            COUNTS.setdefault((status, self.path), []).append((time.monotonic() - begin) * SECOND)
        return self.answer(status, b"ok\n")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Application).serve_forever()
