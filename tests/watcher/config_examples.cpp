#include <doctest/doctest.h>

#include <algorithm>

#include "config_files.hpp"

using watcher::Config;

namespace {

template <class Entries>
std::string names_of(const Entries& entries) {
  std::string out;
  for (const auto& entry : entries) out += (out.empty() ? "" : " ") + entry.name.text;
  return out;
}

const rules::RuleSpec& rule_named(const Config& config, const std::string& name) {
  const auto found = std::find_if(config.core.rules.begin(), config.core.rules.end(),
                                  [&](const rules::RuleSpec& rule) { return rule.name.text == name; });
  REQUIRE(found != config.core.rules.end());
  return *found;
}

std::string responses(const rules::RuleSpec& rule) {
  std::string out;
  for (const rules::ActionName& name : rule.respond) out += name.text + " ";
  return out;
}

}  // namespace

TEST_CASE("SPEC 3: the short form stands for probes, signals, rules, a driver and a rollback") {
  const Config config = loaded(config_text("short.toml"));
  CHECK(names_of(config.probes) == "health host metrics");
  CHECK(names_of(config.core.signals) == "error_rate p95");
  CHECK(names_of(config.core.rules) == "down error_rate memory p95");
  CHECK(names_of(config.core.actions) == "rollback");
  CHECK(rule_named(config, "down").when.text() == "health.up == 0");
  CHECK(rule_named(config, "down").severity == rules::Severity::p0);
  CHECK(rule_named(config, "down").sustain == std::chrono::seconds(30));
  CHECK(rule_named(config, "memory").when.text() == "host.memory_used > 90%");
  CHECK(rule_named(config, "error_rate").when.text() == "error_rate > 5%");
  CHECK(rule_named(config, "error_rate").severity == rules::Severity::p1);
  CHECK(rule_named(config, "error_rate").service.text == "web");
  CHECK(responses(rule_named(config, "p95")) == "rollback ");
  const auto& driver = std::get<watcher::CommandDriver>(config.drivers.front().driver);
  CHECK(driver.switch_to.front() == config.dir + "/rollback.sh");
  CHECK(driver.identify.front() == "git");
  CHECK(config.core.services.front().arm == rules::Arm::deploy);
  REQUIRE(config.core.actions.front().steps.size() == 1);
  CHECK(rules::kind_of(config.core.actions.front().steps.front()) == "switch");
}

TEST_CASE("SPEC 3: the short form tries the usual metric names of client libraries, and the page keeps them") {
  const Config config = loaded(config_text("short.toml"));
  const auto& ratios = std::get<std::vector<rules::RatioOf>>(config.core.signals[0].of);
  std::string without_own;
  for (const std::string label : {"path", "route", "handler", "uri", "endpoint", "endpoint_name", "url"}) {
    without_own += (without_own.empty() ? "" : ",") + label + "!~\"/?(api/health|metrics)/?\"";
  }
  CHECK(rules::to_string(ratios.front().numerator) == "http_requests_total{code=~\"5..|5\"," + without_own + "}");
  CHECK(rules::to_string(ratios.front().denominator) ==
        "http_requests_total{code=~\"[1-5]..|[1-5]\"," + without_own + "}");
  const auto& quantiles = std::get<std::vector<rules::QuantileOf>>(config.core.signals[1].of);
  CHECK(quantiles.front().quantile == doctest::Approx(0.95));
  const auto& page = std::get<probes::PrometheusProbe>(config.probes[2].what);
  std::vector<std::string> kept;
  for (const rules::Selector& selector : page.keep) kept.push_back(rules::to_string(selector));
  const auto keeps = [&](const std::string& text) { return std::find(kept.begin(), kept.end(), text) != kept.end(); };
  CHECK(keeps("http_server_requests_seconds_count{status=~\"5..|5\",uri!~\"/?(api/health|metrics)/?\"}"));
  CHECK(keeps("http_request_duration_highr_seconds_bucket{handler!~\"/?(api/health|metrics)/?\"}"));
  CHECK(keeps("istio_request_duration_milliseconds_count{reporter=\"destination\"}"));
  CHECK(keeps("kong_request_latency_ms"));
  CHECK(keeps("process_start_time_seconds"));
}

