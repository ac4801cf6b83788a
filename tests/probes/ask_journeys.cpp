#include <doctest/doctest.h>

#include <set>

#include "ask_fixture.hpp"
#include "probes/ask/save_source.hpp"
#include "probes/net/cookies.hpp"
#include "scripted_server.hpp"

// What a journey keeps from one step to the next: cookies by itself, values that it is told to save.

namespace {

using namespace tests;
using probes::CookieJar;
using probes::HttpProbe;
using probes::HttpRequestConfig;
using rules::Up;

rules::Poll ask_once(const HttpProbe& what) { return Asked(config_of(what)).poll(); }

HttpRequestConfig step(const std::string& method, const std::string& url) {
  HttpRequestConfig request;
  request.method = method;
  request.url.value = url;
  request.expect.status = {{200, 200}};
  return request;
}

probes::Url url(const std::string& text) { return std::get<probes::Url>(probes::parse_url(text)); }

// A jar that this site has set these in.
CookieJar jar_of(const std::string& site, const std::vector<std::string>& fields) {
  CookieJar jar(rules::Instant(std::chrono::hours(24 * 365 * 56)));
  probes::HttpReply reply;
  for (const std::string& field : fields) reply.fields.emplace_back("Set-Cookie", field);
  jar.take(url(site), reply);
  return jar;
}

std::string answer(const std::string& status, const std::string& fields, const std::string& body = "{}") {
  return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("a cookie goes where RFC 6265 sends it, and nowhere else") {
  const auto sent = [](const std::string& field, const std::string& to) {
    return jar_of("https://shop.example/account/login", {field}).header(url(to));
  };
  CHECK(sent("a=1", "https://shop.example/account/x") == "a=1");
  CHECK(sent("a=1", "https://shop.example/account") == "a=1");
  CHECK(sent("a=1", "https://shop.example/accounts") == "");
  CHECK(sent("a=1", "https://SHOP.example:8443/account/?q") == "a=1");
  CHECK(sent("a=1", "https://www.shop.example/account/") == "");
  CHECK(sent("a=1; Path=/", "http://shop.example/") == "a=1");
  CHECK(sent("a=1; Path=/; Secure", "http://shop.example/") == "");
  CHECK(sent("a=1; Path=/; Domain=.shop.example", "https://www.shop.example/") == "a=1");
  CHECK(sent("a=1; Path=/; Domain=other.example", "https://other.example/") == "");
  CHECK(sent("a=1; Path=/; Domain=p.example", "https://shop.example/") == "");
  CHECK(sent("a=1; path=/; HttpOnly; SameSite=Lax", "https://shop.example/") == "a=1");
  CHECK(sent("a=1; Path=/; Max-Age=0", "https://shop.example/") == "");
  CHECK(sent("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://shop.example/") == "");
  CHECK(sent("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", "https://shop.example/") == "a=1");
  CHECK(sent("a=1; Path=/; Expires=Fri, 31 Dec 9998 23:59:59 GMT", "https://shop.example/") == "a=1");
  CHECK(sent("a=b=c; Path=/", "https://shop.example/") == "a=b=c");
  CHECK(sent("=1; Path=/", "https://shop.example/") == "");
  CHECK(jar_of("http://127.0.0.1:1/", {"a=1; Secure"}).header(url("http://127.0.0.1:1/")) == "a=1");
  CHECK(jar_of("http://127.evil.example/", {"a=1; Secure"}).header(url("http://127.evil.example/")) == "");
  CHECK(jar_of("http://127.0.0.1:1/", {"a=1; Domain=0.0.1"}).header(url("http://127.0.0.1:1/")) == "");
  CHECK(jar_of("http://shop.example/", {"a=1; Secure"}).header(url("https://shop.example/")) == "");
}

TEST_CASE("a cookie of the same name and place replaces, an ended one takes it away, the longest path comes first") {
  const probes::Url to = url("http://a.example/x/y");
  CHECK(jar_of("http://a.example/", {"a=1", "a=2"}).header(to) == "a=2");
  CHECK(jar_of("http://a.example/", {"a=1", "a=; Max-Age=0"}).header(to) == "");
  CHECK(jar_of("http://a.example/", {"a=1", "b=2", "c=3; Path=/x"}).header(to) == "c=3; a=1; b=2");
  CHECK(jar_of("http://a.example/", {"a=1", "a=2; Path=/x"}).value("a") == "2");
  CHECK_FALSE(jar_of("http://a.example/", {"a=1"}).value("b").has_value());
}

TEST_CASE("a journey signs in with cookies, a token of the page and a header, and each run begins without them") {
  std::set<std::string> users;
  const ScriptedServer server([&users](Peer& peer) {
    while (peer.read_request()) {
      const std::string& request = peer.request();
      if (has(request, "GET /form ")) {
        const bool anew = !has(request, "Cookie:");
        peer.send(answer(anew ? "200 OK" : "500 No", "Set-Cookie: csrf=c1; Path=/\r\nX-Request-Id: r7\r\n",
                         "<input name=\"token\" value=\"t'9\">"));
      } else if (has(request, "POST /signup ")) {
        const bool right = has(request, "Cookie: csrf=c1\r\n") && has(request, "X-Token: t'9\r\n") &&
                           has(request, "X-Csrf: c1\r\n") && has(request, "X-Seen: r7\r\n");
        users.insert(request.substr(request.find("user=")));
        peer.send(answer(right ? "200 OK" : "403 No", "set-cookie: session=s1; Path=/; HttpOnly\r\n"));
      } else {
        peer.send(answer(has(request, "ookie: csrf=c1; session=s1\r\n") ? "200 OK" : "401 No", ""));
      }
    }
  });
  HttpProbe what;
  HttpRequestConfig form = step("GET", server.url("/form"));
  form.save = {
      {"token", "regex:name=\"token\" value=\"([^\"]+)\""}, {"seen", "header:x-request-id"}, {"csrf", "cookie:csrf"}};
  HttpRequestConfig signup = step("POST", server.url("/signup"));
  signup.headers = {{"X-Token", {"{token}", false}}, {"X-Csrf", {"{csrf}", false}}, {"X-Seen", {"{seen}", false}}};
  signup.body.value = "user={unique}@example.com";
  what.steps = {form, signup, step("GET", server.url("/account"))};
  Asked asked(config_of(what));
  for (int run = 0; run < 3; ++run) {
    const rules::Poll poll = asked.poll();
    CHECK(what_of(poll) == "");
    CHECK(poll.up == Up::up);
  }
  CHECK(users.size() == 3);  // each run signs up somebody else

  SUBCASE("what is not there to be saved is a fault of the measuring path") {
    for (const char* const source : {"header:X-Other", "cookie:other", "regex:nothing=(.)"}) {
      CAPTURE(source);
      what.steps[0].save = {{"token", source}};
      const rules::Poll poll = ask_once(what);
      CHECK(poll.up == Up::unknown);
      CHECK(has(what_of(poll), "step 1: the answer has no"));
    }
  }
  SUBCASE("a Cookie header of one's own is sent as it is") {
    what.steps[2].headers = {{"cookie", {"csrf=c1; session=s1", false}}};
    CHECK(ask_once(what).up == Up::up);
    what.steps[2].headers = {{"cookie", {"session=other", false}}};
    CHECK(has(what_of(ask_once(what)), "step 3: GET"));
  }
}

TEST_CASE("cookies of a redirect are kept and sent to where it leads") {
  const ScriptedServer server([](Peer& peer) {
    while (peer.read_request()) {
      if (has(peer.request(), "POST /login "))
        peer.send(answer("302 Found", "Set-Cookie: session=s1; Path=/\r\nLocation: /home\r\n"));
      else
        peer.send(answer(has(peer.request(), "Cookie: session=s1\r\n") ? "200 OK" : "401 No", ""));
    }
  });
  HttpProbe what;
  what.options.redirects = 2;
  what.steps = {step("POST", server.url("/login")), step("GET", server.url("/home"))};
  CHECK(what_of(ask_once(what)) == "");
}

TEST_CASE("a saved value keeps its place in a form") {
  const ScriptedServer server([](Peer& peer) {
    while (peer.read_request()) {
      const bool right = !has(peer.request(), "POST") || has(peer.request(), "csrf=a%2Bb%2Fc%3D%26d&name=x");
      peer.send(answer(right ? "200 OK" : "403 No", "X-Token: a+b/c=&d\r\n"));
    }
  });
  HttpProbe what;
  HttpRequestConfig form = step("GET", server.url("/form"));
  form.save = {{"csrf", "header:X-Token"}};
  HttpRequestConfig sent = step("POST", server.url("/form"));
  sent.body.value = "csrf={csrf}&name=x";
  SUBCASE("by content_type") { sent.content_type = "application/x-www-form-urlencoded"; }
  SUBCASE("by its header") { sent.headers["content-type"] = {"application/x-www-form-urlencoded", false}; }
  what.steps = {form, sent};
  CHECK(what_of(ask_once(what)) == "");
}

TEST_CASE("a jar is no larger than a browser's, and so is no value that is saved") {
  std::vector<std::string> fields;
  for (int i = 0; i < 60; ++i) fields.push_back("c" + std::to_string(i) + "=1");
  fields.push_back("long=" + std::string(4092, 'x'));
  fields.push_back("longer=" + std::string(4096, 'x'));
  const CookieJar jar = jar_of("http://a.example/", fields);
  CHECK_FALSE(jar.value("c10").has_value());
  CHECK(jar.value("c11").has_value());
  CHECK(jar.value("long").has_value());
  CHECK_FALSE(jar.value("longer").has_value());
  for (const std::size_t size : {std::size_t(8 * 1024), std::size_t(8 * 1024 + 1)}) {
    const ScriptedServer server(always(response(200, "v=" + std::string(size, 'x'))));
    HttpProbe what;
    what.steps = {step("GET", server.url())};
    what.steps[0].save = {{"v", "regex:v=(x+)"}};
    CHECK(ask_once(what).up == (size == 8 * 1024 ? Up::up : Up::unknown));
  }
}

TEST_CASE("where a value is saved from is refused when it can be nowhere") {
  using probes::wrong_save_source;
  for (const char* const right : {"json:/a/b", "header:ETag", "cookie:session", "regex:value=\"([^\"]*)\""}) {
    CHECK(wrong_save_source(right) == "");
  }
  for (const char* const wrong :
       {"", "/a", "json:a", "header:", "cookie:", "regex:", "regex:(", "regex:no group", "regex:(a)(b)", "body:x"}) {
    CAPTURE(wrong);
    CHECK(wrong_save_source(wrong) != "");
  }
}
