#!/usr/bin/env python3
"""Breaks the decision core on purpose, one bug at a time, and lives in the simulated world until it is found.

breakages.py                 breaks and looks for all of them (tests/run --breakages)
breakages.py NAME...         those whose name has one of these words in it
breakages.py --check         only whether each could still be made: its text is in its file, once

Every core works in a copy of the sources with a build of its own, in build/breakages.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE.parent.parent
SCRATCH = SOURCES / "build" / "breakages"
AT_LEAST = 60  # the list may only grow
# The parts of the long run of the world, see CMakeLists.txt.
FIRST_SEEDS = (1, 3001, 6001, 9001)
HOURS = 2500
# What takes longer than this goes round in circles.
SECONDS_AN_HOUR_MAX = 0.5
NOT_FOUND = "NOT FOUND"


class Unusable(Exception):
    """The breakage cannot be made, or what it makes is no program."""


@dataclass(frozen=True)
class Breakage:
    name: str
    harm: str  # what a user would suffer
    file: str
    old: str
    new: str

    def broken(self, text):
        times = text.count(self.old)
        if times != 1:
            raise Unusable(f"{self.name}: its text is {times} times in {self.file}, not once:\n{self.old}")
        return text.replace(self.old, self.new)


def read_one(block, where):
    """name, harm, file, then the lines that go (-) and those that come (+) in their place."""
    lines = block.strip("\n").split("\n")
    if len(lines) < 4:
        raise Unusable(f"{where}: too short: {lines[0]}")
    old = [line[1:] for line in lines[3:] if line.startswith("-")]
    new = [line[1:] for line in lines[3:] if line.startswith("+")]
    if not old or len(old) + len(new) != len(lines) - 3:
        raise Unusable(f"{where}: after the third line only - and +: {lines[0]}")
    return Breakage(lines[0], lines[1], lines[2], "".join(f"{line}\n" for line in old),
                    "".join(f"{line}\n" for line in new))


def read_all():
    found = []
    for path in sorted((HERE / "breakages").glob("*.txt")):
        text = "\n".join(line for line in path.read_text().split("\n") if not line.startswith("#"))
        found += [read_one(block, path.name) for block in re.split(r"\n{2,}", text.strip("\n"))]
    return found


def check(breakages):
    wrong = []
    names = [one.name for one in breakages]
    wrong += [f"{name}: two breakages of this name" for name in sorted(set(names)) if names.count(name) > 1]
    if len(breakages) < AT_LEAST:
        wrong.append(f"{len(breakages)} breakages, {AT_LEAST} are promised")
    for one in breakages:
        try:
            one.broken((SOURCES / one.file).read_text())
        except (Unusable, OSError) as error:
            wrong.append(str(error))
    for line in wrong:
        print(line)
    return not wrong


def run_quietly(argv, log, where):
    with open(log, "w", encoding="utf-8") as out:
        return subprocess.run(argv, cwd=where, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              env=dict(os.environ, CCACHE_BASEDIR=str(where.parent), CCACHE_NOHASHDIR="1"),
                              check=False).returncode == 0


class Tree:
    """A copy of the sources, and the build of its world."""

    def __init__(self, number):
        self.folder = SCRATCH / str(number)
        self.source = self.folder / "source"
        self.log = self.folder / "build.log"

    def refresh(self):
        tracked = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=SOURCES,
                                 capture_output=True, check=True).stdout.decode().split("\0")
        wanted = {name for name in tracked if name and (SOURCES / name).is_file()}
        for name in wanted:
            self.put(name, (SOURCES / name).read_bytes())
            shutil.copymode(SOURCES / name, self.source / name)
        for path in list(self.source.rglob("*")):
            if path.is_file() and str(path.relative_to(self.source)) not in wanted:
                path.unlink()

    def put(self, name, content):
        """What is so already keeps its time: it is not built again."""
        to = self.source / name
        if to.exists() and to.read_bytes() == content:
            return
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(content)

    def configure(self):
        if not run_quietly(["cmake", "-S", "source", "-B", "build", "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++",
                            "-DCMAKE_BUILD_TYPE=Release", "-DROLLBACKD_E2E=OFF", "-DCMAKE_CXX_FLAGS=-w"], self.log, self.folder):
            raise Unusable(f"cannot be configured, see {self.log}")

    def build(self, jobs):
        argv = ["ninja", "-C", "build", f"-j{jobs}", "world_tests"]
        if not run_quietly(argv, self.log, self.folder):
            raise Unusable("does not compile:\n" + "\n".join(self.log.read_text().split("\n")[-30:]))

    def live(self, hours_max):
        """After how many hours the world found that something is wrong, and what it said."""
        before = 0.0
        for first in FIRST_SEEDS:
            hours = min(HOURS, hours_max - before)
            if hours <= 0:
                break
            argv = [str(self.folder / "build/tests/world/world_tests"), "--quiet", "--hours", str(hours), "--from",
                    str(first)]
            try:
                ended = subprocess.run(argv, capture_output=True, text=True, check=False,
                                       timeout=60 + hours * SECONDS_AN_HOUR_MAX)
            except subprocess.TimeoutExpired as error:
                raise Unusable("goes round in circles") from error
            if ended.returncode == -signal.SIGABRT:
                return before, "the core's own assert: " + ended.stderr.strip().split("\n")[-1]
            said = re.search(r"^after ([\d.e+]+) hours, (.*)$", ended.stdout, re.MULTILINE)
            if said:
                return before + float(said[1]), said[2]
            if ended.returncode != 0:
                raise Unusable(f"exit code {ended.returncode}: {ended.stderr[-500:]}")
            before += hours
        return None, NOT_FOUND

    def look_for(self, breakage, hours_max):
        whole = (SOURCES / breakage.file).read_text()
        self.put(breakage.file, breakage.broken(whole).encode())
        try:
            self.build(1)
            return self.live(hours_max)
        finally:
            self.put(breakage.file, whole.encode())


def prepare(trees):
    for tree in trees:
        tree.folder.mkdir(parents=True, exist_ok=True)
        tree.source.mkdir(exist_ok=True)
        tree.refresh()
        tree.configure()
        tree.build(len(trees))


def look_for_all(breakages, trees, hours_max):
    waiting = list(reversed(breakages))
    missed = []
    saying = threading.Lock()

    def work(tree):
        while True:
            with saying:
                if not waiting:
                    return
                one = waiting.pop()
            began = time.monotonic()
            try:
                hours, said = tree.look_for(one, hours_max)
            except Unusable as error:
                hours, said = None, str(error)
            with saying:
                if hours is None:
                    missed.append(one.name)
                after = "-" if hours is None else f"{hours:.0f} h"
                print(f"{one.name:<44} {after:>8}  {said}  ({time.monotonic() - began:.0f} s)", flush=True)

    threads = [threading.Thread(target=work, args=(tree,)) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return missed


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*")
    options.add_argument("--check", action="store_true")
    options.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    options.add_argument("--hours", type=int, default=len(FIRST_SEEDS) * HOURS, help="to live at most, for each")
    chosen = options.parse_args()
    breakages = read_all()
    if chosen.check:
        return 0 if check(breakages) else 1
    wanted = [one for one in breakages if not chosen.names or any(word in one.name for word in chosen.names)]
    trees = [Tree(number + 1) for number in range(min(chosen.jobs, len(wanted)))]
    prepare(trees)
    missed = look_for_all(wanted, trees, chosen.hours)
    print(f"{len(wanted) - len(missed)} of {len(wanted)} breakages found within {chosen.hours} hours")
    for name in missed:
        print(f"not found: {name}")
    return 1 if missed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
