#include <functional>

#include "config_files.hpp"
#include "drivers_support.hpp"
#include "notify_receiver.hpp"
#include "watcher/drivers/http_notes.hpp"
#include "watcher/drivers/http_requests.hpp"
#include "watcher/drivers/http_runs.hpp"

namespace {

using namespace drivers_support;
using notify_receiver::Receiver;
using rules::StepStatus;

std::string reply(const std::string& status, const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 " + status + "\r\n" + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string run_named(const std::string& name, const std::string& status, const std::string& conclusion) {
  return "{\"id\":7,\"display_title\":\"" + name + "\",\"status\":\"" + status + "\",\"conclusion\":" + conclusion +
         ",\"html_url\":\"https://ci.test/runs/7\"}";
}

std::string list_of(const std::string& runs) { return "{\"total_count\":1,\"workflow_runs\":[" + runs + "]}"; }

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t from = text.find(before);
  if (from == std::string::npos) return {};
  const std::size_t begin = from + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

// A CI and the application, in one server: what it answers to each is the test's.
struct Fixture {
  Folder folder;
  CountingClock clock;
  std::string id;           // of the run that was asked for last
  std::string runs = "v2";  // what the application says
  std::function<std::string()> dispatched = [] { return reply("204 No Content", ""); };
  std::function<std::string()> listed = [this] {
    return id.empty() ? list_of("") : list_of(run_named("Back to v1 (" + id + ")", "completed", "\"success\""));
  };
  std::string target = reply("200 OK", "{}");
  Receiver server{[this](const std::string& request) { return answer(request); }};
  watcher::HttpWorkflow config;

  Fixture() {
    config.version.value = server.url("/version");
    config.version_json = "/version";
    config.dispatch.url.value = server.url("/dispatches");
    config.dispatch.headers = {{"Authorization", {"Bearer topsecret", true, "{ env = \"T\" }"}}};
    config.dispatch.body.value = R"({"ref":"main","inputs":{"to":"{to}","from":"{from}","id":"{id}"}})";
    config.runs.value = server.url("/runs?created=%3E%3D{since}");
    config.poll_interval = 5ms;
    config.appears_within = 10ms;
    config.version_within = 10ms;
  }

  std::string answer(const std::string& request) {
    if (request.starts_with("GET /version")) return reply("200 OK", "{\"version\":\"" + runs + "\"}");
    if (request.starts_with("GET /target")) return target;
    if (request.starts_with("GET /runs")) {
      std::string out = listed();
      return out.starts_with("HTTP") ? out : reply("200 OK", out);
    }
    id = between(request, "\"id\":\"", "\"");
    std::string out = dispatched();
    if (out.starts_with("HTTP/1.1 2") || out.empty()) runs = between(request, "\"to\":\"", "\"");
    return out;
  }

  std::unique_ptr<watcher::Driver> driver() {
    watcher::DriverSection section;
    section.service = rules::ServiceName("web");
    watcher::HttpDriver http;
    http.workflow = config;
    section.driver = http;
    return watcher::make_driver(section, folder.path, clock);
  }
  rules::StepResult switched() { return switch_to(*driver(), "v2", "v1"); }
  std::size_t asked(const std::string& what) const {
    std::size_t count = 0;
    for (const std::string& request : server.requests()) count += static_cast<std::size_t>(request.starts_with(what));
    return count;
  }
  watcher::HttpNotes notes() const {
    return watcher::parse_http_notes(content(folder.path + "/http/web.json")).value_or(watcher::HttpNotes());
  }
};

}  // namespace

TEST_CASE("a run is the one that is called by its id, and not by one that begins so") {
  const watcher::HttpWorkflow config;
  const std::string others =
      run_named("back (i-10)", "completed", "\"success\"") + "," + run_named("i-1-x", "queued", "null");
  CHECK_FALSE(watcher::find_run(config, list_of(others), "i-1").run);
  const auto found =
      watcher::find_run(config, list_of(others + "," + run_named("(i-1)", "in_progress", "null")), "i-1");
  REQUIRE(found.run);
  CHECK(found.run->state == "status in_progress");
  CHECK(found.run->link == "https://ci.test/runs/7");
  CHECK_FALSE(found.run->done);
  const auto failed = watcher::find_run(config, list_of(run_named("i-1", "completed", "\"failure\"")), "i-1").run;
  REQUIRE(failed);
  CHECK(failed->state == "status completed, conclusion failure");
  CHECK((failed->done && !failed->succeeded));
  CHECK(contains(watcher::find_run(config, "{\"message\":\"x\"}", "i-1").error, "no list"));
  CHECK_FALSE(watcher::find_run(config, "<html>", "i-1").error.empty());
}

