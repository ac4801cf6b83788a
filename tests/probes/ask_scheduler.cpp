#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "probes/net/resolver.hpp"
#include "probes/net/result.hpp"
#include "probes/scheduler.hpp"
#include "real_clock.hpp"
#include "run_here.hpp"
#include "scripted_server.hpp"

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using probes::ProbeConfig;
using probes::Scheduler;
using probes::TcpProbe;
using rules::FaultKind;
using rules::ProbeName;
using rules::Up;

// What all fake probes of a test share.
struct World {
  std::map<std::string, int> running;
  std::map<std::string, int> running_most;
  std::map<std::string, int> made;
  std::map<std::string, std::vector<rules::Instant>> begun;
};

// Answers after a while, or as it is told.
class Fake final : public probes::Probe {
 public:
  Fake(World& world, const ProbeConfig& config, rules::Duration takes, const probes::Clock& clock,
       std::optional<FaultKind> fault, rules::Duration blocks)
      : world_(world), name_(config.name), takes_(takes), clock_(clock), fault_(fault), blocks_(blocks) {
    ++world_.made[name_.text];
  }

  asio::awaitable<rules::Poll> poll() override {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto executor = co_await asio::this_coro::executor;
    world_.begun[name_.text].push_back(clock_.now());
    int& running = world_.running[name_.text];
    int& most = world_.running_most[name_.text];
    most = std::max(most, ++running);
    std::this_thread::sleep_for(blocks_);
    asio::steady_timer timer(executor, takes_);
    co_await timer.async_wait(probes::as_result);
    --running;
    rules::Poll poll;
    poll.probe = name_;
    poll.ended = clock_.now();
    poll.up = Up::up;
    if (fault_) {
      poll.up = rules::up_from(*fault_, {});
      poll.fault = rules::Fault{*fault_, "made up"};
    }
    co_return poll;
  }

 private:
  World& world_;
  ProbeName name_;
  rules::Duration takes_;
  const probes::Clock& clock_;
  std::optional<FaultKind> fault_;
  rules::Duration blocks_;
};

ProbeConfig probe(const std::string& name, rules::Duration interval, std::uint16_t port = 1) {
  ProbeConfig config;
  config.name = ProbeName(name);
  config.interval = interval;
  config.timeout = std::min<rules::Duration>(interval, 5s);
  config.what = TcpProbe{"127.0.0.1", port};
  return config;
}

Scheduler::Configs shared(std::vector<ProbeConfig> configs) {
  return std::make_shared<const std::vector<ProbeConfig>>(std::move(configs));
}

// Real time, which may stand: then nothing comes due by itself.
struct Clock final : probes::Clock {
  std::optional<rules::Instant> stands{};
  rules::Instant now() const override { return stands ? *stands : tests::RealClock().now(); }
};

struct Fixture {
  Fixture() = default;
  explicit Fixture(probes::Resolver::Lookup look_up) : resolver(std::move(look_up)) {}

  World world;
  Clock clock;
  asio::io_context loop;
  probes::Resolver resolver;
  std::vector<rules::Poll> delivered;
  std::map<std::string, rules::Duration> takes;
  std::map<std::string, FaultKind> faults;
  std::map<std::string, rules::Duration> blocks;
  std::unique_ptr<Scheduler> scheduler;

  void make(std::vector<ProbeConfig> configs) {
    const auto fake = [this](const ProbeConfig& config, probes::Surroundings) {
      const auto fault = faults.find(config.name.text);
      std::optional<FaultKind> kind;
      if (fault != faults.end()) kind = fault->second;
      std::vector<std::unique_ptr<probes::Probe>> list;
      list.push_back(
          std::make_unique<Fake>(world, config, takes[config.name.text], clock, kind, blocks[config.name.text]));
      return list;
    };
    make(std::move(configs), fake);
  }
  void make(std::vector<ProbeConfig> configs, Scheduler::MakeProbes how) {
    const auto deliver = [this](rules::Poll poll) { delivered.push_back(std::move(poll)); };
    scheduler = std::make_unique<Scheduler>(loop.get_executor(), shared(std::move(configs)),
                                            probes::Surroundings{clock, resolver}, deliver, std::move(how));
  }
  // Runs the loop until so much was delivered.
  void run_until(std::size_t count) {
    loop.restart();
    while (delivered.size() < count && loop.run_one() > 0) {
    }
  }
  void stop() {
    const auto stopping = [](Scheduler& it) -> asio::awaitable<bool> {
      co_await it.stop();
      co_return true;
    };
    CHECK(tests::run_on(loop, stopping(*scheduler)));
    const std::size_t count = delivered.size();
    loop.restart();
    loop.run();  // returns, because nothing is being waited for any more
    CHECK(delivered.size() == count);
  }
  std::size_t count_of(const std::string& name) const {
    return static_cast<std::size_t>(std::count_if(delivered.begin(), delivered.end(),
                                                  [&](const rules::Poll& poll) { return poll.probe.text == name; }));
  }
};

}  // namespace

