#!/usr/bin/env python3
"""Under a systemd that boots, a step is ended by nobody who ends rollbackd, nor by what its unit may take: in one process and in two."""

import os
import pathlib

import booted
import machine
import test_split

CONDITIONS = """#!/bin/bash
out=/opt/shop/tool/conditions.new
{
  echo "umask $(umask)"
  echo "nice $(nice)"
  echo "cwd $(pwd)"
  echo "group $(($(ps -o pgid= -p $$) == $$))"
  id
  cat /proc/self/oom_score_adj
  grep -E 'SigBlk|SigIgn|NoNewPrivs|Seccomp|Cap' /proc/self/status
  ulimit -a -S; ulimit -a -H
  ls -l /proc/$$/fd | sed 's/.* \\([0-9]* ->\\)/\\1/; s/\\[[0-9]*\\]//'
  env | grep -vE '^(ROLLBACKD_|SHLVL|_=|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID)' | sort
} >$out 2>&1
mv $out /opt/shop/tool/conditions
"""


class Outliving:
    """What holds of both. `unit` runs the steps."""

    def step(self):
        """The switch's process."""
        return (self.app / "tool" / "waits").read_text().strip()

    def cgroup(self, process):
        text = self.inside("cat", f"/proc/{process}/cgroup").stdout
        return next(line for line in text.splitlines() if line.startswith(("0::", "1:name=systemd:")) or ":name=systemd:" in line)

    def ends_well(self, go):
        os.write(go, b"go\n")
        closed = self.closed()
        self.assertEqual((closed["outcome"], self.switches()), ("recovered", ["t1"]), self.report(closed))

    def gone(self, unit):
        return not self.inside("systemctl", "list-units", "--plain", "--no-legend", f"{unit}*").stdout.strip()

    def test_a_step_is_a_unit_of_its_own_until_it_has_ended(self):
        go = self.tool_at_work()
        step = self.step()
        scope = f"rollbackd-step-{step}.scope"
        self.wait_for("it is there", lambda: self.cgroup(step).endswith("/" + scope), 20)
        said = self.show("Description", scope)
        self.assertIn("/opt/shop/tool/switch", said)
        self.assertNotIn("t1", said)
        for unit in ("rollbackd", self.unit):
            self.assertNotIn(f"─{step} ", self.inside("systemctl", "status", "--no-pager", unit).stdout)  # times have digits, too
        self.ends_well(go)
        self.wait_for("systemd has forgotten it", lambda: self.gone("rollbackd-step-"), 20)
        self.assertNotIn("step_scope", self.journal())

    def test_whoever_kills_all_of_the_unit_leaves_a_step_at_work(self):
        go = self.tool_at_work()
        for signal in ("TERM", "KILL"):
            before = self.show("MainPID", self.unit)
            self.inside("systemctl", "kill", "-s", signal, self.unit)
            if signal == "TERM":
                self.wait_for("it has heard that", lambda: "event=stopping" in self.journal(), 30)
            else:
                self.wait_for("another one runs", lambda b=before: self.show("MainPID", self.unit) not in ("0", b), 30)
            self.assertTrue(pathlib.Path(f"/proc/{self.leader()}").exists())
            self.inside("test", "-d", f"/proc/{self.step()}")
        self.ends_well(go)

    def test_an_upgrade_in_the_middle_of_a_step_leaves_it_at_work(self):
        go = self.tool_at_work()
        self.inside("systemctl", "daemon-reload")
        self.inside("systemctl", "restart", "--no-block", *self.units_now())
        self.wait_for("it is being stopped", lambda: self.show("ActiveState") == "deactivating", 30)
        self.inside("systemctl", "daemon-reexec")
        self.inside("test", "-d", f"/proc/{self.step()}")
        self.ends_well(go)

    def units_now(self):
        return [one.name for one in self.units]

    def conditions(self):
        file = self.app / "tool" / "conditions"
        return self.wait_for("a step has written what it has", lambda: file.exists() and file.read_text(), 60)

    def rolled_back(self):
        self.deploy_tool("t2")
        (self.app / "tool" / "fine").unlink()
        return self.wait_for("it is over", lambda: [one for one in self.incidents() if one.get("outcome") == "recovered"], 120)

    def test_a_step_has_what_it_would_have_in_our_unit_and_systemd_may_be_mute(self):
        switch = self.app / "tool" / "switch"
        switch.write_text(switch.read_text() + "/opt/shop/tool/look\n")
        (self.app / "tool" / "look").write_text(CONDITIONS)
        (self.app / "tool" / "look").chmod(0o755)
        self.watched()
        self.rolled_back()
        within = self.conditions()
        self.assertIn("umask 0022", within)
        (self.app / "tool" / "conditions").unlink()
        # As where it does not answer, and twice: it is said once.
        self.inside("sh", "-c", "printf '#!/bin/sh\\nexec tail -f /dev/null\\n' >/run/mute; chmod 755 /run/mute; mount --bind /run/mute /usr/bin/busctl")
        self.inside("systemctl", "restart", *self.units_now())
        self.wait_for("it watches again", lambda: self.of("tool").get("revision") == "t1", 40)
        self.rolled_back_again()
        self.assertEqual(within, self.conditions())
        said = [line for line in self.journal().splitlines() if "event=step_scope" in line]
        self.assertEqual(len(said), 1, said)
        self.assertIn("did not answer within 1s", said[0])

    def rolled_back_again(self):
        self.deploy_tool("t3")
        (self.app / "tool" / "fine").unlink()
        self.wait_for("it is over", lambda: [one.get("outcome") for one in self.incidents()] == ["recovered", "recovered"], 120)


class Split(Outliving, test_split.Split):
    unit = "rollbackd-runner"


class Alone(Outliving, test_split.Split):
    unit = "rollbackd"
    units = (booted.UNIT,)

    def furnish(self):
        super().furnish()
        file = self.folder / "rollbackd.toml"
        file.write_text("".join(line for line in file.read_text().splitlines(True) if not line.startswith("runner = ")))


def load_tests(loader, _standard, _pattern):
    """Those of Outliving alone: the others are test_split.py's."""
    return loader.suiteClass(case(name) for case in (Split, Alone) for name in dir(Outliving) if name.startswith("test_"))


if __name__ == "__main__":
    machine.main()