TEST_CASE("SPEC 3: with several services the implied names carry the service's") {
  const std::string two = R"([service.web-app]
health = "http://127.0.0.1:1/health"
metrics = "http://127.0.0.1:1/metrics"
rules = ["error_rate > 5% and health.up == 1 for 5m", "memory > 90% for 5m", "down for 30s"]
rollback = ["./a.sh"]
[service.api]
health = "http://127.0.0.1:2/health"
rules = ["down for 30s"]
rollback = ["./b.sh"]
)";
  const Config config = loaded(two);
  CHECK(names_of(config.probes) == "api_health web_app_health web_app_host web_app_metrics");
  CHECK(names_of(config.core.signals) == "web_app_error_rate");
  CHECK(names_of(config.core.rules) == "api_down web_app_down web_app_error_rate web_app_memory");
  CHECK(rule_named(config, "web_app_error_rate").when.text() == "web_app_error_rate > 5% and web_app_health.up == 1");
  CHECK(rule_named(config, "api_down").when.text() == "api_health.up == 0");
  CHECK(rule_named(config, "web_app_memory").when.text() == "web_app_host.memory_used > 90%");
}

TEST_CASE("a rule is not blind while a window that a restart cut fills again") {
  const Config config = loaded(R"([service.web]
health = "http://127.0.0.1:1/health"
metrics = "http://127.0.0.1:1/metrics"
rules = ["error_rate > 5% for 10s", "p95 > 3000ms for 5m", "down for 5s"]
rollback = ["./a.sh"]
)");
  CHECK(rules::blind_after(rule_named(config, "error_rate")) == std::chrono::minutes(4));
  CHECK(rules::blind_after(rule_named(config, "p95")) == std::chrono::minutes(15));
  CHECK(rules::blind_after(rule_named(config, "down")) == std::chrono::minutes(1));
}

TEST_CASE("memory of the short form is measured where the application runs that listens on the service's port") {
  const auto host_of = [](const std::string& text) {
    for (const probes::ProbeConfig& probe : loaded(text).probes) {
      if (const auto* host = std::get_if<probes::HostProbe>(&probe.what)) return *host;
    }
    return probes::HostProbe{{}, "", "", "", -1};
  };
  const auto service = [](const std::string& health, const std::string& metrics) {
    return "[service.web]\nhealth = '" + health + "'\nmetrics = '" + metrics +
           "'\nrules = ['memory > 90% for 5m']\nrollback = ['./a.sh']\n";
  };
  CHECK(host_of(service("http://127.0.0.1:80/health", "http://localhost:3001/metrics")).port == 3001);
  CHECK(host_of(service("http://[::1]:80/health", "http://app.example.com:3001/metrics")).port == 80);
  CHECK(host_of(service("http://10.0.0.1:80/health", "http://app.example.com:3001/metrics")).port == 0);
  CHECK(
      host_of(service("http://127.0.0.1:80/health", "http://127.0.0.1:3001/metrics") + "[probe.host]\ntype = 'host'\n")
          .port == 0);
}

TEST_CASE("SPEC 3: the long form loads, as far as it is in this version") {
  const Config config = loaded(config_text("long_now.toml"));
  CHECK(config.watcher.name == "prod-1");
  CHECK(config.watcher.token->value == "token-of-the-tests");
  CHECK(names_of(config.probes) == "app health host pool signin");
  CHECK(names_of(config.core.signals) == "error_rate p95 pool_used");
  CHECK(names_of(config.core.rules) == "down high-error-rate memory slow");
  CHECK(names_of(config.core.actions) == "restart rollback");
  CHECK(responses(rule_named(config, "high-error-rate")) == "restart rollback ");
  CHECK(responses(rule_named(config, "slow")) == "rollback ");
  CHECK(rule_named(config, "high-error-rate").clear->text() == "error_rate < 4%");
  CHECK(rule_named(config, "slow").service.text == "web");
  REQUIRE(config.notifiers.size() == 1);
  CHECK(config.notifiers[0].url.secret);
  CHECK(config.notifiers[0].severities == std::vector{rules::Severity::p0, rules::Severity::p1});
}

