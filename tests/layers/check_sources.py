#!/usr/bin/env python3
"""Laws of the sources that no compiler checks, as a test.

check_sources.py ROOT     checks the tree; one line a breach, exit code 1 when there is any
check_sources.py --prove  shows that each check catches a bad sample and lets a good one pass
"""

import pathlib
import re
import subprocess
import sys

LAYERS = ("rules", "probes", "watcher")
SEEN_FROM = {"rules": {"rules"}, "probes": {"rules", "probes"}, "watcher": {"rules", "probes", "watcher"}}
TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "watcher", "rules", "probes", "tests", "packaging", "LICENSE",
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md",
}
# What rules/ may include: nothing here does I/O, reads a clock, starts a thread or iterates in hash order.
PURE_HEADERS = set("""
algorithm any array bit bitset cassert cctype charconv chrono climits cmath compare concepts cstddef cstdint cstdio
cstdlib cstring deque exception functional initializer_list iomanip iterator limits list map memory new numbers
numeric optional ostream queue random ranges ratio set span sstream stack stdexcept string string_view system_error tuple
type_traits utility valarray variant vector version cerrno cfloat locale
re2/re2.h re2/set.h re2/stringpiece.h
""".split())
FUNCTION_LINES_MAX = {"rules": 40}  # what decides is kept the smallest
FUNCTION_LINES_MAX_ELSEWHERE = 50
FILE_LINES_MAX = 300


class Source:
    """A file: its path from the root, its text, and the text with comments and literals blanked (same length)."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.code = blank(text)
        self.layer = path.split("/")[0]
        self.is_cpp = path.endswith((".cpp", ".hpp"))

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1


LITERALS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL)


def blank(text):
    def spaces(match):
        found = match.group(0)
        if found.startswith('"') or found.startswith("R"):
            return '"' + "".join("\n" if c == "\n" else "_" for c in found[1:-1]) + '"'
        if found.startswith("'"):
            return "'" + "_" * (len(found) - 2) + "'"
        return "".join("\n" if c == "\n" else " " for c in found)

    # Include lines keep their names: they look like literals.
    lines = []
    kept = {}
    for number, line in enumerate(text.split("\n")):
        if re.match(r"\s*#\s*include\b", line):
            kept[number] = line
            lines.append("#" + " " * (len(line) - 1) if line else "")
        else:
            lines.append(line)
    blanked = LITERALS.sub(spaces, "\n".join(lines)).split("\n")
    for number, line in kept.items():
        blanked[number] = line
    return "\n".join(blanked)


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def includes(source):
    for match in INCLUDE.finditer(source.code):
        yield match.start(), match.group(1), match.group(2)


def include_direction(source):
    """An include follows the data's way: rules/ sees itself, probes/ sees rules/, watcher/ sees both."""
    if not source.is_cpp:
        return
    for at, _, name in includes(source):
        if "../" in name:
            yield at, f'#include "{name}" gets round the layers; include from the root'
        target = name.split("/")[0]
        if source.layer in LAYERS and target in LAYERS and target not in SEEN_FROM[source.layer]:
            yield at, f'{source.layer}/ may not include "{name}"'
        if source.layer in LAYERS and target == "tests":
            yield at, f'{source.layer}/ may not include "{name}"'


def rules_are_pure(source):
    """rules/ includes the standard library's pure headers, RE2 and itself; it throws and prints nothing."""
    if source.layer != "rules" or not source.is_cpp:
        return
    for at, _, name in includes(source):
        if not name.startswith("rules/") and name not in PURE_HEADERS:
            yield at, f"rules/ is pure: <{name}> is not for it"
    for match in re.finditer(r"\b(?:std::)?(?:f?printf|puts|fopen|getenv|system|rand|srand|co_await|unordered_\w+)\b\s*[(<]",
                             source.code):
        yield match.start(), f"rules/ is pure: {match.group(0).strip()} is not for it"


CLOCKS = re.compile(r"\b(?:system_clock|steady_clock|high_resolution_clock|utc_clock|file_clock)::now\b"
                    r"|\b(?:clock_gettime|gettimeofday|timespec_get)\s*\("
                    r"|(?<![\w.>])(?:std)?::time\s*\(|(?<![\w.>:])time\s*\(\s*(?:nullptr|NULL|0|&)")


