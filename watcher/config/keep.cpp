#include <algorithm>

#include "watcher/config/references.hpp"

namespace watcher {

namespace {

void add(std::vector<rules::Selector>& keep, rules::Selector selector) {
  if (std::find(keep.begin(), keep.end(), selector) == keep.end()) keep.push_back(std::move(selector));
}

// A histogram's parts, and the family itself for summaries.
void add_family(std::vector<rules::Selector>& keep, const rules::Selector& family) {
  for (const std::string_view suffix : {"", "_bucket", "_sum", "_count"}) {
    rules::Selector part = family;
    part.name += suffix;
    add(keep, std::move(part));
  }
}

void add_signal(std::vector<rules::Selector>& keep, const rules::SignalSpec& signal) {
  if (const auto* ratios = std::get_if<std::vector<rules::RatioOf>>(&signal.of)) {
    for (const rules::RatioOf& ratio : *ratios) {
      add(keep, ratio.numerator);
      add(keep, ratio.denominator);
    }
  } else if (const auto* quantiles = std::get_if<std::vector<rules::QuantileOf>>(&signal.of)) {
    for (const rules::QuantileOf& quantile : *quantiles) add_family(keep, quantile.family);
  } else if (const auto* expression = std::get_if<rules::ExpressionOf>(&signal.of)) {
    if (expression->parsed == nullptr) return;
    for (const rules::Selector& selector : rules::selectors_of(*expression)) add(keep, selector);
  }
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

}  // namespace

void compute_keep(Loading& loading) {
  for (probes::ProbeConfig& probe : loading.config.probes) {
    std::vector<rules::Selector>* const keep = kept_by(probe);
    if (keep == nullptr) continue;
    for (const rules::SignalSpec& signal : loading.config.core.signals) {
      if (signal.probe == probe.name) add_signal(*keep, signal);
    }
    for (const PlacedCondition& placed : loading.conditions) {
      for (const rules::Condition::Reference& reference : placed.condition.references()) {
        const auto* const field = std::get_if<rules::FieldRef>(&reference.to);
        if (field != nullptr && field->probe == probe.name) add_field(*keep, *field);
      }
    }
    rules::Selector start;
    start.name = "process_start_time_seconds";
    add(*keep, std::move(start));
  }
}

}  // namespace watcher