TEST_CASE("where a CI has one word for ended and how, done names them all, and the list may be the whole answer") {
  watcher::HttpWorkflow config;
  config.runs_json = "";
  config.run_has_id = {"/name"};
  config.done = {{"/status", R"(["success","failed","canceled"])"}};
  config.success = {{"/status", R"("success")"}};
  config.run_link = "/web_url";
  const auto run = [&](const std::string& status) {
    return watcher::find_run(config, R"([{"name":"i-1","status":")" + status + R"(","web_url":"u"}])", "i-1")
        .run.value();
  };
  CHECK_FALSE(run("running").done);
  CHECK((run("canceled").done && !run("canceled").succeeded));
  CHECK((run("success").succeeded && run("success").link == "u"));
}

TEST_CASE("the version is what the endpoint says, or an error that says why not") {
  watcher::HttpWorkflow config;
  watcher::HttpAnswer answer;
  answer.status = 200;
  const auto said = [&](const std::string& body) {
    answer.body = body;
    return watcher::version_in(config, answer);
  };
  CHECK(said(" v1.2 \nbuilt today\n").revision.text == "v1.2");
  CHECK(contains(said("").error, "says nothing"));
  CHECK(contains(said("<html>").error, "is no revision"));
  config.version_json = "/build/commit";
  CHECK(said(R"({"build":{"commit":"3f2a"}})").revision.text == "3f2a");
  CHECK(contains(said("v1").error, "has nothing at /build/commit"));
  config.version_json.clear();
  config.version_match = "release ([0-9.]+)";
  CHECK(said("shop, release 1.4.2, ok").revision.text == "1.4.2");
  CHECK(contains(said("shop").error, "version_match"));
}

TEST_CASE("a switch asks for one run, finds it by its id, waits for its end and for the version") {
  Fixture fixture;
  int looks = 0;
  fixture.listed = [&] {
    if (fixture.id.empty() || ++looks < 4) return list_of(run_named("somebody's", "completed", "\"success\""));
    return list_of(run_named("to v1 " + fixture.id, looks < 12 ? "in_progress" : "completed",
                             looks < 12 ? "null" : "\"success\""));
  };
  fixture.config.appears_within = 10s;
  const rules::StepResult result = fixture.switched();
  CHECK(result.detail == "v1 runs\nthe run: https://ci.test/runs/7");
  CHECK(result.status == StepStatus::succeeded);
  CHECK(fixture.asked("POST /dispatches") == 1);
  CHECK(fixture.asked("GET /version") == 2);
  CHECK(contains(result.output, "status in_progress: https://ci.test/runs/7"));
  CHECK(fixture.id.starts_with("20261121-020304-web-errors-1-"));
  CHECK(fixture.notes().is_settled);
  for (const std::string& request : fixture.server.requests()) {
    const bool is_version = request.starts_with("GET /version");
    CHECK(contains(request, "Authorization: Bearer topsecret") != is_version);
  }
}

TEST_CASE("a refusal is a failure that says why and has begun nothing, and the next attempt is another one") {
  Fixture fixture;
  fixture.dispatched = [] { return reply("422 Unprocessable Entity", R"({"message":"Workflow is disabled"})"); };
  const rules::StepResult result = fixture.switched();
  CHECK(result.status == StepStatus::failed);
  CHECK(contains(result.detail, "answered 422: Workflow is disabled"));
  CHECK(result.nothing_begun);
  const std::string first = fixture.id;
  CHECK(fixture.notes().is_settled);
  fixture.dispatched = [] { return reply("204 No Content", ""); };
  CHECK(fixture.switched().status == StepStatus::succeeded);
  CHECK(fixture.id != first);
  CHECK(fixture.asked("POST /dispatches") == 2);
}

TEST_CASE("whatever refuses to begin a run has begun nothing, and what may have begun one has") {
  for (const std::string status : {"400", "401", "403", "404", "409", "410", "422", "429", "307"}) {
    CAPTURE(status);
    Fixture fixture;
    fixture.dispatched = [&] { return reply(status + " Refused", ""); };
    CHECK(fixture.switched().nothing_begun);
    CHECK(fixture.asked("POST /dispatches") == 1);
    CHECK(identify(*fixture.driver()).unfinished.empty());
  }
  for (const std::string status : {"408", "500", "503"}) {
    CAPTURE(status);
    Fixture fixture;
    fixture.dispatched = [&] { return reply(status + " Lost", ""); };
    fixture.listed = [] { return list_of(""); };
    CHECK_FALSE(fixture.switched().nothing_begun);
  }
  Fixture fixture;
  fixture.config.dispatch.url.value = "http://127.0.0.1:1/dispatches";
  CHECK(fixture.switched().nothing_begun);
}

