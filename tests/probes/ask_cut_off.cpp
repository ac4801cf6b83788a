#include <doctest/doctest.h>

#include "ask_fixture.hpp"
#include "probes/parse/prometheus_text.hpp"
#include "scripted_server.hpp"

// Pages of which only the end of the connection says that they are over: a server that dies while it writes ends them,
// too. A series that is missing would be read as one that is 0, and as one that was born when it comes back.

namespace {

using probes::BodyEnd;
using rules::Up;
using tests::Asked;
using tests::config_of;
using tests::has;
using tests::Peer;
using tests::ScriptedServer;
using tests::what_of;

std::vector<rules::Selector> wanted() {
  std::vector<rules::Selector> keep(2);
  keep[0].name = "errors_total";
  keep[1].name = "all_total";
  return keep;
}

// How many readings the page has, or its fault.
std::string read(probes::PrometheusText& parser, const std::string& page, BodyEnd end) {
  parser.begin();
  parser.push(page);
  const auto fault = parser.finish(end);
  return fault ? fault->what : std::to_string(parser.take().size());
}

std::string read(const std::string& page, BodyEnd end) {
  probes::PrometheusText parser(wanted());
  return read(parser, page, end);
}

// Answers without a length and closes.
tests::Script closing(std::string body) {
  return [body](Peer& peer) {
    if (!peer.read_request()) return;
    peer.send("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + body);
    peer.close();
  };
}

probes::PrometheusProbe page_at(const std::string& url) {
  probes::PrometheusProbe what;
  what.urls = {{url}};
  what.keep = wanted();
  return what;
}

}  // namespace

TEST_CASE(
    "SPEC 2.5: a page that ends with its connection must end with a line's end, where no length says it is whole") {
  CHECK(read("all_total 120\nother_total 12", BodyEnd::said) == "1");
  CHECK(has(read("all_total 120\nother_total 12", BodyEnd::closed), "the last line has no end, and nothing says how "));
  CHECK(has(read("all_total 12", BodyEnd::closed), "the last line has no end"));
  CHECK(read("all_total 120\nother_total 12\n", BodyEnd::closed) == "1");
  CHECK(read("all_total 120\n# EOF", BodyEnd::closed) == "1");
  CHECK(read("all_total 120\n# EOF\n", BodyEnd::closed) == "1");
  // It ends a page only where nothing comes after it.
  CHECK(has(read("# EOF\nall_total 120\nother_total 12", BodyEnd::closed), "the last line has no end"));
}

TEST_CASE("SPEC 2.5: after an end of the connection that TLS did not announce only # EOF says that a page is whole") {
  CHECK(has(read("all_total 120\n", BodyEnd::unsaid), "the connection was closed without an end of TLS"));
  CHECK(read("all_total 120\n# EOF\n", BodyEnd::unsaid) == "1");
}

TEST_CASE("SPEC 2.5: fewer values in a page that ends with its connection are believed the second time") {
  const std::string both = "errors_total 3\nall_total 120\n";
  const std::string cut = "errors_total 3\n";
  probes::PrometheusText parser(wanted());
  CHECK(read(parser, both, BodyEnd::closed) == "2");
  CHECK(has(read(parser, cut, BodyEnd::closed), "there are 1 values where there were 2"));
  CHECK(read(parser, both, BodyEnd::closed) == "2");
  CHECK(has(read(parser, cut, BodyEnd::closed), "there are 1 values where there were 2"));
  CHECK(has(read(parser, "# only this\n", BodyEnd::closed), "there are 0 values where there were 2"));
  CHECK(read(parser, "# only this\n", BodyEnd::closed) == "0");
  CHECK(read(parser, both, BodyEnd::closed) == "2");
  CHECK(read(parser, cut, BodyEnd::said) == "1");
  CHECK(read(parser, "# EOF\n", BodyEnd::closed) == "0");
}

TEST_CASE("SPEC 2.5: a server that dies while it writes its page leaves it unknown, not with fewer series") {
  const ScriptedServer server({closing("errors_total 3\nall_total 120\nother_total 12\n"),
                               closing("errors_total 3\nother_total 1"), closing("errors_total 3\n"),
                               closing("errors_total 4\nall_total 140\nother_total 12\n")});
  Asked asked(config_of(page_at(server.url())));
  CHECK(asked.poll().up == Up::up);
  for (int i = 0; i < 2; ++i) {
    const rules::Poll cut = asked.poll();
    CHECK(cut.up == Up::unknown);
    CHECK_FALSE(tests::value_of(cut, "errors_total"));
    CHECK_MESSAGE(has(what_of(cut), "let the server send Content-Length, or end with # EOF"), what_of(cut));
  }
  const rules::Poll whole = asked.poll();
  CHECK(whole.up == Up::up);
  CHECK(tests::value_of(whole, "all_total") == 140);
}
