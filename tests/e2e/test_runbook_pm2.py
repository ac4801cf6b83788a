#!/usr/bin/env python3
"""The runbook of pm2, queues and a cache, with a real pm2, a real Redis and a real PostgreSQL."""

import json
import pathlib
import shutil
import subprocess
import unittest

import machine
from rehearsed import Postgres, Rehearsed, put, scripts_of
from world import free_port

NPM = {"package.json": '{"name": "shop", "version": "1.0.0"}\n',
       "package-lock.json": '{"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "shop", "version": "1.0.0"}}}\n'}


class Queues(Rehearsed):
    example = "runbook-pm2.toml"

    @classmethod
    def setUpClass(cls):
        for program in ("redis-server", "redis-cli", "node", "npm"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"there is no {program}")
        made = subprocess.run([pathlib.Path(__file__).parent / "make_pm2"], capture_output=True, text=True)
        if made.returncode == 77:
            raise unittest.SkipTest(made.stderr.strip())
        cls.pm2 = pathlib.Path(made.stdout.strip()) / "node_modules" / ".bin" / "pm2"

    def files(self):
        return {**{name: text for name, text in super().files().items() if not name.startswith("scripts/")}, **NPM}

    def table(self):
        return [*super().table(), ("/opt/pm2", self.folder / "pm2"), ("/usr/local/lib/shop", self.folder / "lib"), ("6379", self.redis),
                ("5432", self.postgres.port), ("[20m]", "[3s]"),
                # How full the machine is that runs the tests is nobody's deployment.
                ("host.memory_used > 90%", "host.memory_used > 99.5%")]

    def make_application(self):
        self.folder.chmod(0o755)
        self.postgres = Postgres(self.folder)
        self.addCleanup(self.postgres.stop)
        self.postgres.start()
        self.redis = free_port()
        self.processes.append(subprocess.Popen(["redis-server", "--port", str(self.redis), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder],
                                               stdout=subprocess.DEVNULL))
        self.settings = {"database": self.postgres.port, "redis": self.redis}
        self.programs = {"pm2": f'exec {self.pm2} "$@"\n'}
        super().make_application()
        put(self.folder / "lib", {name.removeprefix("scripts/"): text for name, text in scripts_of(self.example).items()})
        self.environment.update(PM2_HOME=str(self.folder / "pm2"), PM2_DISCRETE_MODE="true")
        self.run_pm2("start", "app.py", "--name", "shop", "--interpreter", "python3", "--cwd", self.repository)

    def stop_application(self):
        subprocess.run([self.pm2, "kill"], env=self.environment, capture_output=True, timeout=60)

    def run_pm2(self, *words):
        subprocess.run([self.pm2, *words], env=self.environment, check=True, capture_output=True, timeout=60, cwd=self.repository)

    def deploy(self, tag, mark=False):
        self.checkout(tag)
        self.run_pm2("restart", "shop")

    def deployed(self, tag):
        self.good_shop_under_watch()
        self.deploy_marked(tag)

    def queue_calls(self):
        log = self.repository / "run" / "queues"
        return log.read_text().splitlines() if log.exists() else []

    def misses_of_a_day(self):
        """The cache works again after the rollback: what it missed before is no reason to say that it does not."""
        asked = "get nothing-of-that-name\n" * 20000
        subprocess.run(["redis-cli", "-p", str(self.redis)], input=asked, check=True, text=True, stdout=subprocess.DEVNULL)

    def redis_cli(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.redis), *words], check=True, capture_output=True, text=True).stdout

    def test_queues_and_cache_and_the_table_of_targets(self):
        self.good_shop_under_watch()
        self.redis_cli("set", "page:made-by-the-bad-one", "kept")
        self.misses_of_a_day()
        self.deploy_marked("errors")
        incident = self.wait_for_incident_closed(60)
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], incident["severity"], self.version()), ("recovered", "P1", "v1"), report)
        self.assert_switched_once(incident)
        steps = self.steps_of(incident)
        self.assert_in_order([step for step, _ in steps], "email/pause", "invoices/pause", "wait queues.active == 0", "switch last-good", "wait health.up == 1",
                             "flushdb", "warm-cache.sh", "email/resume", "wait", "invoices/resume", "wait")
        self.assertEqual({outcome for _, outcome in steps}, {"succeeded"}, steps)
        self.assertEqual(self.queue_calls(), ["pause email", "pause invoices", "resume email", "resume invoices"])
        self.assertEqual(self.redis_cli("get", "page:made-by-the-bad-one").strip(), "")
        self.assertEqual(self.redis_cli("get", "page:home").strip(), "kept")
        for kept in ("pm2-logs.txt", "pm2-processes.txt"):
            self.assertTrue(self.evidence(incident, kept), kept)
        self.wait_for("half an hour and a day later it is looked again", lambda: not self.service()["later"], 30)
        looked_at = json.loads(self.cli("incidents", str(incident["id"]), "--json").stdout)["later"]
        self.assertEqual([one["end"] for one in looked_at], ["holds", "holds"], looked_at)
        self.wait_for("and told", lambda: "Write the post-mortem" in "".join(self.told_at("slack-url")), 10)
        self.assert_told("slack-url", "Pages fail.", "https://wiki.example.com/shop/rollback", "after it recovered")
        self.assertEqual(self.told_at("slack-url-lead"), [])

    def test_p0_an_application_that_is_down_drains_nothing_and_is_rolled_back(self):
        self.deployed("crash")
        incident = self.wait_for_incident_closed(60)
        report = self.report_of(incident)[0]
        self.assertEqual((incident["outcome"], incident["severity"], self.version()), ("recovered", "P0", "v1"), report)
        self.assert_switched_once(incident)
        self.assertEqual(self.queue_calls(), ["resume email", "resume invoices"])
        self.assert_told("slack-url", "Nobody can buy anything.")

    def test_p2_a_person_decides(self):
        self.deployed("slow")
        self.wait_for("it asks", lambda: [one for one in self.incidents() if one["phase"] == "asking"], 40)
        asked = self.incidents()[0]
        self.assertEqual((asked["severity"], self.version(), self.queue_calls()), ("P2", "slow", []))
        self.wait_for("people are asked", lambda: f"rollbackd approve {asked['id']}" in "".join(self.told_at("slack-url")), 10)
        self.cli("approve", asked["id"])
        incident = self.wait_for_incident_closed(60)
        self.assertEqual((incident["outcome"], self.version()), ("recovered", "v1"), incident)
        self.assert_switched_once(incident)
        self.assert_told("slack-url")

    def test_p3_is_told_and_nothing_is_done(self):
        text = self.config_file.read_text()
        self.config_file.write_text(text.replace("host.memory_used > 99.5%", "host.memory_used > 1%"))
        self.good_shop_under_watch_of_full_host()
        self.wait_for("people are told", lambda: any("memory" in told for told in self.told_at("slack-url")), 40)
        self.assertEqual([(one["rule"], one["severity"], one["phase"]) for one in self.incidents()], [("memory", "P3", "telling")])
        self.assertEqual(self.queue_calls(), [])

    def good_shop_under_watch_of_full_host(self):
        self.deploy("v1")
        self.wait_until_shop_serves("v1")
        self.start_watcher()


if __name__ == "__main__":
    machine.main()
