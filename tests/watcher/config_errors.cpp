#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config_files.hpp"
#include "test_folder.hpp"
#include "watcher/config/permissions.hpp"

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  const std::string& path() const { return folder_.path; }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    const std::string file = path() + "/" + name;
    std::ofstream(file) << text;
    REQUIRE(chmod(file.c_str(), mode) == 0);
    return file;
  }

 private:
  TestFolder folder_;
};

// Of a file with a service, as every file has to have.
std::string findings_of(const std::string& text) {
  const bool has_service = text.find("[service") != std::string::npos;
  const watcher::Loaded result = load_text(has_service ? text : text + "\n[service.any]\n");
  CHECK(result.config.has_value() == result.findings.empty());
  return findings_text(result);
}

struct Mistake {
  const char* text;
  const char* finding;
};

}  // namespace

TEST_CASE("SPEC 3: a mistyped type hides no other mistake of its table") {
  CHECK(findings_of(R"([probe.app]
type = "promethius"
interval = "5x"
body_max = -1
expct = 1
[probe.db]
type = "tpc"
host = 5
[probe.page]
type = "htps"
url = "ftp://x"
run = ["x"]
[probe.what]
type = "frob"
intervall = "5s"
timeout = 7
run = ["x"]
[probe.none]
prot = 80
url = "http://127.0.0.1/"
[notify.team]
type = "slak"
url = "mail"
everi = "5m"
[service.web]
driver = "gti"
biuld = ["make"]
restart = "x"
)") ==
        R"_(1:1: error: probe.app: url is missing; write url = "http://HOST:PORT/PATH"
2:8: error: probe.app.type: unknown "promethius"; did you mean "prometheus"? (one of http, prometheus, host, exec, tcp)
3:14: error: probe.app.interval: expected a duration such as 500ms, 5s, 5m, 1h30m or 7d, found "5x"
4:12: error: probe.app.body_max: expected a size such as "512KiB", "8MiB" or "1GiB"
5:1: error: probe.app: unknown key "expct"
6:1: error: probe.db: port is missing; write port = 5432
7:8: error: probe.db.type: unknown "tpc"; did you mean "tcp"? (one of http, prometheus, host, exec, tcp)
8:8: error: probe.db.host: expected a string, found an integer
10:8: error: probe.page.type: unknown "htps" (one of http, prometheus, host, exec, tcp)
14:8: error: probe.what.type: unknown "frob" (one of http, prometheus, host, exec, tcp)
15:1: error: probe.what: unknown key "intervall"; did you mean "interval"?
16:11: error: probe.what.timeout: expected a duration such as "500ms", "5s", "5m", "1h30m" or "7d", found an integer
18:1: error: probe.none: type is missing; one of http, prometheus, host, exec, tcp
19:1: error: probe.none: unknown key "prot"; did you mean "proc"?
22:8: error: notify.team.type: unknown "slak"; did you mean "slack"? (one of slack, webhook)
23:8: error: notify.team.url: expected an address such as http://127.0.0.1:3001/metrics
24:1: error: notify.team: unknown key "everi"; did you mean "every"?
25:1: error: service.web: dir is missing; the folder of the repository, such as dir = "/opt/app"
26:10: error: service.web.driver: unknown "gti"; did you mean "git"? (one of command, git)
27:1: error: service.web: unknown key "biuld"; did you mean "build"?
28:11: error: service.web.restart: expected an array, one element an argument, such as ["./rollback.sh", "{to}"]; there is no shell
)_");
}

TEST_CASE("SPEC 3: what a later version's type has is not called unknown") {
  CHECK(findings_of("[probe.access]\ntype = \"log\"\npath = \"/var/log/x\"\ninterval = 5\n") ==
        "2:8: error: probe.access: type \"log\" is not in this version of rollbackd; it has http, prometheus, host, "
        "exec, "
        "tcp\n4:12: error: probe.access.interval: expected a duration such as \"500ms\", \"5s\", \"5m\", \"1h30m\" or "
        "\"7d\", found an integer\n");
}