def one_reader_of_clocks(source):
    """Only watcher/clock.cpp reads a real clock; everybody else is given the time."""
    if source.layer not in LAYERS or not source.is_cpp or source.path == "watcher/clock.cpp":
        return
    for match in CLOCKS.finditer(source.code):
        yield match.start(), f"reads a real clock ({match.group(0).strip()}); only watcher/clock.cpp may"


def statements(code):
    """(start, text) of each piece between ; { and } outside parentheses; a brace in parentheses stays in its piece
    unless it is the body of a lambda, whose statements are looked at on their own as well."""
    start = 0
    for match in re.finditer(r"[;{}]", code):
        at = match.start()
        if match.group(0) == ";" and inside_parentheses(code, start, at):
            continue
        yield start, at, match.group(0)
        start = at + 1


def inside_parentheses(code, start, end):
    piece = code[start:end]
    return piece.count("(") > piece.count(")")


HEADER_WORDS = re.compile(r"\s*(?:else\b|do\b|default\s*:(?!:)|case\b[^:;?]*(?:::[^:;?]*)*:(?!:)|\w+\s*:(?!:))")
CONTROL = re.compile(r"\s*(?:if(?:\s+constexpr)?|for|while|switch)\s*\(")
ALLOWED = re.compile(
    r"(?:co_return\s+)?co_await\s+(?P<call>.+)"
    r"|(?:(?:const\s+)?auto\s*&{0,2}\s*(?:\w+|\[[\w\s,]+\])|(?:const\s+)?[\w:]+(?:<.*>)?[\s&*]+\w+"
    r"|\w+(?:(?:\.|->)\w+)*)\s*=\s*co_await\s+(?P<bound>.+)", re.DOTALL)


def skip_parentheses(text, at):
    depth = 0
    for offset in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[offset], 0)
        if depth == 0:
            return offset + 1
    return len(text)


def without_headers(statement):
    """The statement behind its labels, else, and if/for/while headers that await nothing."""
    while True:
        word = HEADER_WORDS.match(statement)
        if word and "co_await" not in word.group(0):
            statement = statement[word.end():]
            continue
        control = CONTROL.match(statement)
        if control:
            end = skip_parentheses(statement, control.end() - 1)
            if "co_await" in statement[:end]:
                return statement
            statement = statement[end:]
            continue
        return statement.strip()


def is_call(text):
    if re.search(r"[{?\[]|\bco_await\b", text):
        return False
    outside = []
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and character != ")":
            outside.append(character)
    return not re.search(r"==|!=|<=|>=|&&|\|\||[-+/%^!|](?!>)|=", "".join(outside).replace("->", "."))


def co_await_grammar(source):
    """g++ 12 miscompiles co_await outside a narrow grammar: bind first, name the arguments, then await."""
    if not source.is_cpp:
        return
    pieces = list(statements(source.code))
    for index, (start, end, closed_by) in enumerate(pieces):
        piece = source.code[start:end]
        if not re.search(r"\bco_await\b", piece):
            continue
        at = start + piece.index("co_await")
        statement = without_headers(re.sub(r"^\s*#[^\n]*$", "", piece, flags=re.MULTILINE))
        match = ALLOWED.fullmatch(statement)
        call = match and (match.group("call") or match.group("bound"))
        if closed_by != ";" or not match or not is_call(call):
            shown = re.sub(r"\s+", " ", statement)[:100]
            yield at, f"co_await outside the grammar (CONTRIBUTING.md, Coroutines): {shown}{closed_by}"


def no_defaults_on_coroutines(source):
    """An aggregate default argument on a coroutine is destroyed twice by g++ 12."""
    if not source.is_cpp:
        return
    for match in re.finditer(r"\bawaitable<[^;{}()]*>\s+[\w:~]+\(", source.code):
        end = skip_parentheses(source.code, match.end() - 1)
        if re.search(r"(?<![=<>!])=(?!=)", source.code[match.end():end]):
            yield match.start(), "a coroutine has a default argument"


SCOPE = re.compile(r"\b(?:namespace|class|struct|enum|union|extern)\b[^()]*$|\bnamespace\b|^\s*$")