TEST_CASE("a server that is asked too often is asked again when it says so") {
  for (const std::string more : {"429 Too Many Requests\r\nRetry-After: 0", "403 Forbidden\r\nretry-after: 0",
                                 "403 Forbidden\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1700000000"}) {
    CAPTURE(more);
    Fixture fixture;
    int refused = 0;
    fixture.dispatched = [&] { return ++refused < 3 ? reply(more, "") : reply("204 No Content", ""); };
    const rules::StepResult result = fixture.switched();
    CHECK(result.status == StepStatus::succeeded);
    CHECK(contains(result.output, "it is asked too often"));
    CHECK(fixture.asked("POST /dispatches") == 3);
  }
}

TEST_CASE("one that refuses for ever, for long, or without saying how long is not waited for") {
  Fixture fixture;
  std::string answer = reply("429 Too Many Requests", "", "Retry-After: 0\r\n");
  fixture.dispatched = [&] { return answer; };
  CHECK(fixture.switched().nothing_begun);
  CHECK(fixture.asked("POST /dispatches") == 5);
  answer = reply("429 Too Many Requests", "", "Retry-After: 3600\r\n");
  const rules::StepResult late = fixture.switched();
  CHECK(late.nothing_begun);
  CHECK(contains(late.detail, "it may be asked again in 1h"));
  answer = reply("403 Forbidden", "", "X-RateLimit-Remaining: 9\r\nX-RateLimit-Reset: 1700000000\r\n");
  CHECK(contains(fixture.switched().detail, "may the token in header do that?"));
  answer = reply("403 Forbidden", "", "Retry-After: soon\r\n");
  CHECK(fixture.switched().nothing_begun);
  CHECK(fixture.asked("POST /dispatches") == 8);
}

TEST_CASE("what was deployed while a server was not to be asked is not taken back") {
  Fixture fixture;
  fixture.dispatched = [&] {
    fixture.runs = "v3";
    return reply("429 Too Many Requests", "", "Retry-After: 0\r\n");
  };
  const rules::StepResult result = fixture.switched();
  CHECK(result.nothing_begun);
  CHECK(contains(result.detail, "v3 runs by now, so it is not asked again"));
  CHECK(fixture.asked("POST /dispatches") == 1);
}

TEST_CASE("a redirect is not followed with credentials") {
  Fixture fixture;
  fixture.dispatched = [&] {
    return reply("307 Temporary Redirect", "", "Location: " + fixture.server.url("/elsewhere") + "\r\n");
  };
  CHECK(contains(fixture.switched().detail, "a redirect is not followed"));
  CHECK(fixture.asked("POST /elsewhere") == 0);
}

TEST_CASE("an answer that is lost is no failure: the run is looked for, and not asked for again") {
  for (const std::string& lost : {std::string(), reply("502 Bad Gateway", "")}) {
    CAPTURE(lost);
    Fixture fixture;
    fixture.dispatched = [&] { return lost; };
    if (!lost.empty()) fixture.runs = "v1";
    const rules::StepResult result = fixture.switched();
    CHECK(result.status == StepStatus::succeeded);
    CHECK(contains(result.output, "nobody knows whether that arrived"));
    CHECK(fixture.asked("POST /dispatches") == 1);
  }
}

TEST_CASE("a run that does not appear may still come: that is said, and it is not asked for again") {
  Fixture fixture;
  const auto listed = fixture.listed;
  fixture.listed = [] { return list_of(""); };
  rules::StepResult result = fixture.switched();
  CHECK(result.status == StepStatus::failed);
  CHECK_FALSE(result.nothing_begun);
  CHECK(contains(result.detail, "may still come"));
  CHECK_FALSE(fixture.notes().is_settled);
  fixture.listed = listed;
  result = fixture.switched();
  CHECK(result.status == StepStatus::succeeded);
  CHECK(contains(result.output, "asked for before rollbackd ended"));
  CHECK(fixture.asked("POST /dispatches") == 1);
}

