#!/usr/bin/env python3
"""Each type of notifier against what it speaks to: Alertmanager itself, a mail server with TLS, and servers that take and
refuse what PagerDuty, Discord and Teams do."""

import base64
import contextlib
import email
import email.policy
import http.server
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import urllib.request

from world import ROLLBACKD, World
from watched import free_port, write_config


class Service(http.server.ThreadingHTTPServer):
    """Answers 202 to what `is_fine` takes, 400 with the reason to the rest."""

    def __init__(self, is_fine):
        super().__init__(("127.0.0.1", 0), Service.Handler)
        self.is_fine, self.taken, self.refused = is_fine, [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                message = json.loads(body)
                self.server.is_fine(message)
                self.server.taken.append(message)
                code, answer = 202, b'{"status":"success"}'
            except (AssertionError, KeyError, TypeError, ValueError) as error:
                self.server.refused.append((body, repr(error)))
                code, answer = 400, repr(error).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    @property
    def port(self):
        return self.server_address[1]


def pagerduty_takes(event):
    assert event["routing_key"] == "R0UT1NG", "Invalid routing key"
    assert event["event_action"] in ("trigger", "acknowledge", "resolve")
    assert 0 < len(event["dedup_key"]) <= 255
    payload = event["payload"]
    assert 0 < len(payload["summary"]) <= 1024 and payload["source"]
    assert payload["severity"] in ("critical", "error", "warning", "info")
    assert all(link["href"].startswith("http") for link in event.get("links", []))


def discord_takes(message):
    embeds = message.get("embeds", [])
    assert message.get("content") or embeds, "Cannot send an empty message"
    assert len(message.get("content", "")) <= 2000 and len(embeds) <= 10
    assert message["allowed_mentions"] == {"parse": []}
    for embed in embeds:
        fields = embed.get("fields", [])
        assert len(embed["title"]) <= 256 and len(embed.get("description", "")) <= 4096 and len(fields) <= 25
        assert all(0 < len(field["name"]) <= 256 and 0 < len(field["value"]) <= 1024 for field in fields)
        text = [embed["title"], embed.get("description", ""), embed["footer"]["text"]]
        assert sum(map(len, text + [field["name"] + field["value"] for field in fields])) <= 6000


def teams_takes(message):
    assert message["type"] == "message" and len(json.dumps(message)) < 28 * 1024
    for attachment in message["attachments"]:
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        card = attachment["content"]
        assert card["type"] == "AdaptiveCard" and card["version"] and card["body"]
        assert all(block["type"] in ("TextBlock", "FactSet") for block in card["body"])


SERVICES = """
[notify.pages]
type = "pagerduty"
url = "http://127.0.0.1:{pagerduty}/v2/enqueue"
routing_key = {{ file = "{folder}/routing-key" }}
[notify.chat]
type = "discord"
url = "http://127.0.0.1:{discord}/api/webhooks/1/x"
[notify.office]
type = "teams"
url = "http://127.0.0.1:{teams}/workflows/x"
[notify.alerts]
type = "alertmanager"
url = "http://127.0.0.1:{alertmanager}"
"""


class AlertsInAnIncident(World):
    """A whole incident, from the bad release to the good one, as each of them hears of it."""

    def alertmanager(self):
        port = free_port()
        config = self.folder / "alertmanager.yml"
        config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        with (self.folder / "alertmanager.log").open("wb") as log:
            self.processes.append(subprocess.Popen(
                ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={self.folder}/alertmanager",
                 f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], stdout=log, stderr=log))
        self.wait_for("Alertmanager is ready", lambda: self.http("/-/ready", port)[0] == 200, 30)
        return port

    def alerts(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=10) as answer:
            return [alert for alert in json.load(answer) if alert["labels"]["alertname"] == "RollbackdIncident"]

    @unittest.skipUnless(shutil.which("prometheus-alertmanager"), "needs prometheus-alertmanager")
    def test_an_incident_begins_and_ends_for_all_of_them(self):
        with contextlib.ExitStack() as running:
            pagerduty, discord, teams = (running.enter_context(Service(takes))
                                         for takes in (pagerduty_takes, discord_takes, teams_takes))
            for service in (pagerduty, discord, teams):
                running.callback(service.shutdown)
            alertmanager = self.alertmanager()
            key = self.folder / "routing-key"
            key.touch(0o600)
            key.write_text("R0UT1NG\n")
            self.configure(more=SERVICES.format(pagerduty=pagerduty.port, discord=discord.port, teams=teams.port,
                                                alertmanager=alertmanager, folder=self.folder))
            self.good_shop_under_watch()
            self.deploy("errors")
            active = self.wait_for("the alert", lambda: self.alerts(alertmanager), 60)
            self.assertEqual({alert["labels"]["service"] for alert in active}, {"shop"})
            self.assertEqual(len(active), 1)
            self.people_hear("completed", "recovered", seconds=90)
            self.wait_for("it is resolved", lambda: not self.alerts(alertmanager), 30)
            self.wait_for("PagerDuty's is resolved",
                          lambda: [event for event in pagerduty.taken if event["event_action"] == "resolve"], 30)
            self.assertEqual(pagerduty.taken[0]["event_action"], "trigger")
            self.assertEqual(len({event["dedup_key"] for event in pagerduty.taken}), 1)
            self.wait_for("all have heard", lambda: len(discord.taken) >= 2 and len(teams.taken) >= 2, 30)
            self.assertEqual([], pagerduty.refused + discord.refused + teams.refused)
        self.assertNotIn("R0UT1NG", self.log.read_text() + self.cli("check", "--expand").stdout)


