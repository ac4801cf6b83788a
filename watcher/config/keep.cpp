#include <algorithm>

#include "watcher/config/references.hpp"

namespace watcher {

namespace {

void add(std::vector<rules::Selector>& keep, rules::Selector selector) {
  if (std::find(keep.begin(), keep.end(), selector) == keep.end()) keep.push_back(std::move(selector));
}

void add_field(std::vector<rules::Selector>& keep, const rules::FieldRef& field) {
  if (field.field == "up" || field.field == "duration") return;
  rules::Selector selector;
  selector.name = field.field;
  selector.matchers = field.matchers;
  add(keep, std::move(selector));
}

std::vector<rules::Selector>* kept_by(probes::ProbeConfig& probe) {
  if (auto* page = std::get_if<probes::PrometheusProbe>(&probe.what)) return &page->keep;
  auto* const exec = std::get_if<probes::ExecProbe>(&probe.what);
  return exec != nullptr && exec->format == probes::ExecFormat::prometheus ? &exec->keep : nullptr;
}

// A mount that hangs is no matter where nobody asks how full it is.
bool asks_for_disks(const Loading& loading, const rules::ProbeName& probe) {
  const auto is_of_disks = [&](const rules::Condition::Reference& reference) {
    const auto* const field = std::get_if<rules::FieldRef>(&reference.to);
    return field != nullptr && field->probe == probe && field->field.starts_with("disk_");
  };
  const auto asks = [&](const PlacedCondition& placed) {
    const auto references = placed.condition.references();
    return std::any_of(references.begin(), references.end(), is_of_disks);
  };
  const auto& signals = loading.config.core.signals;
  return std::any_of(loading.conditions.begin(), loading.conditions.end(), asks) ||
         std::any_of(signals.begin(), signals.end(), [&](const auto& signal) { return signal.probe == probe; });
}

}  // namespace

void compute_keep(Loading& loading) {
  for (probes::ProbeConfig& probe : loading.config.probes) {
    if (auto* const host = std::get_if<probes::HostProbe>(&probe.what))
      host->reads_disks = asks_for_disks(loading, probe.name);
    std::vector<rules::Selector>* const keep = kept_by(probe);
    if (keep == nullptr) continue;
    for (const rules::SignalSpec& signal : loading.config.core.signals) {
      if (signal.probe != probe.name) continue;
      for (rules::Selector& selector : rules::selectors_of(signal)) add(*keep, std::move(selector));
    }
    for (const PlacedCondition& placed : loading.conditions) {
      for (const rules::Condition::Reference& reference : placed.condition.references()) {
        const auto* const field = std::get_if<rules::FieldRef>(&reference.to);
        if (field != nullptr && field->probe == probe.name) add_field(*keep, *field);
      }
    }
    add(*keep, rules::process_start_selector());
  }
}

}  // namespace watcher
