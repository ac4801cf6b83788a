#!/usr/bin/env python3
"""The compose driver with a real Docker engine and both generations of Compose: releases are images, deployed as people do it.

One engine for all, in a network of its own, which this process enters as well: published ports answer there.
"""

import json
import os
import shutil
import signal
import socket
import time
import unittest

import machine
from another import Another
from compose_shop import AT_ONCE, BUILT, CHECKED, Engine, PROJECT, Project, STRANGER, pipe
from watched import free_port, wait_until


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.end)

    def bad_deploy_is_rolled_back(self, generation):
        shop = Project(self, generation)
        first = shop.watched("v1")
        second = shop.deployed("v2")
        shop.rollbackd("deploy", "good", second)
        database = shop.container("db")
        shop.deployed("bad")
        files = [(file, file.read_text()) for file in (shop.dir / ".env", shop.dir / "docker-compose.yml")]
        shop.sicken()
        closed = shop.closed()
        report = shop.report(closed)
        self.assertEqual(closed["outcome"], "recovered", report)
        self.assertEqual(len(shop.incidents()), 1)
        self.assertEqual(report.count("`switch last-good`"), 1, report)
        self.assertEqual((shop.says(), shop.runs()), ("v2", (self.engine.image("shop:v2"), "true")))
        self.assertEqual(shop.service()["revision"], second)
        self.assertNotEqual(first, second)
        self.assertEqual(shop.container("db"), database)
        self.assertEqual([(file, file.read_text()) for file, _ in files], files)
        self.assertIn("docker compose up would bring it back", report)
        if os.environ.get("KEEP"):
            print(report)
        self.assertTrue(any(one.name.startswith("compose-logs") for one in shop.evidence(closed).iterdir()))
        return report

    def test_a_bad_deploy_is_rolled_back_by_compose_2(self):
        self.bad_deploy_is_rolled_back("second")

    def test_a_bad_deploy_is_rolled_back_by_compose_1(self):
        self.bad_deploy_is_rolled_back("first")

    def is_left_alone(self, shop, stop, start):
        def cause():
            return json.loads(shop.rollbackd("status", "--json").stdout)["rules"]["down"].get("cause")
        stop()
        shop.wait_for("it is seen that somebody did", lambda: cause() == "deploying")
        time.sleep(8)
        self.assertEqual(shop.incidents(), [])
        start()
        shop.wait_for("it is judged again", lambda: shop.says() == "v2" and cause() is None)
        self.assertEqual(shop.incidents(), [])

    def test_what_somebody_stops_or_removes_is_left_alone(self):
        """For the longest of what Docker needs: what does not catch TERM is killed."""
        shop = Project(self, "second", text=PROJECT.replace("    stop_signal", "    restart: unless-stopped\n    stop_signal"))
        shop.watched("v1")
        shop.deployed("v2")
        self.is_left_alone(shop, lambda: shop.compose("stop"), lambda: shop.compose("start"))
        self.is_left_alone(shop, lambda: shop.compose("down"), lambda: shop.compose("up", "-d"))

    def test_what_is_killed_from_outside_is_rolled_back(self):
        shop = Project(self, "second")
        shop.watched("v1")
        shop.deployed("v2")
        process = self.engine.docker("inspect", "-f", "{{.State.Pid}}", shop.container()).stdout.decode().strip()
        os.kill(int(process), signal.SIGKILL)
        closed = shop.closed()
        self.assertEqual((closed["outcome"], shop.says()), ("recovered", "v1"), shop.report(closed))

    def what_shares_the_network_goes_along(self, generation):
        """What users come through is in the network of the service: it would be cut off."""
        proxy = '  proxy:\n    image: "shop:v3"\n    command: [sleep, "86400"]\n    stop_signal: SIGKILL\n    network_mode: "service:web"\n'
        anew = ("--force-recreate",) if generation == "first" else ()  # Compose 1 leaves it behind by itself
        shop = Project(self, generation, text=PROJECT.replace("  db:\n", proxy + "  db:\n", 1), start=("up", "-d", *anew))
        first = shop.watched("v1")
        shop.deployed("v2")
        database, image = shop.container("db"), shop.runs("proxy")
        self.assertEqual(shop.joined("proxy"), shop.container())
        closed, report = shop.go_back(first)
        self.assertEqual((closed["outcome"], shop.says()), ("recovered", "v1"), report)
        self.assertEqual(shop.joined("proxy"), shop.container(), report)
        self.assertEqual((shop.runs("proxy"), shop.container("db")), (image, database))
        self.assertIn("proxy shares the network", report)
        served = self.engine.docker("exec", shop.container("proxy"), "cat", "/proc/net/tcp", "/proc/net/tcp6").stdout.decode()
        self.assertIn(":1F90 ", served)  # port 8080

    def test_what_shares_the_network_of_a_service_goes_along_by_compose_2(self):
        self.what_shares_the_network_goes_along("second")

    def test_what_shares_the_network_of_a_service_goes_along_by_compose_1(self):
        self.what_shares_the_network_goes_along("first")

    def test_a_target_whose_image_is_gone_is_told_and_not_tried(self):
        shop = Project(self, "second")
        self.engine.make_image("gone")
        first = shop.watched("gone")
        shop.deployed("v2")
        shop.wait_for("a rollback could be done", lambda: shop.service().get("rollback_ready"))
        container = shop.container()
        self.engine.docker("image", "rm", "-f", "shop:gone", f"rollbackd/{shop.name}-web:{first}")
        shop.wait_for("no rollback could be done", lambda: shop.service().get("rollback_ready") is False)
        shop.wait_for("people are told", lambda: "is gone from this host" in json.dumps(shop.people.told))
        done = shop.rollbackd("rollback", "web", "--to", first, "--reason", "test", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual((shop.container(), shop.says()), (container, "v2"))

    def what_ran_is_put_back(self, generation):
        shop = Project(self, generation)
        first = shop.watched("v1")
        other = free_port()
        second = shop.deployed("v2", PORT=other)
        taken = socket.create_server(("127.0.0.1", shop.port))  # the port that v1 had is somebody else's meanwhile
        self.addCleanup(taken.close)
        shop.port = other
        closed, report = shop.go_back(first)
        self.assertEqual(closed["outcome"], "action_failed", report)
        self.assertIn(f"{second} was put back and runs again", report)
        self.assertEqual((shop.says(), shop.runs()), ("v2", (self.engine.image("shop:v2"), "true")))

    def test_what_ran_is_put_back_when_up_fails_after_it_was_removed_by_compose_2(self):
        self.what_ran_is_put_back("second")

    def test_what_ran_is_put_back_when_up_fails_after_it_was_removed_by_compose_1(self):
        self.what_ran_is_put_back("first")

    def test_a_switch_that_says_success_while_the_old_one_runs_has_failed(self):
        shop = Project(self, "second", more='compose = ["{folder}/tool", "compose"]')
        shop.tool('case " $* " in *" up "*) exit 0 ;; esac')
        first = shop.watched("v1")
        second = shop.deployed("v2")
        closed, report = shop.go_back(first)
        self.assertEqual(closed["outcome"], "action_failed", report)
        self.assertIn(f"Compose reported success, but {second} runs, not {first}", report)

    def test_a_health_check_that_takes_long_is_waited_for(self):
        shop = Project(self, "second", text=CHECKED)
        first = shop.watched("slow")
        shop.deployed("v2")
        began = time.monotonic()
        closed, report = shop.go_back(first)
        self.assertEqual(closed["outcome"], "recovered", report)
        self.assertGreater(time.monotonic() - began, 3)
        self.assertEqual(shop.says(), "slow")

    def test_another_name_two_files_and_a_profile(self):
        shop = Project(self, "second", options=("-p", "live", "-f", "base.yml", "-f", "more.yml", "--profile", "all"),
                       more='file = ["base.yml", "more.yml"]\nprofiles = ["all"]\ncompose_service = ["web", "worker"]')
        (shop.dir / "docker-compose.yml").rename(shop.dir / "base.yml")
        (shop.dir / "more.yml").write_text('services:\n  web:\n    environment: {MORE: "yes"}\n  worker:\n    image: "shop:${TAG}"\n'
                                           '    stop_signal: SIGKILL\n    profiles: [all]\n    scale: 2\n')
        first = shop.watched("v1")
        shop.deployed("v2")
        database = shop.container("db")
        closed, report = shop.go_back("v1")
        self.assertEqual((closed["outcome"], closed["to"]), ("recovered", first), report)
        self.assertEqual(len(shop.container("worker")), 2)
        self.assertEqual((shop.says(), shop.container("db")), ("v1", database))

    def test_images_that_were_built_here_without_a_name(self):
        shop = Project(self, "first", text=BUILT, both=True, start=("up", "-d", "--build"))
        (shop.dir / "Dockerfile").write_text("FROM shop:v1\nCOPY release /release\nCOPY release /www/release\n")
        revisions = []
        for release in ("one", "two"):
            (shop.dir / "release").write_text(release)
            shop.deploy("none")
            if not revisions:
                shop.start()
            image = shop.runs()[0]
            revisions.append(shop.wait_for("the build is known", lambda: shop.is_known(image)))
        self.engine.docker("image", "prune", "-f")  # which takes what no name keeps
        closed, report = shop.go_back(revisions[0])
        self.assertEqual((closed["outcome"], shop.says()), ("recovered", "one"), report)

    def test_a_watcher_killed_in_the_middle_switches_once(self):
        shop = Project(self, "second", more='compose = ["{folder}/tool", "compose"]')
        shop.tool(f'case " $* " in *" up "*) echo up >>{shop.folder}/ups; read go <{shop.folder}/go ;; esac')
        go = pipe(shop.folder / "go")
        first = shop.watched("v1")
        shop.deployed("bad")
        shop.sicken()
        shop.wait_for("the switch is at work", (shop.folder / "ups").exists)
        shop.watcher.kill()
        shop.watcher.wait()
        shop.start()
        time.sleep(1)  # nothing is done meanwhile
        os.write(go, b"go\n")
        closed = shop.closed()
        report = shop.report(closed)
        self.assertEqual((shop.says(), (shop.folder / "ups").read_text()), ("v1", "up\n"), report)
        self.assertEqual(shop.wait_for("what runs is known", lambda: shop.service().get("revision")), first)
        self.assertEqual(len(shop.incidents()), 1)

    def test_what_somebody_stops_while_a_switch_waits_is_not_started_against_him(self):
        text = CHECKED.replace("interval: 500ms", "interval: 6s").replace("    stop_signal", "    restart: unless-stopped\n    stop_signal", 1)
        self.assertIn("interval: 6s", text)
        shop = Project(self, "second", text=text)
        shop.watched("v1")
        good = shop.deployed("v2")
        shop.rollbackd("deploy", "good", good)
        shop.deployed("bad")
        bad = shop.container()
        shop.sicken()
        shop.wait_for("the switch waits", lambda: shop.says() == "v2" and shop.container() != bad)
        shop.compose("stop", "web")
        closed = shop.closed()
        report = shop.report(closed)
        self.assertEqual((closed["outcome"], shop.runs()), ("action_failed", (self.engine.image("shop:v2"), "false")), report)
        self.assertIn("nothing was put back or started against that", report)

    def test_a_good_deploy_stays(self):
        shop = Project(self, "second")
        shop.watched("v1")
        shop.deployed("v2")
        self.assertFalse(wait_until(shop.incidents, 8))
        self.assertEqual((shop.says(), shop.runs()), ("v2", (self.engine.image("shop:v2"), "true")))

    def test_a_switch_that_hangs_is_ended(self):
        shop = Project(self, "second", more='compose = ["{folder}/tool", "compose"]\nup_timeout = "4s"')
        shop.tool(f'case " $* " in *" up "*) [ -e {shop.folder}/hung ] || {{ touch {shop.folder}/hung; exec tail -f /dev/null; }} ;; esac')
        first = shop.watched("v1")
        shop.deployed("v2")
        closed, report = shop.go_back(first)
        self.assertEqual(closed["outcome"], "action_failed", report)
        self.assertIn("took longer than", report)
        self.assertEqual((shop.says(), shop.runs()), ("v2", (self.engine.image("shop:v2"), "true")))

    def test_a_deployment_in_the_middle_of_a_switch_is_seen(self):
        shop = Project(self, "second", more='compose = ["{folder}/tool", "compose"]')
        shop.tool(f'case " $* " in *" up "*) echo up >>{shop.folder}/ups; read go <{shop.folder}/go; exit 1 ;; esac')
        go = pipe(shop.folder / "go")
        shop.watched("v1")
        shop.deployed("bad")
        shop.sicken()
        shop.wait_for("the switch is at work", (shop.folder / "ups").exists)
        shop.settings("v2")
        shop.compose("up", "-d")
        os.write(go, b"go\ngo\n")
        closed = shop.closed()
        report = shop.report(closed)
        self.assertIn(closed["outcome"], ("superseded", "wrong_revision", "action_failed"), report)
        self.assertEqual((shop.says(), shop.runs()), ("v2", (self.engine.image("shop:v2"), "true")), report)

    def test_somebodys_own_up_in_the_middle_of_a_switch_does_not_end_it(self):
        """Whoever sees the alarm types it: the second of two that make the same container anew fails."""
        shop = Project(self, "second", more='compose = ["{folder}/tool", "compose"]')
        removing = "Error response from daemon: removal of container 6f2e is already in progress"
        shop.tool(f'case " $* " in *" up "*) echo up >>{shop.folder}/ups; [ -e {shop.folder}/went ] || {{ touch {shop.folder}/went; '
                  f'read go <{shop.folder}/go; echo "{removing}" >&2; exit 1; }} ;; esac')
        go = pipe(shop.folder / "go")
        shop.watched("v1")
        shop.deployed("bad")
        bad = shop.container()
        shop.sicken()
        shop.wait_for("the switch is at work", (shop.folder / "ups").exists)
        shop.compose("up", "-d", "--force-recreate")
        self.assertNotEqual(shop.container(), bad)
        os.write(go, b"go\n")
        closed = shop.closed()
        report = shop.report(closed)
        self.assertEqual((closed["outcome"], shop.says()), ("recovered", "v1"), report)
        self.assertEqual(report.count("`switch last-good`"), 1, report)
        self.assertEqual((shop.folder / "ups").read_text(), "up\nup\n")

    def test_a_second_watcher_of_the_host_switches_nothing_more(self):
        shop = Project(self, "second", more='compose = ["{folder}/tool", "compose"]')
        shop.tool(f'case " $* " in *" up "*) echo up >>{shop.folder}/ups ;; esac')
        first = shop.watched("v1")
        another = Another(self, shop.config, shop.folder, shop.listen, shop.environment())
        shop.wait_for("the other one knows what runs", lambda: another.revision() == first)
        shop.wait_for("it sees all as good", another.sees_all_well)
        bad = shop.deployed("bad")
        shop.wait_for("the other one as well", lambda: another.revision() == bad)
        shop.sicken()
        another.one_acts(shop.incidents, 180)
        self.assertEqual((shop.says(), (shop.folder / "ups").read_text()), ("v1", "up\n"))

    def test_kept_files_are_restored_and_what_they_had_is_put_aside(self):
        shop = Project(self, "second", more='keep = [".env"]\nrestore = "files"')
        first = shop.watched("v1", COLOUR="red")
        settings = (shop.dir / ".env").read_text()
        shop.deployed("v2", COLOUR="green")
        left = (shop.dir / ".env").read_text()
        closed, report = shop.go_back(first)
        self.assertEqual((closed["outcome"], shop.says()), ("recovered", "v1"), report)
        self.assertEqual((shop.dir / ".env").read_text(), settings)
        self.assertEqual((shop.folder / "state" / "compose" / "web.aside..env").read_text(), left)
        self.assertIn("web.aside..env", report)

    def test_a_kept_file_that_is_gone_is_brought_back(self):
        shop = Project(self, "second", more='keep = [".env"]\nrestore = "files"')
        first = shop.watched("v1", COLOUR="red")
        settings = (shop.dir / ".env").read_text()
        shop.deployed("v2", COLOUR="green")
        (shop.dir / ".env").unlink()
        closed, report = shop.go_back(first)
        self.assertEqual((closed["outcome"], shop.says()), ("recovered", "v1"), report)
        self.assertEqual((shop.dir / ".env").read_text(), settings)

    def test_the_owner_of_the_project_runs_compose_and_keeps_his_files(self):
        shop = Project(self, "second", more='keep = [".env"]\nrestore = "files"')
        shop.settings("v1")
        for path in (shop.dir, *shop.dir.iterdir()):
            shutil.chown(path, STRANGER)
        first = shop.watched("v1")
        self.assertIn(f"docker runs as {STRANGER}", shop.rollbackd("check").stdout)
        shop.deployed("v2")
        closed, report = shop.go_back(first)
        self.assertEqual((closed["outcome"], shop.says()), ("recovered", "v1"), report)
        self.assertIn("TAG=v1", (shop.dir / ".env").read_text())
        self.assertEqual((shop.dir / ".env").owner(), STRANGER)


if __name__ == "__main__":
    machine.main_beside_each_other(Compose, AT_ONCE)
