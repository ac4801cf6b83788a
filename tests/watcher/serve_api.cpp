#include <doctest/doctest.h>

#include "serve_support.hpp"
#include "watcher/report/visible.hpp"
#include "watcher/serve/access.hpp"
#include "watcher/serve/client.hpp"

using namespace serve_test;
using watcher::ApiReply;
using watcher::ApiRequest;

namespace {

boost::json::object parsed(const ApiReply& reply) { return boost::json::parse(reply.body).as_object(); }

template <class T>
const T& only_request(const FakeHost& host) {
  REQUIRE(host.requests_.size() == 1);
  REQUIRE(std::holds_alternative<T>(host.requests_.front()));
  return std::get<T>(host.requests_.front());
}

}  // namespace

TEST_CASE("status has every field of the contract") {
  FakeHost host;
  const ApiReply reply = get(host, "/api/v1/status");
  CHECK(reply.status == 200);
  CHECK(reply.content_type == "application/json");
  const auto status = parsed(reply);
  const auto& watcher = status.at("watcher").as_object();
  CHECK(watcher.at("name") == "prod-1");
  CHECK(watcher.at("version") == ROLLBACKD_VERSION);
  CHECK(watcher.at("mode") == "act");
  CHECK(watcher.at("uptime_seconds") == 100);
  CHECK(watcher.at("degraded").as_array().empty());
  const auto& web = status.at("services").at("web").as_object();
  CHECK(web.at("revision") == "b2");
  CHECK(web.at("last_good") == "a1");
  CHECK(web.at("state") == "armed");
  CHECK(web.at("flags") == boost::json::parse(R"(["paused", "fused"])"));
  CHECK(web.at("rollback_ready") == true);
  CHECK(web.at("drivers").as_array().size() == 2);
  CHECK(web.at("drivers").at(0).at("driver") == "compose");
  CHECK(web.at("drivers").at(0).at("ready") == false);
  CHECK(web.at("drivers").at(0).at("not_ready_reason") == "the image is gone");
  CHECK(web.at("drivers").at(1).at("ready") == true);
  CHECK(web.at("incident").is_null());
  CHECK(status.at("services").at("worker").at("revision").is_null());
  CHECK(status.at("probes").at("up_probe").at("up") == 1);
  CHECK(status.at("probes").at("up_probe").at("error").is_null());
  CHECK(status.at("probes").at("down_probe").at("up") == 0);
  CHECK(status.at("probes").at("down_probe").at("error") == "connect: refused");
  CHECK(status.at("probes").at("unknown_probe").at("up").is_null());
  CHECK(status.at("probes").at("up_probe").at("last_seen") == "2026-11-18T11:08:19.000Z");
  CHECK(status.at("signals").at("p95").at("value") == 0.21);
  CHECK(status.at("signals").at("p95").at("unknown").is_null());
  CHECK(status.at("signals").at("p95").at("count") == 412);
  CHECK(status.at("signals").at("quiet").at("value").is_null());
  CHECK(status.at("signals").at("quiet").at("unknown") == "no_traffic");
  const auto& slow = status.at("rules").at("slow").as_object();
  CHECK(slow.at("service") == "web");
  CHECK(slow.at("verdict") == "bad");
  CHECK(slow.at("cause").is_null());
  CHECK(slow.at("state") == "pending");
  CHECK(slow.at("value") == 4.1);
  CHECK(slow.at("threshold") == 3);
  CHECK(slow.at("unit") == "ms");
  CHECK(slow.at("bad_seconds") == 120);
  CHECK(slow.at("for_seconds") == 300);
  CHECK(slow.at("seconds_to_fire") == 180);
  const auto& dark = status.at("rules").at("dark").as_object();
  CHECK(dark.at("verdict") == "unknown");
  CHECK(dark.at("cause") == "no_traffic");
  CHECK(dark.at("seconds_to_fire").is_null());
}

TEST_CASE("numbers in JSON read as people write them, and what is no number is null") {
  FakeHost host;
  const std::string body = get(host, "/api/v1/status").body;
  CHECK(body.find("\"value\":0.21,") != std::string::npos);
  CHECK(body.find("\"count\":412") != std::string::npos);
  host.view_.signals.front().measured.value = std::numeric_limits<double>::infinity();
  CHECK(parsed(get(host, "/api/v1/status")).at("signals").at("p95").at("value").is_null());
}

