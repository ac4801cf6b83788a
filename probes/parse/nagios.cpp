#include "probes/parse/nagios.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>

#include "probes/parse/characters.hpp"
#include "probes/parse/number.hpp"
#include "probes/parse/prometheus_series.hpp"

namespace probes {

namespace {

struct Unit {
  std::string_view name;
  double factor;  // to the base unit
};

constexpr double kib = 1024;
constexpr std::array<Unit, 13> units{{{"", 1},
                                      {"s", 1},
                                      {"ms", 1e-3},
                                      {"us", 1e-6},
                                      {"ns", 1e-9},
                                      {"%", 0.01},
                                      {"c", 1},
                                      {"B", 1},
                                      {"KB", kib},
                                      {"MB", kib* kib},
                                      {"GB", kib* kib* kib},
                                      {"TB", kib* kib* kib* kib},
                                      {"PB", kib* kib* kib* kib* kib}}};

// A label: bare up to the equals sign, or in single quotes, where two of them stand for one.
std::optional<std::string> take_label(std::string_view& text) {
  std::string label;
  if (text.empty() || text.front() != '\'') {
    const std::size_t end = text.find('=');
    if (end == text.npos) return std::nullopt;
    label = text.substr(0, end);
    text.remove_prefix(end + 1);
    return label;
  }
  std::size_t at = 1;
  for (; at < text.size(); ++at) {
    if (text[at] == '\'' && !(at + 1 < text.size() && text[at + 1] == '\'')) break;
    if (text[at] == '\'') ++at;
    label += text[at];
  }
  if (at + 1 >= text.size() || text[at + 1] != '=') {
    // What comes after a quote that is not closed cannot be told apart.
    if (at == text.size()) text = {};
    return std::nullopt;
  }
  text.remove_prefix(at + 2);
  return label;
}

// value[unit], up to a semicolon or a blank.
std::optional<double> parse_value(std::string_view text) {
  const std::size_t unit_at = std::min(text.find_first_not_of("0123456789+-.eE"), text.size());
  const std::string_view unit = text.substr(unit_at);
  const auto known = std::find_if(units.begin(), units.end(), [unit](const Unit& u) { return u.name == unit; });
  const std::optional<double> number = parse_number(text.substr(0, unit_at));
  if (!number || !std::isfinite(*number)) return std::nullopt;
  // A unit that is not known is the plugin's own (degrees, requests): the number is taken as it is.
  return known == units.end() ? *number : *number * known->factor;
}

rules::SharedSeriesKey series_of(const std::string& label) {
  rules::SeriesKey key;
  key.name = label;
  for (char& c : key.name) {
    if (!label_name_part.has(c)) c = '_';
  }
  if (!label_name_begin.has(key.name.front())) key.name.insert(key.name.begin(), '_');
  if (key.name != label) key.labels.push_back({"label", label});
  return std::make_shared<const rules::SeriesKey>(std::move(key));
}

// One item, or nothing when it is malformed; `text` goes on behind it either way.
std::optional<rules::Reading> take_item(std::string_view& text) {
  const std::optional<std::string> label = take_label(text);
  const std::size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
  const std::string_view values = text.substr(0, end);
  text.remove_prefix(end);
  if (!label || label->empty() || !is_utf8(*label) || label->find_first_of("\r\n") != label->npos) return {};
  const std::optional<double> value = parse_value(values.substr(0, values.find(';')));
  if (!value) return std::nullopt;
  return rules::Reading{series_of(*label), *value};
}

void read_performance_data(std::string_view text, std::vector<rules::Reading>& readings) {
  for (text = trimmed(text); !text.empty() && readings.size() < nagios_values_max; text = trimmed(text)) {
    std::optional<rules::Reading> reading = take_item(text);
    if (!reading) continue;
    const auto same = [&reading](const rules::Reading& r) { return *r.series == *reading->series; };
    // The same label twice: which of them is meant is not known.
    const auto first = std::find_if(readings.begin(), readings.end(), same);
    if (first == readings.end()) {
      readings.push_back(std::move(*reading));
    } else {
      first->value = std::nan("");
    }
  }
}

}  // namespace

NagiosOutput parse_nagios(std::string_view out) {
  NagiosOutput output;
  const std::size_t line_end = std::min(out.find('\n'), out.size());
  const std::string_view first = out.substr(0, line_end);
  const std::string_view more = out.substr(line_end);
  const std::size_t bar = first.find('|');
  output.text = trimmed(first.substr(0, bar));
  if (bar != first.npos) read_performance_data(first.substr(bar + 1), output.readings);
  // After a bar in the further lines, all the rest is performance data.
  const std::size_t more_bar = more.find('|');
  if (more_bar != more.npos) read_performance_data(more.substr(more_bar + 1), output.readings);
  return output;
}

}  // namespace probes
