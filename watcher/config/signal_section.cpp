#include <algorithm>

#include "watcher/config/fields.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

constexpr rules::Duration window_least = std::chrono::seconds(1);
constexpr std::int64_t min_count_most = 1'000'000'000;

std::optional<rules::Selector> read_selector(TableReader& reader, std::string_view key, const toml::node& node) {
  Loading& loading = reader.loading();
  const auto* const text = node.as_string();
  if (text == nullptr) {
    loading.findings.error(place_of(node),
                           reader.owner(key) +
                               ": expected a selector such as 'http_requests_total{code=~\"5..\"}', found " +
                               std::string(type_name(node)));
    return std::nullopt;
  }
  rules::Parsed<rules::Selector> parsed = rules::parse_selector(text->get());
  if (const auto* mistake = std::get_if<rules::SyntaxError>(&parsed)) {
    loading.findings.error(loading.source.inside_string(place_of(node), mistake->offset),
                           reader.owner(key) + ": " + mistake->what);
    return std::nullopt;
  }
  return std::get<rules::Selector>(std::move(parsed));
}

std::optional<rules::RatioOf> read_pair(TableReader& reader, const toml::array& pair) {
  if (pair.size() != 2) {
    reader.loading().findings.error(
        place_of(pair),
        reader.owner("ratio") + ": expected two selectors, ['ERRORS', 'ALL'], found " + std::to_string(pair.size()));
    return std::nullopt;
  }
  std::optional<rules::Selector> numerator = read_selector(reader, "ratio", pair[0]);
  std::optional<rules::Selector> denominator = read_selector(reader, "ratio", pair[1]);
  if (!numerator || !denominator) return std::nullopt;
  return rules::RatioOf{*std::move(numerator), *std::move(denominator)};
}

// One pair, or several of which the first that is in the page is taken.
std::vector<rules::RatioOf> read_ratio(TableReader& reader) {
  std::vector<rules::RatioOf> out;
  const toml::array* const array = reader.node("ratio")->as_array();
  if (array == nullptr || array->empty()) {
    reader.error("ratio", "expected two selectors, ['ERRORS', 'ALL']");
    return out;
  }
  const bool several = array->front().is_array();
  if (!several) {
    if (auto pair = read_pair(reader, *array)) out.push_back(*std::move(pair));
    return out;
  }
  for (const toml::node& candidate : *array) {
    const toml::array* const pair = candidate.as_array();
    if (pair == nullptr) {
      reader.error("ratio", "expected only pairs of selectors");
      continue;
    }
    if (auto one = read_pair(reader, *pair)) out.push_back(*std::move(one));
  }
  return out;
}

std::vector<rules::QuantileOf> read_quantile(TableReader& reader) {
  std::vector<rules::QuantileOf> out;
  const double quantile = reader.number("quantile").value_or(0.95);
  if (quantile <= 0 || quantile >= 1) reader.error("quantile", "expected a number between 0 and 1, such as 0.95");
  const toml::node* const of = reader.node("of");
  if (of == nullptr) {
    reader.missing("of", "name the histogram, such as of = 'http_request_duration_seconds'");
    return out;
  }
  const toml::array* const several = of->as_array();
  if (several == nullptr) {
    if (auto family = read_selector(reader, "of", *of)) out.push_back({quantile, *std::move(family)});
    return out;
  }
  for (const toml::node& candidate : *several) {
    if (auto family = read_selector(reader, "of", candidate)) out.push_back({quantile, *std::move(family)});
  }
  if (several->empty()) reader.error("of", "expected at least one histogram");
  return out;
}

rules::ExpressionOf read_expression(TableReader& reader) {
  const std::optional<Written> text = reader.written("expr");
  if (!text) return {};
  rules::Parsed<rules::ExpressionOf> parsed = rules::parse_signal_expression(text->text);
  if (const auto* mistake = std::get_if<rules::SyntaxError>(&parsed)) {
    reader.loading().findings.error(reader.loading().place_of(*text, mistake->offset),
                                    reader.owner("expr") + ": " + mistake->what);
    return {};
  }
  return std::get<rules::ExpressionOf>(std::move(parsed));
}

// False when it is not clear what kind of signal it is to be.
bool read_kind(TableReader& reader, rules::SignalSpec& out) {
  const int kinds = int{reader.has("ratio")} + int{reader.has("quantile")} + int{reader.has("expr")};
  if (kinds != 1) {
    for (const std::string_view key : {"ratio", "quantile", "of", "expr"}) reader.node(key);
    reader.loading().findings.error(reader.place(), reader.owner() + ": give exactly one of ratio, quantile and expr");
    return false;
  }
  for (const std::string_view key : {"ratio", "quantile", "expr"}) {
    if (!reader.has(key)) reader.node(key);
  }
  if (reader.has("ratio")) out.of = read_ratio(reader);
  if (reader.has("quantile")) out.of = read_quantile(reader);
  if (reader.has("expr")) out.of = read_expression(reader);
  return true;
}

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
  for (const std::string& name : metric_names_of(signal)) {
    if (!is_in_milliseconds(name)) continue;
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

void read_probe_of(TableReader& reader, rules::SignalSpec& out) {
  if (!reader.has("probe")) {
    reader.missing("probe", "name the probe whose page has the metrics");
    return;
  }
  out.probe = rules::ProbeName(reader.string("probe").value_or(""));
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
  rules::SignalSpec out;
  out.name = rules::SignalName(entry.name);
  read_probe_of(reader, out);
  if (const auto window = reader.duration("window", window_least)) out.window = *window;
  out.window_max = reader.duration("window_max", out.window).value_or(5 * out.window);
  out.min_count = reader.integer("min_count", 1, min_count_most).value_or(out.min_count);
  out.unit =
      reader
          .choice<rules::Unit>(
              "unit", {{"s", rules::Unit::seconds}, {"ms", rules::Unit::milliseconds}, {"none", rules::Unit::none}})
          .value_or(rules::Unit::none);
  out.strict = reader.boolean("strict").value_or(false);
  if (read_kind(reader, out)) {
    warn_of_milliseconds(reader, out);
    refuse_missing_series(reader, out);
  }
  reader.finish();
  loading.config.core.signals.push_back(std::move(out));
}

}  // namespace

void read_signals(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "signal", is_measurement_name, "[a-z_][a-z0-9_]*")) {
    read_signal(loading, entry);
  }
}

}  // namespace watcher
