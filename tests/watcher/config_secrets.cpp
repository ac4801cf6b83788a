#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "cli_support.hpp"
#include "config_files.hpp"
#include "rules/base/passwords.hpp"
#include "rules/base/secret_names.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/literal_secrets.hpp"
#include "watcher/config/schema.hpp"
#include "watcher/steps/redact.hpp"

// Secrets that stand in the configuration itself.

namespace {

using probes::Kind;
using probes::Value;
using rules::Text;
using Texts = std::map<std::string, Text>;

const std::string secret = "hunter\"22";

// A value of that kind with the secret in it; monostate: it cannot have one.
Value with_secret(Kind kind) {
  switch (kind) {
    case Kind::text:
      return Text{secret};
    case Kind::address:
      return Text{"http://127.0.0.1:1/a?b=c&token=" + secret};
    case Kind::addresses:
      return std::vector<Text>{{"http://127.0.0.1:1/"}, {"http://127.0.0.1:2/?api_key=" + secret + "#x"}};
    case Kind::headers:
      return Texts{{"Authorization", {"Bearer " + secret}}, {"X-Api-Key", {secret}}, {"Accept", {"text/plain"}}};
    case Kind::texts:
      return Texts{{"API_KEY", {secret}}, {"DATABASE_URL", {"postgres://ada:hunter22@db/x"}}, {"LANG", {"C"}}};
    case Kind::body:
      return Text{R"({"user":"ada","password":"hunter\"22","list":[{"client_secret":"hunter\"22"}]})"};
    default:
      return {};
  }
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
bool tells(const std::string& text) { return has(text, "hunter"); }

// Each place of a file where a secret may stand literally.
const std::string everywhere = R"([watcher]
token = "hunter-token"
[probe.p]
type = "prometheus"
url = "http://127.0.0.1:1/metrics?format=text&token=hunter-query"
header = { Authorization = "Bearer hunter-bearer", Accept = "text/plain" }
[probe.several]
type = "prometheus"
urls = ["http://127.0.0.1:1/a", "http://127.0.0.1:2/?key=hunter-urls"]
[probe.j]
type = "http"
[[probe.j.step]]
post = "http://127.0.0.1:1/login"
body = "user=ada&password=hunter-form"
save = { token = "json:/token" }
[[probe.j.step]]
post = "http://127.0.0.1:1/login"
header.Authorization = "Bearer {token}"
body.json = { user = "ada", password = "hunter-json" }
[probe.e]
type = "exec"
run = ["curl", "http://ada:hunter-argv@127.0.0.1:1/"]
env = { API_KEY = "hunter-env", DATABASE_URL = "postgres://ada:hunter-dsn@db/x", LANG = "C" }
[service.web]
metrics = "http://127.0.0.1:1/metrics?access_token=hunter-short"
rules = ["error_rate > 5% for 5m"]
identify = ["cat", "revision"]
switch = ["./switch.sh", "{to}"]
[action.rollback]
[[action.rollback.step]]
http = "POST http://127.0.0.1:1/pause?secret=hunter-step"
header.X-Api-Key = "hunter-key"
[[action.rollback.step]]
run = ["psql", "postgres://ada:hunter-run@db/x"]
env.PGPASSWORD = "hunter-pg"
[[action.rollback.step]]
switch = "last-good"
[notify.team]
type = "slack"
url = "https://hooks.example.com/services/T0/hunter-hook"
template = "no secret {title}"
)";

const std::set<std::string> all_of_them{"token", "query", "bearer", "urls", "form", "json", "argv", "env",
                                        "dsn",   "short", "step",   "key",  "run",  "pg",   "hook"};

std::set<std::string> told_by(const std::string& text) {
  std::set<std::string> out;
  for (const std::string& name : all_of_them) {
    if (has(text, "hunter-" + name)) out.insert(name);
  }
  return out;
}

}  // namespace

