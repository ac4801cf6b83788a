"""What the runbook of a pinned tag says of its four triggers and of who is called when, whatever the tag is pinned in."""

import socketserver
import threading

from world import free_port


class FourTriggers:
    """Of a runbook whose `goes_bad` deploys a release, waits for the end of its incident and holds that to the rule."""

    by_then = ""  # what a person has to do until it is looked at again

    def make_application(self):
        self.database = socketserver.TCPServer(("127.0.0.1", free_port()), socketserver.BaseRequestHandler)
        threading.Thread(target=self.database.serve_forever, daemon=True).start()
        self.addCleanup(self.database.server_close)
        self.settings = {"database": self.database.server_address[1]}
        super().make_application()

    def test_errors_and_half_an_hour_later(self):
        incident = self.goes_bad("errors", "errors")
        self.wait_for("half an hour later it is looked again", lambda: not self.service()["later"], 20)
        self.wait_for("and told", lambda: self.by_then in self.told_at("slack-url")[-1], 10)
        self.assert_told("slack-url", "Pages fail.", "https://wiki.example.com/shop/rollback", "https://status.example.com", "recovered")
        self.assertEqual(self.told_at("slack-url-manager"), [])
        self.assertIn(self.by_then, self.report_of(incident)[0])

    def test_slow(self):
        self.goes_bad("slow", "slow")
        self.assert_told("slack-url", "Pages take long.")

    def test_memory(self):
        self.goes_bad("memory", "memory")
        self.assert_told("slack-url", "killed for want of memory")

    def test_down(self):
        self.goes_bad("crash", "down", "P0")
        self.assert_told("slack-url", "Nobody can buy anything.")

    def test_what_no_release_cures_calls_the_lead_and_then_the_manager(self):
        self.good_shop_under_watch()
        self.deploy_marked("v2")
        self.wait_for("v2 is judged", lambda: self.status()["rules"]["down"]["verdict"] == "good" and self.revision("v2"), 20)
        self.database.shutdown()  # whatever runs
        self.database.server_close()
        self.wait_for("the team is told", lambda: self.told_at("slack-url"), 30)
        self.wait_for("the lead is called", lambda: self.told_at("slack-url-lead"), 30)
        self.assertEqual(self.told_at("slack-url-manager"), [])
        self.wait_for("the manager is called", lambda: self.told_at("slack-url-manager"), 60)
        for secret in ("slack-url", "slack-url-lead", "slack-url-manager"):
            self.assert_told(secret, "Nobody can buy anything.")
        self.assertEqual(len([one for one in self.incidents() if one["to"]]), 1, self.incidents())