TEST_CASE("every target is polled at its interval until the stop, and nothing is delivered after that") {
  Fixture it;
  const std::map<std::string, rules::Duration> intervals{{"often", 20ms}, {"seldom", 60ms}};
  std::vector<ProbeConfig> configs;
  for (const auto& [name, interval] : intervals) configs.push_back(probe(name, interval));
  it.make(configs);
  const rules::Instant start = it.clock.now();
  it.scheduler->start();
  while (it.count_of("often") < 10 || it.count_of("seldom") < 10) it.run_until(it.delivered.size() + 1);
  // A machine that is busy makes polls late, but never early.
  for (const auto& [name, interval] : intervals) {
    rules::Instant soonest = start;
    for (const rules::Instant begun : it.world.begun[name]) {
      CHECK(begun >= soonest);
      soonest += interval;
    }
  }
  it.stop();
}

TEST_CASE("polls of equal intervals are spread over it, the same way in every run") {
  const auto first_polls = [] {
    Fixture it;
    std::vector<ProbeConfig> configs;
    for (int i = 0; i < 40; ++i) configs.push_back(probe("p" + std::to_string(i), 400ms));
    it.make(configs);
    it.scheduler->start();
    it.run_until(40);
    it.stop();
    std::vector<std::string> order;
    for (const rules::Poll& poll : it.delivered) order.push_back(poll.probe.text);
    const rules::Duration spread = it.delivered.back().ended - it.delivered.front().ended;
    CHECK(spread > 200ms);
    return std::set<std::string>(order.begin(), order.begin() + 10);
  };
  // Neighbours may change places within a tick; who comes early does not.
  const std::set<std::string> once = first_polls();
  const std::set<std::string> again = first_polls();
  std::vector<std::string> both;
  std::set_intersection(once.begin(), once.end(), again.begin(), again.end(), std::back_inserter(both));
  CHECK(both.size() >= 8);
}

TEST_CASE("polls of one target never overlap, and a slow one holds up nobody else") {
  Fixture it;
  it.takes["slow"] = 1h;
  it.make({probe("slow", 20ms), probe("quick", 20ms)});
  it.scheduler->start();
  it.run_until(40);
  it.stop();
  CHECK(it.world.running_most["slow"] == 1);
  CHECK(it.count_of("quick") == 40);
  CHECK(it.scheduler->skipped() > 0);
}

TEST_CASE("SPEC 2.11: a poll on demand happens at once, and one in flight counts as it") {
  Fixture it;
  it.takes["a"] = 20ms;
  it.make({probe("a", 1h), probe("b", 1h)});
  it.scheduler->poll_now(ProbeName("a"));
  CHECK(it.world.begun["a"].empty());
  it.scheduler->start();
  it.scheduler->poll_now(ProbeName("a"));
  it.scheduler->poll_now(ProbeName("a"));
  it.scheduler->poll_now(ProbeName("no such probe"));
  it.run_until(1);
  CHECK(it.delivered.front().probe.text == "a");
  CHECK(it.world.begun["a"].size() == 1);
  it.scheduler->poll_now(ProbeName("a"));
  it.run_until(2);
  CHECK(it.world.begun["a"].size() == 2);
  it.stop();
}

