#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "cli_support.hpp"
#include "config_files.hpp"
#include "watcher/cli/check_online.hpp"
#include "watcher/cli/table.hpp"
#include "watcher/cli/thresholds.hpp"

namespace {

using Kind = watcher::OnlineFinding::Kind;

constexpr const char* status = R"({
"watcher":{"name":"prod-1","version":"1.2.3","mode":"act","uptime_seconds":3725,"degraded":["the disk is full"]},
"services":{"web":{"revision":"0123456789abcdef0123456789abcdef01234567","last_good":"v1","state":"armed","flags":["fused"],"rollback_ready":true,"not_ready_reason":null,"incident":"i7","paused_until":null,"fused_reason":"3 switches in 24 h","baked_seconds":60,"bake_seconds":3600}},
"probes":{"app":{"up":1,"last_seen":"2026-11-21T02:03:04Z","error":null},"db":{"up":0,"last_seen":null,"error":"refused"},"x":{"up":null,"last_seen":null,"error":null},"y":{"up":1,"last_seen":"2026-11-21T02:03:04Z","error":null,"unread_lines":2}},
"signals":{"p95":{"value":0.21,"unit":"ms","unknown":null,"count":412,"taken":"http_request_duration_seconds"},"rate":{"value":null,"unknown":"no_traffic","count":0,"taken":null}},
"rules":{"slow":{"service":"web","severity":"P1","verdict":"bad","cause":null,"state":"pending","value":3.2,"threshold":3,"unit":"ms","bad_seconds":90,"for_seconds":300,"seconds_to_fire":210,"blind":false},
"quiet":{"service":"web","severity":"P3","verdict":"unknown","cause":"no_data","state":"idle","value":null,"threshold":null,"bad_seconds":0,"for_seconds":60,"seconds_to_fire":null,"blind":true}}})";

rules::Reading reading(const std::string& name, std::vector<rules::Label> labels, double value) {
  rules::SeriesKey key;
  key.name = name;
  key.labels = std::move(labels);
  return {std::make_shared<const rules::SeriesKey>(std::move(key)), value};
}

rules::Poll poll_of(const std::string& probe, rules::Up up, std::vector<rules::Reading> readings = {}) {
  rules::Poll out;
  out.probe = rules::ProbeName(probe);
  out.ended = out.started + std::chrono::milliseconds(20);
  out.up = up;
  out.readings = std::move(readings);
  return out;
}

