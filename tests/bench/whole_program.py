#!/usr/bin/env python3
"""whole_program.py ROLLBACKD [--floor FLOOR_BENCH] [--seconds N] [--rounds N] [--json FILE] [SHAPE...]: what the program that people run costs.

ROLLBACKD runs with real configurations, journal and recording on, beside what others use for the same work: HAProxy's
health checks, Prometheus' scrapes and alerting rules. They take turns in one run, because machines are shared and noisy;
what counts are the ratios. Printed: medians with their spread as a table, what one more rule, probe, service and series
costs as slopes, and all of it as JSON. A peer that is not installed is left out, which is said.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "shop"))
sys.dont_write_bytecode = True
from watched import free_port, write_config  # noqa: E402

SETTLING = 12  # seconds until connections stand, windows begin and caches are filled

# name: (health targets or pages, services, series a page, interval in seconds, its peer)
SHAPES = {
    "idle": (1, 1, 0, 60, None),
    "health-1000-in-1000": (1000, 1000, 0, 1, "haproxy"),
    "health-1000-in-50": (1000, 50, 0, 1, "haproxy"),
    "health-1000-in-1": (1000, 1, 0, 1, "haproxy"),
    "health-250-in-250": (250, 250, 0, 1, "haproxy"),
    "pages-100-of-1000": (100, 100, 1000, 5, "prometheus"),
    "pages-100-of-100": (100, 100, 100, 5, "prometheus"),
    "pages-500-of-1000": (500, 500, 1000, 5, None),
    "pages-20-of-10000": (20, 20, 10000, 5, "prometheus"),
}


class Shape:
    def __init__(self, name):
        self.name = name
        self.many, self.services, self.series, self.interval, self.peer = SHAPES[name]

    def polls(self):
        return self.many / self.interval

    def configuration(self, folder, target):
        """As a stranger would write it: a probe and a rule for each target, spread over the services."""
        text = [f'[watcher]\nname = "bench"\nstate_dir = "{folder}/state"\nlisten = "127.0.0.1:{free_port()}"\n'
                f'control = "{folder}/control.sock"\n']
        for i in range(self.many):
            service = f"s{i % self.services}"
            if self.series:
                text.append(f'[probe.p{i}]\ntype = "prometheus"\nurl = "http://127.0.0.1:{target}/metrics/{i}"\ninterval = "{self.interval}s"\n'
                            f"[signal.e{i}]\nprobe = \"p{i}\"\nratio = ['http_requests_total{{code=~\"5..\"}}', 'http_requests_total']\n"
                            f'[rule.r{i}]\nwhen = "e{i} > 5%"\nfor = "5m"\nservice = "{service}"\n')
            else:
                text.append(f'[probe.p{i}]\ntype = "http"\nurl = "http://127.0.0.1:{target}/health"\ninterval = "{self.interval}s"\n'
                            f'[rule.r{i}]\nwhen = "p{i}.up == 0"\nfor = "30s"\nservice = "{service}"\n')
        text += [f'[service.s{i}]\nrollback = ["/bin/true"]\n' for i in range(self.services)]
        return "\n".join(text)

    def haproxy(self, target):
        servers = "\n".join(f"  server s{i} 127.0.0.1:{target} check inter {self.interval}s" for i in range(self.many))
        return f"global\n  maxconn 8192\ndefaults\n  mode http\n  timeout connect 1s\n  timeout check 1s\n  timeout client 1s\n  timeout server 1s\n" \
               f"frontend f\n  bind 127.0.0.1:{free_port()}\n  default_backend b\nbackend b\n  option httpchk GET /health\n  http-check expect status 200\n{servers}\n"

    def prometheus(self, folder, target):
        jobs = "".join(f"  - job_name: p{i}\n    metrics_path: /metrics/{i}\n    static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n" for i in range(self.many))
        rules = "".join(f"  - alert: r{i}\n    expr: sum(rate(http_requests_total{{job=\"p{i}\",code=~\"5..\"}}[1m])) / sum(rate(http_requests_total{{job=\"p{i}\"}}[1m])) > 0.05\n    for: 5m\n"
                        for i in range(self.many))
        (folder / "rules.yml").write_text(f"groups:\n- name: all\n  rules:\n{rules}")
        return f"global: {{scrape_interval: {self.interval}s, scrape_timeout: {self.interval}s, evaluation_interval: {self.interval}s}}\nrule_files: [{folder}/rules.yml]\nscrape_configs:\n{jobs}"


class Measured:
    """A process, its CPU time and its memory while it works."""

    def __init__(self, argv, log):
        with log.open("wb") as out:
            self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.log = log

    def cpu(self):
        """Seconds, of the process and its threads: to the nanosecond, where /proc/PID/stat counts in hundredths of a second."""
        threads = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def resident(self):
        """MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024

    def over(self, seconds):
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text(errors="replace")[-2000:])
        before = self.cpu()
        time.sleep(seconds)
        return self.cpu() - before

    def end(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def start_rollbackd(binary, shape, folder, target):
    config = folder / "rollbackd.toml"
    write_config(config, shape.configuration(folder, target))
    return Measured([binary, "run", "--config", config], folder / "rollbackd.log")


def start_peer(shape, folder, target):
    if shape.peer == "haproxy":
        (folder / "haproxy.cfg").write_text(shape.haproxy(target))
        return Measured(["haproxy", "-db", "-f", folder / "haproxy.cfg"], folder / "haproxy.log")
    (folder / "prometheus.yml").write_text(shape.prometheus(folder, target))
    return Measured(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                     f"--web.listen-address=127.0.0.1:{free_port()}"], folder / "prometheus.log")