TEST_CASE("SPEC 2.3: our own lag excuses a time-out when it was at least half of that time-out") {
  Fixture it;
  ProbeConfig config = probe("late", 1h);
  config.timeout = 100ms;
  it.faults["late"] = FaultKind::timeout;
  it.blocks["late"] = 80ms;
  it.takes["late"] = 130ms;
  const auto polled = [&] {
    it.make({config});
    it.scheduler->start();
    it.scheduler->poll_now(ProbeName("late"));
    it.run_until(1);
    return it.delivered.front();
  };
  SUBCASE("it was") {
    const rules::Poll poll = polled();
    CHECK(poll.up == Up::unknown);
    REQUIRE(poll.fault.has_value());
    CHECK(poll.fault->kind == FaultKind::not_measurable);
    CHECK(it.scheduler->loop_lag() >= 50ms);
  }
  SUBCASE("it was not") {
    config.timeout = 1h;
    CHECK(polled().up == Up::down);
  }
  SUBCASE("other faults are not excused") {
    it.faults["late"] = FaultKind::refused;
    CHECK(polled().up == Up::down);
  }
  it.stop();
}

TEST_CASE("a reload keeps probes that did not change, and drops what changed or went, also in flight") {
  Fixture it;
  it.takes["gone"] = 1h;
  it.make({probe("same", 20ms), probe("changed", 20ms, 1), probe("gone", 20ms)});
  it.scheduler->start();
  it.run_until(10);
  REQUIRE(it.world.running["gone"] == 1);
  it.scheduler->replace(shared({probe("same", 20ms), probe("changed", 20ms, 2), probe("new", 20ms)}));
  it.run_until(30);
  CHECK(it.world.made["same"] == 1);
  CHECK(it.world.made["changed"] == 2);
  CHECK(it.world.running["gone"] == 0);
  CHECK(it.count_of("gone") == 0);
  CHECK(it.count_of("new") > 0);
  CHECK(it.count_of("same") > 0);
  it.stop();
}

TEST_CASE("there are as many coroutines as polls in flight, and after many at once no more than share a wake-up") {
  constexpr std::size_t many = 200;
  constexpr std::size_t most_that_wait = 64;
  Fixture it;
  std::vector<ProbeConfig> configs;
  for (std::size_t i = 0; i < many; ++i) configs.push_back(probe("p" + std::to_string(i), 24h * 365));
  it.make(configs);
  it.clock.stands = it.clock.now();
  it.scheduler->start();
  for (int round = 1; round <= 3; ++round) {
    for (const ProbeConfig& config : configs) {
      it.scheduler->poll_now(config.name);
      it.run_until(it.delivered.size() + 1);
    }
    CHECK(it.scheduler->workers() == 1);
  }
  for (const ProbeConfig& config : configs) it.scheduler->poll_now(config.name);
  CHECK(it.scheduler->workers() == many);
  it.run_until(4 * many);
  while (it.scheduler->workers() > most_that_wait && it.loop.run_one() > 0) {
  }
  CHECK(it.scheduler->workers() == most_that_wait);
  it.stop();
}

TEST_CASE("a reload in the middle of many polls ends those of what went, and the others go on") {
  Fixture it;
  std::vector<ProbeConfig> before;
  std::vector<ProbeConfig> after;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "p" + std::to_string(i);
    if (i % 2 == 0) it.takes[name] = 1h;
    before.push_back(probe(name, 20ms));
    if (i % 2 == 1) after.push_back(before.back());
  }
  it.make(before);
  it.scheduler->start();
  it.run_until(30);
  it.scheduler->replace(shared(after));
  before.clear();
  it.run_until(90);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "p" + std::to_string(i);
    const bool stays = i % 2 == 1;
    CHECK((stays || it.world.running[name] == 0));
    CHECK((it.count_of(name) > 0) == stays);
  }
  CHECK(it.scheduler->workers() <= 10);
  it.stop();
}

TEST_CASE("a stop ends polls in flight") {
  Fixture it;
  it.takes["endless"] = 1h;
  it.make({probe("endless", 20ms), probe("other", 20ms)});
  it.scheduler->start();
  it.run_until(3);
  REQUIRE(it.world.running["endless"] == 1);
  it.stop();
  CHECK(it.world.running["endless"] == 0);
}