TEST_CASE("SPEC 3: every mistake of a file is reported in one run, by place, with the nearest name") {
  const std::string text = R"([watcher]
mod = "act"
record = "24x"
[probe.app]
type = "prometheus"
url = "http://127.0.0.1:1/metrics"
intervall = "5s"
timeout = 5
[signal.errors]
probe = "ap"
ratio = ['a_total{code=~"5.."', 'a_total']
[rule.bad]
when = "erors > 5% and app.up ="
for = "5m"
respond = ["rolback"]
[service.web]
rollback = "./rollback.sh {to}"
)";
  CHECK(findings_of(text) ==
        "2:1: error: watcher: unknown key \"mod\"; did you mean \"mode\"?\n"
        "3:13: error: watcher.record: expected a duration such as 500ms, 5s, 5m, 1h30m or 7d, found \"24x\"\n"
        "7:1: error: probe.app: unknown key \"intervall\"; did you mean \"interval\"?\n"
        "8:11: error: probe.app.timeout: expected a duration such as \"500ms\", \"5s\", \"5m\", \"1h30m\" or \"7d\", "
        "found an integer\n"
        "10:9: error: signal.errors.probe: there is no probe \"ap\"; did you mean \"app\"?\n"
        "11:30: error: signal.errors.ratio: expected \"}\", found the end\n"
        "13:31: error: rule.bad.when: expected ==, found =\n"
        "15:12: error: rule.bad.respond: there is no action \"rolback\"; did you mean \"rollback\"?\n"
        "17:12: error: service.web.rollback: expected an array, one element an argument, such as [\"./rollback.sh\", "
        "\"{to}\"]; there is no shell\n");
}

TEST_CASE("SPEC 3: a syntax error is reported alone, with its place") {
  const std::string found = findings_of("[watcher]\nname = \nunknown = 1\n");
  CHECK(found.starts_with("2:8: error: not TOML: "));
  CHECK(std::count(found.begin(), found.end(), '\n') == 1);
}

TEST_CASE("SPEC 3: a mistake in a condition is reported at its column in the file") {
  const Mistake mistakes[] = {
      {"[rule.r]\nfor = '1m'\nwhen = \"app.up == 0 and nothing > 1\"\n",
       "9:25: error: rule.r.when: there is no signal \"nothing\"; define [signal.nothing]\n"},
      {"[rule.r]\nfor = '1m'\nwhen = \"\\u0061pp.up == 0 and nothing > 1\"\n",
       "9:30: error: rule.r.when: there is no signal \"nothing\"; define [signal.nothing]\n"},
      {"[rule.r]\nfor = '1m'\nwhen = '''\napp.up == 0 and\n  nothing > 1'''\n",
       "11:3: error: rule.r.when: there is no signal \"nothing\"; define [signal.nothing]\n"},
      {"[rule.r]\nfor = '1m'\nwhen = \"nope.up == 0\"\n",
       "9:9: error: rule.r.when: there is no probe \"nope\"; define [probe.nope]\n"},
      {"[rule.r]\nfor = '1m'\nwhen = \"app > 0\"\n",
       "9:9: error: rule.r.when: there is no signal \"app\"; did you mean a field of the probe, such as app.up?\n"},
      {"[probe.db]\ntype = 'tcp'\nhost = '::1'\nport = 1\n[rule.r]\nfor = '1m'\nwhen = \"db.upp == 0\"\n",
       "13:9: error: rule.r.when: probe \"db\" has no field \"upp\"; did you mean \"up\"? (it has up, duration)\n"},
  };
  for (const Mistake& mistake : mistakes) CHECK(findings_of(with_service(mistake.text)) == mistake.finding);
}

TEST_CASE("SPEC 3: a mistake in a short rule is reported at its column in the file") {
  const std::string text = R"([service.web]
metrics = "http://127.0.0.1:1/metrics"
rollback = ["./rollback.sh"]
rules = ["error_rate > 5% for 5", "memory > 90% and nothing > 1 for 5m", "down"]
)";
  CHECK(findings_of(text) ==
        "4:32: error: service.web.rules: expected a duration such as 500ms, 5s, 5m, 1h30m or 7d\n"
        "4:53: error: service.web.rules: there is no signal \"nothing\"; define [signal.nothing]\n"
        "4:74: error: service.web.rules: expected \"CONDITION for DURATION\", such as \"error_rate > 5% for 5m\"\n"
        "4:75: error: service.web.rules: there is no probe \"health\"; define [probe.health]\n");
}

