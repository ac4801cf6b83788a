#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "probes/parse/expect.hpp"
#include "probes/parse/json.hpp"

namespace {

using probes::JsonBody;
using rules::FaultKind;

JsonBody json(std::string_view text) {
  std::variant<JsonBody, rules::Fault> parsed = JsonBody::parse(text);
  REQUIRE(std::holds_alternative<JsonBody>(parsed));
  return std::get<JsonBody>(std::move(parsed));
}

// The kind of the fault as text, "" when the answer is as expected.
std::string judged(const rules::Expectation& expect, unsigned status, std::string_view body = "") {
  const std::optional<rules::Fault> fault = probes::check(expect, status, body);
  return fault ? std::string(to_string(fault->kind)) : "";
}

rules::Expectation with_status(std::string_view text) {
  rules::Expectation expect;
  expect.status = std::get<0>(probes::parse_status_ranges(text));
  return expect;
}

}  // namespace

TEST_CASE("a JSON pointer finds numbers and texts, and nothing where nothing is") {
  const JsonBody body =
      json(R"({"queue":{"waiting":3,"rate":1.5e2,"on":true},"list":[10,20],"a/b":7,"t~":8,"s":"ok","":9})");
  CHECK(body.number("/queue/waiting") == 3);
  CHECK(body.number("/queue/rate") == 150);
  CHECK(body.number("/queue/on") == 1);
  CHECK(body.number("/list/1") == 20);
  CHECK(body.number("/a~1b") == 7);
  CHECK(body.number("/t~0") == 8);
  CHECK(body.number("/") == 9);
  for (const char* const none :
       {"/s", "/queue", "", "/list/2", "/list/-", "/list/x", "/none", "/queue/waiting/x", "queue"}) {
    INFO(none);
    CHECK_FALSE(body.number(none));
  }
  CHECK(body.text("/s") == "ok");
  CHECK(body.text("/list") == "[10,20]");
  CHECK_FALSE(body.text("/none"));
  const JsonBody saved = json(R"({"price":3.5,"big":1e21,"whole":3.0,"none":null,"n":7,"on":true})");
  CHECK(saved.text("/price") == "3.5");
  CHECK(saved.text("/big") == "1e+21");
  CHECK(saved.text("/whole") == "3");
  CHECK(saved.text("/n") == "7");
  CHECK(saved.text("/on") == "true");
  CHECK_FALSE(saved.text("/none"));
  CHECK(json("5").number("") == 5);
}

TEST_CASE("JSON values are compared by value") {
  const JsonBody body = json(R"({"n":1,"f":1.0,"o":{"a":1,"b":[2,{"c":null}]},"s":"1","big":18446744073709551615})");
  CHECK(body.equals("/n", "1"));
  CHECK(body.equals("/n", "1.0"));
  CHECK(body.equals("/f", "1"));
  CHECK(body.equals("/o", R"({ "b": [2.0, {"c": null}], "a": 1 })"));
  CHECK(body.equals("/big", "18446744073709551615"));
  CHECK_FALSE(body.equals("/big", "18446744073709551614"));
  CHECK_FALSE(body.equals("/n", "true"));
  CHECK_FALSE(body.equals("/n", "\"1\""));
  CHECK_FALSE(body.equals("/s", "1"));
  CHECK_FALSE(body.equals("/o", R"({"a":1})"));
  CHECK_FALSE(body.equals("/o", R"({"a":1,"b":[2,{"c":0}]})"));
  CHECK_FALSE(body.equals("/none", "null"));
  CHECK_FALSE(body.equals("/n", "not json"));
}

TEST_CASE("what is not JSON, or is nested too deep, is a parse fault") {
  for (const char* const text : {"", "{", "{\"a\":1}x", "<html>", "nul", "{'a':1}"}) {
    INFO(text);
    const auto parsed = JsonBody::parse(text);
    REQUIRE(std::holds_alternative<rules::Fault>(parsed));
    CHECK(std::get<rules::Fault>(parsed).kind == FaultKind::parse);
    CHECK_FALSE(probes::is_json(text));
  }
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(probes::is_json(nested(probes::json_depth_max)));
  CHECK_FALSE(probes::is_json(nested(probes::json_depth_max + 1)));
}

TEST_CASE("a JSON pointer is told from other text") {
  for (const char* const good : {"", "/", "/a/b", "/a~0b~1c"}) CHECK(probes::is_json_pointer(good));
  for (const char* const bad : {"a", "a/b", "/~", "/~2", "/a~"}) CHECK_FALSE(probes::is_json_pointer(bad));
}

