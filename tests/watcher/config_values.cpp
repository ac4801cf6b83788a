#include <doctest/doctest.h>

#include "config_files.hpp"

// Values that cannot be meant: of the right kind, and wrong all the same.

TEST_CASE("SPEC 3: a metric in milliseconds without unit is warned of") {
  const std::string text = with_service("[signal.p95]\nprobe = 'app'\nquantile = 0.95\nof = 'request_ms'\n");
  const watcher::Loaded result = load_text(text);
  CHECK(result.config.has_value());
  CHECK(findings_text(result) ==
        "10:6: warning: signal.p95.of: request_ms seems to be in milliseconds; add unit = \"ms\" so that 3000ms means "
        "what it says\n");
  CHECK(load_text(text + "unit = 'ms'\n").findings.empty());
}

TEST_CASE("SPEC 3: a share compared with a bare number above 1 is a mistake, whether written out or implied") {
  CHECK(findings_beside_service(
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
  CHECK(findings_beside_service("[watcher]\nhosts = ['watcher.example', 'prod-1']\n").empty());
  for (const char* wrong : {"", "https://watcher.example", "watcher.example:9877", "a b"}) {
    CAPTURE(wrong);
    const std::string found = findings_beside_service("[watcher]\nhosts = ['prod-1', '" + std::string(wrong) + "']\n");
    CHECK(found.find("error: watcher.hosts: expected a host's name") != std::string::npos);
  }
}

TEST_CASE("SPEC 3: what could not be listened on is found by check, not by the start") {
  for (const char* const fine : {"off", "127.0.0.1:9877", "[::1]:9877", "0.0.0.0:0", "localhost:9877"}) {
    CAPTURE(fine);
    CHECK(findings_beside_service("[watcher]\nlisten = '" + std::string(fine) + "'\n").empty());
  }
  for (const char* const wrong :
       {"http://127.0.0.1:9877", "my host:9877", "example.org:9877", "127.0.0.1:99999", ":1"}) {
    CAPTURE(wrong);
    CHECK(findings_beside_service("[watcher]\nlisten = '" + std::string(wrong) + "'\n")
              .find("2:10: error: watcher.listen:") == 0);
  }
  CHECK(findings_beside_service("[watcher]\ncontrol = '/run/" + std::string(102, 'x') + "'\n").empty());
  CHECK(findings_beside_service("[watcher]\ncontrol = '/run/" + std::string(103, 'x') + "'\n")
            .find("2:11: error: watcher.control: a socket's path has at most 107 bytes") == 0);
}

TEST_CASE("a port that is none and a header that would be two are mistakes") {
  const auto probe = [](const std::string& url, const std::string& header) {
    return findings_beside_service("[probe.h]\ntype = 'http'\nurl = '" + url + "'\nheader = { " + header + " }\n");
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
    return findings_beside_service("[probe.h]\ntype = 'http'\nurl = 'http://h/'\n[action.a]\n[[action.a.step]]\n" +
                                   lines);
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
    return findings_beside_service(
        "[probe.h]\ntype = 'http'\nurl = 'http://h/'\n[action.a]\n[[action.a.step]]\nsleep = '1s'\n" +
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
  CHECK(findings_beside_service("[action.a]\n[[action.a.step]]\nsleep = '1s'\n[action.a.later]\nafter = '1h'\n")
            .find("action.a.later") != std::string::npos);
}

TEST_CASE("a signal over a probe that never has its series is a mistake") {
  const auto signal = [](const std::string& lines) {
    return findings_beside_service(
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

TEST_CASE("a template that cannot be meant is an error") {
  const auto found = [](const std::string& text) {
    return findings_beside_service("[notify.n]\ntype = 'webhook'\nurl = 'http://127.0.0.1/x'\ntemplate = '" + text +
                                   "'\n");
  };
  CHECK(found("{RUNBOOK}").find("notify.n.template: has {RUNBOOK}") != std::string::npos);
  CHECK(found("").find("notify.n.template: is empty") != std::string::npos);
  CHECK(found("{title}").find("template") == std::string::npos);
}

TEST_CASE("{to} and {from} where nothing is filled in are errors, with what is meant") {
  const auto found = [](const std::string& keys) { return findings_beside_service("[service.web]\n" + keys + "\n"); };
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
  const std::string found = findings_beside_service(
      "[notify.n]\ntype = 'slack'\nurl = 'http://127.0.0.1/x'\ntemplate = '{titel} {text} {\"a\": 1}'\n");
  CHECK(found.find("notify.n.template: has {titel}, which is no field; did you mean \"title\"?") != std::string::npos);
  CHECK(found.find("{text}") == std::string::npos);
}

TEST_CASE("a watcher's name is not empty: what is written out would have another one") {
  CHECK(findings_beside_service("[watcher]\nname = ''\n").find("watcher.name: is empty") != std::string::npos);
}

TEST_CASE("the memory that targets may make us keep is a size, and enough for a page") {
  CHECK(findings_beside_service("[watcher]\nmemory = '128MiB'\n").empty());
  CHECK(findings_beside_service("[watcher]\nmemory = '1MiB'\n").empty());
  for (const char* const wrong : {"'1023KiB'", "'lots'", "0", "-1"}) {
    CHECK(findings_beside_service("[watcher]\nmemory = " + std::string(wrong) + "\n").find("watcher.memory: ") !=
          std::string::npos);
  }
}

TEST_CASE("a share, a time and a size are compared with their like alone") {
  const auto of = [](const std::string& rule) {
    return findings_text(
        load_text("[service.web]\nhealth = 'http://127.0.0.1:1/'\nmetrics = 'http://127.0.0.1:1/m'\n"
                  "rollback = ['true']\nrules = ['" +
                  rule + " for 5m']\n"));
  };
  CHECK(of("memory > 1GiB").find("a share is compared with a size") != std::string::npos);
  CHECK(of("memory > 500ms").find("a share is compared with a time") != std::string::npos);
  CHECK(of("p95 > 3%").find("a time is compared with a share") != std::string::npos);
  CHECK(of("error_rate > 5s").find("error: ") != std::string::npos);
  for (const char* const fine : {"memory > 90%", "p95 > 3000ms", "error_rate > 5%", "p95 > 3 * baseline(p95)",
                                 "error_rate > baseline(error_rate) + 1%", "error_rate * 100 > 5"}) {
    CAPTURE(fine);
    CHECK(of(fine).empty());
  }
}

TEST_CASE("a share beyond what a share can be is warned of, on either side") {
  const auto of = [](const std::string& when) {
    return findings_text(
        load_text("[probe.host]\ntype = 'host'\n[service.web]\nrollback = ['true']\n"
                  "[rule.a]\nwhen = '" +
                  when + "'\nfor = '5m'\n"));
  };
  for (const char* const never : {"host.memory_used > 100%", "host.memory_used < 0%", "100% < host.memory_used"}) {
    CAPTURE(never);
    CHECK(of(never).find("warning: rule.a.when: a share lies between 0% and 100%: this is never true") !=
          std::string::npos);
  }
  for (const char* const ever : {"host.memory_used >= 0%", "host.memory_used > -5%", "host.memory_used <= 100%"}) {
    CAPTURE(ever);
    CHECK(of(ever).find("this is always true") != std::string::npos);
  }
  for (const char* const fine : {"host.memory_used > 99.9%", "host.memory_used > 0%", "0% < host.memory_used"}) {
    CAPTURE(fine);
    CHECK(of(fine).empty());
  }
}

TEST_CASE("a condition that measures nothing, and a target in a plan that does not switch, are mistakes") {
  CHECK(findings_beside_service("[rule.x]\nwhen = '1 > 0'\nfor = '5m'\nrespond = []\n")
            .find("rule.x.when: measures nothing") != std::string::npos);
  const auto plan = [](const std::string& steps) {
    return findings_beside_service("[service.web]\nidentify = ['true']\nrollback = ['true', '{to}']\n[action.a]\n" +
                                   steps);
  };
  const std::string run = "[[action.a.step]]\nrun = ['true', '{to}']\n";
  CHECK(plan(run).find("action.a.step: has {to} in a command, and no switch") != std::string::npos);
  CHECK(plan("[[action.a.step]]\nrun = ['true']\n[[action.a.always]]\nrun = ['true', '{to}']\n")
            .find("has {to} in a command, and no switch") != std::string::npos);
  CHECK(plan(run + "[[action.a.step]]\nswitch = 'last-good'\n").empty());
}