TEST_CASE("incidents are listed with every field of the contract") {
  FakeHost host;
  const auto listed = parsed(get(host, "/api/v1/incidents?limit=5")).at("incidents").as_array();
  CHECK(host.most_ == 5);
  REQUIRE(listed.size() == 1);
  const auto& incident = listed.front().as_object();
  CHECK(incident.at("id") == "20261121-020304-web-slow");
  CHECK(incident.at("service") == "web");
  CHECK(incident.at("rule") == "slow");
  CHECK(incident.at("severity") == "P1");
  CHECK(incident.at("opened") == "2026-11-18T11:06:40.000Z");
  CHECK(incident.at("closed").is_null());
  CHECK(incident.at("from") == "b2");
  CHECK(incident.at("to") == "a1");
  CHECK(incident.at("outcome").is_null());
  host.incidents_.front().outcome = rules::Outcome::recovered;
  CHECK(parsed(get(host, "/api/v1/incidents")).at("incidents").at(0).at("outcome") == "recovered");
  get(host, "/api/v1/incidents?limit=1000000");
  CHECK(host.most_ == 1000);
}

TEST_CASE("one incident comes with its rules, evidence, timeline and steps") {
  FakeHost host;
  const auto incident = parsed(get(host, "/api/v1/incidents/20261121-020304-web-slow"));
  CHECK(incident.at("rules").at(0).at("comparisons").at(0).at("value") == 4.1);
  CHECK(incident.at("timeline").at(1).at("event") == "step_started");
  CHECK(incident.at("steps").at(0).at("status") == "succeeded");
  const ApiReply none = get(host, "/api/v1/incidents/nope");
  CHECK(none.status == 404);
  CHECK(none.content_type == "application/problem+json");
}

TEST_CASE("deploys lists the ledger, newest first") {
  FakeHost host;
  const auto deploys = parsed(get(host, "/api/v1/deploys")).at("deploys").as_array();
  REQUIRE(deploys.size() == 2);
  CHECK(deploys.at(0).at("revision") == "b2");
  CHECK(deploys.at(1).at("standing") == "candidate");
}

TEST_CASE("explain says what a rule is missing and why an incident opened") {
  FakeHost host;
  const ApiReply rule = get(host, "/api/v1/explain?subject=slow");
  CHECK(rule.content_type == "text/plain; charset=utf-8");
  CHECK(rule.body.find("when p95 > 3000ms for 5m") != std::string::npos);
  CHECK(rule.body.find("p95 > 3000ms  is bad: 4100 ms against 3000 ms, from 412 in 1m") != std::string::npos);
  CHECK(rule.body.find("bad for 2m of 2m observed, 5m of it needed, in 24 bad samples") != std::string::npos);
  CHECK(rule.body.find("does not act: a poll that confirms it") != std::string::npos);
  const std::string incident = get(host, "/api/v1/explain?subject=20261121-020304-web-slow").body;
  CHECK(incident.find("from b2 to a1") != std::string::npos);
  CHECK(incident.find("switch a1: succeeded") != std::string::npos);
  const std::string all = get(host, "/api/v1/explain").body;
  CHECK(all.find("rule dark of web") != std::string::npos);
  CHECK(get(host, "/api/v1/explain?subject=nope").status == 404);
  CHECK(parsed(get(host, "/api/v1/explain?subject=slow&format=json")).at("kind") == "rule");
}

TEST_CASE("health is always ok, readiness says what is missing") {
  FakeHost host;
  CHECK(get(host, "/healthz").status == 200);
  CHECK(get(host, "/readyz").status == 200);
  host.not_ready_ = {"no probe has answered yet"};
  const ApiReply reply = get(host, "/readyz");
  CHECK(reply.status == 503);
  CHECK(reply.body == "not ready: no probe has answered yet\n");
  CHECK(get(host, "/healthz").status == 200);
}

