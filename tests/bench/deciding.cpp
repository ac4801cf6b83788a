#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "plain_rollback.hpp"
#include "rules/engine/engine.hpp"

// What a poll costs the decision core, with many services: each has one probe and four rules.

namespace {

using rules::Duration;
using rules::Instant;

constexpr Duration poll_every = std::chrono::seconds(5);
constexpr int warm_up_rounds = 30;  // windows are full and revisions known
constexpr double error_share = 0.01;

rules::Condition condition(const std::string& text) { return std::get<rules::Condition>(rules::parse_condition(text)); }

rules::Selector selector(const std::string& text) { return std::get<rules::Selector>(rules::parse_selector(text)); }

rules::RuleSpec rule(const std::string& service, const std::string& name, const std::string& when) {
  rules::RuleSpec out;
  out.name = rules::RuleName(service + "-" + name);
  out.service = rules::ServiceName(service);
  out.when = condition(when);
  out.sustain = std::chrono::minutes(1);
  out.respond = {rules::ActionName("rollback")};
  return out;
}

void add_service(rules::CoreConfig& config, const std::string& name) {
  rules::ServiceSpec spec;
  spec.name = rules::ServiceName(name);
  spec.has_driver = true;
  spec.has_identity = true;
  config.services.push_back(std::move(spec));
  rules::ProbeShape probe;
  probe.name = rules::ProbeName(name);
  probe.interval = poll_every;
  config.probes.push_back(std::move(probe));
  rules::SignalSpec errors;
  errors.name = rules::SignalName(name + "_errors");
  errors.probe = rules::ProbeName(name);
  errors.of =
      std::vector<rules::RatioOf>{{selector(R"(http_requests_total{code=~"5.."})"), selector("http_requests_total")}};
  config.signals.push_back(std::move(errors));
  config.rules.push_back(rule(name, "errors", name + "_errors > 5%"));
  config.rules.push_back(rule(name, "more-errors", name + "_errors > 50%"));
  config.rules.push_back(rule(name, "queue", name + ".queue > 1000"));
  config.rules.push_back(rule(name, "down", name + ".up == 0"));
}

rules::CoreConfig many(std::size_t services) {
  rules::CoreConfig config;
  for (std::size_t i = 0; i < services; ++i) add_service(config, "s" + std::to_string(i));
  config.actions.push_back(plain_rollback());
  return config;
}

// The world around the engine: every service is polled once a round, evenly spread.
class Rounds {
 public:
  explicit Rounds(std::size_t services, double errors)
      : services_(services), errors_(errors), engine_(many(services), rules::DurableState{}, now_) {
    // v2 was just deployed: there is something to roll back to.
    for (const char* const revision : {"v1", "v2", "v2"}) {
      now_ += std::chrono::seconds(10);
      for (std::size_t i = 0; i < services; ++i) look(i, revision);
    }
    for (std::size_t i = 0; i < services * warm_up_rounds; ++i) next();
  }

  std::size_t open_incidents() const { return engine_.view(now_).open_incidents.size(); }

  // As the watcher's loop does it: the poll, what follows, and when to wake up next.
  void next() {
    now_ += poll_every / static_cast<std::int64_t>(services_);
    rules::Poll poll;
    poll.probe = rules::ProbeName("s" + std::to_string(at_));
    poll.started = poll.ended = now_;
    poll.up = rules::Up::up;
    const double total = 200.0 * ++polls_;
    poll.readings = {{ok_, total * (1 - errors_)}, {failed_, total * errors_}, {queue_, 3}};
    at_ = (at_ + 1) % services_;
    engine_.observe(std::move(poll));
    benchmark::DoNotOptimize(engine_.advance(now_));
    benchmark::DoNotOptimize(engine_.next_deadline());
  }

 private:
  void look(std::size_t service, const char* revision) {
    rules::RevisionRead read;
    read.service = rules::ServiceName("s" + std::to_string(service));
    read.started = read.ended = now_;
    read.revision = rules::Revision(revision);
    engine_.observe(std::move(read));
  }

  static rules::SharedSeriesKey series(const std::string& name, const std::string& code) {
    std::vector<rules::Label> labels;
    if (!code.empty()) labels.push_back({"code", code});
    return std::make_shared<const rules::SeriesKey>(rules::SeriesKey{name, labels});
  }

  std::size_t services_;
  double errors_;
  std::size_t at_ = 0;
  double polls_ = 0;
  Instant now_ = Instant(std::chrono::hours(24 * 365 * 50));
  rules::SharedSeriesKey ok_ = series("http_requests_total", "200");
  rules::SharedSeriesKey failed_ = series("http_requests_total", "500");
  rules::SharedSeriesKey queue_ = series("queue", "");
  rules::Engine engine_;
};

void poll_events(benchmark::State& state, double errors, bool fires) {
  const auto services = static_cast<std::size_t>(state.range(0));
  Rounds rounds(services, errors);
  if (rounds.open_incidents() != (fires ? services : 0)) state.SkipWithError("not the incidents that were wanted");
  for ([[maybe_unused]] const auto _ : state) rounds.next();
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

// Time per poll must not grow with the number of services.
void poll_of_a_healthy_service(benchmark::State& state) { poll_events(state, error_share, false); }
BENCHMARK(poll_of_a_healthy_service)->Arg(10)->Arg(100)->Arg(500)->Unit(benchmark::kMicrosecond);

// All of them fire at once and ask: the worst hour of a host. An open incident may wait for what others do, so it is
// looked at with every event: a microsecond each.
void poll_while_every_service_fires(benchmark::State& state) { poll_events(state, 0.3, true); }
BENCHMARK(poll_while_every_service_fires)->Arg(10)->Arg(100)->Arg(500)->Unit(benchmark::kMicrosecond);

}  // namespace
