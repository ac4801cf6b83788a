"""A second watcher of the same host, with a configuration like that of the first."""

import json
import subprocess

from world import ROLLBACKD  # says where the next one is
from watched import free_port, wait_until, write_config


class Another:
    def __init__(self, test, config, folder, listen, environment):
        """Runs until the test is over. `listen` is the port of the first."""
        self.config, self.environment, self.test = folder / "other.toml", environment, test
        text = config.read_text().replace(f"{folder}/state", f"{folder}/other-state").replace(f"{folder}/control", f"{folder}/other-control")
        write_config(self.config, text.replace(str(listen), str(free_port())))
        log = (folder / "other.log").open("wb")
        self.process = subprocess.Popen([ROLLBACKD, "run", "--config", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True, env=environment)
        log.close()
        test.addCleanup(self.end)

    def end(self):
        self.process.terminate()
        self.process.wait(30)

    def ask(self, *words):
        done = subprocess.run([ROLLBACKD, *words, "--json", "--config", self.config], capture_output=True, text=True, env=self.environment, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def revision(self):
        return next(iter(self.ask("status").get("services", {}).values()), {}).get("revision")

    def sees_all_well(self):
        rules = self.ask("status").get("rules", {})
        return rules and all(one["verdict"] == "good" for one in rules.values())

    def outcomes(self):
        return [one["outcome"] for one in self.ask("incidents").get("incidents", [])]

    def one_acts(self, incidents, seconds=150):
        """Whichever was first has acted, and the other one seen that: before its own rules fired, or while it waited for the host.

        Then it finds that another revision runs, or that what fired is good again, whichever it sees first.
        """
        def outcomes():
            return [one["outcome"] for one in incidents()] + self.outcomes()

        def are_over():
            seen = outcomes()
            return "recovered" in seen and None not in seen and seen
        ended = wait_until(are_over, seconds)
        self.test.assertTrue(ended, outcomes())
        self.test.assertEqual(sorted({*ended} - {"superseded", "cleared"}), ["recovered"])
