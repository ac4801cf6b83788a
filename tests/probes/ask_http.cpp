#include <doctest/doctest.h>

#include <chrono>

#include "ask_fixture.hpp"
#include "probes/ask/fetcher.hpp"
#include "probes/ask/filling_in.hpp"
#include "scripted_server.hpp"

namespace {

using namespace std::chrono_literals;
using probes::HttpProbe;
using probes::HttpRequestConfig;
using rules::FaultKind;
using rules::Up;
using namespace tests;

HttpProbe http(const std::string& url) {
  HttpProbe what;
  what.urls.push_back({url, false});
  return what;
}

rules::Poll ask_once(const HttpProbe& what) { return Asked(config_of(what)).poll(); }

HttpRequestConfig step(const std::string& method, const std::string& url) {
  HttpRequestConfig request;
  request.method = method;
  request.url.value = url;
  return request;
}

}  // namespace

TEST_CASE(
    "SPEC 2.3: without an expectation only 5xx is evidence against the service, other statuses blame the measuring "
    "path") {
  struct Row {
    int status;
    Up up;
    FaultKind kind;
  };
  for (const Row row : {Row{500, Up::down, FaultKind::server_error}, Row{503, Up::down, FaultKind::server_error},
                        Row{301, Up::unknown, FaultKind::status}, Row{401, Up::unknown, FaultKind::status},
                        Row{403, Up::unknown, FaultKind::status}, Row{404, Up::unknown, FaultKind::status},
                        Row{429, Up::unknown, FaultKind::status}}) {
    CAPTURE(row.status);
    const ScriptedServer server(always(response(row.status, "")));
    const rules::Poll poll = ask_once(http(server.url("/health")));
    CHECK(poll.up == row.up);
    REQUIRE(poll.fault.has_value());
    CHECK(poll.fault->kind == row.kind);
    CHECK(has(what_of(poll), "probe \"it\": GET http://127.0.0.1:"));
    CHECK(has(what_of(poll), "status " + std::to_string(row.status)));
  }
}

TEST_CASE("SPEC 2.3: what contradicts an explicit expectation is evidence") {
  HttpProbe what;
  SUBCASE("a status") { what.expect.status = {{200, 299}}; }
  SUBCASE("a JSON value, where the status says the same") { what.expect.json = {{"/status", "\"ok\""}}; }
  SUBCASE("a body, where the status says the same") { what.expect.body = "fine"; }
  const ScriptedServer server(always(response(404, "not here")));
  what.urls.push_back({server.url(), false});
  const rules::Poll poll = ask_once(what);
  CHECK(poll.up == Up::down);
  REQUIRE(poll.fault.has_value());
  CHECK(poll.fault->kind == FaultKind::contradiction);
}

TEST_CASE("SPEC 2.3: a status that is expected is up, whatever it is") {
  const ScriptedServer server(always(response(401, "")));
  HttpProbe what = http(server.url());
  what.expect.status = {{401, 401}};
  const rules::Poll poll = ask_once(what);
  CHECK(poll.up == Up::up);
  CHECK_FALSE(poll.fault.has_value());
}

TEST_CASE("SPEC 2.3: a body that is too large is a fault of the measuring path unless something was expected of it") {
  const ScriptedServer server(always(response(200, std::string(2000, 'x'))));
  HttpProbe what = http(server.url());
  what.options.body_max = 1000;
  CHECK(ask_once(what).up == Up::unknown);
  what.expect.body = "fine";
  CHECK(ask_once(what).up == Up::down);
}

TEST_CASE("numbers and checks are read from the body, with the duration") {
  const ScriptedServer server(
      always(response(200, R"({"queue":{"waiting":7},"database":"connected","cache":"cold"})")));
  HttpProbe what = http(server.url());
  what.json = {{"queue", "/queue/waiting"}};
  what.check = {{"database", {{"/database", "\"connected\""}}}, {"cache", {{"/cache", "\"warm\""}}}};
  const rules::Poll poll = ask_once(what);
  CHECK(poll.up == Up::up);
  CHECK(value_of(poll, "queue") == 7.0);
  CHECK(value_of(poll, "database") == 1.0);
  CHECK(value_of(poll, "cache") == 0.0);
  CHECK(value_of(poll, "duration").value_or(-1) == rules::seconds(poll.ended - poll.started));
}

