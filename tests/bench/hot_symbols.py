"""hot_symbols.py ROLLBACKD > watcher/hot_symbols.txt: which functions a watcher runs through all the time.

The linker puts these beside each other (watcher/CMakeLists.txt), so that what polls, judges and records lies in few pages:
the rest of the program, which runs at the start, in an incident or on somebody's word, then needs not be resident. They are
found with valgrind's callgrind, after a start, while health checks and pages are polled; what is counted is whether they run.
The list names symbols, and those of coroutines have line numbers in them: a name that is no longer there is passed over.
`--check LIST` says whether most of its names are still in the program.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

import whole_program

STARTING = 60  # seconds, which valgrind makes long
WATCHING = 75  # so that what happens once a minute is seen
KEPT_AT_LEAST = 0.7  # of the names


def configuration(folder, health, pages):
    """Sixty health checks a second, and twenty pages of which each is used by a rule."""
    whole_program.SHAPES["hot"] = (60, 60, 0, 1, None)
    text = [whole_program.Shape("hot").configuration(folder, health)]
    for i in range(20):
        text.append(f'[probe.q{i}]\ntype = "prometheus"\nurl = "http://127.0.0.1:{pages}/metrics/{i}"\ninterval = "5s"\n'
                    f"[signal.e{i}]\nprobe = \"q{i}\"\nratio = ['http_requests_total{{code=~\"5..\"}}', 'http_requests_total']\n"
                    f'[rule.t{i}]\nwhen = "e{i} > 5%"\nfor = "5m"\nservice = "s{i}"\n')
    return "\n".join(text)


def targets(series):
    port = whole_program.free_port()
    process = subprocess.Popen([sys.executable, whole_program.HERE / "targets.py", str(port), str(series)], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process, port


def be_scraped(listen, watcher):
    """As Prometheus and an orchestrator ask it, while time passes."""
    every = 5
    for _ in range(WATCHING // every):
        for path in ("metrics", "healthz", "readyz"):
            urllib.request.urlopen(f"http://{listen}/{path}", timeout=60).read()
        watcher.over(every)


def run_under_callgrind(binary, out):
    health, health_port = targets(0)
    pages, pages_port = targets(300)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            config = folder / "rollbackd.toml"
            text = configuration(folder, health_port, pages_port)
            whole_program.write_config(config, text)
            argv = ["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}", binary, "run", "--config", config]
            watcher = whole_program.Measured(argv, folder / "log")
            try:
                watcher.over(STARTING)
                subprocess.run(["callgrind_control", "-z", str(watcher.process.pid)], check=True, stdout=subprocess.DEVNULL)
                be_scraped(re.search(r'listen = "(.*)"', text).group(1), watcher)
                subprocess.run(["callgrind_control", "-d", str(watcher.process.pid)], check=True, stdout=subprocess.DEVNULL)
            finally:
                watcher.end()
    finally:
        health.kill()
        pages.kill()


def functions_in(profile, binary):
    """Those of the binary that a profile says to have run, what ran most first; names are written out once there, and numbered."""
    names, objects, ran = {}, {}, {}
    function = of = None
    after_call = False
    for line in profile.read_text().splitlines():
        word = re.match(r"(c?)(fn|ob)=\((\d+)\)(?: (.*))?$", line)
        if word:
            called, kind, number, name = word.groups()
            known = names if kind == "fn" else objects
            if name:
                known[number] = name
            if not called and kind == "fn":
                function = number
            elif not called:
                of = number
        elif line.startswith("calls="):
            after_call = True  # the next line is the callee's cost
        elif re.match(r"[+*-]?\d* ?\d+$", line):
            if not after_call and objects.get(of) == str(binary):
                ran[function] = ran.get(function, 0) + int(line.split()[-1])
            after_call = False
    most_first = sorted(ran, key=lambda number: -ran[number])
    return list(dict.fromkeys(re.sub(r"'\d+$", "", names[number]) for number in most_first))  # 'N: in a recursion


def symbols_of(binary):
    listed = subprocess.run(["nm", "--defined-only", "--format=just-symbols", binary], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rollbackd", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path, metavar="LIST")
    options = parser.parse_args()
    binary = options.rollbackd.resolve()
    if options.check:
        listed = options.check.read_text().split()
        kept = len(symbols_of(binary) & set(listed)) / len(listed)
        print(f"{kept:.0%} of {len(listed)} names are in the program")
        sys.exit(0 if kept >= KEPT_AT_LEAST else "do python3 tests/bench/hot_symbols.py build/release/watcher/rollbackd > watcher/hot_symbols.txt")
    with tempfile.TemporaryDirectory() as name:
        out = pathlib.Path(name) / "callgrind"
        run_under_callgrind(binary, out)
        dumps = [one for one in out.parent.iterdir() if one.name != out.name]
        print("\n".join(functions_in(max(dumps, key=lambda one: one.stat().st_size), binary)))


if __name__ == "__main__":
    main()