class MailServer:
    """Speaks SMTP with STARTTLS; logins are ops / s3cret. What it took is in `mails`."""

    def __init__(self, certificate, offers_tls=True, refuses=None, gone=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.offers_tls, self.refuses, self.gone = offers_tls, refuses, gone
        self.mails, self.logins = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
            lines, is_safe, mail = self.opened(opened, connection), False, {"to": []}
            connection.sendall(b"220 mail\r\n")
            while line := lines.readline():
                word = line.decode().strip()
                verb = word.upper()
                if verb.startswith("EHLO"):
                    offers = b"250-mail\r\n" + (b"250-STARTTLS\r\n" if self.offers_tls and not is_safe else b"")
                    connection.sendall(offers + b"250 AUTH PLAIN\r\n")
                elif verb == "STARTTLS":
                    connection.sendall(b"220 go on\r\n")
                    connection = self.context.wrap_socket(connection, server_side=True)
                    lines, is_safe = self.opened(opened, connection), True
                elif verb.startswith("AUTH PLAIN"):
                    given = word.split()[2:] or [self.ask(connection, lines)]
                    self.logins.append((base64.b64decode(given[0]).split(b"\0")[1:], is_safe))
                    is_right = self.logins[-1][0] == [b"ops", b"s3cret"]
                    connection.sendall(b"235 welcome\r\n" if is_right else b"535 no\r\n")
                elif verb.startswith("MAIL FROM"):
                    mail["from"], mail["safe"] = word[10:].split()[0], is_safe
                    connection.sendall(self.refuses or b"250 ok\r\n")
                elif verb.startswith("RCPT TO"):
                    is_gone = self.gone and self.gone in word
                    mail["to"] += [] if is_gone else [word[8:]]
                    connection.sendall(b"550 no such mailbox\r\n" if is_gone else b"250 ok\r\n")
                elif verb == "DATA":
                    connection.sendall(b"354 go\r\n")
                    data = b""
                    while (part := lines.readline()) != b".\r\n":
                        data += part
                    self.mails.append({**mail, "data": data})
                    connection.sendall(b"250 taken\r\n")
                else:
                    connection.sendall(b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n")

    @staticmethod
    def opened(opened, connection):
        opened.enter_context(connection)
        return opened.enter_context(connection.makefile("rb"))

    @staticmethod
    def ask(connection, lines):
        connection.sendall(b"334 \r\n")
        return lines.readline().decode().strip()

    def close(self):
        self.listener.close()


MAIL = """
[watcher]
name = "prod-1"
state_dir = "{folder}/state"
[probe.app]
type = "http"
url = "http://127.0.0.1:1/health"
[rule.down]
when = "app.up == 0"
for = "30s"
[service.app]
rollback = ["true"]
[notify.ops]
type = "email"
server = "smtp://localhost:{port}"
from = "rollbackd <rollbackd@example.com>"
to = ["ops@example.com", "lead@example.com"]
"""
LOGIN = 'user = "ops"\npassword = {{ file = "{folder}/password" }}\n'
AUTHORITIES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


class Mail(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rollbackd-mail-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.certificate = self.folder / "server.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", self.certificate, "-out", self.folder / "cert.pem"],
                       check=True, capture_output=True)
        self.certificate.write_text(self.certificate.read_text() + (self.folder / "cert.pem").read_text())
        password = self.folder / "password"
        password.touch(0o600)
        password.write_text("s3cret\n")

    def server(self, **options):
        server = MailServer(self.certificate, **options)
        self.addCleanup(server.close)
        return server

    def send(self, server, more="", trusts=True):
        config = self.folder / "rollbackd.toml"
        write_config(config, (MAIL + more).format(folder=self.folder, port=server.port))
        trust = f"mount --bind {self.folder}/cert.pem {AUTHORITIES} && " if trusts else ""
        return subprocess.run(["unshare", "-m", "sh", "-c", f'{trust}exec "$0" notify test ops --config "$1"', ROLLBACKD, config],
                              capture_output=True, text=True, timeout=60)

    def test_a_mail_is_sent_over_tls_with_a_login(self):
        server = self.server()
        sent = self.send(server, LOGIN)
        self.assertEqual((sent.returncode, sent.stdout), (0, "delivered to ops\n"), sent.stderr)
        self.assertEqual(server.logins, [([b"ops", b"s3cret"], True)])
        [mail] = server.mails
        self.assertEqual((mail["from"], mail["to"], mail["safe"]),
                         ("<rollbackd@example.com>", ["<ops@example.com>", "<lead@example.com>"], True))
        message = email.message_from_bytes(mail["data"], policy=email.policy.default)
        self.assertEqual(message["Subject"], "[P3] Test message of rollbackd on prod-1")
        self.assertIn("Nothing is wrong", message.get_content())
        self.assertTrue(message["Message-ID"].endswith("@example.com>"))
        self.assertEqual(message.defects, [])

    def test_no_mail_goes_to_whom_the_host_does_not_trust(self):
        server = self.server()
        sent = self.send(server, LOGIN, trusts=False)
        self.assertEqual(sent.returncode, 1)
        self.assertIn("is its certificate trusted by this host?", sent.stderr)
        self.assertEqual((server.logins, server.mails), ([], []))

    def test_no_mail_goes_in_the_clear_unless_that_is_said(self):
        server = self.server(offers_tls=False)
        sent = self.send(server)
        self.assertEqual(sent.returncode, 1)
        self.assertIn("offers no STARTTLS", sent.stderr)
        self.assertEqual(server.mails, [])
        self.assertEqual(self.send(server, "starttls = false\n").returncode, 0)
        self.assertEqual(len(server.mails), 1)

    def test_a_wrong_login_and_a_refusal_are_said(self):
        (self.folder / "password").write_text("wr0ng\n")
        sent = self.send(self.server(), LOGIN)
        self.assertEqual(sent.returncode, 1)
        self.assertIn("check user and password", sent.stderr)
        self.assertNotIn("wr0ng", sent.stderr)
        refused = self.send(self.server(refuses=b"550 no such sender\r\n"), "starttls = false\n")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("the server refused it with 550", refused.stderr)

    def test_an_address_that_is_gone_keeps_nobody_else_from_hearing(self):
        server = self.server(gone="lead@")
        self.assertEqual(self.send(server, "starttls = false\n").returncode, 0)
        self.assertEqual([mail["to"] for mail in server.mails], [["<ops@example.com>"]])


if __name__ == "__main__":
    unittest.main()