std::string text_of(const std::vector<watcher::OnlineFinding>& findings) {
  std::string out;
  for (const watcher::OnlineFinding& finding : findings) {
    const char* word = finding.kind == Kind::fine ? "fine" : finding.kind == Kind::advice ? "advice" : "wrong";
    out += std::string(word) + " " + finding.subject + ": " + finding.text + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("SPEC 4: status is aligned, short, and says what to do next") {
  const CliFolder folder;
  FakeWatcher watching;
  watching.replies["/api/v1/status"] = {json_reply(status)};
  const CliRun run = watching(folder.line({"status"}));
  CHECK(run.exit_code == 0);
  CHECK(run.out == R"(prod-1: rollbackd 1.2.3, mode act, up 1h2m5s
degraded: the disk is full

SERVICE  REVISION      STATE                  BAKED  LAST GOOD  ROLLBACK
web      0123456789ab  would not act (fused)  1m/1h  v1         ready

RULE   SERVICE  SEVERITY  VERDICT            VALUE    THRESHOLD  STATE
slow   web      P1        bad                3200 ms  3000 ms    pending, bad 1m30s of 5m, fires in 3m30s
quiet  web      P3        unknown (no_data)  -        -          idle, blind

SIGNAL  VALUE                 COUNT  FROM
p95     210 ms                412    http_request_duration_seconds
rate    unknown (no_traffic)  0

PROBE  UP       LAST SEEN             ERROR
app    up       2026-11-21T02:03:04Z
db     down     never                 refused
x      unknown  never
y      up       2026-11-21T02:03:04Z  up, but 2 lines of its page cannot be read

web has an open incident: rollbackd incidents i7
web is fused (3 switches in 24 h): rollbackd fuse reset web
)");
}

TEST_CASE("SPEC 4: status --json is what the watcher said, and --watch looks again") {
  const CliFolder folder;
  FakeWatcher watching;
  watching.replies["/api/v1/status"] = {json_reply("{\"watcher\":{}}")};
  CHECK(watching(folder.line({"status", "--json"})).out == "{\"watcher\":{}}\n");
  CHECK(watching(folder.line({"status", "--watch"})).asked.size() == 3);
}

TEST_CASE("SPEC 4: status --watch clears a screen, but not a file or a pipe") {
  const CliFolder folder;
  FakeWatcher watching;
  watching.looks_most = 2;
  watching.replies["/api/v1/status"] = {json_reply(R"({"watcher":{"name":"prod-1"}})")};
  const std::string look = watching(folder.line({"status"})).out;
  CHECK(watching(folder.line({"status", "--watch"})).out == look + "\n" + look);
  watching.is_screen = true;
  const std::string clear = "\x1b[H\x1b[2J";
  CHECK(watching(folder.line({"status", "--watch"})).out == clear + look + clear + look);
}

TEST_CASE("SPEC 4: incidents are listed, newest first as the watcher gives them") {
  const CliFolder folder;
  FakeWatcher watching;
  watching.replies["/api/v1/incidents"] = {json_reply(
      R"({"incidents":[{"id":"i2","service":"web","rule":null,"severity":"P1","opened":"t2","closed":null,"from":"b","to":null,"outcome":null,"phase":"acting"},{"id":"i1","service":"web","rule":"slow","severity":"P0","opened":"t1","closed":"t1","from":"b","to":"a","outcome":"recovered","phase":"closed"}]})")};
  CHECK(watching(folder.line({"incidents"})).out ==
        "INCIDENT  SERVICE  RULE     SEVERITY  OPENED  FROM  TO  OUTCOME\n"
        "i2        web      by hand  P1        t2      b     -   open, acting\n"
        "i1        web      slow     P0        t1      b     a   recovered\n");
  watching.replies["/api/v1/incidents"] = {json_reply(R"({"incidents":[]})")};
  CHECK(watching(folder.line({"incidents"})).out == "no incidents\n");
}

TEST_CASE("SPEC 2.22: status says of an open incident what it does, why it waits and what a person can do") {
  const CliFolder folder;
  FakeWatcher watching;
  watching.replies["/api/v1/status"] = {
      json_reply(R"({"services":{"web":{"state":"incident","flags":["blind"],"incident":"i7"}}})")};
  watching.replies["/api/v1/incidents/i7"] = {json_reply(
      R"({"id":"i7","phase":"asking","asked":"its mode is ask","waiting_for":null,"next":"waits for you: rollbackd approve i7"})")};
  const std::string asks = watching(folder.line({"status"})).out;
  CHECK(asks.find("web      -         incident: asking (blind)") != std::string::npos);
  CHECK(asks.find(
            "\nweb has an open incident (asking, because its mode is ask): waits for you: rollbackd approve i7; its "
            "story: rollbackd incidents i7\n") != std::string::npos);
  watching.replies["/api/v1/incidents/i7"] = {
      json_reply(R"({"id":"i7","phase":"held","asked":null,"waiting_for":"a deployment","next":"waits"})")};
  CHECK(watching(folder.line({"status"})).out.find("(held: a deployment): waits; its story") != std::string::npos);
}

TEST_CASE("SPEC 4: check prints every finding with its place, and --strict counts warnings") {
  FakeWatcher nobody;
  const CliFolder bad("[watcher.x]\n[probe.a]\ntype = 'hots'\n");
  const CliRun invalid = nobody(bad.line({"check"}));
  CHECK(invalid.exit_code == 1);
  CHECK(invalid.err.find(":6:8: error: probe.a.type: unknown \"hots\"; did you mean \"host\"?") != std::string::npos);
  const CliFolder warned(
      "[probe.a]\ntype = 'prometheus'\nurl = 'http://[::1]:1/'\n[signal.s]\nprobe = 'a'\nexpr = "
      "'x_ms'\n[service.web]\nrollback = ['true']\n");
  CHECK(nobody(warned.line({"check"})).exit_code == 0);
  CHECK(nobody(warned.line({"check", "--strict"})).exit_code == 1);
  const CliRun json = nobody(warned.line({"check", "--json"}));
  CHECK(json.out.find("\"valid\":true") != std::string::npos);
  CHECK(json.out.find("\"level\":\"warning\"") != std::string::npos);
}

TEST_CASE("SPEC 4: check --online finds a probe that is down and a command that does not exist") {
  FakeWatcher nobody;
  const CliFolder folder(
      "[probe.db]\ntype = 'tcp'\nhost = '127.0.0.1'\nport = 1\n"
      "[service.web]\nidentify = ['/nowhere/identify']\nswitch = ['/nowhere/switch', '{to}']\n");
  const CliRun run = nobody(folder.line({"check", "--online"}));
  CHECK(run.exit_code == 1);
  CHECK(run.out.find("wrong: probe db: down") != std::string::npos);
  CHECK(run.out.find("wrong: service.web.switch: the command /nowhere/switch does not exist") != std::string::npos);
  CHECK(run.out.find("wrong: service web: what runs cannot be read") != std::string::npos);
  CHECK(run.out.find("advice: rules: none judges anything") != std::string::npos);
}

TEST_CASE("SPEC 3: check --online tells no secret that a command repeats") {
  FakeWatcher nobody;
  const CliFolder folder(
      "[probe.e]\ntype = 'exec'\nrun = ['sh', '-c', 'echo is hunter22; exit 2']\nenv.PW = { file = 'pw' }\n"
      "[service.web]\nidentify = ['sh', '-c', 'echo has hunter22 >&2; exit 1']\nswitch = ['true', '{to}']\n");
  std::ofstream(folder.path() + "/pw") << "hunter22\n";
  const CliRun run = nobody(folder.line({"check", "--online"}));
  CHECK(run.out.find("exited with 2: is <redacted>") != std::string::npos);
  CHECK(run.out.find("exited with 1: has <redacted>") != std::string::npos);
}

TEST_CASE("check names the file as a shell takes it") {
  FakeWatcher nobody;
  const CliFolder folder("[service.web]\nrollback = ['true']\n");
  const std::string file = folder.path() + "/it's mine.toml";
  std::filesystem::copy_file(folder.config(), file);
  const CliRun run = nobody({"check", "--config", file});
  CHECK(run.out.find("--config '" + folder.path() + "/it'\\''s mine.toml' asks") != std::string::npos);
}

TEST_CASE("SPEC 2.7: check --online finds a threshold beyond the highest finite bucket") {
  const watcher::Config config = loaded(
      with_service("[signal.p95]\nprobe = 'app'\nquantile = 0.95\nof = 'd_seconds'\n"
                   "[rule.slow]\nwhen = 'p95 > 3000ms'\nfor = '5m'\n[rule.fine]\nwhen = '2 < p95'\nfor = '5m'\n"));
  const auto page = [](const char* highest) {
    return poll_of("app", rules::Up::up,
                   {reading("d_seconds_bucket", {{"le", "0.5"}}, 1), reading("d_seconds_bucket", {{"le", highest}}, 1),
                    reading("d_seconds_bucket", {{"le", "+Inf"}}, 2)});
  };
  CHECK(text_of(watcher::lint_polls(config, {page("2.5")})) ==
        "fine probe app: up, answered in 0.02s with 3 values\n"
        "fine signal p95: takes d_seconds\n"
        "wrong signal p95: undecidable_bucket: rule.slow.when compares it with 3, but the highest finite bucket of "
        "d_seconds "
        "ends at "
        "2.5; add a bucket above the threshold, or lower the threshold\n");
  CHECK(text_of(watcher::lint_polls(config, {page("3")})).find("undecidable_bucket") == std::string::npos);
}

TEST_CASE("SPEC 2.7: thresholds are found on either side, computed, negated, over time and in compound conditions") {
  struct Case {
    const char* condition;
    std::vector<double> thresholds;
  };
  for (const Case& each : {Case{"p95 > 3000ms", {3}}, Case{"3 < p95", {3}}, Case{"p95 * 1000 > 3000", {3}},
                           Case{"1.5 * 2 < p95", {3}}, Case{"p95 - 1 >= 2 * 1", {3}}, Case{"-p95 < -3", {3}},
                           Case{"p95 + p95 > 6", {3}}, Case{"6 / 2 <= p95 / 1", {3}}, Case{"max(p95, 10m) > 3", {3}},
                           Case{"health.up == 0 or not (p95 < 3 and error_rate > 5%)", {3}},
                           Case{"p95 > 3 and (p95 < 4 or 5 == p95)", {3, 4, 5}}, Case{"p95 > 3 * baseline(p95)", {}},
                           Case{"p95 > error_rate", {}}, Case{"slope(p95, 10m) > 3", {}}, Case{"p95 - p95 > 3", {}},
                           Case{"1 / p95 > 3", {}}, Case{"error_rate > 3%", {}}}) {
    CAPTURE(std::string(each.condition));
    const auto parsed = rules::parse_condition(each.condition);
    REQUIRE(std::holds_alternative<rules::Condition>(parsed));
    const std::vector<double> found =
        watcher::thresholds_of(std::get<rules::Condition>(parsed), rules::SignalName("p95"));
    REQUIRE(found.size() == each.thresholds.size());
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(each.thresholds[i]));
  }
  CHECK(watcher::thresholds_of(rules::Condition(), rules::SignalName("p95")).empty());
}

TEST_CASE("SPEC 2.7: check --online looks at every condition that a threshold may stand in") {
  const watcher::Config config =
      loaded(with_service("[signal.p95]\nprobe = 'app'\nquantile = 0.95\nof = 'd_seconds'\n"
                          "[rule.slow]\nwhen = 'p95 > 1'\nclear = 'p95 * 2 < 8'\nunless = '5 < p95'\nfor = '5m'\n"
                          "[action.rollback]\nverify = { when = 'not (p95 > 6)' }\n"
                          "[[action.rollback.step]]\nswitch = 'last-good'\n"));
  const rules::Poll page = poll_of("app", rules::Up::up, {reading("d_seconds_bucket", {{"le", "2.5"}}, 1)});
  const std::string found = text_of(watcher::lint_polls(config, {page}));
  CHECK(found.find("rule.slow.when") == std::string::npos);
  CHECK(found.find("rule.slow.clear compares it with 4") != std::string::npos);
  CHECK(found.find("rule.slow.unless compares it with 5") != std::string::npos);
  CHECK(found.find("action.rollback.verify.when compares it with 6") != std::string::npos);
}

TEST_CASE("SPEC 3: check --online says which of the usual metrics the short form took") {
  const watcher::Config config = loaded(config_text("short.toml"));
  const std::string found = text_of(watcher::lint_polls(
      config,
      {poll_of("metrics", rules::Up::up, {reading("http_server_requests_seconds_count", {{"status", "200"}}, 1)})}));
  CHECK(
      found.find("fine signal error_rate: takes "
                 "http_server_requests_seconds_count{status=~\"5..|5\",uri!~\"/?(api/health|metrics)/?\"} of "
                 "http_server_requests_seconds_count{status=~\"[1-5]..|[1-5]\",uri!~\"/?(api/health|metrics)/?\"}\n") !=
      std::string::npos);
  CHECK(found.find("advice signal error_rate: no label of it tells our own requests apart: 24 a minute") !=
        std::string::npos);
  CHECK(found.find("advice signal p95: the page has http_server_requests_seconds_count{uri") != std::string::npos);
  CHECK(found.find("percentiles-histogram.http.server.requests=true") != std::string::npos);
  CHECK(text_of(watcher::lint_polls(config, {poll_of("metrics", rules::Up::up, {})}))
            .find("advice signal p95: none of the usual histograms is in the page yet") != std::string::npos);
}

TEST_CASE("check --online says what of the failures a library counts elsewhere") {
  const auto found = [](const std::string& counter) {
    const auto page = poll_of("metrics", rules::Up::up, {reading(counter, {{"code", "200"}}, 1)});
    return text_of(watcher::lint_polls(loaded(config_text("short.toml")), {page}));
  };
  CHECK(found("caddy_http_request_duration_seconds_count").find("in caddy_http_request_errors_total alone") !=
        std::string::npos);
  CHECK(found("http_server_requests_total").find("in http_server_exceptions_total alone") != std::string::npos);
  CHECK(found("http_requests_total").find(" alone and is not seen") == std::string::npos);
}

TEST_CASE("check --online says why one of several metrics was taken, and what a summary lacks") {
  const watcher::Config config = loaded(config_text("short.toml"));
  const std::string found = text_of(watcher::lint_polls(
      config, {poll_of("metrics", rules::Up::up,
                       {reading("http_requests_total", {{"code", "200"}, {"path", "/"}}, 10),
                        reading("gin_requests_total", {{"code", "200"}, {"url", "/"}}, 3),
                        reading("rr_http_request_total", {{"status", "200"}}, 99),
                        reading("haproxy_frontend_http_responses_total", {{"code", "2xx"}}, 1000),
                        reading("ruby_http_request_duration_seconds", {{"action", "a"}, {"quantile", "0.99"}}, 1),
                        reading("ruby_http_request_duration_seconds", {{"action", "b"}, {"quantile", "0.99"}}, 1)})}));
  CHECK(found.find("; gin_requests_total{code=~\"[1-5]..|[1-5]\",url!~\"/?(api/health|metrics)/?\"} counted 3 "
                   "requests, this 10") != std::string::npos);
  CHECK(found.find("; rr_http_request_total{status=~\"[1-5]..|[1-5]\"} does not tell our own requests apart") !=
        std::string::npos);
  CHECK(found.find("; haproxy_frontend_http_responses_total{code=~\"[1-5]..|[1-5]\"} is taken only where there is "
                   "nothing better") != std::string::npos);
  CHECK(found.find(
            "advice signal p95: the summary has no quantile 0.95; its 0.99, the nearest above, is the most that it can "
            "be: a rule on it is good or unknown, never bad; ask for one that it has: p99; 2 summaries are combined") !=
        std::string::npos);
  CHECK(found.find("advice signal p95: it has no label for the path: 24 a minute") != std::string::npos);
  CHECK(found.find("signal error_rate: no label") == std::string::npos);
}

TEST_CASE("check --online says how much of a page cannot be read") {
  const watcher::Config config = loaded(with_service(""));
  rules::Poll poll = poll_of("app", rules::Up::up);
  poll.unread = {2, "line 10: \"odd\": a sample ends with a number"};
  CHECK(text_of(watcher::lint_polls(config, {poll}))
            .find("advice probe app: 2 lines of its page cannot be read, and nothing selects them; the first: line 10: "
                  "\"odd\": a sample ends with a number\n") != std::string::npos);
}

TEST_CASE("SPEC 2.3: check --online advises down_on for a name that does not resolve") {
  const watcher::Config config = loaded(with_service(""));
  rules::Poll poll = poll_of("app", rules::Up::unknown);
  poll.fault = rules::Fault{rules::FaultKind::dns, "app: no such name"};
  const std::string found = text_of(watcher::lint_polls(config, {poll}));
  CHECK(found.find("wrong probe app: cannot be measured: app: no such name\n") == 0);
  CHECK(found.find("down_on = [\"dns\"]") != std::string::npos);
}

TEST_CASE("numbers and revisions are short enough to read") {
  CHECK(watcher::short_revision("") == "-");
  CHECK(watcher::short_revision("v1.2.3") == "v1.2.3");
  CHECK(watcher::short_revision(std::string(40, 'a')) == std::string(12, 'a'));
  CHECK(watcher::short_duration(0.214) == "0.21s");
  CHECK(watcher::short_duration(3725.4) == "1h2m5s");
  CHECK(watcher::short_duration(0) == "0s");
}

TEST_CASE("SPEC 2.15: check --online says which probe is taken as a service's health") {
  const CliFolder folder("[service.web]\nidentify = ['echo', 'v1']\nrollback = ['true', '{to}']\n");
  FakeWatcher nobody;
  CHECK(nobody(folder.line({"check", "--online"}))
            .out.find("fine: service web: no probe is its health (one called "
                      "web_health, or health ") != std::string::npos);
}
