#pragma once

#include <atomic>
#include <boost/json/parse.hpp>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "run_here.hpp"
#include "watcher/serve/api.hpp"

namespace serve_test {

inline rules::Instant at(double s) { return rules::from_unix_seconds(1'795'000'000 + s); }

// A configuration with the services web and worker, and the action rollback.
inline watcher::Config config_of_two() {
  watcher::Config config;
  config.watcher.name = "prod-1";
  for (const char* name : {"web", "worker"}) {
    rules::ServiceSpec service;
    service.name = rules::ServiceName(name);
    config.core.services.push_back(service);
  }
  rules::ActionSpec action;
  action.name = rules::ActionName("rollback");
  config.core.actions.push_back(action);
  return config;
}

inline rules::Comparison comparison_of(std::optional<double> value) {
  rules::Comparison comparison;
  comparison.text = "p95 > 3000ms";
  comparison.verdict = value ? rules::Verdict::bad : rules::Verdict::unknown;
  comparison.value.value = value;
  comparison.value.cause = rules::Cause::no_traffic;
  comparison.value.count = 412;
  comparison.value.window = std::chrono::minutes(1);
  comparison.threshold = 3;
  comparison.unit = "ms";
  return comparison;
}

inline rules::EngineView view_of_two() {
  rules::EngineView view;
  view.at = at(100);
  rules::ServiceView web;
  web.service = rules::ServiceName("web");
  web.revision = rules::Revision("b2");
  web.last_good = rules::Revision("a1");
  web.state = rules::ServiceState::armed;
  web.paused = web.fused = true;
  web.rollback_ready = true;
  web.drivers = {{"compose", "the image is gone"}, {"http", ""}};
  view.services.push_back(web);
  rules::ServiceView worker;
  worker.service = rules::ServiceName("worker");
  view.services.push_back(worker);

  rules::RuleView slow;
  slow.rule = rules::RuleName("slow");
  slow.service = rules::ServiceName("web");
  slow.sustain = std::chrono::minutes(5);
  slow.condition = "p95 > 3000ms";
  slow.judgement.verdict = rules::Verdict::bad;
  slow.judgement.comparisons.push_back(comparison_of(4.1));
  slow.progress.state = rules::RuleState::confirming;
  slow.progress.bad = slow.progress.observed = std::chrono::seconds(120);
  slow.progress.bad_samples = 24;
  slow.progress.to_fire = std::chrono::seconds(180);
  slow.progress.since = at(-20);
  slow.unknown_time[rules::Cause::stale] = std::chrono::seconds(7);
  slow.missing.push_back("a poll that confirms it");
  view.rules.push_back(slow);
  rules::RuleView dark;
  dark.rule = rules::RuleName("dark");
  dark.service = rules::ServiceName("web");
  dark.judgement.cause = rules::Cause::no_traffic;
  dark.judgement.comparisons.push_back(comparison_of(std::nullopt));
  dark.progress.blind = true;
  view.rules.push_back(dark);

  for (const auto up : {rules::Up::up, rules::Up::down, rules::Up::unknown}) {
    rules::ProbeView probe;
    probe.probe = rules::ProbeName(std::string(rules::to_string(up)) + "_probe");
    probe.up = up;
    probe.last = rules::Measurements::LastPoll{at(99), up, std::nullopt};
    if (up != rules::Up::up) probe.last->fault = rules::Fault{rules::FaultKind::refused, "connect: refused"};
    view.probes.push_back(probe);
  }
  rules::SignalView p95;
  p95.signal = rules::SignalName("p95");
  p95.measured.value = 0.21;
  p95.measured.count = 412;
  view.signals.push_back(p95);
  rules::SignalView quiet;
  quiet.signal = rules::SignalName("quiet");
  quiet.measured.cause = rules::Cause::no_traffic;
  view.signals.push_back(quiet);

  for (const auto* revision : {"a1", "b2"}) {
    rules::LedgerRecord record;
    record.service = rules::ServiceName("web");
    record.revision = rules::Revision(revision);
    record.appeared = at(*revision == 'a' ? -1000 : -10);
    view.ledger.push_back(record);
  }
  return view;
}

inline rules::IncidentRecord incident_of_web() {
  rules::IncidentRecord incident;
  incident.id = rules::IncidentId("20261121-020304-web-slow");
  incident.service = rules::ServiceName("web");
  rules::JoinedRule joined;
  joined.rule = rules::RuleName("slow");
  joined.evidence.push_back(comparison_of(4.1));
  joined.samples = 61;
  incident.rules.push_back(joined);
  incident.opened = at(0);
  incident.from = rules::Revision("b2");
  incident.to = rules::Revision("a1");
  incident.timeline.push_back({at(0), "fired", "slow fired"});
  incident.timeline.push_back({at(10), "step_started", "switch a1"});
  return incident;
}

// What the server asks, with what was asked of it noted.
class FakeHost final : public watcher::Host {
 public:
  FakeHost() : config_(config_of_two()), view_(view_of_two()) { incidents_.push_back(incident_of_web()); }

  const watcher::Config& config() const override { return config_; }
  rules::Instant now() const override { return at(100); }
  rules::Instant started() const override { return at(0); }
  rules::EngineView view() const override {
    if (starved_-- > 0) throw std::bad_alloc();
    return view_;
  }
  std::vector<std::string> not_ready() const override { return not_ready_; }

  watcher::asio::awaitable<std::vector<rules::IncidentRecord>> incidents(std::size_t most) override {
    most_ = most;
    co_return incidents_;
  }
  watcher::asio::awaitable<std::optional<rules::IncidentRecord>> incident(rules::IncidentId id) override {
    for (const rules::IncidentRecord& incident : incidents_) {
      if (incident.id == id) co_return incident;
    }
    co_return std::nullopt;
  }
  watcher::asio::awaitable<std::vector<rules::StepRecord>> steps(rules::IncidentId) override {
    rules::StepRecord step;
    step.text = "switch a1";
    step.status = rules::StepStatus::succeeded;
    std::vector<rules::StepRecord> steps;
    steps.push_back(step);
    co_return steps;
  }
  watcher::asio::awaitable<std::string> report(rules::IncidentId) override { co_return report_; }
  watcher::asio::awaitable<rules::Answer> request(rules::Request request) override {
    requests_.push_back(std::move(request));
    co_return answer_;
  }
  watcher::asio::awaitable<rules::Answer> mark(std::vector<rules::DeployMark> marks, std::string by) override {
    marks_.insert(marks_.end(), marks.begin(), marks.end());
    marked_by_ = std::move(by);
    co_return answer_;
  }
  watcher::asio::awaitable<rules::Answer> reload() override {
    ++reloads_;
    co_return answer_;
  }
  watcher::asio::awaitable<watcher::RollbackPlan> plan(rules::RollbackByHand rollback) override {
    planned_.push_back(std::move(rollback));
    co_return plan_;
  }

  watcher::Config config_;
  rules::EngineView view_;
  mutable std::atomic<int> starved_ = 0;  // how many views there is no memory for
  std::vector<std::string> not_ready_;
  std::vector<rules::IncidentRecord> incidents_;
  std::string report_;
  rules::Answer answer_{true, "done", {}};
  std::size_t most_ = 0;
  std::vector<rules::Request> requests_;
  std::vector<rules::DeployMark> marks_;
  std::string marked_by_;
  std::vector<rules::RollbackByHand> planned_;
  watcher::RollbackPlan plan_;
  int reloads_ = 0;
};

// What the API answers, without any server.
inline watcher::ApiReply ask(FakeHost& host, watcher::ApiRequest request) {
  return tests::run_here(watcher::handle(host, std::move(request)));
}

inline watcher::ApiRequest trusted(std::string method, std::string target, std::string body = "") {
  watcher::ApiRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = std::move(body);
  request.trusted = true;
  request.by = "uid 1000";
  return request;
}

inline watcher::ApiReply get(FakeHost& host, std::string target) {
  return ask(host, trusted("GET", std::move(target)));
}
inline watcher::ApiReply post(FakeHost& host, std::string target, std::string body) {
  return ask(host, trusted("POST", std::move(target), std::move(body)));
}

}  // namespace serve_test
