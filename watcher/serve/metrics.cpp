#include "watcher/serve/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "watcher/serve/metric_family.hpp"
#include "watcher/serve/view_metrics.hpp"

namespace watcher {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// Few, because each probe has them all: from a poll on the same host to the default time-out.
constexpr Buckets::Bounds poll_bounds{0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5};
// From a restart to a build of half an hour.
constexpr Buckets::Bounds action_bounds{1, 5, 15, 60, 300, 900, 1800, 3600};

constexpr std::array<rules::Outcome, 12> outcomes{
    rules::Outcome::recovered,    rules::Outcome::not_recovered, rules::Outcome::wrong_revision,
    rules::Outcome::unverifiable, rules::Outcome::action_failed, rules::Outcome::no_target,
    rules::Outcome::fused,        rules::Outcome::superseded,    rules::Outcome::aborted,
    rules::Outcome::observed,     rules::Outcome::notified,      rules::Outcome::cleared};

// What was counted of a service; of most there is nothing to count, ever.
struct ServiceCounts {
  std::array<std::uint64_t, outcomes.size()> incidents{};
  std::array<std::uint64_t, outcomes.size()> rollbacks{};
  Buckets durations;
};

std::size_t place_of(rules::Outcome outcome) {
  return static_cast<std::size_t>(std::find(outcomes.begin(), outcomes.end(), outcome) - outcomes.begin());
}

using CountsOfServices = std::map<rules::ServiceName, ServiceCounts>;

// Those of the view, and of others that were configured before a reload.
std::set<rules::ServiceName> services_of(const rules::EngineView& view, const CountsOfServices& counted) {
  std::set<rules::ServiceName> out;
  for (const rules::ServiceView& service : view.services) out.insert(service.service);
  for (const auto& [service, counts] : counted) out.insert(service);
  return out;
}

}  // namespace

// Numbers, from which families are made at a scrape: of most services nothing is ever counted, and prometheus-cpp would
// have two dozen objects of each.
struct Metrics::State {
  std::unordered_map<rules::ProbeName, Buckets, rules::NameHash> polls;
  CountsOfServices services;
  std::map<std::pair<rules::NotifierName, std::string>, std::uint64_t> notifications;
  double loop_lag = 0;  // seconds
  bool reload_succeeded = true;

  void forget_probes_except(const std::vector<rules::ProbeView>& probes);
  MetricFamily poll_durations(const rules::EngineView& view) const;
  MetricFamily by_outcome(const std::set<rules::ServiceName>& names, const char* name, const char* help,
                          std::array<std::uint64_t, outcomes.size()> ServiceCounts::*counts) const;
  MetricFamily action_durations(const std::set<rules::ServiceName>& names) const;
  MetricFamily notified() const;
};

// After a reload: a probe that is gone must not look like one that is slow.
void Metrics::State::forget_probes_except(const std::vector<rules::ProbeView>& probes) {
  std::set<rules::ProbeName> known;
  for (const rules::ProbeView& probe : probes) known.insert(probe.probe);
  std::erase_if(polls, [&known](const auto& poll) { return !known.contains(poll.first); });
}

MetricFamily Metrics::State::poll_durations(const rules::EngineView& view) const {
  MetricFamily family =
      metric_family(MetricType::Histogram, "rollbackd_probe_duration_seconds", "How long polls took.");
  for (const rules::ProbeView& probe : view.probes) {
    const auto counted = polls.find(probe.probe);
    if (counted != polls.end()) counted->second.add_to(family, {{"probe", probe.probe.text}}, poll_bounds);
  }
  return family;
}