TEST_CASE("SPEC 3: a journey's requests carry secrets and saved values") {
  const Config config = loaded(config_text("long_now.toml"));
  const auto& journey = std::get<probes::HttpProbe>(config.probes[4].what);
  REQUIRE(journey.steps.size() == 2);
  CHECK(journey.steps[0].method == "POST");
  CHECK(journey.steps[0].body.value == R"({"email":"probe@example.com","password":"password-of-the-tests"})");
  CHECK(journey.steps[0].body.secret);
  CHECK(journey.steps[0].content_type == "application/json");
  CHECK(journey.steps[0].save.at("token") == "json:/token");
  CHECK(journey.steps[1].headers.at("Authorization").value == "Bearer {token}");
  CHECK(journey.steps[1].expect.status == std::vector<std::pair<int, int>>{{200, 200}});
}

TEST_CASE("SPEC 3: steps have the time limits and the failure behaviour of their place") {
  const Config config = loaded(config_text("long_now.toml"));
  const rules::ActionSpec& rollback = config.core.actions[1];
  std::string seen;
  const auto show = [&](const rules::StepSpec& step) {
    seen += std::string(rules::kind_of(step)) + " " + rules::to_string(step.timeout) +
            (step.on_failure == rules::OnFailure::abort ? " abort\n" : " continue\n");
  };
  for (const auto* section : {&rollback.steps, &rollback.on_success, &rollback.on_failure, &rollback.always}) {
    for (const rules::StepSpec& step : *section) show(step);
  }
  CHECK(seen ==
        "notify 10s continue\ncapture 10s continue\nhttp 10s continue\nrun 10m continue\nswitch 0s abort\n"
        "wait 5m abort\nhttp 10s continue\nrun 5m continue\nnotify 10s continue\n");
  CHECK(config.core.actions[0].steps[0].on_failure == rules::OnFailure::abort);
  CHECK(rollback.verify.when->text() == "error_rate < 1% and p95 < 300ms");
  CHECK(rollback.verify.timeout == std::chrono::minutes(30));
}

TEST_CASE("SPEC 3: what the contract has and this version has not is refused as such, each once") {
  std::string text = config_text("long.toml");
  for (const std::string name : {"token", "slack-url"}) {
    const std::string path = "/etc/rollbackd/" + name;
    text.replace(text.find(path), path.size(), name);
  }
  const watcher::Loaded result = load_text(text);
  CHECK_FALSE(result.config.has_value());
  CHECK(findings_text(result) ==
        "46:8: error: probe.access: type \"log\" is not in this version of rollbackd; it has http, prometheus, host, "
        "exec, tcp\n"
        "51:9: error: probe.fleet: type \"promql\" is not in this version of rollbackd; it has http, prometheus, host, "
        "exec, tcp\n");
}

TEST_CASE("SPEC 3: check --expand prints what loads again and expands to itself") {
  for (const std::string name : {"short.toml", "long_now.toml", "every_key.toml"}) {
    CAPTURE(name);
    constexpr watcher::Secrets shown = watcher::Secrets::shown;
    const std::string once = watcher::expand(loaded(config_text(name), shown));
    CAPTURE(once);
    CHECK(watcher::expand(loaded(once, shown)) == once);
    CHECK(loaded(once).core.rules.size() == loaded(config_text(name)).core.rules.size());
  }
}

