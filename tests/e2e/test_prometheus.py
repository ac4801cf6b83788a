#!/usr/bin/env python3
"""Debian's Prometheus scrapes rollbackd."""

import json
import subprocess
import unittest
import urllib.parse

from world import World, free_port

AT_LEAST = """rollbackd_build_info rollbackd_probe_up rollbackd_probe_duration_seconds_bucket rollbackd_signal_value
rollbackd_rule_verdict rollbackd_rule_sustain_ratio rollbackd_service_state
rollbackd_rollback_ready rollbackd_loop_lag_seconds rollbackd_config_last_reload_successful""".split()


class Prometheus(World):
    def test_promtool_accepts_the_page(self):
        self.good_shop_under_watch()
        page = self.http("/metrics")[1]
        done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_prometheus_scrapes_it(self):
        self.good_shop_under_watch()
        port = free_port()
        config = self.folder / "prometheus.yml"
        config.write_text(f"""
global: {{ scrape_interval: 1s }}
scrape_configs:
  - job_name: rollbackd
    static_configs: [{{ targets: ["127.0.0.1:{self.listen}"] }}]
""")
        with (self.folder / "prometheus.log").open("wb") as log:
            self.processes.append(subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                 f"--storage.tsdb.path={self.folder}/prometheus"], stdout=log, stderr=log))

        def query(text):
            code, body = self.http("/api/v1/query?query=" + urllib.parse.quote(text), port)
            return json.loads(body)["data"]["result"] if code == 200 else []

        up = self.wait_for("Prometheus has scraped it", lambda: [one for one in query('up{job="rollbackd"}') if one["value"][1] == "1"], 60)
        self.assertEqual(len(up), 1)
        for name in AT_LEAST:
            self.assertTrue(query(name), f"{name} is not there")
        # On a busy machine one poll may be late, which is unknown.
        for series in ('rollbackd_probe_up{probe="health"}', 'rollbackd_rule_verdict{rule="errors",verdict="good"}'):
            self.wait_for(f"{series} is 1", lambda: query(series)[0]["value"][1] == "1", 20)


if __name__ == "__main__":
    unittest.main()
