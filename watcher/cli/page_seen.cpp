#include "watcher/cli/page_seen.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "rules/signals/store.hpp"
#include "watcher/cli/table.hpp"
#include "watcher/config/known_libraries.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

constexpr double same_quantile = 1e-9;  // written as 0.95 and 0.950

bool is_summary(const rules::Reading& reading, const rules::QuantileOf& of) {
  return of.family.matches(*reading.series) && rules::number_of(*reading.series, "quantile").has_value();
}

bool has_summary(const Page& page, const rules::QuantileOf& of) {
  return std::any_of(page.begin(), page.end(), [&](const rules::Reading* one) { return is_summary(*one, of); });
}

bool leaves_out(const Page& page, const rules::Selector& selector) {
  return std::any_of(page.begin(), page.end(), [&](const rules::Reading* one) {
    return selector.matches(*one->series) && rules::leaves_out_by(selector, *one->series);
  });
}

template <class Wanted>
double sum_of(const Page& page, const rules::Selector& selector, const Wanted& wanted) {
  double out = 0;
  for (const rules::Reading* one : page) {
    if (selector.matches(*one->series) && wanted(*one->series) && std::isfinite(one->value)) out += one->value;
  }
  return out;
}

bool any_series(const rules::SeriesKey&) { return true; }
bool last_bucket(const rules::SeriesKey& key) { return std::isinf(rules::number_of(key, "le").value_or(0)); }

// As the short form calls it, else as a signal of one's own does.
std::string quantile_name(double quantile) {
  for (const std::string_view name : {"p50", "p75", "p90", "p95", "p99", "p999"}) {
    if (std::abs(*quantile_named(name) - quantile) <= same_quantile) return std::string(name);
  }
  return "quantile = " + number_text(quantile);
}

// What follows from the summaries not having the quantile that is asked for; empty when they have it.
std::string about_quantiles(const std::set<double>& quantiles, double wanted) {
  const auto above = quantiles.lower_bound(wanted - same_quantile);
  const std::string no = "the summary has no quantile " + number_text(wanted);
  if (above == quantiles.end()) {
    return no + " or above: a rule on it is never good; ask for one that it has: " + quantile_name(*quantiles.rbegin());
  }
  if (std::abs(*above - wanted) <= same_quantile) return {};
  if (above == quantiles.begin()) {
    return no + "; its " + number_text(*above) +
           ", the nearest above, is the most that it can be: a rule on it is good " +
           "or unknown, never bad; ask for one that it has: " + quantile_name(*above);
  }
  const std::string below = number_text(*std::prev(above));
  return no + ": it lies between its " + below + " and its " + number_text(*above) +
         ", the nearest above; where a rule does not hold for both it is unknown; ask for one that it has: " +
         quantile_name(*std::prev(above)) + " or " + quantile_name(*above);
}

}  // namespace

bool has_series(const Page& page, const rules::Selector& selector) {
  return std::any_of(page.begin(), page.end(),
                     [&](const rules::Reading* reading) { return selector.matches(*reading->series); });
}

std::optional<double> highest_bound(const Page& page, const rules::QuantileOf& of) {
  const rules::Selector buckets = rules::bucket_selector(of);
  std::optional<double> highest;
  for (const rules::Reading* reading : page) {
    if (!buckets.matches(*reading->series)) continue;
    const std::optional<double> bound = rules::number_of(*reading->series, "le");
    if (bound && std::isfinite(*bound) && (!highest || *bound > *highest)) highest = bound;
  }
  return highest;
}

std::string several_families(const Page& page, const rules::Selector& selector) {
  std::set<std::string> names;
  for (const rules::Reading* one : page) {
    if (selector.matches(*one->series)) names.insert(one->series->name);
  }
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return names.size() > 1 ? out : "";
}

std::vector<rules::CandidateSeen> seen_of(const Page& page, const std::vector<rules::RatioOf>& candidates) {
  std::vector<rules::CandidateSeen> out;
  for (const rules::RatioOf& of : candidates) {
    const bool is_several = candidates.size() > 1 && !several_families(page, of.denominator).empty();
    const bool is_there = has_series(page, of.denominator) && !is_several;
    rules::CandidateSeen& one = out.emplace_back(rules::CandidateSeen{is_there, of.rank});
    one.leaves_out = leaves_out(page, of.denominator);
    one.requests = sum_of(page, of.denominator, any_series);
  }
  return out;
}

std::vector<rules::CandidateSeen> seen_of(const Page& page, const std::vector<rules::QuantileOf>& candidates) {
  std::vector<rules::CandidateSeen> out;
  for (const rules::QuantileOf& of : candidates) {
    const rules::Selector buckets = rules::bucket_selector(of);
    const bool histogram = has_series(page, buckets);
    const bool is_several = candidates.size() > 1 && !several_families(page, histogram ? buckets : of.family).empty();
    const bool is_there = !is_several && (histogram || has_summary(page, of));
    rules::CandidateSeen& one = out.emplace_back(rules::CandidateSeen{is_there, of.rank});
    one.leaves_out = leaves_out(page, histogram ? buckets : of.family);
    one.requests = histogram ? sum_of(page, buckets, last_bucket) : sum_of(page, rules::count_selector(of), any_series);
  }
  return out;
}

std::string why_not(const rules::CandidateSeen& taken, const rules::CandidateSeen& other) {
  if (other.rank > taken.rank) return "is taken only where there is nothing better";
  if (taken.leaves_out && !other.leaves_out) return "does not tell our own requests apart";
  return "counted " + number_text(other.requests) + " requests, this " + number_text(taken.requests);
}

std::string counted_elsewhere(const rules::Selector& counts) {
  const std::string then = " alone and is not seen here; let a rule look at an http probe, too";
  if (counts.name == "caddy_http_request_duration_seconds_count")
    return "Caddy counts an upstream that does not answer in caddy_http_request_errors_total" + then;
  if (counts.name == "http_server_requests_total")
    return "an exception that nothing turned into an answer may be counted in http_server_exceptions_total" + then;
  return "";
}

const rules::QuantileOf* only_counted(const Page& page, const std::vector<rules::QuantileOf>& candidates) {
  for (const rules::QuantileOf& of : candidates) {
    if (has_series(page, rules::count_selector(of))) return &of;
  }
  return nullptr;
}

std::string about_summaries(const Page& page, const rules::QuantileOf& of) {
  if (has_series(page, rules::bucket_selector(of))) return {};
  std::set<std::vector<rules::Label>> summaries;
  std::set<double> quantiles;
  for (const rules::Reading* reading : page) {
    if (!is_summary(*reading, of)) continue;
    std::vector<rules::Label> labels = reading->series->labels;
    std::erase_if(labels, [](const rules::Label& label) { return label.name == "quantile"; });
    summaries.insert(std::move(labels));
    if (const auto quantile = rules::number_of(*reading->series, "quantile")) quantiles.insert(*quantile);
  }
  std::string out = about_quantiles(quantiles, of.quantile);
  if (summaries.size() > 1) {
    out += std::string(out.empty() ? "" : "; ") + std::to_string(summaries.size()) +
           " summaries are combined by how many requests each has: a rule is unknown where their quantiles do not tell";
  }
  return out;
}

}  // namespace watcher