TEST_CASE("what others said is visible in answers of plain text, too") {
  FakeHost host;
  const std::string danger = "a\x1b]52;c;cm0gLXJm\x07\xe2\x80\xae\x9b\xff";
  host.not_ready_ = {danger};
  host.incidents_.front().outcome_detail = danger;
  host.view_.rules.front().missing.push_back(danger);
  for (const char* const target : {"/readyz", "/api/v1/explain", "/api/v1/explain?subject=slow",
                                   "/api/v1/explain?subject=20261121-020304-web-slow"}) {
    CAPTURE(target);
    const std::string body = get(host, target).body;
    CHECK(body.find("a\\e]52;c;cm0gLXJm\\x07U+202E") != std::string::npos);
    CHECK(watcher::visible(body) == body);
  }
}

TEST_CASE("pause and resume reach the engine as asked for") {
  FakeHost host;
  SUBCASE("pause one service") {
    const ApiReply reply = post(host, "/api/v1/pause", R"({"service":"web","for":"1h30m","reason":"upgrade"})");
    CHECK(reply.status == 200);
    CHECK(parsed(reply).at("text") == "done");
    const auto& pause = only_request<rules::Pause>(host);
    CHECK(pause.service == rules::ServiceName("web"));
    CHECK(pause.length == std::chrono::minutes(90));
    CHECK(pause.reason == "upgrade");
  }
  SUBCASE("pause everything") {
    post(host, "/api/v1/pause", R"({"for":"1h"})");
    CHECK_FALSE(only_request<rules::Pause>(host).service);
  }
  SUBCASE("a pause always ends") {
    for (const char* body : {R"({})", R"({"for":"0s"})", R"({"for":"forever"})", R"({"for":"400d"})", R"({"for":5})"}) {
      CAPTURE(body);
      CHECK(post(host, "/api/v1/pause", body).status == 422);
    }
    CHECK(host.requests_.empty());
  }
  SUBCASE("resume") {
    post(host, "/api/v1/resume", R"({"service":"worker"})");
    CHECK(only_request<rules::Resume>(host).service == rules::ServiceName("worker"));
  }
}

TEST_CASE("deploy marks and verdicts reach the engine as said") {
  FakeHost host;
  SUBCASE("mark") {
    const char* body =
        R"({"service":"web","kind":"mark","revision":"c3","rollback":"forbidden","schema":"42","backup":"/b/1"})";
    CHECK(post(host, "/api/v1/deploys", body).status == 200);
    REQUIRE(host.marks_.size() == 1);
    const rules::DeployMark& mark = host.marks_.front();
    CHECK(mark.kind == rules::MarkKind::mark);
    CHECK(mark.at == at(100));
    CHECK(mark.revision == rules::Revision("c3"));
    CHECK(mark.policy == rules::RollbackPolicy::forbidden);
    CHECK(mark.schema == "42");
    CHECK(mark.backup == "/b/1");
  }
  SUBCASE("begin and end need no revision") {
    post(host, "/api/v1/deploys", R"({"service":"web","kind":"begin"})");
    post(host, "/api/v1/deploys", R"({"service":"web","kind":"end"})");
    REQUIRE(host.marks_.size() == 2);
    CHECK(host.marks_[0].kind == rules::MarkKind::begin);
    CHECK_FALSE(host.marks_[0].revision);
    CHECK_FALSE(host.marks_[0].policy);
    CHECK(host.marks_[1].kind == rules::MarkKind::end);
  }
  SUBCASE("good and bad") {
    post(host, "/api/v1/deploys", R"({"service":"web","kind":"bad","revision":"c3"})");
    const auto& declared = only_request<rules::Declare>(host);
    CHECK(declared.standing == rules::Standing::bad);
    CHECK(declared.revision == rules::Revision("c3"));
  }
  SUBCASE("what is wrong is said, all at once") {
    const ApiReply reply = post(host, "/api/v1/deploys", R"({"service":"wbe","kind":"good","extra":1})");
    CHECK(reply.status == 422);
    const std::string detail = watcher::problem_detail(reply);
    CHECK(detail.find("no service \"wbe\": there is web, worker") != std::string::npos);
    CHECK(detail.find("\"revision\" is missing") != std::string::npos);
    CHECK(detail.find("unknown key \"extra\"") != std::string::npos);
    CHECK(post(host, "/api/v1/deploys", R"({"service":"web","kind":"mark","revision":"-rf"})").status == 422);
    CHECK(post(host, "/api/v1/deploys", R"({"service":"web","kind":"mark","rollback":"maybe"})").status == 422);
    CHECK(post(host, "/api/v1/deploys", R"({"service":"web","kind":"maybe"})").status == 422);
    CHECK(host.marks_.empty());
    CHECK(host.requests_.empty());
  }
}

