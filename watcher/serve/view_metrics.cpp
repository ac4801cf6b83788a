#include "watcher/serve/view_metrics.hpp"

#include <algorithm>
#include <string>

#include "watcher/serve/metric_family.hpp"

namespace watcher {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

double number(bool is_so) { return is_so ? 1 : 0; }

MetricFamily build_info(const rules::EngineView&) {
  MetricFamily info = metric_family(MetricType::Gauge, "rollbackd_build_info", "Always 1; the version is a label.");
  add_metric(info, {{"version", ROLLBACKD_VERSION}}, 1);
  return info;
}

MetricFamily modes(const rules::EngineView& view) {
  MetricFamily modes =
      metric_family(MetricType::Gauge, "rollbackd_mode", "1 for the mode in force: the most that any rule may do.");
  for (const auto mode : {rules::Mode::observe, rules::Mode::notify, rules::Mode::ask, rules::Mode::act}) {
    add_metric(modes, {{"mode", rules::to_string(mode)}}, number(mode == view.mode));
  }
  return modes;
}

MetricFamily degraded(const rules::EngineView& view) {
  MetricFamily degraded =
      metric_family(MetricType::Gauge, "rollbackd_degraded", "In how many ways the watcher cannot do all it should.");
  add_metric(degraded, {}, static_cast<double>(view.degraded.size()));
  return degraded;
}

MetricFamily probes_up(const rules::EngineView& view) {
  MetricFamily up = metric_family(MetricType::Gauge, "rollbackd_probe_up",
                                  "1: the probed thing serves. 0: it does not. No series: it cannot be told.");
  for (const rules::ProbeView& probe : view.probes) {
    if (probe.up == rules::Up::unknown) continue;
    add_metric(up, {{"probe", probe.probe.text}}, number(probe.up == rules::Up::up));
  }
  return up;
}

MetricFamily probe_faults(const rules::EngineView& view) {
  MetricFamily faults = metric_family(MetricType::Gauge, "rollbackd_probe_fault",
                                      "1 for what the probe's newest poll met instead of an answer.");
  for (const rules::ProbeView& probe : view.probes) {
    if (!probe.last || !probe.last->fault) continue;
    add_metric(faults, {{"probe", probe.probe.text}, {"fault", rules::to_string(probe.last->fault->kind)}}, 1);
  }
  return faults;
}

MetricFamily unread_lines(const rules::EngineView& view) {
  MetricFamily lines =
      metric_family(MetricType::Gauge, "rollbackd_probe_unread_lines",
                    "Lines of the probe's newest page that could not be read and that nothing selects.");
  for (const rules::ProbeView& probe : view.probes) {
    if (probe.last) add_metric(lines, {{"probe", probe.probe.text}}, static_cast<double>(probe.unread_lines));
  }
  return lines;
}

MetricFamily signal_values(const rules::EngineView& view) {
  MetricFamily values = metric_family(MetricType::Gauge, "rollbackd_signal_value",
                                      "The signal over its window; no series while it is unknown.");
  for (const rules::SignalView& signal : view.signals) {
    if (signal.measured.value) add_metric(values, {{"signal", signal.signal.text}}, *signal.measured.value);
  }
  return values;
}

MetricFamily rule_verdicts(const rules::EngineView& view) {
  MetricFamily verdicts =
      metric_family(MetricType::Gauge, "rollbackd_rule_verdict", "1 for the rule's verdict now, 0 for the others.");
  for (const rules::RuleView& rule : view.rules) {
    for (const auto verdict : {rules::Verdict::good, rules::Verdict::bad, rules::Verdict::unknown}) {
      add_metric(verdicts, {{"rule", rule.rule.text}, {"verdict", rules::to_string(verdict)}},
                 number(verdict == rule.judgement.verdict));
    }
  }
  return verdicts;
}

// How full the span is: `for = 0s` is full with the first bad verdict.
double sustain_ratio(const rules::RuleView& rule) {
  switch (rule.progress.state) {
    case rules::RuleState::idle:
      return 0;
    case rules::RuleState::confirming:
    case rules::RuleState::firing:
    case rules::RuleState::recovering:
      return 1;
    case rules::RuleState::pending:
      break;
  }
  if (rule.sustain == rules::Duration::zero()) return 1;
  return std::min(1.0, rules::seconds(rule.progress.observed) / rules::seconds(rule.sustain));
}

MetricFamily sustain_ratios(const rules::EngineView& view) {
  MetricFamily ratios = metric_family(MetricType::Gauge, "rollbackd_rule_sustain_ratio",
                                      "Share of `for` that the rule's bad span holds; 1 when it fires.");
  for (const rules::RuleView& rule : view.rules) add_metric(ratios, {{"rule", rule.rule.text}}, sustain_ratio(rule));
  return ratios;
}

MetricFamily seconds_to_fire(const rules::EngineView& view) {
  MetricFamily left = metric_family(MetricType::Gauge, "rollbackd_rule_seconds_to_fire",
                                    "Time until the rule fires if it stays bad; no series while it is not bad.");
  for (const rules::RuleView& rule : view.rules) {
    if (rule.progress.to_fire) add_metric(left, {{"rule", rule.rule.text}}, rules::seconds(*rule.progress.to_fire));
  }
  return left;
}

MetricFamily rules_firing(const rules::EngineView& view) {
  MetricFamily firing =
      metric_family(MetricType::Gauge, "rollbackd_rule_firing", "1 while the rule fires and has not recovered.");
  for (const rules::RuleView& rule : view.rules) {
    const bool fires =
        rule.progress.state == rules::RuleState::firing || rule.progress.state == rules::RuleState::recovering;
    add_metric(firing, {{"rule", rule.rule.text}}, number(fires));
  }
  return firing;
}

MetricFamily rules_blind(const rules::EngineView& view) {
  MetricFamily blind = metric_family(MetricType::Gauge, "rollbackd_rule_blind",
                                     "1 while too little of the last `blind_after` could be observed.");
  for (const rules::RuleView& rule : view.rules)
    add_metric(blind, {{"rule", rule.rule.text}}, number(rule.progress.blind));
  return blind;
}

MetricFamily unknown_seconds(const rules::EngineView& view) {
  MetricFamily unknown = metric_family(MetricType::Counter, "rollbackd_rule_unknown_seconds_total",
                                       "Time in which the rule's verdict was unknown, by cause.");
  for (const rules::RuleView& rule : view.rules) {
    for (const auto& [cause, time] : rule.unknown_time) {
      add_metric(unknown, {{"rule", rule.rule.text}, {"cause", rules::to_string(cause)}}, rules::seconds(time));
    }
  }
  return unknown;
}

MetricFamily service_states(const rules::EngineView& view) {
  MetricFamily states =
      metric_family(MetricType::Gauge, "rollbackd_service_state", "1 for the service's state now, 0 for the others.");
  for (const rules::ServiceView& service : view.services) {
    for (const auto state :
         {rules::ServiceState::disarmed, rules::ServiceState::armed, rules::ServiceState::incident}) {
      add_metric(states, {{"service", service.service.text}, {"state", rules::to_string(state)}},
                 number(state == service.state));
    }
  }
  return states;
}

MetricFamily service_flags(const rules::EngineView& view) {
  MetricFamily flags =
      metric_family(MetricType::Gauge, "rollbackd_service_flag",
                    "1 while the service is paused, fused, blind, unreadable (what runs), deploying or warming up.");
  for (const rules::ServiceView& service : view.services) {
    const std::string& name = service.service.text;
    add_metric(flags, {{"service", name}, {"flag", "paused"}}, number(service.paused));
    add_metric(flags, {{"service", name}, {"flag", "fused"}}, number(service.fused));
    add_metric(flags, {{"service", name}, {"flag", "blind"}}, number(service.blind));
    add_metric(flags, {{"service", name}, {"flag", "unreadable"}}, number(!service.unreadable.empty()));
    add_metric(flags, {{"service", name}, {"flag", "deploying"}}, number(service.deploying));
    add_metric(flags, {{"service", name}, {"flag", "warming_up"}}, number(service.warming_up));
  }
  return flags;
}

MetricFamily rollbacks_ready(const rules::EngineView& view) {
  MetricFamily ready = metric_family(MetricType::Gauge, "rollbackd_rollback_ready",
                                     "1 when the service could be rolled back now: target, driver and plan are there.");
  for (const rules::ServiceView& service : view.services) {
    add_metric(ready, {{"service", service.service.text}}, number(service.rollback_ready));
  }
  return ready;
}

MetricFamily drivers_ready(const rules::EngineView& view) {
  MetricFamily ready = metric_family(MetricType::Gauge, "rollbackd_driver_ready",
                                     "1 when that one of a service's several drivers could switch now.");
  for (const rules::ServiceView& service : view.services) {
    for (const rules::DriverReadiness& driver : service.drivers) {
      add_metric(ready, {{"service", service.service.text}, {"driver", driver.driver}}, number(driver.why_not.empty()));
    }
  }
  return ready;
}

}  // namespace

void each_family(const rules::EngineView& view, const std::function<void(MetricFamily)>& take) {
  for (const auto family : {build_info, modes, degraded, probes_up, probe_faults, signal_values, rule_verdicts,
                            sustain_ratios, seconds_to_fire, rules_firing, rules_blind, unread_lines, unknown_seconds,
                            service_states, service_flags, rollbacks_ready, drivers_ready}) {
    take(family(view));
  }
}

}  // namespace watcher
