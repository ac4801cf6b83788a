#include <algorithm>
#include <array>

#include "probes/key_rows.hpp"
#include "watcher/config/fields.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/signal_kinds.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;
using rules::SignalSpec;

constexpr rules::Duration window_least = std::chrono::seconds(1);
constexpr std::int64_t min_count_most = 1'000'000'000;

constexpr probes::Word units[]{
    {"s", static_cast<int>(rules::Unit::seconds), "seconds"},
    {"ms", static_cast<int>(rules::Unit::milliseconds), "milliseconds: 3000ms in a condition is 3000 of them"},
    {"us", static_cast<int>(rules::Unit::microseconds), "microseconds"},
    {"none", static_cast<int>(rules::Unit::none), "taken as they are"},
};

constexpr std::array keys{
    key<Kind::string, &SignalSpec::probe>("probe", "The probe that has the numbers.")
        .required("name the probe whose page has the metrics"),
    own_key("ratio", ratio_of,
            "The part of ALL that are ERRORS, from the same scrapes; of several pairs, or { errors, all, rank }, the "
            "one that counts most."),
    own_key("quantile", quantile_of, "Which quantile of the histogram or summary in of."),
    own_key("of", family_of,
            "The histogram or summary of quantile; of several, or { of, unit, rank }, the one that counts most."),
    own_key("expr", expression_of, "Arithmetic over selectors, sum/avg/min/max by, rate and increase."),
    key<Kind::duration, &SignalSpec::window>("window", "The time that it looks back.").at_least(window_least),
    key<Kind::duration, &SignalSpec::window_max>("window_max", "How far the window grows when there is little traffic.")
        .when_left_out("five times window"),
    key<Kind::integer, &SignalSpec::min_count>("min_count", "How many requests a window should have.")
        .between(1, min_count_most),
    probes::choice<units, &SignalSpec::unit>("unit", "What the numbers are measured in."),
    key<Kind::flag, &SignalSpec::strict>("strict", "Whether an approximate quantile is unknown."),
};

std::vector<std::string> metric_names_of(const rules::SignalSpec& signal) {
  std::vector<std::string> out;
  if (const auto* ratios = std::get_if<std::vector<rules::RatioOf>>(&signal.of)) {
    for (const rules::RatioOf& ratio : *ratios) out.push_back(ratio.denominator.name);
  } else if (const auto* quantiles = std::get_if<std::vector<rules::QuantileOf>>(&signal.of)) {
    for (const rules::QuantileOf& quantile : *quantiles) out.push_back(quantile.family.name);
  } else if (const auto* expression = std::get_if<rules::ExpressionOf>(&signal.of)) {
    if (expression->parsed == nullptr) return out;
    for (const rules::Selector& selector : rules::selectors_of(*expression)) out.push_back(selector.name);
  }
  return out;
}

bool is_in_milliseconds(std::string_view metric) {
  for (const std::string_view suffix : {"_bucket", "_sum", "_count", "_total"}) {
    if (metric.ends_with(suffix)) metric.remove_suffix(suffix.size());
  }
  return metric.ends_with("_ms") || metric.ends_with("_milliseconds");
}

// Ratios have no unit; for the others a name in milliseconds compared with 3000ms would be wrong by a factor of 1000.
void warn_of_milliseconds(TableReader& reader, const rules::SignalSpec& signal) {
  if (signal.unit == rules::Unit::milliseconds || reader.has("ratio")) return;
  const auto* const quantiles = std::get_if<std::vector<rules::QuantileOf>>(&signal.of);
  const std::vector<std::string> names = metric_names_of(signal);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    const bool told = quantiles != nullptr && (*quantiles)[i].unit;
    if (told || !is_in_milliseconds(name)) continue;
    const std::string_view key = reader.has("quantile") ? "of" : "expr";
    reader.loading().findings.warning(
        reader.place(key), reader.owner(key) + ": " + name +
                               " seems to be in milliseconds; add unit = \"ms\" so that 3000ms means what it says");
    return;
  }
}

std::string_view kind_key(const TableReader& reader) {
  if (reader.has("ratio")) return "ratio";
  return reader.has("quantile") ? "quantile" : "expr";
}

// A signal whose series its probe never has would be unknown for ever.
void refuse_missing_series(TableReader& reader, const rules::SignalSpec& signal) {
  for (const probes::ProbeConfig& probe : reader.loading().config.probes) {
    if (probe.name != signal.probe) continue;
    const std::vector<std::string> names = metric_names_of(signal);
    const auto is_there = [&](const std::string& name) { return has_field(probe, name); };
    if (names.empty() || std::any_of(names.begin(), names.end(), is_there)) return;
    std::string known;
    for (const std::string& name : fields_of(probe)) known += (known.empty() ? "" : ", ") + name;
    reader.error(kind_key(reader), "probe \"" + probe.name.text + "\" has no series " + names.front() + " (it has " +
                                       known + "); a page of metrics needs a probe of type prometheus");
  }
}

void check_probe_of(TableReader& reader, const rules::SignalSpec& out) {
  const Loading& loading = reader.loading();
  if (out.probe.empty()) return;
  const std::string& name = out.probe.text;
  if (!loading.probe_names.contains(name)) {
    reader.error("probe", "there is no probe \"" + name + "\"" +
                              did_you_mean(name, {loading.probe_names.begin(), loading.probe_names.end()}));
  }
}

void read_signal(Loading& loading, const NamedTable& entry) {
  TableReader reader(loading, *entry.table, "signal." + entry.name);
  loading.signal_names.insert(entry.name);
  SignalSpec out;
  out.name = rules::SignalName(entry.name);
  reader.read(keys, &out);
  check_probe_of(reader, out);
  // Known only now how long it is at least.
  out.window_max = reader.duration("window_max", out.window).value_or(5 * out.window);
  settle_kind(reader);
  warn_of_milliseconds(reader, out);
  refuse_missing_series(reader, out);
  reader.finish();
  loading.config.core.signals.push_back(std::move(out));
}

}  // namespace

std::span<const Key> signal_keys() { return keys; }

void read_signals(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "signal", is_measurement_name, "[a-z_][a-z0-9_]*")) {
    read_signal(loading, entry);
  }
}

}  // namespace watcher