TEST_CASE("a run whose end a look saw before its switch was taken up again is not asked for again") {
  Fixture fixture;
  const auto listed = fixture.listed;
  fixture.listed = [] { return list_of(""); };
  CHECK(fixture.switched().status == StepStatus::failed);
  fixture.listed = listed;
  CHECK(run_here(fixture.driver()->still_ready(std::nullopt)).ready);
  CHECK(fixture.notes().is_settled);
  CHECK(fixture.switched().status == StepStatus::succeeded);
  CHECK(fixture.asked("POST /dispatches") == 1);
  CHECK(fixture.switched().status == StepStatus::succeeded);  // the next attempt is one of its own
  CHECK(fixture.asked("POST /dispatches") == 2);
}

TEST_CASE("that the list of runs cannot be read says nothing of the run") {
  Fixture fixture;
  int looks = 0;
  fixture.listed = [&] {
    if (!fixture.id.empty() && ++looks < 40) return reply("503 Service Unavailable", "");
    return fixture.id.empty() ? list_of("") : list_of(run_named(fixture.id, "completed", "\"success\""));
  };
  CHECK(fixture.switched().status == StepStatus::succeeded);
}

TEST_CASE("where no run could be followed none is asked for, and nothing has begun") {
  Fixture fixture;
  fixture.listed = [] { return reply("401 Unauthorized", R"({"message":"Bad credentials"})"); };
  const rules::StepResult result = fixture.switched();
  CHECK(result.nothing_begun);
  CHECK(contains(result.detail, "answered 401: Bad credentials; is the token in header right"));
  CHECK(fixture.asked("POST") == 0);
}

TEST_CASE("notes that were lost or damaged do not make a second request") {
  Fixture fixture;
  CHECK(fixture.switched().status == StepStatus::succeeded);
  const std::string notes = fixture.folder.path + "/http/web.json";
  write(notes, "{");
  const rules::StepResult refused = fixture.switched();
  CHECK(refused.nothing_begun);
  CHECK(contains(refused.detail, "look at the CI, then remove it"));
  CHECK(contains(ready(*fixture.driver(), "v1").reason, "look at the CI"));
  REQUIRE(::unlink(notes.c_str()) == 0);
  CHECK(fixture.switched().status == StepStatus::succeeded);
  CHECK(fixture.asked("POST /dispatches") == 1);
}

TEST_CASE("a run that ended badly, or well while the old version runs, is a failure") {
  Fixture fixture;
  fixture.listed = [&] { return list_of(fixture.id.empty() ? "" : run_named(fixture.id, "completed", "\"failure\"")); };
  rules::StepResult result = fixture.switched();
  CHECK(result.status == StepStatus::failed);
  CHECK(result.detail == "the run did not end well (status completed, conclusion failure): https://ci.test/runs/7");
  fixture.listed = [&] {
    fixture.runs = "v2";
    return list_of(run_named(fixture.id, "completed", "\"success\""));
  };
  result = fixture.switched();
  CHECK(result.status == StepStatus::failed);
  CHECK(contains(result.detail, "the run ended well, but v2 runs, not v1"));
}

TEST_CASE("a run of an earlier incident that is still at work is not joined by another") {
  Fixture fixture;
  fixture.listed = [&] { return list_of(fixture.id.empty() ? "" : run_named(fixture.id, "in_progress", "null")); };
  watcher::HttpNotes notes;
  notes.incident = "earlier";
  notes.id = fixture.id = "earlier-1-abc";
  notes.is_settled = false;
  REQUIRE(::mkdir((fixture.folder.path + "/http").c_str(), 0700) == 0);
  write(fixture.folder.path + "/http/web.json", watcher::to_json(notes));
  const rules::StepResult result = fixture.switched();
  CHECK(result.nothing_begun);
  CHECK(contains(result.detail, "still at work (status in_progress): https://ci.test/runs/7"));
  CHECK(fixture.asked("POST") == 0);
}

TEST_CASE("ready is false where runs cannot be seen or the target is gone, and not because the application is down") {
  Fixture fixture;
  const auto driver = fixture.driver();
  CHECK(ready(*driver, "v1").reason.empty());
  fixture.runs = "<down>";
  CHECK(running(*driver) == "?");
  CHECK(ready(*driver, "v1").ready);
  fixture.config.target.value = fixture.server.url("/target/{to}");
  CHECK(ready(*fixture.driver(), "a/../b").ready);
  CHECK(contains(fixture.server.requests().back(), "GET /target/a%2F..%2Fb "));
  fixture.target = reply("404 Not Found", "");
  CHECK(contains(ready(*fixture.driver(), "v1").reason, "v1 cannot be gone back to: GET http://127.0.0.1"));
  CHECK(ready(*fixture.driver()).ready);
  fixture.listed = [] { return reply("403 Forbidden", ""); };
  CHECK(contains(ready(*fixture.driver(), "v1").reason, "may the token in header do that?"));
  fixture.config.runs.value = "http://127.0.0.1:1/runs";
  CHECK(contains(ready(*fixture.driver(), "v1").reason, "refused"));
}

