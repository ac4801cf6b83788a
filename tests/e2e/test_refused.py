#!/usr/bin/env python3
"""What `check` refuses: of every key of the configuration a wrong value, which has to be named with its key and its line.

The keys are those that the program itself lists (`rollbackd help --reference`): a new one of a kind that has no wrong
value below fails here.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import tempfile
import unittest

import machine
from world import ROLLBACKD

AT_ONCE = 8  # configurations

# No key is a date: the wrong type of each. Besides, what else is wrong for a kind of value, the first that fits its words.
WRONG_TYPE = "1979-05-27"
WRONG = [
    (r"a duration, at least ", ['"soon"', '"0s"', '"-1s"', "5"]),
    (r"a duration", ['"soon"', '"-1s"', '"5 minutes"', "5"]),
    (r"an integer, (?P<from>-?\d+) to (?P<to>\d+)", ["below", "above", '"many"', "1.5"]),
    (r"a size", ['"big"', "-1"]),
    (r"a share", ['"much"', '"101%"']),
    (r"a number between 0 and 1", ["2", '"half"']),
    (r"true or false", ['"yes"', "1"]),
    (r"(one|several) of ", ['"nonsense"', '["nonsense"]']),
    (r"\"last-good\"", ['"-rf"', '"two words"']),
    (r"a command", ['"./run it"', "[]", "[5]"]),
    (r"a notifier's name|names of actions", ['"nobody-of-that-name"', '["nobody-of-that-name"]']),
    (r"conditions?$|a condition", ['"(("', '"nothing.up == 0"']),
    (r"an RE2 pattern", ['"("']),
    (r"a PromQL expression", ['"sum(("']),
    (r"two selectors|a selector", ["'{{'", "5"]),
    (r"an address|an array of addresses", ['"no address"', '"ftp://127.0.0.1/"']),
    (r"a method and an address", ['"POST"', '"FETCH http://127.0.0.1/"']),
    (r"statuses", ['"9999"', '"ok"']),
    (r"a table of JSON pointers|a table of checks", ['"/x"', '{ a = "no pointer" }', '{ "no pointer" = 1 }']),
    (r"headers", ['"X: y"', '{ "two words" = "x" }']),
    (r"a string, may be secret, or JSON", ["5"]),
    (r"an array of strings", ['"one"', "[5]"]),
    (r"a table of strings", ['"x"', "{ A = 5 }"]),
    (r"tables?$|a table$", ['"x"', "5"]),
    (r"a (string|path|folder)", ["5", "[]"]),
]

# What a table begins with, by the heading of the reference; {kind} is one of those for which the key is.
TABLES = {
    "[watcher]": "[watcher]\n",
    "[probe.NAME]": '[probe.it]\ntype = "{kind}"\n',
    "[signal.NAME]": "[signal.it]\n",
    "[service.NAME]": '[service.it]\ndriver = "{kind}"\n',
    "[rule.NAME]": "[rule.it]\n",
    "[action.NAME]": "[action.it]\n",
    "[[action.NAME.step]]": "[[action.it.step]]\n",
    "[[action.NAME.later]]": "[[action.it.later]]\n",
    "[notify.NAME]": '[notify.it]\ntype = "{kind}"\n',
}
FIRST_KIND = {"[probe.NAME]": "http", "[service.NAME]": "command", "[notify.NAME]": "webhook"}
# What a step does: its own key, with a value that is right.
STEPS = {"run": '["true"]', "capture": '"x.txt"', "http": '"POST http://127.0.0.1/"', "notify": '"it"', "switch": '"last-good"',
         "wait": '"true"', "sleep": '"1s"', "ask": '"?"'}


def rows():
    """(heading, key, kind or "", value's words) of every key."""
    text = subprocess.run([ROLLBACKD, "help", "--reference"], capture_output=True, text=True, check=True, timeout=20).stdout
    heading = None
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line[3:].strip("` ")
        found = re.match(r"\| `([^`]+)`(?: \(([^)]*)\))? \| (.*?) \|", line)
        if found:
            yield heading, found[1], (found[2] or "").split(", ")[0], found[3]


def wrong_values(words):
    for pattern, values in WRONG:
        found = re.match(pattern, words)
        if not found:
            continue
        bounds = found.groupdict()
        beyond = {"below": int(bounds["from"]) - 1, "above": int(bounds["to"]) + 1} if "to" in bounds else {}
        values = [str(beyond[value]) if value in beyond else value for value in values]
        return [WRONG_TYPE, *values]
    return None


def configuration(heading, key, kind, value):
    """Its text and the line on which the wrong value stands."""
    text = TABLES[heading].replace("{kind}", kind or FIRST_KIND.get(heading, ""))
    if key in ("type", "driver"):
        text = text.splitlines()[0] + "\n"
    if heading == "[[action.NAME.step]]" and key != kind:
        does = kind or "run"
        text += f"{does} = {STEPS[does]}\n" + ('run = ["true"]\n' if does == "capture" and key != "run" else "")
    if (heading, key) == ("[signal.NAME]", "of"):  # which is of a quantile alone
        text += "quantile = 0.5\n"
    if heading == "[probe.NAME]" and key.startswith("step."):
        text, key = text + "[[probe.it.step]]\n", key.removeprefix("step.")
    text += f"{key} = {value}\n"
    return text, len(text.splitlines())


def refused(file, heading, key, kind, value):
    """None: as it should be. Otherwise what was said instead."""
    text, line = configuration(heading, key, kind, value)
    file.write_text(text)
    file.chmod(0o600)
    run = subprocess.run([ROLLBACKD, "check", "--config", file], capture_output=True, text=True, timeout=60, check=False)
    name = re.escape(key.split(".")[-1])
    named = re.search(rf"^{re.escape(str(file))}:{line}:\d+: error: .*\b{name}\b", run.stderr, re.MULTILINE)
    return None if named and run.returncode == 1 else run.stderr.strip() or run.stdout.splitlines()[0]


class Refused(unittest.TestCase):
    def test_a_wrong_value_of_each_key_is_named_with_its_key_and_line(self):
        keys = list(rows())
        self.assertGreater(len(keys), 150)
        without = [f"{heading} {key}: {words}" for heading, key, _, words in keys if wrong_values(words) is None]
        self.assertFalse(without, "no wrong value is known of these kinds")
        folder = tempfile.TemporaryDirectory(prefix="rollbackd-refused-")
        self.addCleanup(folder.cleanup)
        tried = [(heading, key, kind, value) for heading, key, kind, words in keys for value in wrong_values(words)]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            said = pool.map(lambda at: refused(pathlib.Path(folder.name) / f"{at}.toml", *tried[at]), range(len(tried)))
            accepted = [f"{heading} {key} = {value}: {text}" for (heading, key, _, value), text in zip(tried, said) if text]
        print(f"{len(tried)} wrong values of {len(keys)} keys")
        self.assertFalse(accepted, "\n" + "\n".join(accepted))


if __name__ == "__main__":
    machine.main()
