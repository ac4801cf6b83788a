#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>

#include "probes/net/http_client.hpp"
#include "run_here.hpp"
#include "scripted_server.hpp"

namespace {

using namespace std::chrono_literals;
using probes::HttpClient;
using probes::HttpReply;
using probes::HttpRequest;
using probes::PreparedRequest;
using rules::Fault;
using rules::FaultKind;
using tests::always;
using tests::Peer;
using tests::response;
using tests::ScriptedServer;

// One client on a loop of its own.
struct Client {
  boost::asio::io_context loop;
  probes::Resolver resolver;
  HttpClient client{resolver, {}};

  std::variant<HttpReply, Fault> get(const std::string& url, rules::Duration limit = 10s,
                                     std::int64_t body_max = probes::body_limit_default) {
    HttpRequest request;
    request.url = url;
    request.limit = limit;
    request.body_max = body_max;
    return send(std::move(request));
  }
  std::variant<HttpReply, Fault> send(HttpRequest request) {
    return tests::run_on(loop, client.fetch(PreparedRequest(std::move(request))));
  }
};

const HttpReply& reply_in(const std::variant<HttpReply, Fault>& outcome) {
  const auto* fault = std::get_if<Fault>(&outcome);
  REQUIRE_MESSAGE(fault == nullptr, (fault == nullptr ? "" : fault->what));
  return std::get<HttpReply>(outcome);
}

const Fault& fault_in(const std::variant<HttpReply, Fault>& outcome) {
  REQUIRE(std::holds_alternative<Fault>(outcome));
  return std::get<Fault>(outcome);
}

}  // namespace

