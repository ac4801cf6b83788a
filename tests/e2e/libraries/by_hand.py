#!/usr/bin/env python3
"""PORT: an application that counts and times by hand with prometheus_client, as its documentation shows."""

import http.server
import os
import sys
import time

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

REQUESTS = Counter("http_requests", "Requests answered.", ["method", "endpoint", "status"])
EATEN = []
DURATION = Histogram("http_request_duration_seconds", "How long they took.", ["method", "endpoint"])


class Application(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/metrics":
            return self.answer(200, generate_latest(), CONTENT_TYPE_LATEST)
        if self.path == "/eat":
            EATEN.append(bytearray(os.urandom(1 << 20)) * 100)  # never twice as much, not even for a moment
        with DURATION.labels("GET", self.path).time():
            time.sleep(0.7 if self.path == "/slow" else 0)
            status = 500 if self.path == "/bad" else 200
        REQUESTS.labels("GET", self.path, status).inc()
        return self.answer(status, b"ok\n", "text/plain")

    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Application).serve_forever()