TEST_CASE("SPEC 3: of every key that may be a secret the literal secret is found, and not written out") {
  std::set<std::string> elsewhere;  // what has a kind of its own: the next tests have these
  std::set<std::string> told;
  for (const watcher::KeyRow& row : watcher::all_keys()) {
    if (!has(row.type, "may be secret")) continue;
    CAPTURE(row.path);
    REQUIRE(row.key != nullptr);
    if (row.key->own != nullptr) {
      elsewhere.insert(row.path);
      continue;
    }
    Value value = with_secret(row.key->kind);
    REQUIRE_FALSE(std::holds_alternative<std::monostate>(value));
    const std::vector<std::string> found = watcher::mark_secrets(*row.key, value);
    if (row.key->is_told) {
      told.insert(row.path);
      continue;
    }
    CHECK(std::find(found.begin(), found.end(), secret) != found.end());
    const std::string written = watcher::row_of(row.key->kind).toml(value);
    CHECK(has(written, "<redacted>"));
    CHECK_FALSE(tells(written));
    CHECK(watcher::mark_secrets(*row.key, value).empty());
  }
  CHECK(elsewhere ==
        std::set<std::string>{"action.step.http", "service.dispatch", "service.health", "service.metrics"});
  CHECK(told == std::set<std::string>{"notify.template"});
}

TEST_CASE("SPEC 3: an expanded configuration shows no secret that stands in it, unless its owner asks") {
  const watcher::Config config = loaded(everywhere);
  const std::string text = rules::without_passwords(watcher::expand(config));
  CHECK(told_by(text).empty());
  CHECK(has(text, "url = \"http://127.0.0.1:1/metrics?format=text&token=<redacted>\""));
  CHECK(has(text, "http = \"POST http://127.0.0.1:1/pause?secret=<redacted>\""));
  CHECK(has(text, "url = \"https://hooks.example.com/<redacted>\""));
  CHECK(has(text, "\"Bearer {token}\""));
  CHECK(has(text, "LANG = \"C\""));
  CHECK(has(text, "Accept = \"text/plain\""));
  CHECK(has(text, "no secret {title}"));
  const watcher::Config shown = loaded(everywhere, watcher::Secrets::shown);
  CHECK(told_by(watcher::expand(shown)) == all_of_them);
  CHECK(watcher::expand(loaded(watcher::expand(shown))) == watcher::expand(config));
}

TEST_CASE("SPEC 3: whatever repeats a secret that stands in the file is redacted, and no step names one") {
  const watcher::Config config = loaded(everywhere);
  std::string text;
  for (const std::string& name : all_of_them)
    text += (name == "hook" ? "services/T0/hunter-" : "hunter-") + name + "\n";
  watcher::redact(text, config.secrets);
  CHECK(told_by(text).empty());
  for (const rules::ActionSpec& action : config.core.actions) {
    for (const rules::StepSpec& step : action.steps) CHECK_FALSE(tells(rules::describe(step)));
  }
  CHECK(rules::describe(config.core.actions[0].steps[0]) == "http POST http://127.0.0.1:1/pause?secret=<redacted>");
}

TEST_CASE("names that sound like a secret") {
  for (const char* const name : {"password", "PGPASSWORD", "API_KEY", "access_token", "Authorization", "Cookie", "PW",
                                 "DB_PW", "sig", "client-secret", "X-Auth"}) {
    CAPTURE(name);
    CHECK(rules::sounds_secret(name));
  }
  for (const char* const name : {"LANG", "Accept", "format", "user", "powers", "X-Team", ""}) {
    CAPTURE(name);
    CHECK_FALSE(rules::sounds_secret(name));
  }
}

TEST_CASE("SPEC 4: check --expand masks what a command is given in its words") {
  FakeWatcher nobody;
  const CliFolder folder(
      "[service.web]\nhealth = \"http://127.0.0.1:1/\"\nrules = [\"down for 30s\"]\nidentify = [\"true\"]\nrollback = "
      "[\"/bin/sh\", \"-c\", \"curl --token hunter-token 'x'\", "
      "\"--password=hunter-\\\"two\"]\n");
  for (const bool as_json : {false, true}) {
    std::vector<std::string> words{"check", "--expand"};
    if (as_json) words.emplace_back("--json");
    const CliRun masked = nobody(folder.line(words));
    CHECK(has(masked.out, "--token <redacted>"));
    CHECK_FALSE(has(masked.out, "hunter-token"));
  }
  CHECK(has(nobody(folder.line({"check", "--expand", "--secrets"})).out, "--token hunter-token"));
}

