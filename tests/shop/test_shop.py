#!/usr/bin/env python3
"""The demo application behaves as its releases say: what the end-to-end tests rest on."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from watched import free_port

HERE = pathlib.Path(__file__).resolve().parent


class ShopTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="shop-"))
        self.port = free_port()
        subprocess.run([HERE / "make_repository", self.folder, str(self.port)], check=True)

    def tearDown(self):
        subprocess.run([self.folder / "stop"], check=True)
        shutil.rmtree(self.folder)

    def settings(self, **values):
        (self.folder / "run" / "settings.json").write_text(json.dumps({"port": self.port, **values}))

    def deploy(self, tag):
        subprocess.run(["git", "-C", self.folder, "checkout", "-q", tag], check=True)
        subprocess.run([self.folder / "build"], check=True)
        subprocess.run([self.folder / "restart"], check=True)

    def get(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5).read().decode()

    def wait_until_up(self, seconds=10):
        end = time.monotonic() + seconds
        while True:
            try:
                return json.loads(self.get("/api/health"))
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def load(self, **options):
        words = [f"--{name}={value}" for name, value in options.items()]
        done = subprocess.run([HERE / "load", f"--port={self.port}", *words], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def counted(self, code):
        return sum(float(line.split()[1]) for line in self.get("/metrics").splitlines()
                   if line.startswith(f'http_requests_total{{code="{code}"'))

    def test_a_checkout_and_a_restart_change_what_runs(self):
        for tag in ("v1", "v2", "errors", "v1"):
            self.deploy(tag)
            self.assertEqual(self.wait_until_up(), {"status": "ok", "database": "connected"})
            self.assertEqual(json.loads(self.get("/api/version")), {"version": tag})

    def test_metrics_are_what_prometheus_expects(self):
        self.deploy("v1")
        self.wait_until_up()
        summary = self.load(rate=100, duration=1)
        page = self.get("/metrics")
        self.assertEqual(self.counted(200), summary["outcomes"]["200"])
        self.assertIn('http_request_duration_seconds_bucket{route="home",le="+Inf"}', page)
        self.assertIn("process_start_time_seconds ", page)
        subprocess.run(["promtool", "check", "metrics"], input=page, text=True, check=True, capture_output=True)

    def test_errors_answers_a_fifth_with_500(self):
        self.deploy("errors")
        self.wait_until_up()
        outcomes = self.load(rate=400, duration=4)["outcomes"]
        share = outcomes["500"] / sum(outcomes.values())
        self.assertGreater(share, 0.15)  # 1600 requests: five standard deviations are 5 %
        self.assertLess(share, 0.25)

    def test_slow_holds_a_tenth_of_the_requests(self):
        self.settings(slow_seconds=1)
        self.deploy("slow")
        self.wait_until_up()
        # 1000 requests: that fewer than 5 % are slow is five standard deviations off.
        self.assertGreater(self.load(rate=200, duration=5)["p95_seconds"], 0.9)

    def test_memory_grows_to_just_below_its_limit(self):
        self.deploy("memory")
        self.wait_until_up()
        end = time.monotonic() + 30
        share = 0
        while share < 0.95 and time.monotonic() < end:
            values = dict(line.split() for line in self.get("/metrics").splitlines() if line.startswith(("process_res", "shop_mem")))
            share = float(values["process_resident_memory_bytes"]) / float(values["shop_memory_limit_bytes"])
            time.sleep(0.1)
        self.assertGreater(share, 0.95)
        self.assertLess(share, 1.0)

    def test_crash_never_listens(self):
        self.deploy("crash")
        with self.assertRaises(OSError):
            self.wait_until_up(seconds=1)

    def test_slow_start_listens_late(self):
        self.settings(start_seconds=1)
        self.deploy("slow_start")
        with self.assertRaises(OSError):
            self.get("/api/health")
        self.wait_until_up()

    def test_no_metrics_serves_health_alone(self):
        self.deploy("no_metrics")
        self.wait_until_up()
        with self.assertRaises(urllib.error.HTTPError):
            self.get("/metrics")

    def test_noisy_visitors_hurt_a_good_release_a_little(self):
        self.deploy("v2")
        self.wait_until_up()
        outcomes = self.load(rate=60, duration=6, mode="noisy")["outcomes"]
        self.assertGreater(outcomes.get("500", 0), 0)
        self.assertGreater(outcomes.get("404", 0), 0)

    def test_low_traffic_is_a_request_now_and_then(self):
        self.deploy("v1")
        self.wait_until_up()
        self.assertLess(self.load(duration=3, mode="low")["requests"], 20)

    def test_stop_ends_it(self):
        self.deploy("v1")
        self.wait_until_up()
        subprocess.run([self.folder / "stop"], check=True)
        with self.assertRaises(OSError):
            self.get("/api/health")


if __name__ == "__main__":
    unittest.main()