TEST_CASE("status ranges are read, and what is none is refused with its place") {
  using Ranges = std::vector<std::pair<int, int>>;
  CHECK(std::get<0>(probes::parse_status_ranges("200")) == Ranges{{200, 200}});
  CHECK(std::get<0>(probes::parse_status_ranges(" 200-299 ,304,400 - 404")) ==
        Ranges{{200, 299}, {304, 304}, {400, 404}});
  struct Row {
    const char* text;
    std::size_t offset;
  };
  for (const Row& row :
       {Row{"", 0}, {"200,", 4}, {"99", 0}, {"600", 0}, {"200,299-200", 4}, {"2xx", 0}, {"200-", 0}, {"-200", 0}}) {
    INFO(row.text);
    const auto parsed = probes::parse_status_ranges(row.text);
    REQUIRE(std::holds_alternative<rules::SyntaxError>(parsed));
    CHECK(std::get<rules::SyntaxError>(parsed).offset == row.offset);
  }
}

TEST_CASE("SPEC 2.3: a 5xx is evidence always, another unexpected status only against an explicit expectation") {
  const rules::Expectation nothing;
  CHECK(judged(nothing, 200).empty());
  CHECK(judged(nothing, 204).empty());
  for (const unsigned status : {301U, 401U, 403U, 404U, 429U, 100U}) CHECK(judged(nothing, status) == "status");
  for (const unsigned status : {500U, 502U, 503U, 599U}) CHECK(judged(nothing, status) == "server_error");
  CHECK(judged(with_status("200-299, 304"), 304).empty());
  CHECK(judged(with_status("200-299, 304"), 404) == "contradiction");
  CHECK(judged(with_status("301"), 200) == "contradiction");
  CHECK(judged(with_status("200"), 500) == "server_error");
  CHECK(judged(with_status("503"), 503).empty());
}

TEST_CASE("SPEC 2.3: a body that contradicts the expectation is evidence, also when it is not JSON at all") {
  rules::Expectation expect;
  expect.json = {{"/status", "\"ok\""}, {"/database", "\"connected\""}};
  CHECK(judged(expect, 200, R"({"database":"connected","status":"ok","more":1})").empty());
  CHECK(judged(expect, 200, R"({"database":"lost","status":"ok"})") == "contradiction");
  CHECK(judged(expect, 200, R"({"status":"ok"})") == "contradiction");
  CHECK(judged(expect, 200, "<html>") == "contradiction");
  CHECK(judged(expect, 404, R"({"database":"connected","status":"ok"})") == "status");
  rules::Expectation body;
  body.body = "(?i)welcome";
  CHECK(judged(body, 200, "<h1>Welcome</h1>").empty());
  CHECK(judged(body, 200, "<h1>Maintenance</h1>") == "contradiction");
}

TEST_CASE("an expectation that fails says what is there and what was expected, and not more than fits a line") {
  rules::Expectation expect;
  expect.json = {{"/database", "\"connected\""}};
  CHECK(probes::check(expect, 200, R"({"database":"lost"})")->what == "/database is lost, expected \"connected\"");
  CHECK(probes::check(expect, 200, "{}")->what == "/database is nothing, expected \"connected\"");
  CHECK(probes::check(expect, 200, "{\"database\":\"" + std::string(5000, 'x') + "\"}")->what.size() < 200);
}

TEST_CASE("numbers and checks of an http probe are taken from its body") {
  const probes::JsonFields fields({{"queue", "/queue/waiting"}}, {{"database", {{"/db", "\"up\""}, {"/lag", "0"}}}});
  const auto read = [&fields](std::string_view body) {
    const auto result = fields.read(body);
    if (const auto* const fault = std::get_if<rules::Fault>(&result)) return std::string(to_string(fault->kind));
    std::string out;
    for (const rules::Reading& reading : std::get<0>(result)) {
      out += rules::to_string(*reading.series) + "=" + std::to_string(reading.value) + " ";
    }
    return out;
  };
  CHECK(read(R"({"queue":{"waiting":4},"db":"up","lag":0})") == "queue=4.000000 database=1.000000 ");
  CHECK(read(R"({"queue":{"waiting":4},"db":"up","lag":2})") == "queue=4.000000 database=0.000000 ");
  CHECK(read(R"({"queue":{"waiting":4}})") == "queue=4.000000 database=0.000000 ");
  CHECK(read(R"({"queue":{"waiting":"4"},"db":"up"})") == "parse");
  CHECK(read(R"({"db":"up"})") == "parse");
  CHECK(read("<html>") == "parse");
  CHECK(std::get<0>(probes::JsonFields({}, {}).read("<html>")).empty());
}
