#include <doctest/doctest.h>

#include "ask_fixture.hpp"
#include "probes/memory_budget.hpp"
#include "scripted_server.hpp"

// Targets that would make us keep more than there is room for.

namespace {

using probes::MemoryBudget;
using rules::FaultKind;
using rules::Up;
using tests::always;
using tests::config_of;
using tests::has;
using tests::Peer;
using tests::response;
using tests::ScriptedServer;
using tests::value_of;
using tests::what_of;

constexpr std::size_t budget_size = 1024 * 1024;

// A probe whose memory is counted.
struct Counted {
  explicit Counted(probes::ProbeConfig config)
      : list(probes::make_probes(tests::Asked::named(std::move(config)), {clock, resolver, nullptr, &budget})) {}
  rules::Poll poll() { return tests::run_on(loop, list.front()->poll()); }

  MemoryBudget budget{budget_size};
  tests::RealClock clock;
  boost::asio::io_context loop;
  probes::Resolver resolver;
  std::vector<std::unique_ptr<probes::Probe>> list;
};

probes::PrometheusProbe page_at(const std::string& url) {
  probes::PrometheusProbe what;
  what.urls = {{url}};
  rules::Selector selector;
  selector.name = "requests_total";
  what.keep.push_back(selector);
  return what;
}

std::string series(int number, std::size_t label_size) {
  return "requests_total{n=\"" + std::to_string(number) + std::string(label_size, 'x') + "\"} 1\n";
}

// A page of other series each time.
tests::Script ever_new(int count, std::size_t label_size) {
  return [=](Peer& peer) {
    for (int page = 0; peer.read_request(); ++page) {
      std::string body;
      for (int i = 0; i < count; ++i) body += series(page * count + i, label_size);
      peer.send(response(200, body));
    }
  };
}

bool is_refused(const rules::Poll& poll) {
  return poll.up == Up::unknown && poll.fault && poll.fault->kind == FaultKind::no_memory &&
         has(what_of(poll), "watcher.memory");
}

}  // namespace

TEST_CASE("a page of more series than there is room for is unknown with its cause, and nothing of it is kept") {
  const ScriptedServer server(ever_new(40, 60'000));
  Counted it(config_of(page_at(server.url())));
  CHECK(is_refused(it.poll()));
  CHECK(it.budget.held() < 64 * 1024);
  CHECK(is_refused(it.poll()));
}

TEST_CASE("series that change from page to page do not pile up") {
  const ScriptedServer server(ever_new(3, 40'000));
  Counted it(config_of(page_at(server.url())));
  for (int i = 0; i < 30; ++i) {
    const rules::Poll poll = it.poll();
    CHECK(poll.up == Up::up);
    CHECK(poll.readings.size() == 4);
  }
  CHECK(it.budget.held() < budget_size / 2 + 300'000);
}

TEST_CASE("a target whose windows are full is refused until they have let go of what they keep") {
  const ScriptedServer server(always(response(200, series(1, 10))));
  Counted it(config_of(page_at(server.url())));
  CHECK(it.poll().up == Up::up);
  it.budget.kept_in_windows(rules::ProbeName("it"), 0, budget_size);
  CHECK(is_refused(it.poll()));
  it.budget.kept_in_windows(rules::ProbeName("it"), 0, 1000);
  CHECK(is_refused(it.poll()));
  CHECK(it.poll().up == Up::up);
}

TEST_CASE("a status is evidence though there is no room for the body that comes with it") {
  const std::string large(2 * budget_size, 'x');
  const ScriptedServer failing(always(response(500, large)));
  for (const bool is_page : {true, false}) {
    probes::HttpProbe health;
    health.urls = {{failing.url()}};
    Counted it(is_page ? config_of(page_at(failing.url())) : config_of(health));
    const rules::Poll poll = it.poll();
    CHECK(poll.up == Up::down);
    CHECK(it.budget.held() < 64 * 1024);
  }
}

TEST_CASE("a body that there is no room for contradicts nothing") {
  probes::HttpProbe health;
  const ScriptedServer large(always(response(200, std::string(2 * budget_size, 'x'))));
  health.urls = {{large.url()}};
  health.expect.body = "y";
  health.expects = true;
  CHECK(is_refused(Counted(config_of(health)).poll()));
  std::string zeros = "[0";
  for (int i = 0; i < 200'000; ++i) zeros += ",0";
  const ScriptedServer many(always(response(200, zeros + "]")));
  health.urls = {{many.url()}};
  health.expect.body.clear();
  health.expect.json = {{"/0", "1"}};
  CHECK(is_refused(Counted(config_of(health)).poll()));
  health.expect.json.clear();
  health.json = {{"n", "/0"}};
  CHECK(is_refused(Counted(config_of(health)).poll()));
}

TEST_CASE("what a command says has to fit, too, and its end is evidence all the same") {
  probes::ExecProbe what;
  what.run = {"/bin/sh", "-c", "head -c 900000 /dev/zero; exit 1"};
  what.format = probes::ExecFormat::exit;
  const rules::Poll failed = Counted(config_of(what)).poll();
  CHECK(failed.up == Up::down);
  CHECK(value_of(failed, "exit_code") == 1);
  what.run = {"/bin/sh", "-c", "head -c 900000 /dev/zero | tr '\\0' 1"};
  what.format = probes::ExecFormat::number;
  Counted it(config_of(what));
  const rules::Poll poll = it.poll();
  CHECK(poll.up == Up::unknown);
  CHECK(it.budget.held() < 64 * 1024);
}