TEST_CASE("SPEC 3: names have their patterns, and values their kinds") {
  const Mistake mistakes[] = {
      {"[probe.my-app]\ntype = 'host'\n",
       "7:8: error: [probe.my-app]: the name \"my-app\" must match [a-z_][a-z0-9_]*\n"},
      {"[action.Undo]\n[[action.Undo.step]]\nsleep = '1s'\n",
       "7:9: error: [action.Undo]: the name \"Undo\" must match [a-z_][a-z0-9_-]*\n"},
      {"[watcher]\nmode = 'observ'\n",
       "8:8: error: watcher.mode: unknown \"observ\"; did you mean \"observe\"? (one of act, ask, observe)\n"},
      {"[watcher]\nlisten = 'everywhere'\n",
       "8:10: error: watcher.listen: expected ADDRESS:PORT such as \"127.0.0.1:9877\", or \"off\", found "
       "\"everywhere\"\n"},
      {"[probe.h]\ntype = 'http'\nurl = 'ftp://x/'\n", "9:8: error: probe.h.url: expected http:// or https://\n"},
      {"[probe.h]\ntype = 'http'\nurl = 'http://x/'\nexpect.body = '('\n",
       "10:15: error: probe.h.expect.body: not an RE2 pattern: missing ): (\n"},
      {"[probe.h]\ntype = 'http'\nurl = 'http://x/'\nexpect.status = '200-1000'\n",
       "10:17: error: probe.h.expect.status: expected a status such as 200, \"200-299\" or \"200,404\"\n"},
      {"[probe.h]\ntype = 'http'\nurl = 'http://x/'\nbody_max = '8 MB'\n",
       "10:12: error: probe.h.body_max: expected a size such as \"512KiB\", \"8MiB\" or \"1GiB\"\n"},
      {"[rule.r]\nwhen = 'app.up == 0'\nfor = '1m'\nquorum = 0\n",
       "10:10: error: rule.r.quorum: expected a share such as \"90%\" or 0.9, above 0 and at most 100%\n"},
      {"[rule.r]\nwhen = 'app.up == 0'\n",
       "7:1: error: rule.r: for is missing; how long it must be bad before it fires, such as for = \"5m\"\n"},
      {"[rule.r]\nwhen = 'app.up == 0'\nfor = '1m'\nservice = 'wbe'\n",
       "10:11: error: rule.r: there is no service \"wbe\"; did you mean \"web\"?\n"},
      {"depends_on = ['web']\n", "7:14: error: service.web: depends on itself\n"},
      {"depends_on = ['db']\n[service.api]\ndepends_on = ['web']\n[service.db]\ndepends_on = ['api']\n",
       "9:14: error: service.api: depends on itself in a circle: api → web → db → api\n"},
  };
  for (const Mistake& mistake : mistakes) CHECK(findings_of(with_service(mistake.text)) == mistake.finding);
}

TEST_CASE("SPEC 3: what is for a later version is told apart from what is unknown") {
  const Mistake mistakes[] = {
      {"[probe.x]\ntype = 'log'\npath = '/x'\n",
       "8:8: error: probe.x: type \"log\" is not in this version of rollbackd; it has http, prometheus, host, exec, "
       "tcp\n"},
      {"[probe.x]\ntype = 'lag'\npath = '/x'\n",
       "8:8: error: probe.x.type: unknown \"lag\" (one of http, prometheus, host, exec, tcp)\n"},
      {"[notify.x]\ntype = 'email'\n",
       "8:8: error: notify.x: type \"email\" is not in this version of rollbackd; it has slack, webhook\n"},
      {"keep = ['.env']\n",
       "7:1: error: service.web: key \"keep\" is not in this version of rollbackd; leave it out\n"},
      {"[action.a]\n[[action.a.step]]\nrestore = 'files'\n",
       "9:1: error: action.a.step[0]: key \"restore\" is not in this version of rollbackd; leave it out\n"},
  };
  for (const Mistake& mistake : mistakes) CHECK(findings_of(with_service(mistake.text)) == mistake.finding);
  for (const char* driver : {"compose", "kubernetes", "systemd", "pm2", "ci"}) {
    CHECK(findings_of("[service.web]\ndriver = '" + std::string(driver) + "'\nfile = 5\n") ==
          "2:10: error: service.web: driver \"" + std::string(driver) +
              "\" is not in this version of rollbackd; it has command, git\n");
  }
}

TEST_CASE("SPEC 3: a metric in milliseconds without unit is warned of") {
  const std::string text = with_service("[signal.p95]\nprobe = 'app'\nquantile = 0.95\nof = 'request_ms'\n");
  const watcher::Loaded result = load_text(text);
  CHECK(result.config.has_value());
  CHECK(findings_text(result) ==
        "10:6: warning: signal.p95.of: request_ms seems to be in milliseconds; add unit = \"ms\" so that 3000ms means "
        "what it says\n");
  CHECK(load_text(text + "unit = 'ms'\n").findings.empty());
}

