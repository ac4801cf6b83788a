#include <doctest/doctest.h>

#include "ask_fixture.hpp"
#include "compressed.hpp"
#include "probes/net/inflate.hpp"
#include "scripted_server.hpp"

// Bodies that a server compresses although nobody asked for it.

namespace {

using rules::FaultKind;
using rules::Up;
using tests::always;
using tests::Asked;
using tests::compressed;
using tests::config_of;
using tests::has;
using tests::response;
using tests::ScriptedServer;
using tests::value_of;
using tests::what_of;

const std::string page = "# TYPE errors_total counter\nerrors_total 3\nall_total 120\n";

std::string encoded(const std::string& body, const std::string& coding, int status = 200) {
  return response(status, body, "Content-Encoding: " + coding + "\r\n");
}

probes::PrometheusProbe page_at(const std::string& url, std::int64_t body_max = probes::body_limit_default) {
  probes::PrometheusProbe what;
  what.urls = {{url}};
  what.options.body_max = body_max;
  for (const char* const name : {"errors_total", "all_total"}) {
    rules::Selector selector;
    selector.name = name;
    what.keep.push_back(selector);
  }
  return what;
}

probes::HttpProbe health_at(const std::string& url) {
  probes::HttpProbe what;
  what.urls = {{url}};
  return what;
}

std::string inflated(const std::string& bytes, std::size_t piece) {
  probes::Inflater inflater(1 << 20);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    inflater.push(std::string_view(bytes).substr(at, piece), [&](std::string_view more) {
      out += more;
      return true;
    });
  }
  inflater.finish();
  return inflater.fault() ? inflater.fault()->what : out;
}

}  // namespace

