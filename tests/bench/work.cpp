#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "allocations.hpp"
#include "plain_rollback.hpp"
#include "rules/engine/engine.hpp"

// What a poll costs the decision core, counted and not timed: it must not grow with the rules, services and incidents
// that the poll does not concern. Each rule has a probe of its own.

namespace {

using rules::Instant;

constexpr rules::Duration poll_every = std::chrono::seconds(1);
constexpr int warm_up_rounds = 40;
constexpr int trouble_rounds = 90;  // a rule fires, and what runs is waited for in vain
constexpr int rounds = 5;

struct Shape {
  int services = 1;
  int rules = 1;     // of each service
  int troubled = 0;  // so many services, from the last on, have an incident that waits for a person
};

std::string name_of(int service, int rule) { return "s" + std::to_string(service) + "r" + std::to_string(rule); }

rules::CoreConfig configuration(const Shape& shape) {
  rules::CoreConfig config;
  config.mode = rules::Mode::ask;
  for (int service = 0; service < shape.services; ++service) {
    rules::ServiceSpec spec;
    spec.name = rules::ServiceName("s" + std::to_string(service));
    spec.has_driver = true;
    spec.has_identity = true;
    config.services.push_back(spec);
    for (int i = 0; i < shape.rules; ++i) {
      rules::ProbeShape probe;
      probe.name = rules::ProbeName(name_of(service, i));
      probe.interval = poll_every;
      config.probes.push_back(probe);
      rules::RuleSpec rule;
      rule.name = rules::RuleName(probe.name.text + "-down");
      rule.service = spec.name;
      rule.when = std::get<rules::Condition>(rules::parse_condition(probe.name.text + ".up == 0"));
      rule.sustain = std::chrono::seconds(10);
      rule.respond = {rules::ActionName("rollback")};
      config.rules.push_back(std::move(rule));
    }
  }
  config.actions.push_back(plain_rollback());
  return config;
}

// Of a poll, on average.
struct Work {
  double allocations = 0;
  double bytes = 0;
  double evaluations = 0;
  double incidents = 0;  // looked at
};

class Host {
 public:
  explicit Host(const Shape& shape) : shape_(shape), engine_(configuration(shape), rules::DurableState{}, now_) {
    for (const char* const revision : {"v1", "v2"}) {
      for (int times = 0; times < 2; ++times) {
        now_ += std::chrono::seconds(10);
        for (int service = 0; service < shape_.services; ++service) look(service, revision);
      }
      for (int i = 0; i < warm_up_rounds; ++i) round(shape_.services);
    }
    is_troubled_ = true;
    for (int i = 0; i < trouble_rounds; ++i) round(shape_.services);
  }

  std::size_t open_incidents() const { return engine_.view(now_).open_incidents.size(); }

  // Of the polls of services without trouble.
  Work work_of_a_poll() {
    const std::size_t allocations_before = allocations();
    const std::size_t bytes_before = allocated_bytes();
    const rules::Work before = engine_.work();
    const int healthy = shape_.services - shape_.troubled;
    for (int i = 0; i < rounds; ++i) round(healthy);
    const double polls = static_cast<double>(rounds) * healthy * shape_.rules;
    return {static_cast<double>(allocations() - allocations_before) / polls,
            static_cast<double>(allocated_bytes() - bytes_before) / polls,
            static_cast<double>(engine_.work().evaluations - before.evaluations) / polls,
            static_cast<double>(engine_.work().incidents - before.incidents) / polls};
  }

 private:
  // Every probe of the first services once.
  void round(int services) {
    for (int service = 0; service < services; ++service) {
      for (int i = 0; i < shape_.rules; ++i) poll(service, i);
    }
  }

  void poll(int service, int rule) {
    now_ += poll_every / (shape_.services * shape_.rules);
    rules::Poll poll;
    poll.probe = rules::ProbeName(name_of(service, rule));
    poll.started = poll.ended = now_;
    poll.up = is_troubled_ && service >= shape_.services - shape_.troubled ? rules::Up::down : rules::Up::up;
    if (poll.up == rules::Up::down) poll.fault = rules::Fault{rules::FaultKind::refused, "connect: refused"};
    engine_.observe(std::move(poll));
    engine_.advance(now_);
    engine_.next_deadline();
  }

  void look(int service, const char* revision) {
    rules::RevisionRead read;
    read.service = rules::ServiceName("s" + std::to_string(service));
    read.started = read.ended = now_;
    read.revision = rules::Revision(revision);
    engine_.observe(std::move(read));
  }

