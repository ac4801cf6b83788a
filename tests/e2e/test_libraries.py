#!/usr/bin/env python3
"""The short form against real client libraries and real proxies: it finds their errors and times, and judges them rightly."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

import machine
from measured import LIBRARIES, Measured, node_modules
from watched import free_port, wait_until

HAPROXY = """
global
  maxconn 500
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend web
  bind 127.0.0.1:{port}
  default_backend application
backend application
  server one 127.0.0.1:{behind}
frontend metrics
  bind 127.0.0.1:{metrics}
  http-request use-service prometheus-exporter if {{ path /metrics }}
"""


CADDY = """
{{
  admin off
  auto_https off
  servers {{
    metrics
  }}
}}
http://127.0.0.1:{port} {{
  reverse_proxy 127.0.0.1:{behind}
}}
http://127.0.0.1:{metrics} {{
  metrics /metrics
}}
"""


def control_group(limit):
    """A control group of our own with this limit of memory, in bytes; skips where none can be made."""
    for root, file in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        folder = pathlib.Path(root) / f"rollbackd-test-{os.getpid()}"
        try:
            folder.mkdir()
            if (folder / file).exists():
                (folder / file).write_text(str(limit))
                return folder
            folder.rmdir()
        except OSError:
            pass
    raise unittest.SkipTest("the memory of a control group is not tested: none with a limit can be made here; run as root")


class Libraries(Measured):
    def node(self, script, *words, **environment):
        self.start("node", LIBRARIES / script, self.port, *words, NODE_PATH=node_modules(), **environment)

    def test_express_prom_bundle(self):
        self.node("express.js", "express-prom-bundle")
        self.watch('signal error_rate: takes http_request_duration_seconds_count{status_code=~"5..|5",',
                   'signal p95: takes http_request_duration_seconds{')
        self.judged_rightly()

    def test_prometheus_api_metrics(self):
        self.node("express.js", "prometheus-api-metrics")
        self.watch('signal error_rate: takes http_request_duration_seconds_count{code=~"5..|5",')
        self.judged_rightly()

    def test_swagger_stats(self):
        self.node("express.js", "swagger-stats")
        self.watch('signal error_rate: takes api_request_total{code=~"5..|5",',
                   "signal p95: takes api_request_duration_milliseconds{")
        self.judged_rightly()

    def test_express_prometheus_middleware(self):
        self.node("express.js", "express-prometheus-middleware")  # its classes are 2XX and 5XX
        self.watch('signal error_rate: takes http_requests_total{status=~"5..|5",',
                   "signal p95: takes http_request_duration_seconds{")
        self.judged_rightly()

    def test_prom_client(self):
        self.node("express.js", "prom-client")
        self.watch('signal error_rate: takes http_requests_total{status_code=~"5..|5",')
        self.judged_rightly()

    def test_fastify_metrics(self):
        self.node("fastify.js")
        self.watch('signal error_rate: takes http_request_duration_seconds_count{status_code=~"5..|5",',
                   "http_request_summary_seconds")
        self.judged_rightly()

    def test_hono(self):
        self.node("hono.js")
        self.watch('signal error_rate: takes http_requests_total{status=~"5..|5",',
                   "signal p95: takes http_request_duration_seconds{")
        self.judged_rightly()

    def test_opentelemetry_of_javascript(self):
        self.metrics = free_port()
        self.node("opentelemetry.js", self.metrics)
        self.watch('signal error_rate: takes http_server_duration_count{http_status_code=~"5..|5"',  # in milliseconds
                   "signal p95: takes http_server_duration{")
        self.judged_rightly()

    def test_opentelemetry_of_javascript_by_the_stable_conventions(self):
        self.metrics = free_port()
        self.node("opentelemetry.js", self.metrics, OTEL_SEMCONV_STABILITY_OPT_IN="http")  # in seconds
        self.watch('signal error_rate: takes http_server_request_duration_count{http_response_status_code=~"5..|5"',
                   "signal p95: takes http_server_request_duration{")
        self.judged_rightly()

    def test_grpc(self):
        self.node("calls.js")
        self.watch('signal error_rate: takes grpc_server_handled_total{grpc_code=~"',
                   "signal p95: takes grpc_server_handling_seconds")
        self.judged_rightly()
        # What the caller did wrong is no failure of the deployment; each of these is.
        self.becomes({"/ok": 1, "/not_found": 3, "/invalid_argument": 3, "/unauthenticated": 3}, error_rate="good", p95="good")
        self.stays_good("error_rate")
        for code in ("/unavailable", "/deadline_exceeded", "/unimplemented", "/data_loss", "/unknown"):
            self.becomes({"/ok": 4, code: 1}, error_rate="bad")
            self.becomes({"/ok": 1}, error_rate="good")

    def test_names_in_utf8(self):
        self.start("/usr/bin/python3", LIBRARIES / "names.py", self.port, "utf8")
        self.watch('signal error_rate: takes {"http.server.request.duration_seconds_count","http.response.status_code"=~"5..|5",',
                   'signal p95: takes {"http.server.request.duration_seconds"')
        self.judged_rightly()

    def test_microseconds(self):
        self.start("/usr/bin/python3", LIBRARIES / "names.py", self.port, "microseconds")
        self.watch('signal error_rate: takes hertz_server_throughput{statusCode=~"5..|5",',
                   "signal p95: takes hertz_server_latency_us{")
        self.judged_rightly()

    def test_prometheus_client_of_python(self):
        self.start("/usr/bin/python3", LIBRARIES / "by_hand.py", self.port)
        said = self.watch('signal error_rate: takes http_requests_total{status=~"5..|5",', "memory is ")
        self.assertNotIn("our own requests", said)  # they are left out
        self.judged_rightly()

    def test_django_prometheus(self):
        self.start("/usr/bin/python3", LIBRARIES / "django_app.py", self.port)
        self.watch('signal error_rate: takes django_http_responses_total_by_status_view_method_total{view!="prometheus-django-metrics",',
                   'signal p95: takes django_http_requests_latency_seconds_by_view_method{')
        self.judged_rightly()

    def test_haproxy(self):
        behind, self.metrics = free_port(), free_port()
        self.start("/usr/bin/python3", LIBRARIES / "by_hand.py", behind)
        (self.folder / "haproxy.cfg").write_text(HAPROXY.format(port=self.port, behind=behind, metrics=self.metrics))
        self.start(shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", self.folder / "haproxy.cfg")
        said = self.watch('signal error_rate: takes haproxy_backend_http_responses_total{code=~"5..|5"}',
                          "is taken only where there is nothing better")
        self.assertTrue(re.search("signal p95: none of the usual histograms", said), said)
        self.judged_rightly(times=False)

    def test_caddy(self):
        behind, self.metrics = free_port(), free_port()
        self.start("/usr/bin/python3", LIBRARIES / "by_hand.py", behind)
        (self.folder / "Caddyfile").write_text(CADDY.format(port=self.port, behind=behind, metrics=self.metrics))
        caddy = shutil.which("caddy") or self.skipTest("there is no caddy")
        self.start(caddy, "run", "--config", self.folder / "Caddyfile", "--adapter", "caddyfile", XDG_DATA_HOME=str(self.folder),
                   XDG_CONFIG_HOME=str(self.folder))
        self.watch('signal error_rate: takes caddy_http_request_duration_seconds_count{',
                   "signal p95: takes caddy_http_request_duration_seconds")
        self.judged_rightly()

    def test_memory_of_the_group_that_limits_the_application(self):
        group = control_group(300 << 20)
        self.addCleanup(lambda: wait_until(lambda: not subprocess.run(["rmdir", group], check=False, capture_output=True).returncode, 10))
        self.addCleanup(self.clean_up)  # before the group can be removed
        self.start("sh", "-c", f"echo $$ >{group}/cgroup.procs && exec /usr/bin/python3 {LIBRARIES}/by_hand.py {self.port}")
        said = self.watch(f"probe host: memory is that of control group /{group.name}, of at most 300 MiB: python3 (process")
        self.assertNotIn("memory is the host's", said)
        self.becomes({"/ok": 1}, memory="good")
        for _ in range(2):
            self.get(self.port, "/eat")
        self.becomes({"/ok": 1}, memory="bad")


if __name__ == "__main__":
    machine.main()