def turn(start, seconds, polls):
    """Microseconds of CPU a poll, and MiB."""
    measured = start()
    try:
        time.sleep(SETTLING)
        used = measured.over(seconds)
        return used / (polls * seconds) * 1e6, measured.resident()
    finally:
        measured.end()


def floor(options, shape, target):
    """Microseconds of CPU a poll of who only sends and receives."""
    words = [options.floor, str(target), "/metrics/1" if shape.series else "/health", str(shape.many), str(shape.interval),
             str(round(options.seconds))]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def run_shape(shape, options):
    result = {"shape": shape.name, "targets": shape.many, "services": shape.services, "series": shape.series}
    port = free_port()
    with subprocess.Popen([sys.executable, HERE / "targets.py", str(port), str(shape.series)], stdout=subprocess.PIPE) as targets:
        targets.stdout.readline()
        try:
            ours, theirs, floors = [], [], []
            for _ in range(options.rounds):
                with tempfile.TemporaryDirectory(prefix="rollbackd-bench-") as name:
                    folder = pathlib.Path(name)
                    ours.append(turn(lambda: start_rollbackd(options.rollbackd, shape, folder, port), options.seconds, shape.polls()))
                    if shape.peer and shutil.which(shape.peer):
                        theirs.append(turn(lambda: start_peer(shape, folder, port), options.seconds, shape.polls()))
                    if options.floor and shape.interval < options.seconds:
                        floors.append(floor(options, shape, port))
        finally:
            targets.kill()
    result["rollbackd"] = summary(ours)
    if theirs:
        result[shape.peer] = summary(theirs)
        result["ratio"] = round(result["rollbackd"]["us"] / result[shape.peer]["us"], 4)
    if floors:
        result["floor"] = statistics.median(floors)
    return result


def summary(turns):
    costs = [cost for cost, _ in turns]
    return {"us": round(statistics.median(costs), 1), "least": round(min(costs), 1), "most": round(max(costs), 1),
            "mib": round(statistics.median(memory for _, memory in turns), 1)}


def slopes(results):
    """What one more of each costs, in microseconds of CPU a poll and MiB; where both shapes were measured."""
    known = {one["shape"]: one for one in results}
    out = {}

    def slope(what, small, large, axis):
        if small in known and large in known:
            by = known[large][axis] - known[small][axis]
            for unit in ("us", "mib"):
                out[f"{unit} a poll" if unit == "us" else unit, what] = (known[large]["rollbackd"][unit] - known[small]["rollbackd"][unit]) / by
    slope("one more service for as many rules", "health-1000-in-1", "health-1000-in-1000", "services")
    slope("one more target, rule and service", "health-250-in-250", "health-1000-in-1000", "targets")
    slope("one more series on each page", "pages-100-of-100", "pages-100-of-1000", "series")
    return {f"{what}: {unit}": round(value, 5) for (unit, what), value in out.items()}


def table(results):
    lines = ["| work | rollbackd µs a poll | floor | beside it | ratio | rollbackd MiB |", "|---|--:|--:|--:|--:|--:|"]
    for one in results:
        ours = one["rollbackd"]
        peer = next((name for name in ("haproxy", "prometheus") if name in one), None)
        beside = f"{peer} {one[peer]['us']:g} ({one[peer]['least']:g}–{one[peer]['most']:g}), {one[peer]['mib']:g} MiB" if peer else ""
        ratio = f"{one['ratio']:.3f}" if peer else ""
        cost = "" if one["shape"] == "idle" else f"{ours['us']:g} ({ours['least']:g}–{ours['most']:g})"
        lines.append(f"| {one['shape']} | {cost} | {one.get('floor', '')} | {beside} | {ratio} | {ours['mib']:g} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rollbackd", type=pathlib.Path)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE")
    parser.add_argument("--floor", type=pathlib.Path, help="floor_bench, that is measured too")
    parser.add_argument("--seconds", type=float, default=20, help="that each turn is measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_intermixed_args()
    options.rollbackd = options.rollbackd.resolve()
    options.floor = options.floor and options.floor.resolve()
    unknown = [name for name in options.shapes if name not in SHAPES]
    if unknown:
        parser.error(f"no shape {unknown[0]}; there are {', '.join(SHAPES)}")
    os.environ["ROLLBACKD_HOST_LOCK"] = tempfile.mkdtemp(prefix="rollbackd-bench-") + "/host.lock"
    for peer in ("haproxy", "prometheus"):
        if not shutil.which(peer):
            print(f"{peer} is not installed: measured without it", file=sys.stderr)
    results = [run_shape(Shape(name), options) for name in options.shapes or SHAPES]
    print(table(results))
    whole = {"results": results, "slopes": slopes(results)}
    print(json.dumps(whole, indent=1))
    if options.json:
        options.json.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
