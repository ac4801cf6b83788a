#include "watcher/serve/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <utility>
#include <vector>

#include "watcher/serve/view_metrics.hpp"

namespace watcher {

namespace {

using Counters = prometheus::Family<prometheus::Counter>;
using Gauges = prometheus::Family<prometheus::Gauge>;
using Histograms = prometheus::Family<prometheus::Histogram>;

// Few, because each probe has them all: from a poll on the same host to the default time-out.
const prometheus::Histogram::BucketBoundaries& poll_buckets() {
  static const prometheus::Histogram::BucketBoundaries buckets{0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5};
  return buckets;
}
// From a restart to a build of half an hour.
const prometheus::Histogram::BucketBoundaries& action_buckets() {
  static const prometheus::Histogram::BucketBoundaries buckets{1, 5, 15, 60, 300, 900, 1800, 3600};
  return buckets;
}

constexpr std::array<rules::Outcome, 12> outcomes{
    rules::Outcome::recovered,    rules::Outcome::not_recovered, rules::Outcome::wrong_revision,
    rules::Outcome::unverifiable, rules::Outcome::action_failed, rules::Outcome::no_target,
    rules::Outcome::fused,        rules::Outcome::superseded,    rules::Outcome::aborted,
    rules::Outcome::observed,     rules::Outcome::notified,      rules::Outcome::cleared};

prometheus::Labels outcome_labels(const rules::ServiceName& service, rules::Outcome outcome) {
  return {{"service", service.text}, {"outcome", std::string(rules::to_string(outcome))}};
}

Counters& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Gauges& gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
Histograms& histograms(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  Histograms& poll_durations = histograms(registry, "rollbackd_probe_duration_seconds", "How long polls took.");
  Counters& incidents = counters(registry, "rollbackd_incidents_total", "Incidents that were closed, by outcome.");
  Counters& rollbacks =
      counters(registry, "rollbackd_rollbacks_total", "Closed incidents in which a switch was begun, by outcome.");
  Histograms& action_durations =
      histograms(registry, "rollbackd_action_duration_seconds", "From the first step of an incident to its close.");
  Gauges& loop_lag = gauges(registry, "rollbackd_loop_lag_seconds", "How late the event loop last was.");
  Counters& notifications =
      counters(registry, "rollbackd_notifications_total", "Notifications, by what became of them.");
  Gauges& reload = gauges(registry, "rollbackd_config_last_reload_successful",
                          "1 when the configuration in force is what the file said at the last reload.");
  std::unordered_map<rules::ProbeName, prometheus::Histogram*, rules::NameHash> polls;

  void forget_probes_except(const std::vector<rules::ProbeView>& probes);
  void show_services(const std::vector<rules::ServiceView>& services);
};

// After a reload: a probe that is gone must not look like one that is slow.
void Metrics::State::forget_probes_except(const std::vector<rules::ProbeView>& probes) {
  for (auto known = polls.begin(); known != polls.end();) {
    const auto is_it = [&known](const rules::ProbeView& probe) { return probe.probe == known->first; };
    if (std::any_of(probes.begin(), probes.end(), is_it)) {
      ++known;
      continue;
    }
    poll_durations.Remove(known->second);
    known = polls.erase(known);
  }
}

// Counters are there from 0 on, so that the first incident is an increase.
void Metrics::State::show_services(const std::vector<rules::ServiceView>& services) {
  for (const rules::ServiceView& service : services) {
    for (const rules::Outcome outcome : outcomes) {
      incidents.Add(outcome_labels(service.service, outcome));
      rollbacks.Add(outcome_labels(service.service, outcome));
    }
    action_durations.Add({{"service", service.service.text}}, action_buckets());
  }
}

Metrics::Metrics() : state_(std::make_unique<State>()) {
  state_->reload.Add({}).Set(1);
  state_->loop_lag.Add({}).Set(0);
}

Metrics::~Metrics() = default;

void Metrics::observe_poll(const rules::Poll& poll) {
  prometheus::Histogram*& histogram = state_->polls[poll.probe];
  if (histogram == nullptr) {
    histogram = &state_->poll_durations.Add({{"probe", poll.probe.text}}, poll_buckets());
  }
  histogram->Observe(rules::seconds(poll.ended - poll.started));
}

void Metrics::observe_loop_lag(rules::Duration lag) { state_->loop_lag.Add({}).Set(rules::seconds(lag)); }

void Metrics::count_incident(const rules::IncidentRecord& closed) {
  if (!closed.outcome || !closed.closed) return;
  const prometheus::Labels labels = outcome_labels(closed.service, *closed.outcome);
  state_->incidents.Add(labels).Increment();
  if (closed.switched) state_->rollbacks.Add(labels).Increment();
  const auto is_start = [](const rules::TimelineEntry& entry) { return entry.event == "step_started"; };
  const auto start = std::find_if(closed.timeline.begin(), closed.timeline.end(), is_start);
  if (start == closed.timeline.end()) return;
  prometheus::Histogram& durations = state_->action_durations.Add({{"service", closed.service.text}}, action_buckets());
  durations.Observe(rules::seconds(*closed.closed - start->at));
}

void Metrics::count_notification(const rules::NotifierName& notifier, std::string_view outcome) {
  state_->notifications.Add({{"notifier", notifier.text}, {"outcome", std::string(outcome)}}).Increment();
}

void Metrics::set_reload_successful(bool successful) { state_->reload.Add({}).Set(successful ? 1 : 0); }

std::string Metrics::text(const rules::EngineView& view) {
  state_->forget_probes_except(view.probes);
  state_->show_services(view.services);
  std::vector<prometheus::MetricFamily> families = families_of(view);
  std::vector<prometheus::MetricFamily> counted = state_->registry.Collect();
  families.insert(families.end(), std::make_move_iterator(counted.begin()), std::make_move_iterator(counted.end()));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace watcher