TEST_CASE("SPEC 2.3: a body that does not parse is a fault of the measuring path") {
  const ScriptedServer server(always(response(200, "<html>")));
  HttpProbe what = http(server.url());
  what.json = {{"queue", "/queue/waiting"}};
  const rules::Poll poll = ask_once(what);
  CHECK(poll.up == Up::unknown);
  REQUIRE(poll.fault.has_value());
  CHECK(poll.fault->kind == FaultKind::parse);
}

TEST_CASE("SPEC 2.3: down_on makes a name that does not resolve evidence") {
  probes::ProbeConfig config = config_of(http("http://no-such-host.invalid/"));
  CHECK(Asked(config).poll().up == Up::unknown);
  config.down_on.dns = true;
  CHECK(Asked(config).poll().up == Up::down);
}

TEST_CASE("a secret address is in no message") {
  const ScriptedServer server(always(response(404, "")));
  HttpProbe what;
  what.urls.push_back({server.url("/hidden"), true});
  const rules::Poll poll = ask_once(what);
  CHECK(has(what_of(poll), "status 404"));
  CHECK_FALSE(has(what_of(poll), "hidden"));
}

TEST_CASE("redirects are followed as often as allowed, headers only to the same origin") {
  const ScriptedServer other([](Peer& peer) {
    while (peer.read_request()) peer.send(response(has(peer.request(), "X-Key") ? 400 : 200, "other"));
  });
  const ScriptedServer server([&](Peer& peer) {
    while (peer.read_request()) {
      if (has(peer.request(), "GET /start"))
        peer.send(response(302, "", "Location: /middle\r\n"));
      else if (!has(peer.request(), "X-Key: 1"))
        peer.send(response(400, ""));
      else
        peer.send(response(307, "", "Location: " + other.url("/end") + "\r\n"));
    }
  });
  HttpProbe what = http(server.url("/start"));
  what.options.headers["X-Key"] = {"1", true};
  what.options.redirects = 2;
  CHECK(what_of(ask_once(what)) == "");
  what.options.redirects = 1;
  CHECK(ask_once(what).up == Up::unknown);
  what.options.redirects = 0;
  CHECK(has(what_of(ask_once(what)), "status 302"));
}

TEST_CASE("a redirect leads to http and https only") {
  probes::HttpReply reply;
  reply.status = 302;
  const auto leads = [&](const std::string& location) {
    reply.location = location;
    return probes::redirect_target("http://a.example/b/c?d", reply);
  };
  CHECK(leads("e") == "http://a.example/b/e");
  CHECK(leads("/e#f") == "http://a.example/e");
  CHECK(leads("https://g.example/") == "https://g.example/");
  CHECK(leads("file:///etc/passwd") == "");
  CHECK(leads("http://user:pw@a.example/") == "");
  CHECK(leads("::") == "");
  reply.status = 200;
  CHECK(leads("/e") == "");
}

