#include <doctest/doctest.h>

#include "config_files.hpp"
#include "watcher/config/findings.hpp"

// How mistakes are reported: all at once, each at its place, with what was probably meant.

namespace {

struct Mistake {
  const char* text;
  const char* finding;
};

}  // namespace

TEST_CASE("SPEC 3: a mistyped type hides no other mistake of its table") {
  CHECK(findings_beside_service(R"([probe.app]
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
22:8: error: notify.team.type: unknown "slak"; did you mean "slack"? (one of slack, webhook, discord, teams, email, pagerduty, alertmanager)
23:8: error: notify.team.url: expected an address such as http://127.0.0.1:3001/metrics
24:1: error: notify.team: unknown key "everi"; did you mean "every"?
25:1: error: service.web: dir is missing; the folder of the repository, such as dir = "/opt/app"
26:10: error: service.web.driver: unknown "gti"; did you mean "git"? (one of command, git, compose, systemd, pm2, http, kubernetes)
27:1: error: service.web: unknown key "biuld"; did you mean "build"?
28:11: error: service.web.restart: expected an array, one element an argument, such as ["./rollback.sh", "{to}"]; there is no shell
)_");
}

TEST_CASE("SPEC 3: what a later version's type has is not called unknown") {
  CHECK(findings_beside_service("[probe.access]\ntype = \"log\"\npath = \"/var/log/x\"\ninterval = 5\n") ==
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
  CHECK(findings_beside_service(text) ==
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
  const std::string found = findings_beside_service("[watcher]\nname = \nunknown = 1\n");
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
  for (const Mistake& mistake : mistakes) CHECK(findings_beside_service(with_service(mistake.text)) == mistake.finding);
}

TEST_CASE("SPEC 3: a mistake in a short rule is reported at its column in the file") {
  const std::string text = R"([service.web]
metrics = "http://127.0.0.1:1/metrics"
rollback = ["./rollback.sh"]
rules = ["error_rate > 5% for 5", "memory > 90% and nothing > 1 for 5m", "down"]
)";
  CHECK(findings_beside_service(text) ==
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
  for (const Mistake& mistake : mistakes) CHECK(findings_beside_service(with_service(mistake.text)) == mistake.finding);
}

TEST_CASE("a restart has to be given longer than what runs is looked at") {
  for (const std::string more : {"driver = 'systemd'\nunit = 'a.service'\nlink = '/srv/a/current'\n",
                                 "driver = 'pm2'\ndir = '/srv/a'\nprocess = ['a']\n"}) {
    CAPTURE(more);
    const std::string found = findings_beside_service("[service.web]\n" + more + "restart_timeout = '3s'\n");
    CHECK(found.find("restart_timeout has to be longer than steady") != std::string::npos);
    CHECK(findings_beside_service("[service.web]\n" + more + "restart_timeout = '6s'\n") == "");
  }
}

TEST_CASE("SPEC 3: what is for a later version is told apart from what is unknown") {
  const Mistake mistakes[] = {
      {"[probe.x]\ntype = 'log'\npath = '/x'\n",
       "8:8: error: probe.x: type \"log\" is not in this version of rollbackd; it has http, prometheus, host, exec, "
       "tcp\n"},
      {"[probe.x]\ntype = 'lag'\npath = '/x'\n",
       "8:8: error: probe.x.type: unknown \"lag\" (one of http, prometheus, host, exec, tcp)\n"},
      {"[action.a]\n[[action.a.step]]\nrestore = 'files'\n",
       "9:1: error: action.a.step[0]: key \"restore\" is not in this version of rollbackd; leave it out\n"},
  };
  for (const Mistake& mistake : mistakes) CHECK(findings_beside_service(with_service(mistake.text)) == mistake.finding);
}

TEST_CASE("SPEC 3: a secret that cannot be read is an error, and is never shown") {
  CHECK(findings_beside_service("[watcher]\ntoken = { env = 'NOT_SET_ANYWHERE' }\n") ==
        "2:17: error: watcher.token: the environment variable NOT_SET_ANYWHERE is not set\n");
  CHECK(findings_beside_service("[watcher]\ntoken = { file = '/nowhere/at/all' }\n") ==
        "2:18: error: watcher.token: cannot read /nowhere/at/all; is it a file of at most 64 KiB that this user may "
        "read?\n");
  CHECK(findings_beside_service("[notify.n]\ntype = 'slack'\nurl = { env = 'PROBE_PW' }\n").find("of-the-tests") ==
        std::string::npos);
}

TEST_CASE("SPEC 2.18: without an identity no revision can be named, in a command, a plan or a switch") {
  const auto refused = [](const std::string& more) {
    return findings_beside_service(
        "[service.web]\nhealth = 'http://127.0.0.1:1/'\nrollback = ['true']\nrules = ['down for 30s']\n" + more);
  };
  CHECK(refused("").find("error") == std::string::npos);
  CHECK(refused("ready = ['true', '{to}']\n").find("service.web.ready: {to} needs") != std::string::npos);
  const std::string plan = "[[action.rollback.step]]\n";
  CHECK(refused(plan + "run = ['true', '{from}']\n").find("has {to} or {from} in a command") != std::string::npos);
  CHECK(refused(plan + "switch = 'v1'\n").find("names the revision that it goes to") != std::string::npos);
  CHECK(refused(plan + "switch = 'last-good'\n").find("error") == std::string::npos);
  CHECK(findings_beside_service("[service.web]\nrollback = ['true', '{from}']\n").find("{from} needs") !=
        std::string::npos);
}

TEST_CASE("SPEC 2.18: {to} without identify is refused, because no revision is known") {
  CHECK(findings_beside_service("[service.web]\nrollback = ['./back.sh', '{to}']\n") ==
        "2:12: error: service.web.rollback: {to} needs the revisions to be known; add identify = [...], a command that "
        "prints the running one\n");
  CHECK(loaded("[service.web]\nrollback = ['./back.sh']\n").core.services[0].arm == rules::Arm::always);
}

TEST_CASE("SPEC 3: a rule that cannot roll back says so instead of doing nothing") {
  const std::string rule =
      "[probe.h]\ntype = 'tcp'\nhost = '::1'\nport = 1\n[service.web]\n[rule.r]\nwhen = 'h.up == 0'\nfor = '1m'\n";
  CHECK(findings_beside_service(rule).find(
            "6:1: error: rule.r: responds with a rollback, but service \"web\" cannot be switched") == 0);
  CHECK(loaded(rule + "respond = []\n").core.rules[0].respond.empty());
  CHECK(loaded(rule + "severity = 'P3'\n").core.rules[0].respond.empty());
}

TEST_CASE("with a runner a probe cannot be run as another user: the watcher has no rights to be one") {
  const std::string probe = "[probe.e]\ntype = 'exec'\nrun = ['true']\nuser = 'root'\n";
  CHECK(findings_beside_service(probe).find("runner") == std::string::npos);
  const std::string found = findings_beside_service(probe + "[watcher]\nrunner = '/run/r/s'\n");
  CHECK(found.find("with watcher.runner the watcher runs its probes as rollbackd") != std::string::npos);
}

TEST_CASE("the nearest name is one that could have been meant") {
  const std::vector<std::string> known{"interval", "timeout", "url"};
  CHECK(watcher::nearest("intervall", known) == "interval");
  CHECK(watcher::nearest("timoeut", known) == "timeout");
  CHECK(watcher::nearest("elephant", known).empty());
  CHECK(watcher::nearest("x", known).empty());
}
