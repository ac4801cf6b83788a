#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "ask_fixture.hpp"
#include "net_namespace.hpp"
#include "scripted_server.hpp"

namespace {

using namespace std::chrono_literals;
using rules::FaultKind;
using rules::Up;
using tests::Asked;
using tests::config_of;
using tests::in_own_network;
using tests::what_of;

probes::HttpProbe page(const std::string& url) {
  probes::HttpProbe what;
  what.urls.push_back({url, false});
  return what;
}

constexpr std::uint16_t some_port = 9;

// By TCP and HTTP, without and with no_route as evidence.
void check(const std::string& address, FaultKind kind, Up up, Up up_with_no_route) {
  CAPTURE(address);
  for (const bool declared : {false, true}) {
    auto tcp = config_of(probes::TcpProbe{address, some_port}, 200ms);
    auto http = config_of(page("http://" + address + ":" + std::to_string(some_port) + "/"), 200ms);
    tcp.down_on.no_route = http.down_on.no_route = declared;
    for (const auto& config : {tcp, http}) {
      const rules::Poll poll = Asked(config).poll();
      CAPTURE(what_of(poll));
      REQUIRE(poll.fault.has_value());
      CHECK(poll.fault->kind == kind);
      CHECK(poll.up == (declared ? up_with_no_route : up));
    }
  }
}

}  // namespace

TEST_CASE("SPEC 2.3: without a network nothing is down, unless no_route was declared evidence") {
  in_own_network("", [] {
    check("192.0.2.1", FaultKind::no_route, Up::unknown, Up::down);
    check("127.0.0.1", FaultKind::no_route, Up::unknown, Up::down);
  });
}

TEST_CASE("SPEC 2.3: what a route refuses is no evidence, what is refused or swallowed on the way is") {
  constexpr const char* network =
      "ip link set lo up\n"
      "ip route add unreachable 203.0.113.1\n"
      "ip route add blackhole 203.0.113.2\n"
      "ip route add prohibit 203.0.113.3\n"
      "ip link add here type veth peer name there\n"
      "ip addr add 198.51.100.1/24 dev here\n"
      "ip link set here up\n"
      "ip link set there up\n"
      "ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:01 dev here\n";
  in_own_network(network, [] {
    check("203.0.113.1", FaultKind::no_route, Up::unknown, Up::down);
    check("203.0.113.2", FaultKind::no_route, Up::unknown, Up::down);
    check("203.0.113.3", FaultKind::no_route, Up::unknown, Up::down);
    check("198.51.100.2", FaultKind::timeout, Up::down, Up::down);  // packets leave, and nobody takes them
    check("127.0.0.1", FaultKind::refused, Up::down, Up::down);
  });
}

TEST_CASE("SPEC 2.3: a name that no name server can be asked for is unknown, unless dns was declared evidence") {
  in_own_network("ip link set lo up\n", [] {
    for (const bool declared : {false, true}) {
      auto config = config_of(probes::TcpProbe{"app.invalid", some_port}, 10s);
      config.down_on.dns = declared;
      const rules::Poll poll = Asked(config).poll();
      CAPTURE(what_of(poll));
      REQUIRE(poll.fault.has_value());
      CHECK(poll.fault->kind == FaultKind::dns);
      CHECK(poll.up == (declared ? Up::down : Up::unknown));
    }
  });
}

TEST_CASE("SPEC 2.3: a network that goes away does not turn a target that was up into one that is down") {
  in_own_network("ip link set lo up\n", [] {
    const tests::ScriptedServer server([](tests::Peer& peer) {
      if (peer.read_request()) peer.send(tests::response(200, "fine", "Connection: close\r\n"));
      peer.close();
    });
    Asked asked(config_of(page(server.url())));
    CHECK(asked.poll().up == Up::up);
    REQUIRE(std::system("ip addr del 127.0.0.1/8 dev lo") == 0);
    const rules::Poll gone = asked.poll();
    CAPTURE(what_of(gone));
    CHECK(gone.up == Up::unknown);
    REQUIRE(gone.fault.has_value());
    CHECK(gone.fault->kind == FaultKind::no_route);
    REQUIRE(std::system("ip addr add 127.0.0.1/8 dev lo") == 0);
    CHECK(asked.poll().up == Up::up);
  });
}