TEST_CASE("hung, dribbling and dead targets delay no other probe") {
  // Without timing asserts: everything that misbehaves does so for longer than the test lasts.
  const tests::ScriptedServer hangs([](tests::Peer& peer) { peer.wait_closed(); });
  const tests::ScriptedServer dribbles([](tests::Peer& peer) {
    peer.read_request();
    peer.send_slowly(tests::response(200, std::string(1000, 'x')), 1, 10ms);
  });
  const tests::ScriptedServer answers(tests::always(tests::response(200, "fine")));
  Fixture it;
  const auto http = [](const std::string& name, const std::string& url, rules::Duration interval) {
    ProbeConfig config = probe(name, interval);
    config.timeout = 1h;
    probes::HttpProbe what;
    what.urls.push_back({url, false});
    config.what = what;
    return config;
  };
  std::vector<ProbeConfig> configs;
  configs.push_back(http("hung", hangs.url(), 20ms));
  configs.push_back(http("dribbling", dribbles.url(), 20ms));
  configs.push_back(http("dead", "http://127.0.0.1:" + std::to_string(tests::closed_port()) + "/", 50ms));
  configs.push_back(http("healthy", answers.url(), 20ms));
  it.make(configs, probes::make_probes);
  it.scheduler->start();
  while (it.count_of("healthy") < 20) it.run_until(it.delivered.size() + 1);
  CHECK(it.count_of("hung") == 0);
  CHECK(it.count_of("dribbling") == 0);
  CHECK(it.count_of("dead") > 0);
  it.stop();
}

TEST_CASE("names whose server does not answer, more than are looked up at once, delay no other probe") {
  struct DeadServer {
    std::mutex mutex;
    std::condition_variable released;
    bool open = false;
  };
  const auto dead = std::make_shared<DeadServer>();  // lookups outlive the resolver
  Fixture it([dead](const std::string& host) {
    std::unique_lock lock(dead->mutex);
    dead->released.wait(lock, [&] { return dead->open; });
    return probes::Resolver::Found{{}, {FaultKind::dns, "look up " + host + ": unknown"}};
  });
  const tests::ScriptedServer answers(tests::always(tests::response(200, "fine")));
  std::vector<ProbeConfig> configs{probe("healthy", 20ms, answers.port())};
  constexpr int names = 40;
  for (int i = 0; i < names; ++i) {
    configs.push_back(probe("p" + std::to_string(i), 20ms));
    configs.back().timeout = 1h;
    configs.back().what = TcpProbe{"name" + std::to_string(i), 1};
  }
  it.make(configs, probes::make_probes);
  it.scheduler->start();
  it.run_until(30);
  CHECK(it.count_of("healthy") == 30);
  CHECK(it.delivered.back().up == Up::up);
  it.stop();
  const std::lock_guard lock(dead->mutex);
  dead->open = true;
  dead->released.notify_all();
}

TEST_CASE("memory that runs out in a poll costs that poll alone, and its probe is made anew") {
  struct Starving final : probes::Probe {
    Starving(Fixture& fixture_, bool starves_) : fixture(fixture_), starves(starves_) {}
    asio::awaitable<rules::Poll> poll() override {
      if (starves) throw std::bad_alloc();
      rules::Poll poll;
      poll.probe = ProbeName("starving");
      poll.ended = fixture.clock.now();
      poll.up = Up::up;
      co_return poll;
    }
    Fixture& fixture;
    bool starves;
  };
  Fixture it;
  int made = 0;
  it.make({probe("starving", 20ms)}, [&](const ProbeConfig&, probes::Surroundings) {
    std::vector<std::unique_ptr<probes::Probe>> list;
    if (++made == 2) throw std::bad_alloc();
    list.push_back(std::make_unique<Starving>(it, made < 4));
    return list;
  });
  it.scheduler->start();
  it.run_until(3);
  CHECK(made == 4);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(it.delivered.at(i).up == Up::unknown);
    CHECK(it.delivered.at(i).fault->kind == FaultKind::no_memory);
  }
  CHECK(it.delivered.at(2).up == Up::up);
  it.stop();
}
