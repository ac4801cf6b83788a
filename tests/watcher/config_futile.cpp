#include <doctest/doctest.h>

#include <fstream>

#include "config_files.hpp"
#include "test_folder.hpp"

// SPEC 3: `check` accepts no configuration that it could know to fail.

namespace {

struct Futile {
  const char* text;
  const char* finding;
};

std::string findings_of(const std::string& text) { return findings_text(load_text(text)); }

// The line's number in the whole file is that of the text and 1: a service stands before it.
void check_all(std::initializer_list<Futile> table) {
  for (const Futile& futile : table) {
    CAPTURE(futile.text);
    const std::string text = futile.text;
    const bool is_of_service = !text.starts_with("[");
    CHECK(findings_of((is_of_service ? "[service.web]\n" : "service.web.rollback = ['true']\n") + text) ==
          futile.finding);
  }
}

}  // namespace

TEST_CASE("SPEC 3: a configuration that watches nothing is an error that says what to write") {
  const std::string error =
      " error: watches nothing: there is no service; define [service.NAME] with health, metrics and rules (rollbackd "
      "help service)\n";
  CHECK(findings_of("") == error);
  CHECK(findings_of("# only a comment\n") == error);
  CHECK(findings_of("[watcher]\nname = 'x'\n") == error);
  CHECK(findings_of("[probe.h]\ntype = 'host'\n[notify.n]\ntype = 'webhook'\nurl = 'http://h/'\n") == error);
  CHECK(findings_of("[service.web]\n") ==
        " error: watches nothing: no service has health, metrics and rules, or a way to roll it back (rollbackd help "
        "service)\n");
  CHECK(findings_of("[service.web]\nrollback = ['true']\n").empty());
}

TEST_CASE("SPEC 3: what is measured and judged by no rule is watched by nobody") {
  const std::string measured = "[service.web]\nmetrics = 'http://127.0.0.1:1/metrics'\nrollback = ['true']\n";
  const std::string error =
      "1:1: error: service.web: watches nothing: no rule judges what it measures; write rules = [\"error_rate > 5% for "
      "5m\", \"down for 30s\"], or leave health and metrics out\n";
  CHECK(findings_of(measured) == error);
  CHECK(findings_of(measured + "rules = []\n") == error);
  CHECK(findings_of(measured + "[rule.x]\nwhen = 'metrics.up == 0'\nfor = '5s'\n").empty());
}

TEST_CASE("SPEC 3: a ladder whose end the fuse never lets it reach is a mistake") {
  const std::string ladder = R"([service.web]
rollback = ["true"]
fuse.mutations_per_hour = 1
[probe.h]
type = "host"
[action.a]
[[action.a.step]]
run = ["true"]
[rule.x]
when = "h.memory_used > 90%"
for = "5s"
respond = ["a", "rollback"]
)";
  CHECK(findings_of(ladder) ==
        "12:12: error: rule.x.respond: has 2 actions that change something, and the fuse lets 1 be taken in an hour: "
        "the last would never be reached; raise service.web.fuse.mutations_per_hour\n");
}

TEST_CASE("SPEC 3: what else is wrong is told, not that nothing is left to be watched") {
  CHECK(findings_of("[servise.web]\n") == "1:2: error: unknown key \"servise\"; did you mean \"service\"?\n");
}

TEST_CASE("SPEC 3: users, groups and files that are not there are mistakes") {
  check_all({
      {"[watcher]\ncontrol_group = 'no-such-group'\n",
       "3:17: error: watcher.control_group: there is no group no-such-group; create it, or change "
       "watcher.control_group\n"},
      {"[watcher]\ncontrol_group = ''\n",
       "3:17: error: watcher.control_group: is empty; leave it out for nobody else\n"},
      {"[watcher]\ncontrol_group = 'root'\n", ""},
      {"[watcher]\nstate_dir = '/dev/null'\n",
       "3:13: error: watcher.state_dir: /dev/null is not a folder; name one that is, or one that is not there yet\n"},
      {"[watcher]\nstate_dir = '/nowhere/yet'\n", ""},
      {"[probe.e]\ntype = 'exec'\nrun = ['true']\nuser = 'no-such-user'\n",
       "5:8: error: probe.e.user: there is no user \"no-such-user\" on this host; create it, or name another\n"},
      {"[action.a]\n[[action.a.step]]\nrun = ['true']\nuser = 'no-such-user'\n",
       "5:8: error: action.a.step[0].user: there is no user \"no-such-user\" on this host; create it, or name "
       "another\n"},
      {"driver = 'git'\ndir = '/'\nrestart = ['true']\nuser = 'no-such-user'\nrestart_user = ''\n",
       "5:8: error: service.web.user: there is no user \"no-such-user\" on this host; create it, or name another\n"
       "6:16: error: service.web.restart_user: is empty; leave it out\n"},
  });
}

