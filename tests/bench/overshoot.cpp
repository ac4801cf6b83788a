// How late a rule is confirmed and fires: the time between the instant at which `for` ends and the commands that come
// out of the real loop, with real timers and the real scheduler; only what the probe brings is made up. Prints JSON.
// Usage: overshoot_bench [REPETITIONS]
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "probes/net/resolver.hpp"
#include "probes/net/task_group.hpp"
#include "probes/scheduler.hpp"
#include "watcher/clock.hpp"
#include "watcher/run/engine_loop.hpp"

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using rules::Duration;
using rules::Instant;

constexpr Duration interval = 50ms;
constexpr Duration sustain = 300ms;
constexpr Duration patience = 5s;  // a repetition that has not fired by then never will

// Up once, so that it is not warming up, and down ever after.
class Failing final : public probes::Probe {
 public:
  Failing(rules::ProbeName name, const probes::Clock& clock, std::optional<Instant>& bad_since)
      : name_(std::move(name)), clock_(clock), bad_since_(bad_since) {}

  asio::awaitable<rules::Poll> poll() override {
    rules::Poll poll;
    poll.probe = name_;
    poll.started = clock_.now();
    poll.ended = poll.started;
    poll.up = std::exchange(was_up_, true) ? rules::Up::down : rules::Up::up;
    if (poll.up == rules::Up::down) {
      poll.fault = rules::Fault{rules::FaultKind::refused, "connect: refused"};
      if (!bad_since_) bad_since_ = poll.ended;
    }
    co_return poll;
  }

 private:
  rules::ProbeName name_;
  const probes::Clock& clock_;
  std::optional<Instant>& bad_since_;
  bool was_up_ = false;
};

rules::CoreConfig rule_down() {
  rules::CoreConfig config;
  config.mode = rules::Mode::observe;
  rules::ProbeShape probe;
  probe.name = rules::ProbeName("health");
  probe.interval = interval;
  probe.max_gap = interval * 5 / 2;
  config.probes.push_back(probe);
  rules::ServiceSpec service;
  service.name = rules::ServiceName("web");
  config.services.push_back(service);
  rules::RuleSpec rule;
  rule.name = rules::RuleName("down");
  rule.service = service.name;
  rule.when = std::get<rules::Condition>(rules::parse_condition("health.up == 0"));
  rule.sustain = sustain;
  config.rules.push_back(rule);
  return config;
}

probes::ProbeConfig probe_config() {
  probes::ProbeConfig config;
  config.name = rules::ProbeName("health");
  config.interval = interval;
  config.timeout = interval;
  return config;
}

// One watcher from its start until its rule fires.
class Repetition {
 public:
  Repetition() {
    const auto make = [this](const probes::ProbeConfig& config, probes::Surroundings around) {
      std::vector<std::unique_ptr<probes::Probe>> probes;
      probes.push_back(std::make_unique<Failing>(config.name, around.clock, bad_since_));
      return probes;
    };
    const auto deliver = [this](rules::Poll poll) { loop_.observe(std::move(poll)); };
    const auto configs = std::make_shared<const std::vector<probes::ProbeConfig>>(std::vector{probe_config()});
    scheduler_ = std::make_unique<probes::Scheduler>(io_.get_executor(), configs,
                                                     probes::Surroundings{clock_, resolver_}, deliver, make);
  }

  // False when the rule did not fire in time.
  bool run() {
    scheduler_->start();
    tasks_.spawn("decide", loop_.decide());
    tasks_.spawn("carry out", loop_.carry_out([this](watcher::Batch batch) { return carry_out(std::move(batch)); }));
    const Instant until = clock_.now() + patience;
    while (!fired_at_ && clock_.now() < until) io_.run_one_for(interval);
    tasks_.cancel();
    probes::TaskGroup last(io_.get_executor());
    last.spawn("stop", scheduler_->stop());
    io_.run();
    return bad_since_ && asked_at_ && fired_at_;
  }

  double confirm_ms() const { return overshoot_ms(*asked_at_); }
  double fire_ms() const { return overshoot_ms(*fired_at_); }

 private:
  double overshoot_ms(Instant at) const { return rules::seconds(at - (*bad_since_ + sustain)) * 1000; }

  asio::awaitable<void> carry_out(watcher::Batch batch) {
    for (const rules::Command& command : batch) {
      if (const auto* poll = std::get_if<rules::PollNow>(&command)) {
        if (!asked_at_) asked_at_ = clock_.now();
        scheduler_->poll_now(poll->probe);
      }
      const auto* note = std::get_if<rules::Note>(&command);
      if (note != nullptr && note->event == "firing") fired_at_ = clock_.now();
    }
    co_return;
  }

  asio::io_context io_{1};
  watcher::SystemClock clock_;
  probes::Resolver resolver_;
  rules::Engine engine_{rule_down(), rules::DurableState{}, clock_.now()};
  watcher::EngineLoop loop_{io_.get_executor(), clock_, engine_};
  probes::TaskGroup tasks_{io_.get_executor()};
  std::optional<Instant> bad_since_;
  std::optional<Instant> asked_at_;
  std::optional<Instant> fired_at_;
  std::unique_ptr<probes::Scheduler> scheduler_;
};

void print(const char* name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&values](double q) {
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  };
  std::printf(" \"%s\": {\"p50\": %.2f, \"p90\": %.2f, \"max\": %.2f},\n", name, at(0.5), at(0.9), at(1.0));
}

}  // namespace

int main(int argc, char** argv) {
  const long count = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 30;
  std::vector<double> confirm_ms;
  std::vector<double> fire_ms;
  long silent = 0;
  for (long i = 0; i < count; ++i) {
    Repetition repetition;
    if (repetition.run()) {
      confirm_ms.push_back(repetition.confirm_ms());
      fire_ms.push_back(repetition.fire_ms());
    } else {
      ++silent;
    }
  }
  if (fire_ms.empty()) return 1;
  std::printf("{\"interval_ms\": %lld, \"for_ms\": %lld,\n", static_cast<long long>(interval / 1ms),
              static_cast<long long>(sustain / 1ms));
  print("overshoot_to_confirm_ms", confirm_ms);
  print("overshoot_to_fire_ms", fire_ms);
  std::printf(" \"repetitions\": %ld, \"silent\": %ld}\n", count, silent);
  return silent == 0 ? 0 : 1;
}
