#!/usr/bin/env python3
"""A service with two drivers, compose and http: images of a real Docker engine, and a workflow that has them from a registry."""

import unittest

from compose_shop import PROJECT, WATCHER, Engine, Project
from github import TOKEN, WORKFLOW, GitHub
from watched import write_config

HTTP = """
[service.web.http]
version      = "http://127.0.0.1:{port}/release"
dispatch     = "POST {api}{workflow}/dispatches"
header       = {{ Authorization = {{ env = "CI_TOKEN" }} }}
body.json    = {{ ref = "main", inputs = {{ revision = "{{to}}", id = "{{id}}" }} }}
runs         = "{api}{workflow}/runs?event=workflow_dispatch&created=%3E%3D{{since}}"
target       = "{api}/repos/example/shop/commits/{{to}}"
poll_interval  = "300ms"
appears_within = "5s"
version_within = "10s"
"""


class Both(Project):
    def configure(self):
        self.github = GitHub(self.workflow, {"old", "v1", "v2", "bad"})
        self.test.addCleanup(self.github.server_close)
        self.test.addCleanup(self.github.shutdown)
        text = WATCHER.format(folder=self.folder, listen=self.listen, port=self.port, people=self.people.port, dir=self.dir, more="")
        self.test.assertIn('driver = "compose"', text)
        text = text.replace('driver = "compose"', 'driver = ["compose", "http"]')
        write_config(self.config, text + HTTP.format(port=self.port, api=self.github.url, workflow=WORKFLOW))
        self.registry = {}

    def environment(self):
        return {**super().environment(), "CI_TOKEN": f"Bearer {TOKEN}"}

    def workflow(self, tag):
        """Has the image from the registry, as it was, and deploys it."""
        if tag in self.registry:
            self.engine.docker("load", input=self.registry[tag])
        self.settings(tag)
        self.compose(*self.start_words)

    def push(self, tag):
        self.registry[tag] = self.engine.docker("save", f"shop:{tag}").stdout

    def names(self):
        file = self.folder / "state" / "drivers" / "web.json"
        return file.read_text() if file.exists() else ""

    def ready(self):
        return {one["driver"]: one["ready"] for one in self.service().get("drivers", [])}

    def watched(self, tag, **more):
        revision = super().watched(tag, **more)
        self.wait_for("what the workflow calls it is known", lambda: f'"{tag}"' in self.names())
        return revision


class ComposeAndHttp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.end)

    def both(self):
        return Both(self, "second", text=PROJECT)

    def test_images_that_are_there_are_gone_back_to_by_compose(self):
        shop = self.both()
        first = shop.watched("v1")
        shop.deployed("bad")
        shop.wait_for("each could switch", lambda: shop.ready() == {"compose": True, "http": True})
        shop.sicken()
        closed = shop.closed()
        report = shop.report(closed)
        self.assertEqual((closed["outcome"], closed["to"], shop.says(), shop.github.dispatched), ("recovered", first, "v1", []), report)
        self.assertIn("by compose", report)
        self.assertTrue(any(one.name.startswith("compose-logs") for one in shop.evidence(closed).iterdir()))

    def test_an_image_that_is_gone_is_brought_by_the_workflow(self):
        shop = self.both()
        self.engine.make_image("old")
        shop.push("old")
        first = shop.watched("old")
        shop.deployed("bad")
        self.engine.docker("image", "rm", "-f", "shop:old", f"rollbackd/{shop.name}-web:{first}")
        shop.wait_for("compose could not", lambda: shop.ready() == {"compose": False, "http": True})
        shop.told("fault", "would be rolled back by http only", "is gone from this host")
        self.assertTrue(shop.service()["rollback_ready"])
        shop.sicken()
        closed = shop.closed()
        report = shop.report(closed)
        # Verified by the one that says what runs: the very image, with the settings that it had.
        self.assertEqual((closed["outcome"], closed["to"], shop.says()), ("recovered", first, "old"), report)
        self.assertEqual([one["revision"] for one in shop.github.dispatched], ["old"])
        self.assertIn("by http, since compose: ", report)
        self.assertIn("runs/1000", report)
        self.assertEqual(len(shop.incidents()), 1)
        # Of what was taken away the other one has told, too.
        self.assertTrue(any(one.name.startswith("compose-logs") for one in shop.evidence(closed).iterdir()))


if __name__ == "__main__":
    unittest.main()
