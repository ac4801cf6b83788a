#include <algorithm>
#include <cmath>
#include <numeric>

#include "rules/signals/store.hpp"
#include "rules/signals/summary.hpp"

namespace rules {

namespace {

template <class Counts>
double sum_of(const std::vector<Instance>& instances, std::size_t use, const Counts& counts) {
  double out = 0;
  for (const Instance& instance : instances) {
    if (!instance.has_page()) continue;
    for (const std::size_t index : instance.series_of(use)) {
      const Series& series = instance.series()[index];
      const double value = series.newest();
      if (series.present(instance.newest_page()) && std::isfinite(value) && counts(series.key())) out += value;
    }
  }
  return out;
}

template <class Wanted>
bool any_of(const std::vector<Instance>& instances, std::size_t use, const Wanted& wanted) {
  return std::any_of(instances.begin(), instances.end(), [&](const Instance& instance) {
    if (!instance.has_page()) return false;
    const auto& indices = instance.series_of(use);
    return std::any_of(indices.begin(), indices.end(), [&](std::size_t index) {
      const Series& series = instance.series()[index];
      return series.present(instance.newest_page()) && wanted(series.key());
    });
  });
}

constexpr std::string_view several = "*";

// The family whose series these are; `several` where they are of more than one.
std::string_view family_of(const std::vector<Instance>& instances, std::size_t use) {
  std::string_view name;
  const bool are_several = any_of(instances, use, [&name](const SeriesKey& key) {
    if (name.empty()) name = key.name;
    return name != key.name;
  });
  if (are_several) return several;
  constexpr std::string_view buckets = "_bucket";
  if (name.ends_with(buckets)) name.remove_suffix(buckets.size());
  return name;
}

// Of several candidates one may be a pattern of names, and the page have several families of it, of which one may count
// what is asked of others: added up they tell of nothing. Nor does one alone tell when the others, or the one that was
// taken before, are gone: it may be what is asked of others. Who writes a signal of his own may add up what he likes.
bool is_the_family(std::string& known, std::string_view now) {
  if (now == several) known = several;
  return known != several && (known.empty() || known == now);
}

bool is_any(const SeriesKey&) { return true; }
bool is_quantile(const SeriesKey& key) { return number_of(key, "quantile").has_value(); }
bool is_last_bucket(const SeriesKey& key) { return std::isinf(number_of(key, "le").value_or(0)); }

// What of the page is a candidate's.
struct CandidateUses {
  CandidateSeen seen;                         // as far as it is told at a glance
  const Selector* selector;                   // of the series in `selected`
  std::size_t selected = 0;                   // a use
  std::size_t counters = 0;                   // the use whose series count requests
  bool (*counts)(const SeriesKey&) = is_any;  // which of those do
};

CandidateUses uses_of(const std::vector<Instance>& instances, std::size_t first, const RatioOf& of) {
  const std::size_t all = first + 1;
  return {{any_of(instances, all, is_any), of.rank}, &of.denominator, all, all, is_any};
}

CandidateUses uses_of(const std::vector<Instance>& instances, std::size_t first, const QuantileOf& of) {
  const std::size_t buckets = first + 1;
  if (any_of(instances, buckets, is_any)) return {{true, of.rank}, &of.family, buckets, buckets, is_last_bucket};
  return {{any_of(instances, first, is_quantile), of.rank}, &of.family, first, first + 2, is_any};
}

std::vector<CandidateSeen> seen_of(const std::vector<Instance>& instances, const std::vector<CandidateUses>& uses,
                                   std::vector<std::string>& families) {
  std::vector<CandidateSeen> out;
  families.resize(uses.size());
  for (std::size_t i = 0; i < uses.size(); ++i) {
    CandidateSeen& seen = out.emplace_back(uses[i].seen);
    if (seen.present && uses.size() > 1)
      seen.present = is_the_family(families[i], family_of(instances, uses[i].selected));
  }
  // Which of several it is takes a look at each of their series; mostly there is one.
  const auto present = std::count_if(out.begin(), out.end(), [](const CandidateSeen& one) { return one.present; });
  for (std::size_t i = 0; present > 1 && i < uses.size(); ++i) {
    const CandidateUses& one = uses[i];
    if (!out[i].present) continue;
    out[i].leaves_out =
        any_of(instances, one.selected, [&one](const SeriesKey& key) { return leaves_out_by(*one.selector, key); });
    out[i].requests = sum_of(instances, one.counters, one.counts);
  }
  return out;
}

std::vector<Label> without_quantile(std::vector<Label> labels) {
  std::erase_if(labels, [](const Label& label) { return label.name == "quantile"; });
  return labels;
}

// What is known of the summaries of a family: by instance and labels.
struct Summaries {
  std::map<std::pair<std::size_t, std::vector<Label>>, Summary> all;
  std::size_t counted = 0;  // that say how many observations they had
  bool nan = false;

