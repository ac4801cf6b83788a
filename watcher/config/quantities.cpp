#include <algorithm>
#include <set>

#include "rules/conditions/bare_numbers.hpp"
#include "rules/conditions/mixed_units.hpp"
#include "watcher/config/references.hpp"

// Whether a condition compares what can be compared: shares, times, sizes.

namespace watcher {

namespace {

const probes::ProbeConfig* probe_of(const Loading& loading, const rules::FieldRef& field) {
  const auto& probes = loading.config.probes;
  const auto found =
      std::find_if(probes.begin(), probes.end(), [&](const auto& probe) { return probe.name == field.probe; });
  return found == probes.end() ? nullptr : &*found;
}

// What lies between 0 and 1: a ratio, and the parts in use of the host.
bool is_share(const Config& config, const rules::SignalRef& reference) {
  const auto found = std::find_if(config.core.signals.begin(), config.core.signals.end(),
                                  [&](const rules::SignalSpec& signal) { return signal.name == reference.signal; });
  return found != config.core.signals.end() && std::holds_alternative<std::vector<rules::RatioOf>>(found->of);
}

bool is_share(const Loading& loading, const rules::FieldRef& reference) {
  static const std::set<std::string> shares{"memory_used", "swap_used", "cpu_used",        "disk_used",  "psi_cpu",
                                            "psi_memory",  "psi_io",    "psi_memory_full", "psi_io_full"};
  const probes::ProbeConfig* const probe = probe_of(loading, reference);
  return probe != nullptr && std::holds_alternative<probes::HostProbe>(probe->what) && shares.contains(reference.field);
}

// True: a mistake was found.
bool check_shares(Loading& loading, const PlacedCondition& placed) {
  const auto share = [&loading](const rules::Expression& expression) {
    if (const auto* signal = std::get_if<rules::SignalRef>(&expression.node)) return is_share(loading.config, *signal);
    if (const auto* field = std::get_if<rules::FieldRef>(&expression.node)) return is_share(loading, *field);
    return false;
  };
  const std::optional<rules::SyntaxError> mistake = rules::share_against_number(placed.condition, share);
  if (!mistake) return false;
  loading.findings.error(loading.place_of(placed.written, mistake->offset), placed.owner + ": " + mistake->what);
  return true;
}

// What measures how long something took.
bool is_time(const Config& config, const rules::SignalRef& reference) {
  const auto found = std::find_if(config.core.signals.begin(), config.core.signals.end(),
                                  [&](const rules::SignalSpec& signal) { return signal.name == reference.signal; });
  if (found == config.core.signals.end()) return false;
  const auto* const quantiles = std::get_if<std::vector<rules::QuantileOf>>(&found->of);
  if (quantiles == nullptr) return found->unit != rules::Unit::none;
  return std::any_of(quantiles->begin(), quantiles->end(), [&](const rules::QuantileOf& of) {
    return rules::unit_of(*found, of) != rules::Unit::none || of.family.name.ends_with("_seconds");
  });
}

void check_times(Loading& loading, const PlacedCondition& placed) {
  const auto time = [&loading](const rules::Expression& expression) {
    if (const auto* signal = std::get_if<rules::SignalRef>(&expression.node)) return is_time(loading.config, *signal);
    const auto* const field = std::get_if<rules::FieldRef>(&expression.node);
    return field != nullptr && field->field == "duration";
  };
  const std::optional<rules::SyntaxError> doubt = rules::time_against_number(placed.condition, time);
  if (!doubt) return;
  loading.findings.warning(loading.place_of(placed.written, doubt->offset), placed.owner + ": " + doubt->what);
}

bool is_size(const Loading& loading, const rules::FieldRef& reference) {
  static const std::set<std::string> sizes{"memory_total", "memory_available", "disk_available"};
  const probes::ProbeConfig* const probe = probe_of(loading, reference);
  return probe != nullptr && std::holds_alternative<probes::HostProbe>(probe->what) && sizes.contains(reference.field);
}

std::optional<rules::LiteralKind> kind_of(const Loading& loading, const rules::Expression& expression) {
  if (const auto* signal = std::get_if<rules::SignalRef>(&expression.node)) {
    if (is_share(loading.config, *signal)) return rules::LiteralKind::share;
    return is_time(loading.config, *signal) ? std::optional(rules::LiteralKind::duration) : std::nullopt;
  }
  const auto* const field = std::get_if<rules::FieldRef>(&expression.node);
  if (field == nullptr) return std::nullopt;
  if (is_share(loading, *field)) return rules::LiteralKind::share;
  if (field->field == "duration") return rules::LiteralKind::duration;
  return is_size(loading, *field) ? std::optional(rules::LiteralKind::size) : std::nullopt;
}

}  // namespace

void check_quantities(Loading& loading, const PlacedCondition& placed) {
  if (check_shares(loading, placed)) return;
  check_times(loading, placed);
  const auto kind = [&loading](const rules::Expression& expression) { return kind_of(loading, expression); };
  if (const auto mistake = rules::mixed_units(placed.condition, kind)) {
    loading.findings.error(loading.place_of(placed.written, mistake->offset), placed.owner + ": " + mistake->what);
  } else if (const auto doubt = rules::share_out_of_range(placed.condition, kind)) {
    loading.findings.warning(loading.place_of(placed.written, doubt->offset), placed.owner + ": " + doubt->what);
  }
}

}  // namespace watcher