TEST_CASE("a rollback by hand carries who asked for it") {
  FakeHost host;
  const char* body = R"({"service":"web","to":"a1","action":"rollback","reason":"complaints","force":true})";
  CHECK(post(host, "/api/v1/rollback", body).status == 200);
  const auto& rollback = only_request<rules::RollbackByHand>(host);
  CHECK(rollback.service == rules::ServiceName("web"));
  CHECK(rollback.to == rules::Revision("a1"));
  CHECK(rollback.action == rules::ActionName("rollback"));
  CHECK(rollback.reason == "complaints");
  CHECK(rollback.by == "uid 1000");
  CHECK(rollback.force);
  CHECK(post(host, "/api/v1/rollback", R"({"service":"web","action":"nope"})").status == 422);
}

TEST_CASE("SPEC 4: one deployment may be of several services, and is of all when none is named") {
  FakeHost host;
  CHECK(post(host, "/api/v1/deploys", R"({"kind":"begin","services":["web","worker"],"schema":"7"})").status == 200);
  REQUIRE(host.marks_.size() == 2);
  CHECK(host.marks_[0].service.text == "web");
  CHECK(host.marks_[1].service.text == "worker");
  CHECK(host.marks_[1].schema == "7");
  CHECK(host.marked_by_ == "uid 1000");
  CHECK(post(host, "/api/v1/deploys", R"({"kind":"end"})").status == 200);
  CHECK(host.marks_.size() == 4);
  CHECK(post(host, "/api/v1/deploys", R"({"kind":"end","services":["nope"]})").status == 422);
  CHECK(post(host, "/api/v1/deploys", R"({"kind":"end","services":"web"})").status == 422);
  CHECK(post(host, "/api/v1/deploys", R"({"kind":"good","revision":"a1"})").status == 422);
  CHECK(host.marks_.size() == 4);
}

TEST_CASE("what a rollback would do is told, and nothing is asked for") {
  FakeHost host;
  rules::PlanByHand& what = host.plan_.what;
  what.action.name = rules::ActionName("rollback");
  what.from = rules::Revision("b2");
  what.to = rules::Revision("a1");
  for (const char* command : {"scripts/pause", "scripts/backup"}) {
    rules::StepSpec step;
    step.what = rules::RunStep{{command}};
    what.action.steps.push_back(step);
  }
  rules::StepSpec switching;
  switching.what = rules::SwitchStep{};
  what.action.steps.push_back(switching);
  host.plan_.drivers = {{"compose", "the image is gone"}, {"http", ""}};
  host.plan_.taken_back = {"3f2a9c1 \x1b[31mprices"};
  const auto took = [&](const std::string& kind, const std::string& text, double length) {
    rules::StepRecord step;
    step.kind = kind;
    step.text = text;
    step.started = at(0);
    step.ended = at(length);
    step.status = rules::StepStatus::succeeded;
    what.usual.learn(step);
  };
  for (const double length : {2, 90, 4}) took("run", "run scripts/pause", length);
  took("switch", "switch x9", 30);
  const ApiReply reply = post(host, "/api/v1/rollback", R"({"service":"web","plan":true})");
  CHECK(reply.status == 200);
  CHECK(host.requests_.empty());
  REQUIRE(host.planned_.size() == 1);
  const auto plan = boost::json::parse(reply.body).as_object();
  CHECK(plan.at("to") == "a1");
  CHECK(plan.at("drivers") ==
        boost::json::parse(
            R"([{"driver":"compose","not_ready":"the image is gone"},{"driver":"http","not_ready":null}])"));
  CHECK(plan.at("loses").as_array().empty());
  CHECK(plan.at("commits").as_array()[0] == "3f2a9c1 prices");
  const auto& steps = plan.at("steps").as_array();
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].at("usual_seconds").to_number<double>() == 4);
  CHECK(steps[1].at("usual_seconds").is_null());
  CHECK(steps[2].at("text") == "switch a1");
  CHECK(steps[2].at("usual_seconds").to_number<double>() == 30);
  CHECK(plan.at("usual_seconds").is_null());
  host.plan_.what.refused = "no good revision is known";
  CHECK(post(host, "/api/v1/rollback", R"({"service":"web","plan":true})").status == 409);
}