// Counters are there from 0 on, so that the first incident is an increase.
MetricFamily Metrics::State::by_outcome(const std::set<rules::ServiceName>& names, const char* name, const char* help,
                                        std::array<std::uint64_t, outcomes.size()> ServiceCounts::*counts) const {
  MetricFamily family = metric_family(MetricType::Counter, name, help);
  for (const rules::ServiceName& service : names) {
    const auto counted = services.find(service);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const std::uint64_t count = counted == services.end() ? 0 : (counted->second.*counts)[i];
      add_metric(family, {{"outcome", rules::to_string(outcomes[i])}, {"service", service.text}},
                 static_cast<double>(count));
    }
  }
  return family;
}

MetricFamily Metrics::State::action_durations(const std::set<rules::ServiceName>& names) const {
  MetricFamily family = metric_family(MetricType::Histogram, "rollbackd_action_duration_seconds",
                                      "From the first step of an incident to its close.");
  for (const rules::ServiceName& service : names) {
    const auto counted = services.find(service);
    const Buckets durations = counted == services.end() ? Buckets() : counted->second.durations;
    durations.add_to(family, {{"service", service.text}}, action_bounds);
  }
  return family;
}

MetricFamily Metrics::State::notified() const {
  MetricFamily family =
      metric_family(MetricType::Counter, "rollbackd_notifications_total", "Notifications, by what became of them.");
  for (const auto& [of, count] : notifications) {
    add_metric(family, {{"notifier", of.first.text}, {"outcome", of.second}}, static_cast<double>(count));
  }
  return family;
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}

Metrics::~Metrics() = default;

void Metrics::observe_poll(const rules::Poll& poll) {
  state_->polls[poll.probe].observe(poll_bounds, rules::seconds(poll.ended - poll.started));
}

void Metrics::observe_loop_lag(rules::Duration lag) { state_->loop_lag = rules::seconds(lag); }

void Metrics::count_incident(const rules::IncidentRecord& closed) {
  if (!closed.outcome || !closed.closed) return;
  ServiceCounts& counts = state_->services[closed.service];
  const std::size_t outcome = place_of(*closed.outcome);
  ++counts.incidents.at(outcome);
  if (closed.switched) ++counts.rollbacks.at(outcome);
  const auto is_start = [](const rules::TimelineEntry& entry) { return entry.event == "step_started"; };
  const auto start = std::find_if(closed.timeline.begin(), closed.timeline.end(), is_start);
  if (start == closed.timeline.end()) return;
  counts.durations.observe(action_bounds, rules::seconds(*closed.closed - start->at));
}

void Metrics::count_notification(const rules::NotifierName& notifier, std::string_view outcome) {
  ++state_->notifications[{notifier, std::string(outcome)}];
}

void Metrics::set_reload_successful(bool successful) { state_->reload_succeeded = successful; }

std::string Metrics::text(const rules::EngineView& view) {
  state_->forget_probes_except(view.probes);
  std::string page;
  // A family without series would be a name that nothing is known of.
  const auto write = [&page](MetricFamily family) {
    if (!family.metric.empty()) page += prometheus::TextSerializer().Serialize({std::move(family)});
  };
  each_family(view, write);
  write(state_->poll_durations(view));
  const std::set<rules::ServiceName> services = services_of(view, state_->services);
  write(state_->by_outcome(services, "rollbackd_incidents_total", "Incidents that were closed, by outcome.",
                           &ServiceCounts::incidents));
  write(state_->by_outcome(services, "rollbackd_rollbacks_total",
                           "Closed incidents in which a switch was begun, by outcome.", &ServiceCounts::rollbacks));
  write(state_->action_durations(services));
  write(state_->notified());
  MetricFamily lag =
      metric_family(MetricType::Gauge, "rollbackd_loop_lag_seconds", "How late the event loop last was.");
  add_metric(lag, {}, state_->loop_lag);
  write(std::move(lag));
  MetricFamily reload = metric_family(MetricType::Gauge, "rollbackd_config_last_reload_successful",
                                      "1 when the configuration in force is what the file said at the last reload.");
  add_metric(reload, {}, state_->reload_succeeded ? 1 : 0);
  write(std::move(reload));
  return page;
}

}  // namespace watcher
