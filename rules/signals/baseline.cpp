#include "rules/signals/baseline.hpp"

#include <algorithm>
#include <numeric>

namespace rules {

namespace {

constexpr Duration covered_min = std::chrono::minutes(10);  // less is no baseline (SPEC 2.9)
constexpr std::size_t bins_max = 4096;  // distinct values of one signal: an hour of verifying at one a second

using Bins = std::vector<BaselineCollector::Bin>;

void add(Bins& bins, double value, std::int64_t held) {
  const auto at = std::lower_bound(bins.begin(), bins.end(), value,
                                   [](const BaselineCollector::Bin& bin, double v) { return bin.value < v; });
  if (at != bins.end() && at->value == value) {
    at->held_ns += held;
  } else {
    bins.insert(at, {value, held});
  }
}

// Each two neighbours become the one that was held longer: the median moves by at most one neighbour.
void halve(Bins& bins) {
  Bins out;
  for (std::size_t i = 0; i + 1 < bins.size(); i += 2) {
    const bool first = bins[i].held_ns >= bins[i + 1].held_ns;
    out.push_back({bins[first ? i : i + 1].value, bins[i].held_ns + bins[i + 1].held_ns});
  }
  if (bins.size() % 2 == 1) out.push_back(bins.back());
  bins = std::move(out);
}

}  // namespace

void BaselineCollector::observe(const std::string& key, Instant at, double value, Duration max_gap) {
  const auto last = last_.find(key);
  if (last != last_.end() && at > last->second.at) {
    Bins& bins = bins_[key];
    add(bins, last->second.value, std::min(at - last->second.at, last->second.max_gap).count());
    if (bins.size() > bins_max) halve(bins);
  }
  last_[key] = {at, value, max_gap};
}

void BaselineCollector::interrupt(const std::string& key) { last_.erase(key); }

void BaselineCollector::clear() {
  bins_.clear();
  last_.clear();
}

FrozenValues BaselineCollector::freeze() const {
  FrozenValues out;
  for (const auto& [key, bins] : bins_) {
    const std::int64_t total = std::accumulate(bins.begin(), bins.end(), std::int64_t{0},
                                               [](std::int64_t sum, const Bin& bin) { return sum + bin.held_ns; });
    if (Duration(total) < covered_min) continue;
    std::int64_t so_far = 0;
    const auto median = std::find_if(bins.begin(), bins.end(), [&](const Bin& bin) {
      so_far += bin.held_ns;
      return so_far * 2 >= total;
    });
    out[key] = median->value;
  }
  return out;
}

}  // namespace rules