def short_functions(source):
    """A function fits on a screen."""
    if source.layer not in LAYERS or not source.is_cpp:
        return
    most = FUNCTION_LINES_MAX.get(source.layer, FUNCTION_LINES_MAX_ELSEWHERE)
    scopes = []
    start = 0
    code = re.sub(r"^[ \t]*#[^\n]*$", lambda m: " " * len(m.group(0)), source.code, flags=re.MULTILINE)
    for match in re.finditer(r"[;{}]", code):
        at = match.start()
        if match.group(0) == "{":
            head = code[start:at]
            inside_function = any(kind == "function" for kind, _ in scopes)
            is_function = not inside_function and not SCOPE.search(head) and "(" in head
            scopes.append(("function" if is_function else "scope", start + len(head) - len(head.lstrip())))
        elif match.group(0) == "}" and scopes:
            kind, began = scopes.pop()
            lines = source.line_of(at) - source.line_of(began) + 1
            if kind == "function" and lines > most:
                yield began, f"a function of {lines} lines; {most} are the most"
        start = at + 1


def short_files(source):
    """A file is one idea."""
    lines = source.text.count("\n")
    if source.layer in LAYERS and source.is_cpp and lines > FILE_LINES_MAX:
        yield 0, f"a file of {lines} lines; {FILE_LINES_MAX} are the most"


UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b|\bfor n" r"ow\b")


def nothing_unfinished(source):
    """What is not done is left out, not marked."""
    for match in UNFINISHED.finditer(source.text):
        yield match.start(), f"unfinished: {match.group(0)}"


TEST_NAME = re.compile(r'\bTEST_CASE\(\s*((?:"(?:\\.|[^"\\\n])*"\s*)+)\)')


def test_names_for_ctest(source):
    """CMake takes a name with a semicolon for two tests, neither of which there is."""
    for match in TEST_NAME.finditer(source.text):
        if source.is_cpp and ";" in match.group(1):
            yield match.start(), "a test's name with a semicolon"


CHECKS = (test_names_for_ctest, include_direction, rules_are_pure, one_reader_of_clocks, co_await_grammar, no_defaults_on_coroutines,
          short_functions, short_files, nothing_unfinished)


def stray_top_level(names):
    return [f"{name}: the top level is for the layers, tests/, packaging/ and what tools expect there"
            for name in sorted(names) if not name.startswith(".") and name not in TOP_LEVEL]


def breaches(source):
    for check in CHECKS:
        for at, what in check(source):
            yield f"{source.path}:{source.line_of(at)}: {what}"


def tracked_files(root):
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if listed.returncode == 0:
        return [name for name in listed.stdout.splitlines() if (root / name).is_file()]
    return [str(path.relative_to(root)) for path in root.rglob("*")
            if path.is_file() and not str(path.relative_to(root)).startswith(("build", "."))]


TEXT_SUFFIXES = {".cpp", ".hpp", ".py", ".md", ".cmake", ".txt", ".toml", ".json", ".sh", ".service", ""}


def check_tree(root):
    files = tracked_files(root)
    found = stray_top_level({name.split("/")[0] for name in files})
    count = 0
    for name in files:
        path = root / name
        if path.suffix not in TEXT_SUFFIXES or path.is_symlink():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        count += 1
        found += breaches(Source(name, text))
    print("\n".join(found) if found else f"{count} files, no breach")
    return 1 if found or count == 0 else 0