TEST_CASE("a secret that stands in a command is taken out of whatever repeats it, and not shown by check --expand") {
  const std::vector<std::string> commands{
      R"(["curl", "-H", "Authorization: Bearer hunter-a", "http://127.0.0.1:1/"])",
      R"(["curl", "-sfu", "admin:hunter-a", "http://127.0.0.1:1/"])",
      R"(["curl", "-b", "session=hunter-a", "http://127.0.0.1:1/?a=b&token=hunter-a"])",
      R"(["sh", "-c", "curl -H 'X-Api-Key: hunter-a' http://127.0.0.1:1/"])",
      R"(["mysql", "-phunter-a"])",
      R"(["./x", "--header=PRIVATE-TOKEN: hunter-a"])",
  };
  for (const std::string& command : commands) {
    for (const std::string key : {"identify", "rollback"}) {
      CAPTURE(key + " = " + command);
      FakeWatcher nobody;
      const std::string other = key == "identify" ? "rollback = [\"./r\"]\n" : "identify = [\"./i\"]\n";
      const std::string text = "[service.web]\nhealth = \"http://127.0.0.1:1/\"\nrules = [\"down for 30s\"]\n" + other +
                               key + " = " + command + "\n[probe.e]\ntype = \"exec\"\nrun = " + command +
                               "\n[action.rollback]\n[[action.rollback.step]]\ncapture = \"x\"\nrun = " + command +
                               "\n[[action.rollback.step]]\nswitch = \"last-good\"\n";
      const watcher::Config config = loaded(text);
      std::string repeated = "it said hunter-a";
      watcher::redact(repeated, config.secrets);
      CHECK_FALSE(tells(repeated));
      CHECK_FALSE(tells(rules::describe(config.core.actions[0].steps[0])));
      const CliFolder folder(text);
      CHECK_FALSE(tells(nobody(folder.line({"check", "--expand"})).out));
      CHECK_FALSE(tells(nobody(folder.line({"check", "--expand", "--json"})).out));
      CHECK(tells(nobody(folder.line({"check", "--expand", "--secrets"})).out));
    }
  }
}

TEST_CASE("what an argument only points to is no secret") {
  FakeWatcher nobody;
  const std::string words =
      "x --token-file /run/hunter-a --token /run/hunter-b --password $HUNTER_C PGPASSWORD=$HUNTER_D";
  const CliFolder folder(
      "[service.web]\nhealth = \"http://127.0.0.1:1/\"\nrules = [\"down for 30s\"]\nrollback = [\"/bin/sh\", "
      "\"-c\", \"" +
      words + "\"]\n");
  CHECK(has(nobody(folder.line({"check", "--expand"})).out, words));
}

TEST_CASE("SPEC 4: check --expand masks secrets and says where they should stand, --secrets is for the file's owner") {
  FakeWatcher nobody;
  const CliFolder folder("token = 'hunter-token'\n[service.web]\nrollback = ['true']\n");
  const CliRun masked = nobody(folder.line({"check", "--expand"}));
  CHECK(masked.exit_code == 0);
  CHECK(has(masked.out, "token = \"<redacted>\""));
  CHECK(
      has(masked.err, "advice: secrets stand in the file itself, and are <redacted> here: watcher.token; write each"));
  CHECK_FALSE(tells(masked.out + masked.err));
  const CliRun json = nobody(folder.line({"check", "--expand", "--json"}));
  CHECK(has(json.out, "\"masked\":[\"watcher.token\"]"));
  CHECK_FALSE(tells(json.out));
  const CliRun shown = nobody(folder.line({"check", "--expand", "--secrets"}));
  CHECK(has(shown.out, "token = \"hunter-token\""));
  CHECK(shown.err.empty());
  if (geteuid() != 0) {
    MESSAGE("not run: only root can be somebody else");
    return;
  }
  constexpr uid_t stranger = 65534;
  REQUIRE(seteuid(stranger) == 0);
  const CliRun refused = nobody(folder.line({"check", "--expand", "--secrets"}));
  REQUIRE(seteuid(0) == 0);
  CHECK(refused.exit_code == 1);
  CHECK(has(refused.err, "are shown to its owner and to root alone"));
  CHECK_FALSE(tells(refused.out + refused.err));
}