TEST_CASE("with one service it need not be named, with several it must") {
  FakeHost host;
  CHECK(post(host, "/api/v1/rollback", "{}").status == 422);
  host.config_.core.services.pop_back();
  CHECK(post(host, "/api/v1/rollback", "").status == 200);
  CHECK(only_request<rules::RollbackByHand>(host).service == rules::ServiceName("web"));
}

TEST_CASE("the other requests reach the engine") {
  FakeHost host;
  CHECK(post(host, "/api/v1/reload", "{}").status == 200);
  CHECK(host.reloads_ == 1);
  SUBCASE("approve") {
    post(host, "/api/v1/incidents/i1/approve", "{}");
    CHECK(only_request<rules::Approve>(host).incident == rules::IncidentId("i1"));
    CHECK(only_request<rules::Approve>(host).by == "uid 1000");
  }
  SUBCASE("abort") {
    post(host, "/api/v1/incidents/i1/abort", "");
    CHECK(only_request<rules::Abort>(host).incident == rules::IncidentId("i1"));
  }
  SUBCASE("fuse reset") {
    post(host, "/api/v1/fuse/reset", R"({"service":"web"})");
    CHECK(only_request<rules::FuseReset>(host).service == rules::ServiceName("web"));
  }
  SUBCASE("accept-state") {
    post(host, "/api/v1/accept-state", "{}");
    only_request<rules::AcceptState>(host);
  }
}

TEST_CASE("what the engine does not accept is a conflict with its reason") {
  FakeHost host;
  host.answer_ = {false, "nothing to approve", {}};
  const ApiReply reply = post(host, "/api/v1/incidents/i1/approve", "{}");
  CHECK(reply.status == 409);
  CHECK(watcher::problem_detail(reply) == "nothing to approve");
}

TEST_CASE("bad requests are problems and reach nobody") {
  FakeHost host;
  CHECK(post(host, "/api/v1/pause", "{").status == 400);
  CHECK(post(host, "/api/v1/pause", "[]").status == 400);
  CHECK(post(host, "/api/v1/pause", R"({"a":{"a":{"a":{"a":{"a":1}}}}})").status == 400);
  CHECK(post(host, "/api/v1/reload", R"({"now":true})").status == 422);
  CHECK(get(host, "/api/v1/nope").status == 404);
  CHECK(get(host, "/api/v1/status/").status == 404);
  CHECK(post(host, "/api/v1/nope", "{}").status == 404);
  CHECK(get(host, "http://[").status == 400);
  const ApiReply put = ask(host, trusted("PUT", "/api/v1/deploys"));
  CHECK(put.status == 405);
  REQUIRE(put.headers.size() == 1);
  CHECK(put.headers.front().second == "GET, HEAD, POST");
  CHECK(get(host, "/api/v1/pause").status == 405);
  CHECK(post(host, "/api/v1/status", "").status == 405);
  CHECK(host.requests_.empty());
  CHECK(host.reloads_ == 0);
}