TEST_CASE("a run that was not seen to its end is told until it is, and no longer than a run can take") {
  Fixture fixture;
  watcher::HttpNotes notes;
  notes.incident = "earlier";
  notes.id = fixture.id = "earlier-1-abc";
  notes.to = "v1";
  notes.since = watcher::listed_since(fixture.clock.now());
  notes.is_settled = false;
  REQUIRE(::mkdir((fixture.folder.path + "/http").c_str(), 0700) == 0);
  const std::string file = fixture.folder.path + "/http/web.json";
  const auto unfinished = [&](const watcher::HttpNotes& with) {
    write(file, watcher::to_json(with));
    return identify(*fixture.driver()).unfinished;
  };
  CHECK(contains(unfinished(notes), "incident earlier asked for, to go to v1, was not seen to its end"));
  watcher::HttpNotes old = notes;
  old.since = watcher::listed_since(fixture.clock.now() - 7h);
  CHECK(unfinished(old).empty());
  write(file, watcher::to_json(notes));
  CHECK(ready(*fixture.driver(), "v1").ready);
  CHECK_FALSE(fixture.notes().is_settled);
  CHECK(run_here(fixture.driver()->still_ready(std::nullopt)).ready);
  CHECK(fixture.notes().is_settled);
  CHECK(identify(*fixture.driver()).unfinished.empty());
}

TEST_CASE("no run is asked for where the target is gone, and nothing has begun") {
  Fixture fixture;
  fixture.config.target.value = fixture.server.url("/target/{to}");
  fixture.target = reply("422 Unprocessable Entity", R"({"message":"No commit found"})");
  const rules::StepResult result = fixture.switched();
  CHECK(result.nothing_begun);
  CHECK(contains(result.detail, "v1 cannot be gone back to"));
  CHECK(fixture.asked("POST") == 0);
}

TEST_CASE("a plan shows what will be sent, without what is secret") {
  Fixture fixture;
  fixture.config.dispatch.url.value = "https://ci.test/{to}/dispatches";
  const auto lines = fixture.driver()->asks_for(rules::Revision("v2"), rules::Revision("v1"));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "POST https://ci.test/v1/dispatches");
  CHECK(lines[1] == "Authorization: <redacted>");
  CHECK(lines[2] == R"({"ref":"main","inputs":{"to":"v1","from":"v2","id":"INCIDENT-1-HOST"}})");
}

TEST_CASE("the http driver's configuration: credentials go to one host, and a run can be found again") {
  const std::string service = "[service.web]\ndriver = 'http'\nversion = 'http://127.0.0.1:1/v'\n";
  const std::string runs = "runs = 'https://ci.test/runs'\n";
  const std::string dispatch = "dispatch = 'https://ci.test/d'\nbody.json = { to = '{to}', id = '{id}' }\n";
  const watcher::Config config = loaded(service + runs + dispatch);
  const watcher::HttpWorkflow& driver = *std::get<watcher::HttpDriver>(config.drivers.front().driver).workflow;
  CHECK(driver.dispatch.method == "POST");
  CHECK(driver.dispatch.content_type == "application/json");
  CHECK(config.core.services.front().has_identity);
  CHECK(contains(findings_beside_service(service + dispatch + "runs = 'https://other.test/runs'\n"),
                 "service.web.runs: is at another host than dispatch"));
  CHECK(contains(findings_beside_service(service + dispatch + "runs = 'http://ci.test/runs'\n"), "is at another host"));
  CHECK(contains(findings_beside_service(service + runs + "dispatch = 'https://ci.test/d'\nbody = '{id}'\n"),
                 "write {to}"));
  CHECK(contains(findings_beside_service(service + runs + "dispatch = 'https://ci.test/{to}'\n"), "write {id}"));
  CHECK(contains(findings_beside_service(service + runs + dispatch + "identify = ['true']\n"), "does this itself"));
  CHECK(contains(findings_beside_service(service + runs), "service.web: dispatch is missing"));
  const watcher::Config with_secret = loaded(
      service + runs +
      "dispatch = 'PUT https://ci.test/{to}/{id}?token=hunter-ci'\nheader.Authorization = 'Bearer hunter-key'\n");
  const std::string expanded = watcher::expand(with_secret);
  CHECK(contains(expanded, "PUT https://ci.test/{to}/{id}?token=<redacted>"));
  CHECK_FALSE(contains(expanded, "hunter"));
}