TEST_CASE("SPEC 2.3: a page in gzip or deflate is read, asked for or not") {
  struct Row {
    const char* coding;
    int frame;
  };
  for (const Row& row :
       {Row{"gzip", tests::gzip_frame}, Row{"x-gzip", tests::gzip_frame}, Row{"GZIP", tests::gzip_frame},
        Row{"deflate", tests::zlib_frame}, Row{"deflate", tests::no_frame}}) {
    CAPTURE(row.coding);
    CAPTURE(row.frame);
    const ScriptedServer server(always(encoded(compressed(page, row.frame), row.coding)));
    Asked asked(config_of(page_at(server.url())));
    for (int i = 0; i < 2; ++i) {
      const rules::Poll poll = asked.poll();
      CHECK(what_of(poll) == "");
      CHECK(value_of(poll, "errors_total") == 3);
      CHECK(value_of(poll, "all_total") == 120);
    }
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("SPEC 2.3: a page that says identity is as it is") {
  const ScriptedServer server(always(encoded(page, "identity")));
  Asked asked(config_of(page_at(server.url())));
  CHECK(value_of(asked.poll(), "errors_total") == 3);
}

TEST_CASE("SPEC 2.3: an encoding that was not asked for is named, is unknown, and no byte of it is shown") {
  const ScriptedServer server(always(encoded("\x8b\x02\x80\x01\xff", "br")));
  Asked metrics(config_of(page_at(server.url())));
  const rules::Poll poll = metrics.poll();
  CHECK(poll.up == Up::unknown);
  REQUIRE(poll.fault);
  CHECK(poll.fault->kind == FaultKind::parse);
  CHECK(has(poll.fault->what, "content encoding \"br\" was not asked for; let the server send this page as it is"));
  CHECK_FALSE(has(poll.fault->what, "\x8b"));

  probes::HttpProbe expecting = health_at(server.url());
  expecting.expect.body = "ok";
  expecting.expects = true;
  Asked health(config_of(expecting));
  const rules::Poll looked = health.poll();
  CHECK(looked.up == Up::unknown);
  CHECK(has(what_of(looked), "content encoding \"br\" was not asked for"));

  probes::HttpProbe reading = health_at(server.url());
  reading.json = {{"queue", "/queue"}};
  Asked numbers(config_of(reading));
  CHECK(numbers.poll().up == Up::unknown);
}

TEST_CASE("SPEC 2.3: what the status says is evidence, whatever the body is encoded in") {
  const ScriptedServer fine(always(encoded("\x8b", "br")));
  Asked health(config_of(health_at(fine.url())));
  CHECK(health.poll().up == Up::up);
  const ScriptedServer failing(always(encoded("\x8b", "br", 503)));
  Asked down(config_of(health_at(failing.url())));
  CHECK(down.poll().up == Up::down);
  Asked metrics(config_of(page_at(failing.url())));
  CHECK(metrics.poll().up == Up::down);
  probes::HttpProbe expecting = health_at(failing.url());
  expecting.expect.status = {{200, 200}};
  expecting.expect.body = "ok";
  expecting.expects = true;
  Asked contradicted(config_of(expecting));
  CHECK(contradicted.poll().up == Up::down);
}

TEST_CASE("an expectation is held against what a compressed body says") {
  const ScriptedServer server(always(encoded(compressed(R"({"status":"ok","queue":7})"), "gzip")));
  probes::HttpProbe what = health_at(server.url());
  what.expect.json = {{"/status", "\"ok\""}};
  what.expects = true;
  what.json = {{"queue", "/queue"}};
  Asked asked(config_of(what));
  const rules::Poll poll = asked.poll();
  CHECK(what_of(poll) == "");
  CHECK(value_of(poll, "queue") == 7);
}

TEST_CASE("a body that inflates beyond body_max is refused by that name, one byte less is fine") {
  const std::string large = page + "# " + std::string(100'000, 'x') + "\n";
  const ScriptedServer server(always(encoded(compressed(large), "gzip")));
  const auto size = static_cast<std::int64_t>(large.size());
  Asked fits(config_of(page_at(server.url(), size)));
  CHECK(what_of(fits.poll()) == "");
  Asked bomb(config_of(page_at(server.url(), size - 1)));
  const rules::Poll poll = bomb.poll();
  CHECK(poll.up == Up::unknown);
  REQUIRE(poll.fault);
  CHECK(poll.fault->kind == FaultKind::too_large);
  CHECK(has(poll.fault->what, std::to_string(size - 1) + " bytes when it is decompressed; raise body_max"));
}

TEST_CASE("SPEC 2.3: a compressed page that is damaged, cut off or goes on behind its end is unknown") {
  const std::string whole = compressed(page);
  struct Row {
    std::string body;
    const char* says;
  };
  for (const Row& row : {Row{whole.substr(0, whole.size() - 9), "the compressed body is cut off"},
                         Row{"not gzip at all", "the compressed body is damaged"},
                         Row{whole + "more", "the compressed body goes on behind its end"}}) {
    CAPTURE(row.says);
    const ScriptedServer server(always(encoded(row.body, "gzip")));
    Asked asked(config_of(page_at(server.url())));
    const rules::Poll poll = asked.poll();
    CHECK(poll.up == Up::unknown);
    CHECK_FALSE(value_of(poll, "errors_total"));
    CHECK_MESSAGE(has(what_of(poll), row.says), what_of(poll));
  }
}

TEST_CASE("a compressed body reads alike in pieces of any size, and one may follow another") {
  const std::string text = page + page;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
    CHECK(inflated(compressed(text), piece) == text);
    CHECK(inflated(compressed(page) + compressed(page), piece) == text);
    CHECK(inflated(compressed(page) + std::string(20, '\0'), piece) == page);
    CHECK(inflated(compressed(text, tests::no_frame), piece) == text);
    CHECK(inflated(compressed(text, tests::zlib_frame), piece) == text);
  }
  CHECK(inflated("", 1).empty());
  const std::string large(300'000, 'y');
  CHECK(inflated(compressed(large), 3) == large);
}