TEST_CASE("over TCP reading is free on loopback without a token, all needs an own Host header") {
  struct Row {
    const char* name;
    const char* method;
    const char* target;
    bool exposed;
    const char* token;  // configured
    const char* authorization;
    const char* host;
    unsigned status;
  };
  const Row rows[] = {
      {"read on loopback", "GET", "/api/v1/status", false, "", "", "localhost:9877", 200},
      {"a rebound name: status", "GET", "/api/v1/status", false, "", "", "evil.example", 403},
      {"a rebound name: incidents", "GET", "/api/v1/incidents", false, "", "", "evil.example:9877", 403},
      {"a rebound name: metrics", "GET", "/metrics", false, "", "", "evil.example", 403},
      {"a rebound name with the token", "GET", "/api/v1/status", false, "secret", "Bearer secret", "evil.example", 403},
      {"a name of ours", "GET", "/api/v1/status", false, "", "", "Watcher.Example.:9877", 200},
      {"no Host: health", "GET", "/healthz", false, "", "", "", 200},
      {"no Host: status", "GET", "/api/v1/status", false, "", "", "", 403},
      {"token: status without it", "GET", "/api/v1/status", false, "secret", "", "localhost", 401},
      {"token: explain without it", "GET", "/api/v1/explain/slow", false, "secret", "", "localhost", 401},
      {"token: health without it", "GET", "/healthz", false, "secret", "", "localhost", 200},
      {"token: status with it", "GET", "/api/v1/status", false, "secret", "Bearer secret", "localhost", 200},
      {"change without a token configured", "POST", "/api/v1/reload", false, "", "Bearer x", "localhost", 403},
      {"change with no configured token and an empty one", "POST", "/api/v1/reload", false, "", "Bearer ", "localhost",
       403},
      {"change with the token", "POST", "/api/v1/reload", false, "secret", "Bearer secret", "127.0.0.1:9877", 200},
      {"change without sending it", "POST", "/api/v1/reload", false, "secret", "", "localhost:9877", 401},
      {"the scheme in lower case", "POST", "/api/v1/reload", false, "secret", "bearer secret", "127.0.0.1:9877", 200},
      {"change with a wrong one", "POST", "/api/v1/reload", false, "secret", "Bearer secres", "localhost:9877", 401},
      {"change with a longer one", "POST", "/api/v1/reload", false, "secret", "Bearer secret1", "localhost:9877", 401},
      {"change with another scheme", "POST", "/api/v1/reload", false, "secret", "Basic secret", "localhost:9877", 401},
      {"a rebound name", "POST", "/api/v1/reload", false, "secret", "Bearer secret", "evil.example:9877", 403},
      {"no Host", "POST", "/api/v1/reload", false, "secret", "Bearer secret", "", 403},
      {"IPv6", "POST", "/api/v1/reload", false, "secret", "Bearer secret", "[::1]:9877", 200},
      {"exposed, no token: status", "GET", "/api/v1/status", true, "", "", "10.0.0.1", 403},
      {"exposed, no token: health", "GET", "/healthz", true, "", "", "10.0.0.1", 200},
      {"exposed, no token: readiness", "GET", "/readyz", true, "", "", "10.0.0.1", 200},
      {"exposed, token: status without it", "GET", "/api/v1/status", true, "secret", "", "10.0.0.1", 401},
      {"exposed, token: status with it", "GET", "/api/v1/status", true, "secret", "Bearer secret", "10.0.0.1", 200},
      {"exposed, health by any name", "GET", "/healthz", true, "secret", "", "any.example", 200},
      {"exposed, a rebound name", "GET", "/api/v1/status", true, "secret", "Bearer secret", "any.example", 403},
      {"exposed, token: incidents without it", "GET", "/api/v1/incidents/x", true, "secret", "", "10.0.0.1", 401},
      {"exposed, token: change with it", "POST", "/api/v1/reload", true, "secret", "Bearer secret", "10.0.0.1", 200},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    FakeHost host;
    host.config_.watcher.hosts = {"watcher.example"};
    if (*row.token != '\0') host.config_.watcher.token = watcher::Text{row.token, true};
    ApiRequest request;
    request.method = row.method;
    request.target = row.target;
    request.exposed = row.exposed;
    request.authorization = row.authorization;
    request.host = row.host;
    const ApiReply reply = ask(host, request);
    CHECK(reply.status == row.status);
    CHECK(host.reloads_ == (row.status == 200 && std::string(row.method) == "POST" ? 1 : 0));
    if (reply.status >= 400) CHECK(reply.content_type == "application/problem+json");
    CHECK(reply.body.find("secret") == std::string::npos);
  }
}

TEST_CASE("only whole names are own ones") {
  const std::vector<std::string> names{"watcher.internal"};
  CHECK(watcher::is_own_host("watcher.internal:9877", names));
  CHECK_FALSE(watcher::is_own_host("watcher.internal.evil:9877", names));
  CHECK_FALSE(watcher::is_own_host("127.0.0.1.evil.example", names));
  for (const char* const own : {"localhost", "localhost:", "localhost:9877", "127.0.0.1:1", "[::1]", "[::1]:9877"}) {
    CAPTURE(own);
    CHECK(watcher::is_own_host(own, names));
  }
  for (const char* const other : {"localhost:x.evil.example", "localhost:1@evil.example", "[::1].evil.example",
                                  "[::1]:1.evil.example", "[fe80::1%25evil.example]", "[::1", "[]", ":1", "::1", ""}) {
    CAPTURE(other);
    CHECK_FALSE(watcher::is_own_host(other, names));
  }
}