TEST_CASE("SPEC 3: a secret that cannot be read is an error, and is never shown") {
  CHECK(findings_of("[watcher]\ntoken = { env = 'NOT_SET_ANYWHERE' }\n") ==
        "2:17: error: watcher.token: the environment variable NOT_SET_ANYWHERE is not set\n");
  CHECK(findings_of("[watcher]\ntoken = { file = '/nowhere/at/all' }\n") ==
        "2:18: error: watcher.token: cannot read /nowhere/at/all; is it a file of at most 64 KiB that this user may "
        "read?\n");
  CHECK(findings_of("[notify.n]\ntype = 'slack'\nurl = { env = 'PROBE_PW' }\n").find("of-the-tests") ==
        std::string::npos);
}

TEST_CASE("SPEC 2.18: without an identity no revision can be named, in a command, a plan or a switch") {
  const auto refused = [](const std::string& more) {
    return findings_of(
        "[service.web]\nhealth = 'http://127.0.0.1:1/'\nrollback = ['true']\nrules = ['down for 30s']\n" + more);
  };
  CHECK(refused("").find("error") == std::string::npos);
  CHECK(refused("ready = ['true', '{to}']\n").find("service.web.ready: {to} needs") != std::string::npos);
  const std::string plan = "[[action.rollback.step]]\n";
  CHECK(refused(plan + "run = ['true', '{from}']\n").find("has {to} or {from} in a command") != std::string::npos);
  CHECK(refused(plan + "switch = 'v1'\n").find("names the revision that it goes to") != std::string::npos);
  CHECK(refused(plan + "switch = 'last-good'\n").find("error") == std::string::npos);
  CHECK(findings_of("[service.web]\nrollback = ['true', '{from}']\n").find("{from} needs") != std::string::npos);
}

TEST_CASE("SPEC 2.18: {to} without identify is refused, because no revision is known") {
  CHECK(findings_of("[service.web]\nrollback = ['./back.sh', '{to}']\n") ==
        "2:12: error: service.web.rollback: {to} needs the revisions to be known; add identify = [...], a command that "
        "prints the running one\n");
  CHECK(loaded("[service.web]\nrollback = ['./back.sh']\n").core.services[0].arm == rules::Arm::always);
}

TEST_CASE("SPEC 3: a rule that cannot roll back says so instead of doing nothing") {
  const std::string rule =
      "[probe.h]\ntype = 'tcp'\nhost = '::1'\nport = 1\n[service.web]\n[rule.r]\nwhen = 'h.up == 0'\nfor = '1m'\n";
  CHECK(findings_of(rule).find(
            "6:1: error: rule.r: responds with a rollback, but service \"web\" cannot be switched") == 0);
  CHECK(loaded(rule + "respond = []\n").core.rules[0].respond.empty());
  CHECK(loaded(rule + "severity = 'P3'\n").core.rules[0].respond.empty());
}

TEST_CASE("SPEC 3: relative paths start at the configuration's folder") {
  const watcher::Config config = loaded("[watcher]\nstate_dir = 'state'\ncontrol = '../c.sock'\n[service.web]\n");
  CHECK(config.watcher.state_dir == config.dir + "/state");
  CHECK(config.watcher.control == fs::path(config.dir).parent_path().string() + "/c.sock");
}

TEST_CASE("SPEC 3: the relative command of a step starts where the services' commands run") {
  const std::string step = "[action.a]\n[[action.a.step]]\nrun = ['scripts/x.sh']\n";
  const auto program = [](const watcher::Config& config) {
    return std::get<rules::RunStep>(config.core.actions.at(0).steps.at(0).what).argv.at(0);
  };
  const std::string web = "[service.web]\ndir = '/opt/app'\nswitch = ['true']\n";
  CHECK(program(loaded(web + step)) == "/opt/app/scripts/x.sh");
  const watcher::Config several = loaded(web + "[service.api]\ndir = '/opt/api'\nswitch = ['true']\n" + step);
  CHECK(program(several) == several.dir + "/scripts/x.sh");
}