TEST_CASE("SPEC 3: certificates that cannot be read are a mistake") {
  const auto with = [](const std::string& ca_file) {
    return findings_of(
        "service.web.rollback = ['true']\n[probe.h]\ntype = 'http'\nurl = 'https://h/'\ntls.ca_file = '" + ca_file +
        "'\n");
  };
  CHECK(with("ca.pem").empty());
  for (const char* const wrong : {"no-such.pem", "short.toml", "/"}) {
    CAPTURE(wrong);
    const std::string found = with(wrong);
    CHECK(found.find("5:15: error: probe.h.tls.ca_file: read certificates from ") == 0);
    CHECK(found.find("; is it a PEM file that this user may read?\n") != std::string::npos);
  }
}

TEST_CASE("SPEC 3: a host, a mount point, a variable that cannot be are mistakes") {
  const std::string host =
      "4:8: error: probe.d.host: expected an address or a name alone, such as \"127.0.0.1\", found \"db:5432\"; the "
      "port "
      "is a key of its own\n";
  check_all({
      {"[probe.d]\ntype = 'tcp'\nhost = ''\nport = 1\n",
       "4:8: error: probe.d.host: is empty; write an address or a name, such as \"127.0.0.1\"\n"},
      {"[probe.d]\ntype = 'tcp'\nhost = 'db:5432'\nport = 1\n", host.c_str()},
      {"[probe.d]\ntype = 'tcp'\nhost = '::1'\nport = 1\n", ""},
      {"[probe.d]\ntype = 'tcp'\nhost = 'db.example.org'\nport = 1\n", ""},
      {"[probe.o]\ntype = 'host'\ndisks = ['/', 'var']\n",
       "4:9: error: probe.o.disks: \"var\" is not the path of a mount point; write it from the root on, such as "
       "\"/var\"\n"},
      {"[probe.e]\ntype = 'exec'\nrun = ['true']\nenv = { 'A=B' = 'c' }\n",
       "5:7: error: probe.e.env: the name \"A=B\" of a variable cannot have = in it\n"},
      {"[probe.e]\ntype = 'exec'\nrun = ['true']\nenv = { '' = 'c' }\n",
       "5:7: error: probe.e.env: a variable without a name\n"},
      {"[action.a]\n[[action.a.step]]\nrun = ['true']\nenv = { 'A=B' = 'c' }\n",
       "5:7: error: action.a.step[0].env: the name \"A=B\" of a variable cannot have = in it\n"},
      {"[probe.e]\ntype = 'exec'\nrun = ['true', \"a\\u0000b\"]\nenv = { A = \"a\\u0000b\" }\n",
       "4:16: error: probe.e.run: has a byte 0 in it; leave it out\n"
       "5:13: error: probe.e.env.A: has a byte 0 in it; leave it out\n"},
      {"driver = 'git'\ndir = '/'\nrestart = ['true']\npaths = ['src', '/etc', '../x', '']\n",
       "5:9: error: service.web.paths: \"\" is not in the repository; write it from the repository's folder on, such "
       "as "
       "\"src\"\n"
       "5:9: error: service.web.paths: \"../x\" is not in the repository; write it from the repository's folder on, "
       "such "
       "as \"src\"\n"
       "5:9: error: service.web.paths: \"/etc\" is not in the repository; write it from the repository's folder on, "
       "such "
       "as \"src\"\n"},
  });
}

TEST_CASE("SPEC 3: a step that ends before it is done is a mistake") {
  check_all({
      {"[action.a]\n[[action.a.step]]\nsleep = '1m'\ntimeout = '10s'\n",
       "5:11: error: action.a.step[0].timeout: the step ends after 10s, before it has slept 1m; leave timeout out\n"},
      {"[action.a]\n[[action.a.step]]\nsleep = '1m'\ntimeout = '1m'\n", ""},
      {"[action.a]\n[[action.a.step]]\nsleep = '10m'\n", ""},
  });
}