  Shape shape_;
  bool is_troubled_ = false;  // those services that it says are
  Instant now_ = Instant(std::chrono::hours(24 * 365 * 50));
  rules::Engine engine_;
};

// Containers grow now and then, which is spread over many polls.
void check_no_more(const Work& work, const Work& least) {
  CHECK(work.allocations <= least.allocations + 1);
  CHECK(work.bytes <= 1.2 * least.bytes + 64);
  CHECK(work.evaluations <= least.evaluations + 0.5);
  CHECK(work.incidents == 0);
}

const Work& least() {
  static const Work work = Host(Shape()).work_of_a_poll();
  return work;
}

// Bytes of the core's memory that one more of these takes.
double kept_of_one_more(const Shape& small, const Shape& large) {
  const auto kept = [](const Shape& shape) {
    const std::size_t before = live_bytes();
    const Host host(shape);
    return static_cast<double>(live_bytes() - before);
  };
  return (kept(large) - kept(small)) / (large.services * large.rules - small.services * small.rules);
}

}  // namespace

TEST_CASE("work: a poll judges the rule of its probe, once") {
  CHECK(least().evaluations >= 1);
  CHECK(least().evaluations < 1.5);
}

TEST_CASE("work: a poll costs no more among a thousand services") {
  check_no_more(Host(Shape{.services = 1000}).work_of_a_poll(), least());
}

TEST_CASE("work: a poll costs no more in fifty services of twenty rules") {
  check_no_more(Host(Shape{.services = 50, .rules = 20}).work_of_a_poll(), least());
}

TEST_CASE("work: a poll costs no more among a thousand rules of one service") {
  check_no_more(Host(Shape{.rules = 1000}).work_of_a_poll(), least());
}

TEST_CASE("work: a poll costs no more while other services have incidents that wait") {
  Host host(Shape{.services = 100, .troubled = 50});
  REQUIRE(host.open_incidents() == 50);
  check_no_more(host.work_of_a_poll(), least());
}

// A thousand of them are a megabyte a kilobyte: what is added to each must be worth it.
TEST_CASE("work: one more rule with its probe takes 4.5 KiB of the core's memory") {
  const double bytes = kept_of_one_more(Shape{.rules = 100}, Shape{.rules = 600});
  CAPTURE(bytes);
  CHECK(bytes < 4.5 * 1024);
}

TEST_CASE("work: one more service with a rule and its probe takes 10.2 KiB of the core's memory") {
  const double bytes = kept_of_one_more(Shape{.services = 100}, Shape{.services = 600});
  CAPTURE(bytes);
  CHECK(bytes < 10.2 * 1024);
}

// Microseconds of CPU, the least of several times.
double cost_of_a_plan(int services) {
  rules::CoreConfig config = configuration(Shape{.services = services});
  config.actions.clear();
  for (rules::RuleSpec& rule : config.rules) {
    rules::ActionSpec action = plain_rollback();
    action.name = rules::ActionName("back-" + rule.service.text);
    rule.respond = {action.name};
    config.actions.push_back(std::move(action));
  }
  const rules::Engine engine(config, rules::DurableState{}, Instant(std::chrono::hours(1)));
  rules::RollbackByHand request;
  request.service = rules::ServiceName("s" + std::to_string(services - 1));
  double least = 1e9;
  for (int i = 0; i < 20; ++i) {
    const std::clock_t before = std::clock();
    for (int times = 0; times < 50; ++times) CHECK(!engine.plan(request).refused.empty());
    least = std::min(least, static_cast<double>(std::clock() - before) * 1e6 / CLOCKS_PER_SEC / 50);
  }
  return least;
}

// Each service asks every 20 s. All plans times all rules would be a thousand times as much.
TEST_CASE("work: what a rollback by hand would do is found as soon among a thousand services with plans of their own") {
  const double few = cost_of_a_plan(10);
  const double many = cost_of_a_plan(1000);
  CAPTURE(few);
  CAPTURE(many);
  CHECK(many < 10 * few + 10);
}

TEST_CASE("work: an engine refers to the configuration that it is given, and has no copy of it") {
  const rules::CoreConfig config = configuration(Shape{.rules = 2});
  rules::CoreConfig longer = configuration(Shape{.rules = 2});
  for (rules::RuleSpec& rule : longer.rules) rule.explanation.own().text.assign(100'000, 'x');
  const auto kept = [](const rules::CoreConfig& shared) {
    const std::size_t before = live_bytes();
    const rules::Engine engine(shared, rules::DurableState{}, Instant(std::chrono::hours(1)));
    return live_bytes() - before;
  };
  CHECK(kept(longer) < kept(config) + 10'000);
}
