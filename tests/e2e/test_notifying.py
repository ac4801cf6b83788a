#!/usr/bin/env python3
"""The library that messages are sent with is loaded for those who send some, and missed at the start, not in the night."""

import contextlib
import http.server
import json
import pathlib
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from world import ROLLBACKD, World
from watched import free_port, wait_until, write_config

WATCH = """
[watcher]
state_dir = "{folder}/state"
control = "{folder}/control.sock"
listen = "127.0.0.1:{port}"
[probe.app]
type = "http"
url = "http://127.0.0.1:{target}/health"
[rule.down]
when = "app.up == 0"
for = "30s"
[service.app]
rollback = ["true"]
"""
NOTIFY = """
[notify.ops]
type = "webhook"
url = "http://127.0.0.1:{target}/told"
"""


class Notifying(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rollbackd-notifying-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def argv(self, text):
        config = self.folder / "rollbackd.toml"
        write_config(config, text.format(folder=self.folder, port=free_port(), target=free_port()))
        return [ROLLBACKD, "run", "--config", config]

    def mapped(self, text):
        """Whether a watcher with this configuration has libcurl in its memory."""
        log = self.folder / "log"
        with log.open("wb") as out, subprocess.Popen(self.argv(text), stdout=out, stderr=out) as watcher:
            try:
                wait_until(lambda: "event=started" in log.read_text(), 20)
                return "libcurl" in pathlib.Path(f"/proc/{watcher.pid}/maps").read_text()
            finally:
                watcher.terminate()

    def test_only_who_notifies_loads_what_that_takes(self):
        self.assertFalse(self.mapped(WATCH))
        self.assertTrue(self.mapped(WATCH + NOTIFY))

    def test_a_library_that_is_missing_is_said_at_the_start(self):
        (self.folder / "libcurl.so.4").write_text("not a library")
        run = subprocess.run(self.argv(WATCH + NOTIFY), capture_output=True, text=True, timeout=20,
                             env={"LD_LIBRARY_PATH": str(self.folder)})
        self.assertEqual(run.returncode, 1)
        for word in ("cannot_start", "libcurl.so.4", "install libcurl4"):
            self.assertIn(word, run.stdout + run.stderr)


class Slack(http.server.ThreadingHTTPServer):
    """Takes and refuses what an incoming webhook of Slack does."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Slack.Hook)
        self.taken, self.refused = [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                message = json.loads(body)
                fine = isinstance(message["text"], str) and message["text"] and set(message) <= {"text", "blocks"}
            except (ValueError, KeyError, TypeError):
                fine = False
            (self.server.taken if fine else self.server.refused).append(message if fine else body)
            answer = b"ok" if fine else b"invalid_payload"
            self.send_response(200 if fine else 400)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass


LONG_PLAN = r"""
[notify.team]
type = "slack"
url = "http://127.0.0.1:{port}/services/T0/B0/x"
[notify.words]
type = "slack"
url = "http://127.0.0.1:{port}/services/T0/B0/y"
template = "words: {{stage}} {{title}}\n{{text}}\n{{impact}} <{{runbook}}>"
[action.rollback]
verify = {{ for = "3s" }}
[[action.rollback.step]]
notify = "team"
[[action.rollback.step]]
run = ["true"]
[[action.rollback.step]]
run = ["false"]
on_failure = "continue"
[[action.rollback.step]]
capture = "id.txt"
run = ["id"]
[[action.rollback.step]]
run = ["true"]
[[action.rollback.step]]
switch = "last-good"
[[action.rollback.step]]
wait = "health.up == 1"
for = "1s"
timeout = "30s"
[[action.rollback.step]]
notify = "team"
text = "The queue \"mail\" <is> paused."
[[action.rollback.on_success]]
run = ["true"]
[[action.rollback.on_success]]
run = ["true"]
[[action.rollback.always]]
run = ["true"]
[[action.rollback.always]]
notify = "team"
"""


class Story(World):
    def test_a_long_plan_is_two_messages_and_what_its_steps_say_besides(self):
        slack = Slack()
        self.addCleanup(slack.server_close)
        self.addCleanup(slack.shutdown)
        explained = 'impact = "Nobody can \\"buy\\"."\nrunbook = "https://wiki/errors"'
        self.configure(LONG_PLAN.format(port=slack.server_address[1]), explained)
        self.good_shop_under_watch()
        self.deploy("errors")
        self.assertEqual(self.wait_for_incident_closed()["outcome"], "recovered")
        self.wait_for("all is told", lambda: len(slack.taken) >= 5, 20)
        self.stop_watcher()
        self.assertEqual(slack.refused, [])
        words = [message["text"] for message in slack.taken if message["text"].startswith("words: ")]
        team = [message for message in slack.taken if message["text"] not in words]
        self.assertEqual([word.split()[1] for word in words], ["started", "completed"])
        self.assertIn('Nobody can "buy". <https://wiki/errors>', words[0])
        self.assertIn("Now: rolling back ", words[0])
        self.assertIn("Went wrong on the way: run false: failed", words[1])
        self.assertEqual(len(team), 3, team)
        self.assertIn(" fires: ", team[0]["text"])
        self.assertIn('The queue \\"mail\\" &lt;is&gt; paused.', json.dumps(team[1]))
        self.assertIn("recovered", team[2]["text"])
        self.assertIn("Nobody can", json.dumps(team[0]))
        self.assertEqual([told["stage"] for told in self.people.told], ["started", "completed"])


AGAIN = """
[notify.again]
type = "webhook"
url = "http://127.0.0.1:{port}/"
on = ["started"]
every = "2s"
"""


class Reminded(World):
    def test_who_is_needed_hears_it_until_he_says_that_he_knows(self):
        """In mode observe nothing is done: people hear what would have been, and again where it stands."""
        self.configure(AGAIN.format(port=self.people.port))
        self.config_file.write_text(self.config_file.read_text().replace("[watcher]", '[watcher]\nmode = "observe"', 1))
        self.good_shop_under_watch()
        self.deploy("errors")
        would = f"would have rolled back to {self.revision('v1')} by action rollback"
        self.people_hear("started", would)
        reminders = lambda: [one for one in self.people.told if one["stage"] == "late" and "Open for" in one["text"]]
        self.wait_for("it is told again", lambda: len(reminders()) >= 2, 20)
        id = self.incidents()[0]["id"]
        for part in (would, "Nothing was changed.", "Next: somebody acts: `rollbackd rollback shop`", f"rollbackd ack {id}"):
            self.assertIn(part, reminders()[-1]["text"])
        for words in (["status"], ["explain", "errors"], ["incidents", id]):
            self.assertIn("would have rolled back to", self.cli(*words).stdout)
        self.assertIn("nobody is reminded", self.cli("ack", id).stdout)
        known = len(reminders())
        time.sleep(5)
        self.assertLessEqual(len(reminders()), known + 1)


class Locked(World):
    def test_people_hear_within_a_minute_while_the_journal_is_locked(self):
        """Somebody holds the database for long: what cannot be saved is told from memory, and hardly ever twice."""
        self.good_shop_under_watch()
        lock = sqlite3.connect(self.folder / "state" / "rollbackd.db", isolation_level=None, timeout=20)
        with contextlib.closing(lock):
            lock.execute("BEGIN EXCLUSIVE")
            self.deploy("errors")
            told = self.people_hear("started", "shop", seconds=75)
            lock.execute("COMMIT")
        self.assertEqual(self.version(), "errors")
        self.wait_for_incident_closed(120)
        self.people_hear("completed", seconds=20)
        self.assertEqual(len([one for one in self.people.told if one["stage"] == "started"]), 1, told)


if __name__ == "__main__":
    unittest.main()
