#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

struct Label {
  std::string name;
  std::string value;
  friend auto operator<=>(const Label&, const Label&) = default;
};

// The identity of a series: its metric name and its labels, sorted by name.
struct SeriesKey {
  std::string name;
  std::vector<Label> labels;
  friend auto operator<=>(const SeriesKey&, const SeriesKey&) = default;
};

// Written as Prometheus does: http_requests_total{code="500",route="/"}; {"http.requests","http.code"="500"}.
std::string to_string(const SeriesKey& key);
// Appends the same with `more` labels at the end, which are written already: `job="web"`.
void append_with(std::string& out, const SeriesKey& key, std::string_view more);
// About how many bytes of memory a key takes, its own included.
std::size_t bytes_of(const SeriesKey& key);
// Appends the text in double quotes, as a label's value is written.
void append_quoted(std::string& out, std::string_view text);

// Whether a name is written without quotes: [a-zA-Z_][a-zA-Z0-9_]*, and colons in a metric's.
bool is_plain_label(std::string_view name);
bool is_plain_metric(std::string_view name);

// An immutable key, interned by whoever reads the series again and again, so that a poll copies no strings.
// Shared, because a key outlives the probe that made it: windows and reports still name it after a reload.
using SharedSeriesKey = std::shared_ptr<const SeriesKey>;

// One number of one poll. Fields of probes other than prometheus pages are series too: host.disk_used{path="/"}
// is the probe host's reading disk_used with the label path.
struct Reading {
  SharedSeriesKey series;
  double value = 0;
};

}  // namespace rules