TEST_CASE("a relative command of a step that is not where it starts is warned of where the services' folders differ") {
  const std::string services =
      "[service.web]\ndir = '/opt/app'\nswitch = ['true']\n[service.api]\ndir = '/opt/api'\nswitch = ['true']\n";
  const auto warnings = [&](const std::string& step) {
    const Folder folder;
    const watcher::Loaded read =
        watcher::load_config(folder.write("c.toml", services + "[action.a]\n[[action.a.step]]\n" + step));
    CHECK(read.config.has_value());
    return read.findings;
  };
  const auto told = warnings("run = ['scripts/x.sh']\n");
  REQUIRE(told.size() == 1);
  CHECK(told[0].level == watcher::Level::warning);
  CHECK(told[0].line == 9);
  CHECK(told[0].what.find("scripts/x.sh is not in ") != std::string::npos);
  CHECK(told[0].what.find("the services have different folders; write its whole path") != std::string::npos);
  CHECK(warnings("run = ['./c.toml']\n").empty());  // it is there
  CHECK(warnings("run = ['scripts/x.sh']\ndir = '/opt/app'\n").empty());
  CHECK(warnings("run = ['docker', 'ps']\n").empty());
  CHECK(warnings("run = ['/opt/app/x.sh']\n").empty());
}

TEST_CASE("SPEC 3: a configuration that other users can write is refused") {
  const Folder folder;
  const std::string text = "[watcher]\nname = 'x'\n[service.web]\n";
  const std::string file = folder.write("ok.toml", text);
  CHECK(watcher::load_config(file).config.has_value());
  for (const mode_t mode : {mode_t{0664}, mode_t{0646}}) {
    REQUIRE(chmod(file.c_str(), mode) == 0);
    const watcher::Loaded result = watcher::load_config(file);
    CHECK_FALSE(result.config.has_value());
    CHECK(findings_text(result).find("can be written by other users; chmod go-w " + file) != std::string::npos);
  }
  REQUIRE(chmod(file.c_str(), 0644) == 0);
  REQUIRE(chmod(folder.path().c_str(), 0777) == 0);
  CHECK_FALSE(watcher::load_config(file).config.has_value());
  REQUIRE(chmod(folder.path().c_str(), 01777) == 0);
  CHECK(watcher::load_config(file).config.has_value());
}

TEST_CASE("SPEC 3: a command named in the configuration that other users can write is refused") {
  const Folder folder;
  folder.write("back.sh", "#!/bin/sh\n", 0777);
  const std::string file = folder.write("c.toml", "[service.web]\nrollback = ['./back.sh']\nidentify = ['cat', 'x']\n");
  const watcher::Loaded result = watcher::load_config(file);
  REQUIRE(result.findings.size() == 1);
  CHECK(result.findings[0].line == 2);
  CHECK(result.findings[0].what.find("service.web.rollback: other users could change this command") == 0);
  REQUIRE(chmod((folder.path() + "/back.sh").c_str(), 0755) == 0);
  CHECK(watcher::load_config(file).config.has_value());
}

TEST_CASE("SPEC 3: a file that belongs to another user is refused") {
  if (geteuid() != 0) {
    MESSAGE("not run: only root can give a file away");
    return;
  }
  const Folder folder;
  const std::string file = folder.write("c.toml", "");
  REQUIRE(chown(file.c_str(), 65534, 65534) == 0);
  CHECK(findings_text(watcher::load_config(file)).find("belongs to another user (uid 65534)") != std::string::npos);
}

TEST_CASE("a configuration that is not there, is a folder, or is no text is reported") {
  const Folder folder;
  CHECK(findings_text(watcher::load_config(folder.path() + "/none.toml")).find("there is no such file") !=
        std::string::npos);
  CHECK(findings_text(watcher::load_config(folder.path())).find("is not a file") != std::string::npos);
  CHECK_FALSE(watcher::load_config(folder.write("b.toml", std::string("\xff\xfe\0x", 4))).config.has_value());
}

