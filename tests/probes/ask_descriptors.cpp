#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <vector>

#include "ask_fixture.hpp"
#include "scripted_server.hpp"

namespace {

using probes::ProbeConfig;
using rules::FaultKind;
using rules::Up;
using tests::Asked;
using tests::config_of;
using tests::what_of;

// Takes all descriptors but a few, which are given back with its end. Others of the process fail meanwhile, too.
class Exhausted {
 public:
  explicit Exhausted(std::size_t left) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    rlimit small = before_;
    constexpr rlim_t few = 256;  // so that taking them is quick
    small.rlim_cur = std::min(before_.rlim_cur, few);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &small) == 0);
    for (int fd = dup(0); fd != -1; fd = dup(0)) taken_.push_back(fd);
    for (; left > 0 && !taken_.empty(); --left) give_back();
  }
  ~Exhausted() {
    while (!taken_.empty()) give_back();
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  Exhausted(const Exhausted&) = delete;
  Exhausted& operator=(const Exhausted&) = delete;

 private:
  void give_back() {
    close(taken_.back());
    taken_.pop_back();
  }
  rlimit before_{};
  std::vector<int> taken_;
};

// UBSan's check of types asks through a pipe whether memory can be read, and aborts where there is none to be had.
#ifdef __SANITIZE_ADDRESS__
constexpr bool sanitizer_needs_descriptors = true;
#else
constexpr bool sanitizer_needs_descriptors = false;
#endif

ProbeConfig with_down_on(ProbeConfig config) {
  config.down_on.dns = true;
  config.down_on.no_route = true;
  return config;
}

rules::Poll poll_without_descriptors(Asked& asked, std::size_t left) {
  const boost::asio::steady_timer opens_what_the_loop_itself_needs(asked.loop);
  const Exhausted none(left);
  return asked.poll();
}

// Unknown without descriptors, whatever is evidence besides, and up as soon as there are some again.
void check(ProbeConfig config, std::size_t left = 0) {
  if (sanitizer_needs_descriptors) return;
  Asked asked(with_down_on(std::move(config)));
  const rules::Poll starved = poll_without_descriptors(asked, left);
  CAPTURE(what_of(starved));
  CHECK(starved.up == Up::unknown);
  REQUIRE(starved.fault.has_value());
  CHECK(starved.fault->kind == FaultKind::no_descriptors);
  asked.resolver.forget("localhost");
  const rules::Poll again = asked.poll();
  CAPTURE(what_of(again));
  CHECK(again.up == Up::up);
}

probes::HttpProbe page(const std::string& url) {
  probes::HttpProbe what;
  what.urls.push_back({url, false});
  return what;
}

}  // namespace

// Each with a server of its own: the end of an earlier connection, which a server sees when it likes, would give a
// descriptor back.
TEST_CASE("SPEC 2.3: an http probe that finds no descriptor is unknown, never down, and measures again after") {
  const tests::ScriptedServer server(tests::always(tests::response(200, "fine")));
  check(config_of(page(server.url())));
}

TEST_CASE("SPEC 2.3: a prometheus probe that finds no descriptor is unknown, never down, and measures again after") {
  const tests::ScriptedServer server(tests::always(tests::response(200, "requests 1\n")));
  probes::PrometheusProbe metrics;
  metrics.urls.push_back({server.url(), false});
  check(config_of(metrics));
}

TEST_CASE("SPEC 2.3: a tcp probe that finds no descriptor is unknown, never down, and measures again after") {
  const tests::ScriptedServer server(tests::always(tests::response(200, "fine")));
  check(config_of(probes::TcpProbe{"127.0.0.1", server.port()}));
}

TEST_CASE("SPEC 2.3: a name that cannot be looked up for want of descriptors is not taken for a wrong name") {
  SUBCASE("tcp") {
    const tests::ScriptedServer server(tests::always(tests::response(200, "fine")));
    check(config_of(probes::TcpProbe{"localhost", server.port()}));
  }
  SUBCASE("http") {
    const tests::ScriptedServer server(tests::always(tests::response(200, "fine")));
    check(config_of(page("http://localhost:" + std::to_string(server.port()) + "/")));
  }
}

TEST_CASE("SPEC 2.3: host and exec probes without descriptors are unknown") {
  check(config_of(probes::HostProbe{}));
  probes::ExecProbe command;
  command.run = {"true"};
  for (const std::size_t left : {0U, 1U, 2U}) check(config_of(command), left);
}