# (check, path, bad sample): each must be caught. The good ones must pass every check.
BAD = (
    (test_names_for_ctest, "tests/rules/a.cpp", 'TEST_CASE("one; two") {\n}\n'),
    (include_direction, "rules/a.cpp", '#include "probes/probe.hpp"\n'),
    (include_direction, "probes/a.hpp", '#include "watcher/clock.hpp"\n'),
    (include_direction, "watcher/a.cpp", '#include "../rules/base/time.hpp"\n'),
    (rules_are_pure, "rules/a.cpp", "#include <thread>\n"),
    (rules_are_pure, "rules/a.cpp", "#include <boost/asio.hpp>\n"),
    (rules_are_pure, "rules/a.cpp", "#include <unordered_map>\n"),
    (rules_are_pure, "rules/a.cpp", 'void f() { std::printf("x"); }\n'),
    (one_reader_of_clocks, "probes/a.cpp", "auto t = std::chrono::steady_clock::now();\n"),
    (one_reader_of_clocks, "watcher/a.cpp", "auto t = std::time(nullptr);\n"),
    (one_reader_of_clocks, "watcher/a.cpp", "auto t = time(0);\n"),
    (one_reader_of_clocks, "rules/a.cpp", "clock_gettime(CLOCK_REALTIME, &now);\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { if (co_await yes()) { g(); } }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { while (co_await yes()) g(); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { co_await g(Opts{1}); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { co_await g({.a = 1}); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { co_await g([&] { h(); }); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { auto x = yes ? co_await g() : h(); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { co_await g(yes ? a : b); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { std::vector<int> v{co_await g()}; }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { auto x = co_await g() + co_await h(); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { const bool x = co_await g() == 3; }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { h(co_await g()); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { steady_timer timer(co_await this_coro::executor); }\n"),
    (co_await_grammar, "tests/probes/a.cpp", "void f() { CHECK(co_await g() == 3); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { for (auto& x : co_await g()) h(x); }\n"),
    (co_await_grammar, "probes/a.cpp", "void f() { co_await polls[i].done(); }\n"),
    (no_defaults_on_coroutines, "probes/a.hpp", "asio::awaitable<Reply> get(Request r, Options o = Options{});\n"),
    (short_functions, "rules/a.cpp", "int f(int a) {\n" + "  a += 1;\n" * 70 + "  return a;\n}\n"),
    (short_functions, "rules/a.cpp", "namespace r {\nclass A {\n  void f() const {\n" + "    if (a) { b(); }\n" * 71 + "  }\n};\n}\n"),
    (short_files, "watcher/a.hpp", "int a;\n" * 301),
    (nothing_unfinished, "rules/a.cpp", "// TO" "DO: later\n"),
)
GOOD = (
    ("tests/rules/a.cpp", 'TEST_CASE("one, two") {\n  f("a;b");\n}\n'),
    ("rules/a.cpp", '#include "rules/base/time.hpp"\n#include <map>\n#include <re2/re2.h>\n'),
    ("probes/a.cpp", '#include "rules/base/time.hpp"\n#include <boost/asio/awaitable.hpp>\n'),
    ("watcher/clock.cpp", "auto t = std::chrono::steady_clock::now();\n"),
    ("watcher/a.cpp", "// std::time(nullptr) is not ours to call\nauto t = clock.time(0); auto u = event.time;\n"),
    ("probes/a.cpp", """
asio::awaitable<int> f(Request request) {
  const auto executor = co_await asio::this_coro::executor;
  co_await g(std::move(request));
  const auto [error, bytes] = co_await socket.async_read_some(buffer, as_result);
  std::optional<Reply> reply = co_await h(request, "a;{b}");
  if (reply) co_await close();
  for (const auto& target : targets) {
    x = co_await fetch(target);
  }
  switch (x) {
    case Kind::one: co_await one(); break;
    case Kind::two:
      this->y_ = co_await (std::move(op) || timer.async_wait(as_result));
  }
  co_return co_await last(x);
}
"""),
    ("rules/a.cpp", "int a;\n" * 300),
    ("rules/a.cpp", "namespace rules {\n" + "void f() {\n  if (a) { b(); }\n}\n" * 40 + "}\n"),
    ("rules/a.cpp", "struct A {\n" + "  int member(int x) const;\n" * 90 + "};\n"),
)


def prove():
    wrong = []
    for check, path, text in BAD:
        if not list(check(Source(path, text))):
            wrong.append(f"{check.__name__} does not catch: {text.strip()[:90]}")
    for path, text in GOOD:
        wrong += [f"wrongly found in a good sample: {breach}" for breach in breaches(Source(path, text))]
    unproven = {check.__name__ for check in CHECKS} - {check.__name__ for check, _, _ in BAD}
    wrong += [f"{name} has no bad sample" for name in sorted(unproven)]
    if stray_top_level({"scratch"}) == [] or stray_top_level({"rules", ".gitignore"}):
        wrong.append("stray_top_level does not tell a stray entry from a known one")
    print("\n".join(wrong) if wrong else f"{len(BAD)} bad samples caught, {len(GOOD)} good ones pass")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(prove() if sys.argv[1] == "--prove" else check_tree(pathlib.Path(sys.argv[1]).resolve()))