TEST_CASE("an answer is read with its status, type and body, and the connection is kept") {
  const ScriptedServer server(always(response(200, "fine", "Content-Type: text/plain\r\n")));
  Client client;
  for (int i = 0; i < 3; ++i) {
    const auto outcome = client.get(server.url());
    CHECK(reply_in(outcome).status == 200);
    CHECK(reply_in(outcome).body == "fine");
    CHECK(reply_in(outcome).content_type == "text/plain");
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("SPEC 2.3: refused, reset and truncated answers are told apart and say what was attempted") {
  Client client;
  const std::string refused = "http://127.0.0.1:" + std::to_string(tests::closed_port()) + "/";
  const auto nobody = client.get(refused);
  CHECK(fault_in(nobody).kind == FaultKind::refused);
  CHECK(fault_in(nobody).what.find("connect 127.0.0.1:") == 0);
  CHECK(fault_in(nobody).what.find("is the application running?") != std::string::npos);

  const ScriptedServer resets([](Peer& peer) {
    peer.read_request();
    peer.reset();
  });
  CHECK(fault_in(client.get(resets.url())).kind == FaultKind::reset);

  const ScriptedServer truncates([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  });
  CHECK(fault_in(client.get(truncates.url())).kind == FaultKind::reset);
}

TEST_CASE("SPEC 2.4: a kept connection closed under us is retried at once, and only the second answer counts") {
  const auto once = [](Peer& peer) {
    peer.read_request();
    peer.send(response(200, "first"));
    peer.read_request();
  };
  SUBCASE("the fresh connection answers") {
    const ScriptedServer server({once, always(response(200, "second"))});
    Client client;
    CHECK(reply_in(client.get(server.url())).body == "first");
    CHECK(reply_in(client.get(server.url())).body == "second");
    CHECK(server.connections() == 2);
  }
  SUBCASE("the fresh connection is closed too") {
    const ScriptedServer server({once, [](Peer& peer) { peer.read_request(); }});
    Client client;
    CHECK(reply_in(client.get(server.url())).body == "first");
    CHECK(fault_in(client.get(server.url())).kind == FaultKind::reset);
    CHECK(server.connections() == 2);
  }
  SUBCASE("a request that changes something is never sent twice") {
    const ScriptedServer server({once, always(response(200, "second"))});
    Client client;
    CHECK(reply_in(client.get(server.url())).body == "first");
    HttpRequest request;
    request.method = "POST";
    request.url = server.url();
    request.limit = 10s;
    request.body = "once";
    CHECK(reply_in(client.send(request)).body == "second");
    CHECK(server.connections() == 2);
  }
}

TEST_CASE("the total limit ends silence, dribbling headers and dribbling bodies alike") {
  const std::string whole = response(200, std::string(200, 'x'));
  const auto silent = [](Peer& peer) { peer.wait_closed(); };
  const auto dribbles = [whole](Peer& peer) {
    peer.read_request();
    peer.send_slowly(whole, 1, 20ms);
  };
  for (const tests::Script& script : {tests::Script(silent), tests::Script(dribbles)}) {
    const ScriptedServer server(script);
    Client client;
    const auto outcome = client.get(server.url(), 150ms);
    CHECK(fault_in(outcome).kind == FaultKind::timeout);
    CHECK(fault_in(outcome).what.find("150ms") != std::string::npos);
  }
}

TEST_CASE("an answer cut into single bytes reads like a whole one") {
  const std::string whole =
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
      "chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n";
  const ScriptedServer server([whole](Peer& peer) {
    while (peer.read_request() && peer.send_slowly(whole, 1, 0ms)) {
    }
  });
  Client client;
  CHECK(reply_in(client.get(server.url())).body == "abcdef");
  CHECK(reply_in(client.get(server.url())).body == "abcdef");
  CHECK(server.connections() == 1);
}

TEST_CASE("a large body is read whole however it comes, and a short answer after it is not waited for") {
  std::string large;
  for (std::size_t i = 0; large.size() < 3'000'000; ++i) large += std::to_string(i) + '\n';
  const std::string large_response = response(200, large);
  const ScriptedServer server({[&large_response](Peer& peer) {
                                 peer.read_request();
                                 peer.send_slowly(large_response, 700'000, 20ms);
                                 peer.read_request();
                                 peer.send(response(200, "short"));
                                 peer.read_request();
                                 peer.send(large_response);
                                 peer.read_request();
                                 peer.send_slowly(response(200, "shorter"), 7, 1ms);
                                 peer.wait_closed();
                               },
                               [&large_response](Peer& peer) {
                                 peer.read_request();
                                 peer.send(std::string_view(large_response).substr(0, 100'000));
                                 peer.send_slowly(std::string_view(large_response).substr(100'000, 2'000), 1'000, 20ms);
                               }});
  Client client;
  for (const std::string& expected : {large, std::string("short"), large, std::string("shorter")}) {
    const auto outcome = client.get(server.url());
    CHECK((reply_in(outcome).body == expected));
  }
  CHECK(server.connections() == 1);
  // Closed when there was less than is waited for at once.
  Client another;
  CHECK(fault_in(another.get(server.url())).kind == FaultKind::reset);
}

TEST_CASE("bodies and headers beyond their limit are too large, one byte less is fine") {
  const ScriptedServer server(always(response(200, std::string(100, 'x'))));
  Client client;
  CHECK(reply_in(client.get(server.url(), 10s, 100)).body.size() == 100);
  const auto outcome = client.get(server.url(), 10s, 99);
  CHECK(fault_in(outcome).kind == FaultKind::too_large);
  CHECK(fault_in(outcome).what.find("99 bytes") != std::string::npos);

  const ScriptedServer chatty(always(response(200, "", "X: " + std::string(40'000, 'x') + "\r\n")));
  CHECK(fault_in(client.get(chatty.url())).kind == FaultKind::too_large);
}

TEST_CASE("an answer that is not HTTP is a parse fault") {
  const ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.send("220 mail.example.com ESMTP\r\n\r\n");
  });
  Client client;
  CHECK(fault_in(client.get(server.url())).kind == FaultKind::parse);
}

TEST_CASE("a few interim answers are passed over, and one who says nothing else is not listened to for long") {
  const std::string interim = "HTTP/1.1 102 Processing\r\n\r\n";
  std::string some;
  for (int i = 0; i < 32; ++i) some += interim;
  const ScriptedServer patient(always(some + response(200, "at last")));
  CHECK(reply_in(Client().get(patient.url())).body == "at last");
  const ScriptedServer endless(always(some + interim + response(200, "too late")));
  const auto fault = fault_in(Client().get(endless.url()));
  CHECK(fault.kind == FaultKind::parse);
  CHECK(fault.what.find("more than 32 interim answers") != std::string::npos);
}

TEST_CASE("a body without a length ends when the server closes") {
  const ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  });
  Client client;
  CHECK(reply_in(client.get(server.url())).body == "until the end");
}

TEST_CASE("what says that a body is over is told") {
  const ScriptedServer length(always(response(200, "all")));
  const ScriptedServer chunks(always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n0\r\n\r\n"));
  const ScriptedServer closes([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n\r\nall");
    peer.close();
  });
  Client client;
  CHECK(reply_in(client.get(length.url())).body_end == probes::BodyEnd::said);
  CHECK(reply_in(client.get(chunks.url())).body_end == probes::BodyEnd::said);
  CHECK(reply_in(client.get(closes.url())).body_end == probes::BodyEnd::closed);
}

TEST_CASE("redirects are reported, not followed") {
  const ScriptedServer server(always(response(302, "", "Location: /elsewhere\r\n")));
  Client client;
  const auto outcome = client.get(server.url());
  CHECK(reply_in(outcome).status == 302);
  CHECK(reply_in(outcome).location == "/elsewhere");
}

TEST_CASE("a sink takes the body of status 200 piece by piece and may stop it") {
  const ScriptedServer server(always(response(200, std::string(300'000, 'x'))));
  Client client;
  std::size_t taken = 0;
  HttpRequest request;
  request.url = server.url();
  request.limit = 10s;
  const auto whole =
      tests::run_on(client.loop, client.client.fetch(PreparedRequest(request), [&](std::string_view piece) {
        taken += piece.size();
        return true;
      }));
  CHECK(reply_in(whole).body.empty());
  CHECK(taken == 300'000);
  const auto stopped =
      tests::run_on(client.loop, client.client.fetch(PreparedRequest(request), [](std::string_view) { return false; }));
  CHECK(reply_in(stopped).status == 200);
}

TEST_CASE("a header value with a line break is not sent") {
  Client client;
  HttpRequest request;
  request.url = "http://127.0.0.1:1/";
  request.limit = 10s;
  request.headers = {{"Authorization", "a\r\nX: b"}};
  CHECK(fault_in(client.send(request)).kind == FaultKind::not_measurable);
}

TEST_CASE("SPEC 2.3: a name that does not resolve is the fault dns") {
  boost::asio::io_context loop;
  probes::Resolver resolver([](const std::string& host) {
    return probes::Resolver::Found{{}, {FaultKind::dns, "look up " + host + ": unknown"}};
  });
  HttpClient client(resolver, {});
  HttpRequest request;
  request.url = "http://nowhere.example/";
  request.limit = 10s;
  const auto outcome = tests::run_on(loop, client.fetch(PreparedRequest(request)));
  CHECK(fault_in(outcome).kind == FaultKind::dns);
}