TEST_CASE("SPEC 3: a share compared with a bare number above 1 is a mistake, whether written out or implied") {
  CHECK(findings_of(
            "[probe.host]\ntype = 'host'\n[probe.app]\ntype = 'prometheus'\nurl = 'http://127.0.0.1:1/'\n"
            "[signal.errors]\nprobe = 'app'\nratio = ['a_total{code=~\"5..\"}', 'a_total']\n"
            "[signal.p95]\nprobe = 'app'\nquantile = 0.95\nof = 'd_seconds'\n"
            "[service.web]\nhealth = 'http://127.0.0.1:1/'\nrules = ['memory > 90 for 5m', 'down for 30s']\n"
            "rollback = ['true', '{to}']\nidentify = ['true']\n"
            "[rule.a]\nwhen = 'errors > 5'\nfor = '5m'\n[rule.b]\nwhen = 'avg(host.cpu_used, 5m) > 90'\nfor = '5m'\n"
            "[rule.c]\nwhen = 'errors * 100 > 5 or p95 > 5 or host.load1 > 8 or errors >= 1'\nfor = '5m'\n") ==
        "15:20: error: service.web.rules: a share is compared with a number above 1; expected one such as 5% or 0.05\n"
        "19:18: error: rule.a.when: a share is compared with a number above 1; expected one such as 5% or 0.05\n"
        "22:34: error: rule.b.when: a share is compared with a number above 1; expected one such as 5% or 0.05\n");
}

TEST_CASE("SPEC 3: a time compared with a bare number that is probably milliseconds is warned of") {
  const std::string both = ", which without a unit is seconds; write 3000ms if milliseconds are meant, else 3000s\n";
  const watcher::Loaded result = load_text(
      "[probe.app]\ntype = 'prometheus'\nurl = 'http://127.0.0.1:1/'\n"
      "[signal.slow]\nprobe = 'app'\nquantile = 0.95\nof = 'd_ms'\nunit = 'ms'\n"
      "[signal.size]\nprobe = 'app'\nquantile = 0.95\nof = 'response_size_bytes'\n"
      "[service.web]\nhealth = 'http://127.0.0.1:1/'\nmetrics = 'http://127.0.0.1:1/m'\n"
      "rules = ['p95 > 3000 for 5m', 'p99 > 3000ms for 5m']\n"
      "rollback = ['true', '{to}']\nidentify = ['true']\n"
      "[rule.a]\nwhen = 'slow > 3000 or size > 3000'\nfor = '5m'\n"
      "[rule.b]\nwhen = 'size > 3000 or app.queue > 3000 or health.duration > 3000'\nfor = '5m'\n");
  CHECK(result.config.has_value());
  CHECK(findings_text(result) == "16:17: warning: service.web.rules: a time is compared with 3000" + both +
                                     "20:16: warning: rule.a.when: a time is compared with 3000" + both +
                                     "23:62: warning: rule.b.when: a time is compared with 3000" + both);
}

TEST_CASE("the names by which it is asked are names") {
  CHECK(findings_of("[watcher]\nhosts = ['watcher.example', 'prod-1']\n").empty());
  for (const char* wrong : {"", "https://watcher.example", "watcher.example:9877", "a b"}) {
    CAPTURE(wrong);
    const std::string found = findings_of("[watcher]\nhosts = ['prod-1', '" + std::string(wrong) + "']\n");
    CHECK(found.find("error: watcher.hosts: expected a host's name") != std::string::npos);
  }
}

TEST_CASE("SPEC 3: what could not be listened on is found by check, not by the start") {
  for (const char* const fine : {"off", "127.0.0.1:9877", "[::1]:9877", "0.0.0.0:0", "localhost:9877"}) {
    CAPTURE(fine);
    CHECK(findings_of("[watcher]\nlisten = '" + std::string(fine) + "'\n").empty());
  }
  for (const char* const wrong :
       {"http://127.0.0.1:9877", "my host:9877", "example.org:9877", "127.0.0.1:99999", ":1"}) {
    CAPTURE(wrong);
    CHECK(findings_of("[watcher]\nlisten = '" + std::string(wrong) + "'\n").find("2:10: error: watcher.listen:") == 0);
  }
  CHECK(findings_of("[watcher]\ncontrol = '/run/" + std::string(102, 'x') + "'\n").empty());
  CHECK(findings_of("[watcher]\ncontrol = '/run/" + std::string(103, 'x') + "'\n")
            .find("2:11: error: watcher.control: a socket's path has at most 107 bytes") == 0);
}

