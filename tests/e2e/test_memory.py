#!/usr/bin/env python3
"""Targets that would make rollbackd keep more than it may, and too little memory: what they ask for is not measured, the
rest is, and what is bad is rolled back once."""

import http.server
import json
import pathlib
import subprocess
import threading
import time
import unittest

from world import ROLLBACKD, World

PROBES = """
[probe.pages]
type     = "prometheus"
url      = "http://127.0.0.1:{port}/metrics"
interval = "500ms"
max_gap  = "10s"

[probe.numbers]
type     = "http"
url      = "http://127.0.0.1:{port}/numbers"
interval = "500ms"
max_gap  = "10s"
json     = {{ first = "/0" }}

[signal.hostile]
probe  = "pages"
ratio  = ['http_requests_total{{code=~"5.."}}', 'http_requests_total']

[rule.hostile]
when = "hostile > 5% or numbers.first > 5"
for  = "5s"
"""


class Hostile(http.server.BaseHTTPRequestHandler):
    """New series with long labels at every poll, and as many numbers as a body may have."""
    protocol_version = "HTTP/1.1"
    pages = 0

    def do_GET(self):
        if self.path == "/numbers":
            body = b"[" + b"0," * 4_000_000 + b"0]"
        else:
            Hostile.pages += 1
            body = "".join(f'http_requests_total{{code="500",n="{Hostile.pages}-{i}-{"x" * 60000}"}} {i}\n' for i in range(130)).encode()
        try:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # it has enough

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Memory(World):
    blind_after = "10m"

    def setUp(self):
        super().setUp()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.hostile = PROBES.format(port=server.server_address[1])
        self.configure(more=self.hostile)

    def under_watch(self, **watcher):
        self.deploy("v1")
        self.wait_until_shop_serves("v1")
        self.visitors()
        self.start_watcher(**watcher)
        self.wait_for("the shop's rules are observed as good", lambda: all(
            rule["verdict"] == "good" for name, rule in ((self.status() or {}).get("rules") or {"": {"verdict": ""}}).items() if name != "hostile"), 60)

    def peak(self):
        """Bytes."""
        status = pathlib.Path(f"/proc/{self.watcher.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def recovers_by_one_switch(self):
        self.deploy("errors")
        incident = self.wait_for_incident_closed(120)
        self.assertEqual((incident["outcome"], incident["rule"]), ("recovered", "errors"))
        self.assertEqual(len([line for line in self.log.read_text().splitlines() if "event=step_started" in line and "kind=switch" in line]), 1)

    def test_targets_that_flood_it(self):
        """Within a sidecar's 128 MiB, unknown with its cause wherever people look, and the rest goes on."""
        self.under_watch()
        faults = lambda: {name: (self.status() or {}).get("probes", {}).get(name, {}).get("fault") for name in ("pages", "numbers")}
        self.wait_for("both are refused", lambda: set(faults().values()) == {"no_memory"}, 60)
        probe = self.status()["probes"]["pages"]
        self.assertIsNone(probe["up"])
        self.assertIn("watcher.memory", probe["error"])
        rule = self.wait_for("the rule says why it is unknown", lambda: (lambda one: one if one["cause"] == "no_memory" else None)(self.status()["rules"]["hostile"]), 20)
        self.assertEqual(rule["verdict"], "unknown")
        self.assertIn('rollbackd_probe_fault{probe="numbers",fault="no_memory"} 1', self.http("/metrics")[1])
        self.wait_for("the log says it", lambda: "event=probe_fault probe=pages" in self.log.read_text(), 10)
        online = subprocess.run([ROLLBACKD, "check", "--online", "--config", self.config_file], capture_output=True, text=True, timeout=120, env=self.environment)
        self.assertIn("more memory than there is for them", online.stdout + online.stderr)
        self.recovers_by_one_switch()
        self.assertLess(self.peak(), 128 * 1024 * 1024)
        # One that fills its windows again and again is put off for longer each time: people are not told at every poll.
        told = [line for line in self.log.read_text().splitlines() if "event=probe_fault probe=pages" in line]
        self.assertLess(len(told), 12)

    def test_less_memory_than_it_may_use(self):
        """Allocations fail, and what fails is a poll or an answer: neither the process nor the rollback."""
        self.under_watch(prefix=["prlimit", f"--as={160 * 1024 * 1024}"])
        time.sleep(5)
        self.recovers_by_one_switch()
        self.assertIsNone(self.watcher.poll())
        self.assertEqual(json.loads(self.cli("status", "--json").stdout)["probes"]["app"]["up"], 1)


if __name__ == "__main__":
    unittest.main()
