#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "allocations.hpp"
#include "probes/parse/prometheus_text.hpp"

namespace {

constexpr std::size_t series_on_page = 1'000;
constexpr std::size_t read_buffer_size = 64 * 1024;  // bytes; what the poller reads at once

void append_number(std::string& page, std::size_t number) {
  page += ' ';
  page += std::to_string(number * 7919 % 1'000'003);
  page += '\n';
}

// One route's request durations: what client libraries write for a histogram.
std::size_t append_histogram(std::string& page, const std::string& family, const std::string& labels) {
  constexpr std::array<std::string_view, 12> bounds{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
                                                    "0.5",   "1",    "2.5",   "5",    "10",  "+Inf"};
  std::size_t lines = 0;
  for (const std::string_view bound : bounds) {
    page += family + "_bucket{" + labels + ",le=\"";
    page += bound;
    page += "\"}";
    append_number(page, ++lines);
  }
  page += family + "_sum{" + labels + "}";
  append_number(page, ++lines);
  page += family + "_count{" + labels + "}";
  append_number(page, ++lines);
  return lines;
}

std::string upstream_family(std::size_t number) {
  return "http_client_upstream_" + std::to_string(number) + "_request_duration_seconds";
}

// A thousand series in forty families: a counter by code, the durations of one route, gauges, and many
// histograms.
std::string make_page() {
  std::string page = "# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n";
  std::size_t series = 0;
  for (const char* const code : {"200", "201", "204", "301", "400", "404", "429", "500", "502", "503"}) {
    page += std::string("http_requests_total{method=\"GET\",route=\"/api/orders\",code=\"") + code + "\"}";
    append_number(page, ++series);
  }
  series += append_histogram(page, "http_request_duration_seconds", "method=\"GET\",route=\"/api/orders\"");
  for (const char* const gauge : {"process_resident_memory_bytes", "db_pool_in_use", "db_pool_size"}) {
    page += std::string("# TYPE ") + gauge + " gauge\n" + gauge;
    append_number(page, ++series);
  }
  for (std::size_t family = 0; series < series_on_page; ++family) {
    const std::string name = upstream_family(family);
    page += "# HELP " + name + " Time that requests to this upstream took.\n# TYPE " + name + " histogram\n";
    for (const char* const method : {"GET", "POST"}) {
      series += append_histogram(page, name, std::string("method=\"") + method + "\",host=\"upstream.internal\"");
    }
  }
  return page;
}

std::vector<rules::Selector> selectors(const std::vector<std::string>& names) {
  std::vector<rules::Selector> keep;
  for (const std::string& name : names) {
    rules::Selector selector;
    selector.name = name;
    keep.push_back(selector);
  }
  return keep;
}

void append_family(std::vector<std::string>& names, const std::string& histogram) {
  for (const char* const part : {"_bucket", "_sum", "_count"}) names.push_back(histogram + part);
}

void scrape(benchmark::State& state, const std::string& page, const std::vector<std::string>& names,
            std::size_t expected_readings) {
  probes::PrometheusText parser(selectors(names));
  std::size_t readings = 0;
  std::size_t pages = 0;
  std::size_t allocations_warm = 0;
  for ([[maybe_unused]] const auto _ : state) {
    parser.begin();
    for (std::size_t at = 0; at < page.size(); at += read_buffer_size) {
      parser.push(std::string_view(page).substr(at, read_buffer_size));
    }
    if (parser.finish()) state.SkipWithError("the page is malformed");
    readings = parser.take().size();
    if (++pages == 2) allocations_warm = allocations();
  }
  const std::size_t allocated = pages > 2 ? allocations() - allocations_warm : 0;
  const double allocations_per_page = pages > 2 ? static_cast<double>(allocated) / static_cast<double>(pages - 2) : 0;
  // A page like the one before costs the list of its readings and nothing else.
  if (allocations_per_page > 1.5) state.SkipWithError("lines of a known page allocate");
  state.counters["allocations_per_page"] = allocations_per_page;
  if (readings != expected_readings) state.SkipWithError("not the readings that were wanted");
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(page.size()));
  state.counters["readings"] = static_cast<double>(readings);
  state.counters["page_bytes"] = static_cast<double>(page.size());
}

// Five families: requests by code, durations, and three gauges.
void prometheus_1000_series_5_families(benchmark::State& state) {
  std::vector<std::string> names{"http_requests_total", "process_resident_memory_bytes", "db_pool_in_use",
                                 "db_pool_size"};
  append_family(names, "http_request_duration_seconds");
  scrape(state, make_page(), names, 27);
}
BENCHMARK(prometheus_1000_series_5_families);

// Five whole histograms, 140 of the series, found by names that begin like those which are skipped.
void prometheus_1000_series_5_histograms(benchmark::State& state) {
  std::vector<std::string> names;
  for (const std::size_t family : {0U, 7U, 14U, 21U, 28U}) append_family(names, upstream_family(family));
  scrape(state, make_page(), names, 140);
}
BENCHMARK(prometheus_1000_series_5_histograms);

// A thousand names without labels, so that each line's name has to be looked up: the worst case for skipping.
void prometheus_1000_names(benchmark::State& state) {
  std::string page;
  for (std::size_t i = 0; i < series_on_page; ++i)
    append_number(page += "queue_depth_of_worker_" + std::to_string(i), i);
  std::vector<std::string> names;
  for (const std::size_t i : {100U, 300U, 500U, 700U, 900U})
    names.push_back("queue_depth_of_worker_" + std::to_string(i));
  scrape(state, page, names, names.size());
}
BENCHMARK(prometheus_1000_names);

}  // namespace