TEST_CASE("a port that is none and a header that would be two are mistakes") {
  const auto probe = [](const std::string& url, const std::string& header) {
    return findings_of("[probe.h]\ntype = 'http'\nurl = '" + url + "'\nheader = { " + header + " }\n");
  };
  CHECK(probe("http://127.0.0.1:65535/", "X-Key = 'a b'").empty());
  CHECK(probe("http://127.0.0.1:99999/", "") == "3:8: error: probe.h.url: the port must be from 1 to 65535\n");
  CHECK(probe("http://127.0.0.1:65536/", "") == "3:8: error: probe.h.url: the port must be from 1 to 65535\n");
  CHECK(probe("http://h/", "'X Y' = 'a'") == "4:10: error: probe.h.header: \"X Y\" is not a header's name\n");
  CHECK(probe("http://h/", "'' = 'a'") == "4:10: error: probe.h.header: \"\" is not a header's name\n");
  CHECK(probe("http://h/", "X = \"a\\r\\nY: b\"") ==
        "4:10: error: probe.h.header: the value of X has a line break or another control character in it\n");
}

TEST_CASE("a capture into no plain file and a wait that cannot hold long enough are mistakes") {
  const auto step = [](const std::string& lines) {
    return findings_of("[probe.h]\ntype = 'http'\nurl = 'http://h/'\n[action.a]\n[[action.a.step]]\n" + lines);
  };
  CHECK(step("capture = 'logs-1.txt'\nrun = ['true']\n").empty());
  for (const char* const name : {"a b", "../a", ".a", "lögs.txt", ""}) {
    CAPTURE(name);
    CHECK(step("capture = '" + std::string(name) + "'\nrun = ['true']\n")
              .find("6:11: error: action.a.step[0].capture:") == 0);
  }
  CHECK(step("wait = 'h.up == 1'\nfor = '5m'\n").empty());
  CHECK(step("wait = 'h.up == 1'\nfor = '6m'\ntimeout = '6m'\n").empty());
  CHECK(step("wait = 'h.up == 1'\nfor = '6m'\n") ==
        "7:7: error: action.a.step[0].for: the step ends after 5m, before it could have held for 6m; give it a longer "
        "timeout\n");
  CHECK(step("wait = 'h.up == 1'\nfor = '15s'\ntimeout = '10s'\n").find("8:11: error: action.a.step[0].timeout:") == 0);
}

TEST_CASE("what is looked at later has a time, something to look at or to do, and names that exist") {
  const auto later = [](const std::string& lines) {
    return findings_of("[probe.h]\ntype = 'http'\nurl = 'http://h/'\n[action.a]\n[[action.a.step]]\nsleep = '1s'\n" +
                       std::string("[[action.a.later]]\n") + lines);
  };
  CHECK(later("after = '30m'\nwhen = 'h.up == 1'\n").empty());
  CHECK(later("after = '24h'\ntext = 'remove the flag'\n").empty());
  CHECK(later("after = '2s'\nwhen = 'h.up == 1'\ntext = 'look at the queue'\n").empty());
  CHECK(later("when = 'h.up == 1'\n") ==
        "7:1: error: action.a.later[0]: after is missing; write for example after = \"30m\"\n");
  CHECK(later("after = '30m'\n") ==
        "7:1: error: action.a.later[0]: looks at nothing; give it when, a condition, or text, "
        "what a person has to do until then\n");
  CHECK(later("after = '31d'\ntext = 'x'\n").find("8:9: error: action.a.later[0].after: is more than 30d") == 0);
  CHECK(later("after = '0s'\ntext = 'x'\n").find("8:9: error: action.a.later[0].after:") == 0);
  CHECK(later("after = 5\ntext = 'x'\n").find("8:9: error: action.a.later[0].after:") == 0);
  CHECK(later("after = '1h'\nwhen = 'g.up == 1'\n").find("there is no probe \"g\"") != std::string::npos);
  CHECK(later("after = '1h'\nwhen = 'h.up =='\n").find("9:") == 0);
  CHECK(later("after = '1h'\ntext = 'x'\nnotify = 'nobody'\n").find("there is no notifier \"nobody\"") !=
        std::string::npos);
  CHECK(later("after = '1h'\ntext = 'x'\nrun = ['true']\n").find("10:1: error: action.a.later[0]") == 0);
  CHECK(later("after = '1h'\ntext = '" + std::string(1001, 'x') + "'\n").find("longer than 1000 bytes") !=
        std::string::npos);
  CHECK(findings_of("[action.a]\n[[action.a.step]]\nsleep = '1s'\n[action.a.later]\nafter = '1h'\n")
            .find("action.a.later") != std::string::npos);
}