TEST_CASE("SPEC 3: a request whose answer could never be as expected is a mistake") {
  check_all({
      {"[[probe.j.step]]\nhead = 'http://h/'\nexpect.json = { '/a' = 1 }\n[probe.j]\ntype = 'http'\n",
       "3:8: error: probe.j.step.head: an answer to HEAD has no body to look into; write get\n"},
      {"[[probe.j.step]]\nhead = 'http://h/'\nexpect.status = 204\n[probe.j]\ntype = 'http'\n", ""},
      {"[action.a]\n[[action.a.step]]\nhttp = 'HEAD http://h/'\nexpect.body = 'ok'\n",
       "4:8: error: action.a.step[0].http: an answer to HEAD has no body to look into; write GET\n"},
      {"[[probe.j.step]]\nget = 'http://h/{id}'\nsave = { id = 'json:/id' }\n[probe.j]\ntype = 'http'\n",
       "2:1: error: probe.j.step: step 1 uses {id}, which no step before it saves; write save = { id = "
       "\"json:/POINTER\" } there\n"},
      {"[[probe.j.step]]\nget = 'http://h/'\nsave = { id = 'json:/id' }\n[[probe.j.step]]\nget = 'http://h/{id}'\n"
       "header.Authorization = 'Bearer {tokn}'\n[probe.j]\ntype = 'http'\n",
       "2:1: error: probe.j.step: step 2 uses {tokn}, which no step before it saves; write save = { tokn = "
       "\"json:/POINTER\" } there\n"},
      {"[[probe.j.step]]\nget = 'http://h/'\nsave = { id = 'json:/id' }\n[[probe.j.step]]\npost = 'http://h/{id}'\n"
       "body = '{ \"a\": {b} }'\n[probe.j]\ntype = 'http'\n",
       ""},
      {"[probe.h]\ntype = 'http'\nurl = 'http://h/'\nexpect.status = []\n",
       "5:17: error: probe.h.expect.status: expected at least one status; leave it out for \"200-299\"\n"},
      {"[probe.h]\ntype = 'http'\nurl = 'http://h/'\nheader = { 'content-length' = '5' }\n",
       "5:10: error: probe.h.header: content-length says how long what is sent is, which we know; leave it out\n"},
      {"[probe.e]\ntype = 'exec'\nformat = 'regex'\nrun = ['true']\nvalues = { a = 'hits:\\d+' }\n",
       "6:10: error: probe.e.values: \"hits:\\d+\" has no group that is the number; write one, such as "
       "'hits:(\\d+)'\n"},
  });
}

TEST_CASE("SPEC 3: an instance that would count twice, and a notifier that would never tell, are mistakes") {
  check_all({
      {"[probe.p]\ntype = 'prometheus'\nurls = ['http://a/', 'http://b/', 'http://a/']\n",
       "4:35: error: probe.p.urls: is there twice: one instance would count as two\n"},
      {"[notify.n]\ntype = 'webhook'\nurl = 'http://h/'\non = []\nseverity = []\n",
       "5:6: error: notify.n.on: is empty: it would never tell; leave it out for all\n"
       "6:12: error: notify.n.severity: is empty: it would never tell; leave it out for all\n"},
  });
}

TEST_CASE("a key without end is refused, and does not end the program") {
  std::string key = "a";
  for (int part = 0; part < 50000; ++part) key += ".a";
  CHECK(findings_of("# x\n" + key + " = 1\n") ==
        "2:1: error: has a key of more than 1000 parts; nothing here has more than a few\n");
  CHECK(findings_of("[" + key + "]\n").starts_with("1:1: error: has a key"));
}

TEST_CASE(
    "an identity that asks the address of the health is warned of: it cannot tell of a release that does not start") {
  const std::string service =
      "[service.web]\nhealth = 'http://127.0.0.1:3001/api/health'\nrules = ['down for 30s']\nrollback = ['true']\n";
  const auto warned = [&](const std::string& identify) {
    const std::string found = findings_of(service + "identify = " + identify + "\n");
    return found.find("cannot say that it runs") != std::string::npos;
  };
  CHECK(warned("['curl', '-fsS', 'http://127.0.0.1:3001/api/version']"));
  CHECK(warned("['curl', '-fsS', 'http://localhost:3001/api/version']"));
  CHECK(warned("['sh', '-c', 'curl -fsS http://[::1]:3001/version | cut -c1-7']"));
  CHECK_FALSE(warned("['curl', '-fsS', 'http://127.0.0.1:30010/api/version']"));
  CHECK_FALSE(warned("['curl', '-fsS', 'http://127.0.0.1:3002/api/version']"));
  CHECK_FALSE(warned("['git', '-C', '/opt/app', 'rev-parse', 'HEAD']"));
}