  double total() const {
    return std::accumulate(all.begin(), all.end(), 0.0,
                           [](double sum, const auto& one) { return sum + one.second.weight; });
  }
  std::vector<Summary> list() const {
    std::vector<Summary> out;
    for (const auto& [key, summary] : all) out.push_back(summary);
    return out;
  }
};

Summaries read_summaries(const std::vector<Instance>& instances, std::size_t use) {
  Summaries out;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (!instances[i].has_page()) continue;
    for (const std::size_t index : instances[i].series_of(use)) {
      const Series& series = instances[i].series()[index];
      const std::optional<double> quantile = number_of(series.key(), "quantile");
      if (!quantile || !series.present(instances[i].newest_page())) continue;
      out.all[{i, without_quantile(series.key().labels)}].values[*quantile] = series.newest();
    }
  }
  return out;
}

// A summary that had observations but whose library has no number for them, or that had none: Go says NaN of both.
void leave_out_nan(Summaries& summaries) {
  for (auto& [key, summary] : summaries.all) {
    const auto removed = std::erase_if(summary.values, [](const auto& one) { return !std::isfinite(one.second); });
    if (removed > 0 && summary.weight > 0) summaries.nan = true;
  }
}

std::string text_of(double number) {
  std::string out = std::to_string(number);
  return out.substr(0, out.find_last_not_of('0') + 1);
}

// Why a quantile is not known, and between what it lies.
std::string said_of(const Between& between, double quantile, std::size_t summaries) {
  std::string out = summaries > 1
                        ? std::to_string(summaries) + " summaries together do not tell quantile " + text_of(quantile)
                        : "it has no quantile " + text_of(quantile);
  if (std::isfinite(between.at_least)) out += "; it is at least " + text_of(between.at_least);
  if (std::isfinite(between.at_most)) out += "; it is at most " + text_of(between.at_most);
  return out;
}

Estimate estimate_of(const Between& found, const SignalSpec& signal, const QuantileOf& of, const Summaries& summaries) {
  const double unit = divisor(unit_of(signal, of));
  const Between between{found.at_least / unit, found.at_most / unit};
  Estimate out;
  out.measured.count = summaries.total();
  out.measured.approximate = !between.exact();
  out.measured.detail = to_string(of.family);
  if (std::isfinite(between.at_most)) out.measured.value = between.at_most;
  if (!out.measured.value) out.measured.cause = Cause::no_data;
  if (between.exact()) return out;
  out.measured.detail += ": " + said_of(between, of.quantile, summaries.all.size());
  out.between = between;
  return out;
}

}  // namespace

void Store::choose_candidates(Probe& probe) {
  for (Signal* const signal : probe.signals) {
    std::vector<CandidateUses> uses;
    if (const auto* ratios = std::get_if<std::vector<RatioOf>>(&signal->spec.of)) {
      for (const RatioOf& of : *ratios) {
        uses.push_back(uses_of(probe.instances, signal->first_use + uses_of_ratio * uses.size(), of));
      }
    } else if (const auto* quantiles = std::get_if<std::vector<QuantileOf>>(&signal->spec.of)) {
      for (const QuantileOf& of : *quantiles) {
        uses.push_back(uses_of(probe.instances, signal->first_use + uses_of_quantile * uses.size(), of));
      }
    }
    std::vector<CandidateSeen> seen = seen_of(probe.instances, uses, signal->families);
    // Where the application's own family is gone, what it asks of others does not take its place.
    for (CandidateSeen& one : seen) one.present = one.present && one.rank <= signal->rank_most;
    signal->taken = choose(seen, signal->taken);
    if (!signal->taken || uses.size() < 2) continue;
    signal->rank_most = seen[*signal->taken].rank;
    std::string& family = signal->families[*signal->taken];
    if (family.empty()) family = family_of(probe.instances, uses[*signal->taken].selected);
  }
}

std::map<SignalName, std::string> Store::taken() const {
  std::map<SignalName, std::string> out;
  for (const auto& [name, signal] : signals_) {
    if (!signal.taken) continue;
    const auto* ratios = std::get_if<std::vector<RatioOf>>(&signal.spec.of);
    out[name] = ratios != nullptr ? to_string((*ratios)[*signal.taken].denominator)
                                  : to_string(std::get<std::vector<QuantileOf>>(signal.spec.of)[*signal.taken].family);
  }
  return out;
}

// Summaries are taken as they are; several together by how many observations each had in the window.
Estimate Store::summary(const Probe& probe, const Signal& signal, const std::vector<Reach>& reaches, std::size_t taken,
                        Part part) const {
  const QuantileOf& of = std::get<std::vector<QuantileOf>>(signal.spec.of)[taken];
  const std::size_t use = signal.first_use + uses_of_quantile * taken;
  Summaries summaries = read_summaries(probe.instances, use);
  const auto weigh = [&](const Windows& windows) {
    summaries.counted = 0;
    for (auto& [key, summary] : summaries.all) summary.weight = 0;
    for (std::size_t i = 0; i < reaches.size(); ++i) {
      for (const std::size_t index : reaches[i].instance->series_of(use + 2)) {
        const Series& series = reaches[i].instance->series()[index];
        const auto found = summaries.all.find({i, series.key().labels});
        if (found == summaries.all.end() || !series.present(reaches[i].instance->newest_page())) continue;
        found->second.weight = std::max(increase(reaches[i], windows[i], series).value_or(0), 0.0);
        ++summaries.counted;
      }
    }
    return summaries.total();
  };
  const auto none = [](Cause cause, std::string detail) { return Estimate{unknown(cause, std::move(detail))}; };
  for (const Reach& reach : reaches) {
    if (reach.floor.page > reach.instance->newest_page()) return none(reach.floor.cause, "no sample yet");
  }
  const Windows windows = grown(probe, signal, reaches, part, 1, weigh);
  weigh(windows);
  const bool is_counted = summaries.counted == summaries.all.size();
  if (!is_counted && summaries.all.size() > 1) {
    return none(Cause::config_error, "several summaries match; without _count their quantiles cannot be combined");
  }
  if (!is_counted) summaries.all.begin()->second.weight = 1;
  leave_out_nan(summaries);
  if (summaries.nan) return none(Cause::nan, to_string(of.family) + " is not a number");
  if (summaries.total() <= 0) return none(Cause::no_traffic, to_string(of.family));
  Estimate out = estimate_of(quantile_of(summaries.list(), of.quantile), signal.spec, of, summaries);
  for (const Window& window : windows) out.measured.window = std::max(out.measured.window, window.length);
  return out;
}

}  // namespace rules