TEST_CASE("a signal over a probe that never has its series is a mistake") {
  const auto signal = [](const std::string& lines) {
    return findings_of(
        "[probe.h]\ntype = 'http'\nurl = 'http://h/'\njson = { a = '/a' }\n[probe.m]\n"
        "type = 'prometheus'\nurl = 'http://h/m'\n[signal.s]\n" +
        lines);
  };
  CHECK(signal("probe = 'h'\nexpr = 'b'\n") ==
        "10:8: error: signal.s.expr: probe \"h\" has no series b (it has a, up, duration); a page of metrics needs a "
        "probe of type prometheus\n");
  CHECK(signal("probe = 'h'\nratio = 'error_rate'\n").find("10:9: error: signal.s.ratio:") == 0);
  CHECK(signal("probe = 'h'\nquantile = 0.95\nof = 'x'\n").find("10:12: error: signal.s.quantile:") == 0);
  CHECK(signal("probe = 'h'\nexpr = 'a'\n").empty());
  CHECK(signal("probe = 'm'\nexpr = 'b'\n").empty());
  CHECK(signal("probe = 'gone'\nexpr = 'b'\n").find("there is no probe") != std::string::npos);
}

TEST_CASE("the nearest name is one that could have been meant") {
  const std::vector<std::string> known{"interval", "timeout", "url"};
  CHECK(watcher::nearest("intervall", known) == "interval");
  CHECK(watcher::nearest("timoeut", known) == "timeout");
  CHECK(watcher::nearest("elephant", known).empty());
  CHECK(watcher::nearest("x", known).empty());
}

TEST_CASE("a template that cannot be meant is an error") {
  const auto found = [](const std::string& text) {
    return findings_of("[notify.n]\ntype = 'webhook'\nurl = 'http://127.0.0.1/x'\ntemplate = '" + text + "'\n");
  };
  CHECK(found("{RUNBOOK}").find("notify.n.template: has {RUNBOOK}") != std::string::npos);
  CHECK(found("").find("notify.n.template: is empty") != std::string::npos);
  CHECK(found("{title}").find("template") == std::string::npos);
}

TEST_CASE("{to} and {from} where nothing is filled in are errors, with what is meant") {
  const auto found = [](const std::string& keys) { return findings_of("[service.web]\n" + keys + "\n"); };
  const std::string identify = "identify = ['true']\n";
  CHECK(found(identify + "rollback = ['./no', '{TO}']").find("has {TO}, for which nothing is filled in; write {to}") !=
        std::string::npos);
  CHECK(found(identify + "rollback = ['sh', '-c', 'x { to }']").find("write {to}") != std::string::npos);
  CHECK(found("identify = ['true', '{to}']\nrollback = ['true', '{to}']")
            .find("service.web.identify: has {to}, which is known only to a switch") != std::string::npos);
  for (const char* const alone : {"['{to}']", "['./rollback.sh {to}']"}) {
    CAPTURE(alone);
    CHECK(found(identify + "rollback = " + alone).find("the first element is the command alone") != std::string::npos);
  }
  CHECK(findings_text(load_text("[service.web]\n" + identify + "rollback = ['true', '{to}', '{service}']\n"))
            .find("warning: service.web.rollback: has {service}") != std::string::npos);
  const std::string others = "rollback = ['sh', '-c', 'awk {print} ${to} %{version} {{service}} {to}']";
  CHECK(found(identify + others).find(" has {") == std::string::npos);
}

TEST_CASE("a template's field that there is not is an error, with the nearest one") {
  const std::string found =
      findings_of("[notify.n]\ntype = 'slack'\nurl = 'http://127.0.0.1/x'\ntemplate = '{titel} {text} {\"a\": 1}'\n");
  CHECK(found.find("notify.n.template: has {titel}, which is no field; did you mean \"title\"?") != std::string::npos);
  CHECK(found.find("{text}") == std::string::npos);
}

TEST_CASE("a watcher's name is not empty: what is written out would have another one") {
  CHECK(findings_of("[watcher]\nname = ''\n").find("watcher.name: is empty") != std::string::npos);
}

TEST_CASE("the memory that targets may make us keep is a size, and enough for a page") {
  CHECK(findings_of("[watcher]\nmemory = '128MiB'\n").empty());
  CHECK(findings_of("[watcher]\nmemory = '1MiB'\n").empty());
  for (const char* const wrong : {"'1023KiB'", "'lots'", "0", "-1"}) {
    CHECK(findings_of("[watcher]\nmemory = " + std::string(wrong) + "\n").find("watcher.memory: ") !=
          std::string::npos);
  }
}