TEST_CASE("a journey uses what it saved, on the same connection, and names the step that fails") {
  const ScriptedServer server([](Peer& peer) {
    while (peer.read_request()) {
      const std::string& request = peer.request();
      if (has(request, "POST /signin")) {
        const bool right =
            has(request, R"({"email":"a@example.com"})") && has(request, "Content-Type: application/json");
        peer.send(response(right ? 200 : 400, R"({"token":"T\"1 2"})"));
      } else {
        const bool right =
            has(request, "Authorization: Bearer T\"1 2\r\n") && has(request, "GET /session?t=T%221%202 ");
        peer.send(response(right ? 200 : 401, "{}"));
      }
    }
  });
  HttpProbe what;
  HttpRequestConfig signin = step("POST", server.url("/signin"));
  signin.body.value = R"({"email":"a@example.com"})";
  signin.content_type = "application/json";
  signin.expect.status = {{200, 200}};
  signin.save = {{"token", "json:/token"}};
  HttpRequestConfig session = step("GET", server.url("/session?t={token}"));
  session.headers["Authorization"] = {"Bearer {token}", false};
  session.expect.status = {{200, 200}};
  what.steps = {signin, session};
  CHECK(what_of(ask_once(what)) == "");

  SUBCASE("a contradiction is evidence") {
    what.steps[1].headers.clear();
    const rules::Poll poll = ask_once(what);
    CHECK(poll.up == Up::down);
    CHECK(has(what_of(poll), "step 2: GET"));
    CHECK(has(what_of(poll), "status 401"));
    CHECK_FALSE(has(what_of(poll), "T%221"));
  }
  SUBCASE("a value that is not there to be saved is a fault of the measuring path") {
    what.steps[0].save = {{"token", "json:/elsewhere"}};
    const rules::Poll poll = ask_once(what);
    CHECK(poll.up == Up::unknown);
    CHECK(has(what_of(poll), "step 1: the answer has nothing at /elsewhere"));
  }
}

TEST_CASE("a journey that fails at any step is down, and up when none does") {
  constexpr std::size_t steps = 4;
  for (std::size_t failing = 0; failing <= steps; ++failing) {
    CAPTURE(failing);
    const ScriptedServer server([failing](Peer& peer) {
      for (std::size_t i = 0; peer.read_request(); ++i) peer.send(response(i == failing ? 500 : 200, "{}"));
    });
    HttpProbe what;
    for (std::size_t i = 0; i < steps; ++i) what.steps.push_back(step("GET", server.url()));
    const rules::Poll poll = ask_once(what);
    CHECK(poll.up == (failing == steps ? Up::up : Up::down));
    CHECK(has(what_of(poll), "step " + std::to_string(failing + 1) + ": ") == (failing != steps));
  }
}

TEST_CASE("SPEC 2.4: a journey survives the loss of its kept connection before any step but the first") {
  constexpr std::size_t steps = 4;
  for (std::size_t lost = 0; lost < steps; ++lost) {
    CAPTURE(lost);
    const auto loses = [lost](Peer& peer) {
      for (std::size_t i = 0; i < lost && peer.read_request(); ++i) peer.send(response(200, "{}"));
      peer.read_request();
      peer.reset();
    };
    const ScriptedServer server({loses, always(response(200, "{}"))});
    HttpProbe what;
    for (std::size_t i = 0; i < steps; ++i) what.steps.push_back(step("GET", server.url()));
    CHECK(ask_once(what).up == (lost == 0 ? Up::down : Up::up));
  }
}

TEST_CASE("what was saved is written so that it changes nothing but its place") {
  const std::map<std::string, std::string> saved{{"v", "a\"b/c\n{v}"}};
  using probes::filled_in;
  using probes::Quoting;
  CHECK(filled_in("x{v}y", saved, Quoting::url) == "xa%22b%2Fc%0A%7Bv%7Dy");
  CHECK(filled_in(R"({"k":"{v}"})", saved, Quoting::json) == R"({"k":"a\"b/c\u000A{v}"})");
  CHECK(filled_in("{v}", saved, Quoting::none) == "a\"b/c\n{v}");
  CHECK(filled_in("{w} { {v", saved, Quoting::none) == "{w} { {v");
}

TEST_CASE("one slow journey takes no longer than its time-out in all") {
  const ScriptedServer server([](Peer& peer) {
    while (peer.read_request()) peer.send_slowly(response(200, "{}"), 10, 15ms);
  });
  HttpProbe what;
  for (int i = 0; i < 50; ++i) what.steps.push_back(step("GET", server.url()));
  const rules::Poll poll = Asked(config_of(what, 300ms)).poll();
  CHECK(poll.up == Up::down);
  REQUIRE(poll.fault.has_value());
  CHECK(poll.fault->kind == FaultKind::timeout);
}