TEST_CASE("SPEC 2.15: check --expand says which probe is taken as a service's health") {
  const std::string probe = "type = 'http'\nurl = 'http://127.0.0.1:1/'\n";
  const std::string one = watcher::expand(loaded("[probe.health]\n" + probe + "[service.web]\nrollback = ['true']\n"));
  CHECK(one.find("[service.web]\n# its health is probe health: ") != std::string::npos);
  const std::string two = watcher::expand(
      loaded("[probe.web_app_health]\n" + probe + "[service.web-app]\nrollback = ['true']\n[service.api]\n"));
  CHECK(two.find("[service.web-app]\n# its health is probe web_app_health: ") != std::string::npos);
  CHECK(two.find("[service.api]\n# no probe is its health (one called api_health, ") != std::string::npos);
}

TEST_CASE("SPEC 2.15: where no probe is called health, the only one that its rules ask is it") {
  const std::string at = "url = 'http://127.0.0.1:1/'\n";
  const std::string http = "type = 'http'\n" + at;
  const std::string journey = "type = 'http'\n[[probe.sign_in.step]]\nget = 'http://127.0.0.1:1/'\n";
  const std::string one = "[service.web]\nrollback = ['true']\n";
  const std::string down = "[rule.down]\nwhen = 'site.up == 0'\nfor = '30s'\n";
  struct Case {
    std::string text;
    std::string health;
  };
  const std::vector<Case> cases{
      {"[probe.site]\n" + http + one + down, "site"},
      {"[probe.site]\ntype = 'tcp'\nhost = '127.0.0.1'\nport = 1\n" + one + down, "site"},
      {"[probe.site]\n" + http + one, ""},
      {"[probe.site]\n" + http + "[probe.other]\n" + http + one + down, "site"},
      {"[probe.site]\n" + http + "[probe.host]\ntype = 'host'\n" + one + down +
           "[rule.full]\nwhen = 'host.memory_used > 90%'\nfor = '30s'\n",
       "site"},
      {"[probe.site]\n" + http + "[probe.health]\n" + http + one + down, "health"},
      {"[probe.site]\ntype = 'prometheus'\n" + at + one + down, ""},
      // One of them may be the database, or somebody else's: that it is up says nothing of what still starts.
      {"[probe.site]\n" + http + "[probe.sign_in]\n" + journey + one + down +
           "[rule.journey]\nwhen = 'sign_in.up == 0'\nfor = '30s'\n",
       ""},
      {"[probe.site]\n" + http + "[probe.other]\n" + http + one +
           "[rule.bad]\nwhen = 'other.up == 0'\nunless = 'site.up == 0'\nfor = '30s'\n",
       ""},
      {"[probe.site]\n" + http + "[probe.page]\ntype = 'prometheus'\n" + at + one + down +
           "[signal.errors]\nprobe = 'page'\nratio = ['a_total', 'b_total']\n[rule.errors]\nwhen = 'errors > "
           "5%'\nfor = '30s'\n",
       ""},
      {"[probe.site]\n" + http + "[probe.other]\n" + http + one + "[service.api]\nrollback = ['true']\n" +
           "[rule.down]\nservice = 'web'\nwhen = 'site.up == 0'\nfor = '30s'\n",
       "site"},
  };
  for (const Case& one_of : cases) {
    INFO(one_of.text);
    const watcher::Config config = loaded(one_of.text);
    std::string found;
    for (const rules::ServiceSpec& service : config.core.services) {
      if (service.name.text == "web") found = service.health ? service.health->text : "";
      if (service.name.text != "web") CHECK_FALSE(service.health);
    }
    CHECK(found == one_of.health);
  }
  const std::string said = watcher::expand(loaded("[probe.site]\n" + http + one + down));
  CHECK(said.find("# its health is probe site, the only one that its rules ask (one called web_health, ") !=
        std::string::npos);
}

TEST_CASE("SPEC 3: an expanded configuration holds references, never the secrets") {
  const std::string text = watcher::expand(loaded(config_text("long_now.toml")));
  CHECK(text.find("of-the-tests") == std::string::npos);
  CHECK(text.find("{ env = \"PROBE_PW\" }") != std::string::npos);
  CHECK(text.find("/token\" }") != std::string::npos);
}
