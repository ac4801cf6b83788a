#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "rules/signals/expression_value.hpp"
#include "rules/signals/store.hpp"

namespace rules {

namespace {

constexpr double observations_above_min = 5;  // n * (1 - q): fewer make a quantile a matter of single requests

Duration longest(const std::vector<Window>& windows) {
  Duration out{};
  for (const Window& window : windows) out = std::max(out, window.length);
  return out;
}

bool is_present(const Instance& instance, std::size_t use) {
  const auto& indices = instance.series_of(use);
  return std::any_of(indices.begin(), indices.end(),
                     [&](std::size_t index) { return instance.series()[index].present(instance.newest_page()); });
}

// What the buckets say, where they hold at least so many observations. `detail` names them.
Estimate quantile_of(Histogram counted, double needed, Duration window, std::string detail) {
  Estimate out;
  out.measured.count = counted.total();
  out.measured.window = window;
  out.measured.detail = std::move(detail);
  if (!counted.has_infinite_bucket() || !std::isfinite(out.measured.count)) {
    out.measured.cause = Cause::nan;
    out.measured.detail += " has no +Inf bucket";
  } else if (out.measured.count <= 0) {
    out.measured.cause = Cause::no_traffic;
  } else if (out.measured.count < needed) {
    out.measured.cause = Cause::too_few_samples;
  } else {
    out.measured.value = interpolate(counted);
    out.measured.approximate = out.measured.value.has_value();
    if (!out.measured.value) {
      out.measured.cause = Cause::undecidable_bucket;
      out.measured.detail += " lies above its last bound, " + std::to_string(counted.highest_finite_bound());
    }
    out.histogram = std::move(counted);
  }
  return out;
}

}  // namespace

std::optional<double> number_of(const SeriesKey& key, std::string_view label) {
  for (const Label& candidate : key.labels) {
    if (candidate.name != label) continue;
    if (candidate.value == "+Inf" || candidate.value == "Inf") return std::numeric_limits<double>::infinity();
    double value = 0;
    const char* end = candidate.value.data() + candidate.value.size();
    const auto read = std::from_chars(candidate.value.data(), end, value);
    if (read.ec == std::errc{} && read.ptr == end) return value;
  }
  return std::nullopt;
}

Measured Estimate::number() const {
  Measured out = measured;
  if (!out.value || (!between && !(histogram && histogram->strict))) return out;
  out.value.reset();
  out.cause = Cause::undecidable_bucket;
  if (!between) out.detail = "strict: an interpolated quantile is not computed with";
  return out;
}

std::vector<Reach> Store::reaches(const Probe& probe, const Signal& signal, const Scope& scope) const {
  std::vector<Reach> out;
  for (const Instance& instance : probe.instances) {
    Floor floor = instance.floor(signal.index);
    if (scope.not_before > Instant::min()) {
      const auto before = instance.page_at(scope.not_before - Duration(1));
      if (before && *before + 1 > floor.page) floor = {*before + 1, scope.not_before_cause};
    }
    out.push_back({&instance, floor});
  }
  return out;
}

std::optional<Measured> Store::too_short(const Probe& probe, const std::vector<Reach>& reaches, Duration length,
                                         Duration length_max) const {
  for (const Reach& reach : reaches) {
    if (reach.floor.page > reach.instance->newest_page()) return unknown(reach.floor.cause, "no sample yet");
    const Window window = window_of(reach, length, length_max, probe.shape.max_gap);
    if (seconds(window.length) >= window_share_min * seconds(length)) continue;
    const Cause cause = window.begin == reach.floor.page ? reach.floor.cause : Cause::warming_up;
    return unknown(cause, to_string(window.length) + " of the window of " + to_string(length) + " so far");
  }
  return std::nullopt;
}

Store::Windows Store::windows(const Probe& probe, const Signal& signal, const std::vector<Reach>& reaches,
                              Duration length) const {
  Windows out;
  for (const Reach& reach : reaches) {
    out.push_back(window_of(reach, length, std::max(signal.spec.window, signal.spec.window_max), probe.shape.max_gap));
  }
  return out;
}

// The shortest windows between these lengths that have as much as is needed, or the longest.
Store::Windows Store::shortest_enough(const Probe& probe, const Signal& signal, const std::vector<Reach>& reaches,
                                      Lengths lengths, double needed,
                                      const std::function<double(const Windows&)>& count) const {
  std::vector<Duration> tried{lengths.longest};
  for (const Reach& reach : reaches) {
    const Instant newest = reach.instance->ended(reach.instance->newest_page());
    for (PageNumber page = reach.floor.page; page < reach.instance->newest_page(); ++page) {
      const Duration length = newest - reach.instance->ended(page);
      if (length > lengths.shortest && length < lengths.longest) tried.push_back(length);
    }
  }
  std::sort(tried.begin(), tried.end());
  const auto enough = std::partition_point(tried.begin(), tried.end() - 1, [&](Duration length) {
    return count(windows(probe, signal, reaches, length)) < needed;
  });
  return windows(probe, signal, reaches, *enough);
}

// The part's windows: those from `window` to `window_max` are the shortest that have as much as is needed.
Store::Windows Store::grown(const Probe& probe, const Signal& signal, const std::vector<Reach>& reaches, Part part,
                            double needed, const std::function<double(const Windows&)>& count) const {
  const Duration window = signal.spec.window;
  if (part == Part::newest) {
    Windows out;
    for (const Reach& reach : reaches) out.push_back(newest_part_of(reach));
    if (count(out) >= needed || longest(out) >= window) return out;
    return shortest_enough(probe, signal, reaches, {longest(out), window}, needed, count);
  }
  if (part == Part::recent) {
    Windows out = shortest_enough(probe, signal, reaches, {Duration::zero(), window}, needed, count);
    if (count(out) >= needed) return out;
  }
  Windows out = windows(probe, signal, reaches, window);
  if (count(out) >= needed || signal.spec.window_max <= window) return out;
  return shortest_enough(probe, signal, reaches, {window, signal.spec.window_max}, needed, count);
}

Estimate Store::ratio(const Probe& probe, const Signal& signal, const Scope& scope, Part part) const {
  const SignalSpec& spec = signal.spec;
  const auto& candidates = std::get<std::vector<RatioOf>>(spec.of);
  const std::optional<std::size_t> taken = signal.taken;
  if (!taken) {
    return {unknown(Cause::no_data, candidates.empty() ? "" : "no series " + to_string(candidates[0].denominator)),
            false, std::nullopt};
  }
  const std::vector<Reach> reach = reaches(probe, signal, scope);
  const Duration window_max = std::max(spec.window, spec.window_max);
  if (auto reason = too_short(probe, reach, part == Part::window ? spec.window : Duration::zero(), window_max)) {
    return {*reason};
  }
  const std::size_t use = signal.first_use + uses_of_ratio * *taken;
  const auto total = [&reach](const Windows& windows, std::size_t of) {
    double sum = 0;
    for (std::size_t i = 0; i < reach.size(); ++i) sum += increase(reach[i], windows[i], of).value;
    return sum;
  };
  const double needed = static_cast<double>(spec.min_count);
  const Windows windows =
      grown(probe, signal, reach, part, needed, [&](const Windows& tried) { return total(tried, use + 1); });
  Estimate out;
  Measured& measured = out.measured;
  measured.count = total(windows, use + 1);
  measured.errors = total(windows, use);
  measured.window = longest(windows);
  measured.detail = to_string(candidates[*taken].denominator);
  if (!std::isfinite(measured.count) || !std::isfinite(measured.errors)) {
    measured.cause = Cause::nan;
  } else if (measured.count <= 0) {
    measured.cause = Cause::no_traffic;
  } else if (measured.count < needed) {
    measured.cause = Cause::too_few_samples;
    out.few = true;
  } else {
    measured.value = measured.errors / measured.count;
  }
  return out;
}

Histogram Store::histogram(const Probe& probe, std::size_t use, double unit, const std::vector<Reach>& reaches,
                           const Windows& windows) const {
  Histogram out;
  for (std::size_t i = 0; i < probe.instances.size(); ++i) {
    for (const std::size_t index : probe.instances[i].series_of(use)) {
      const Series& series = probe.instances[i].series()[index];
      const std::optional<double> bound = number_of(series.key(), "le");
      const std::optional<double> gained = increase(reaches[i], windows[i], series);
      if (bound && gained) out.cumulative[*bound / unit] += *gained;
    }
  }
  make_monotonic(out);
  return out;
}

Estimate Store::quantile(const Probe& probe, const Signal& signal, const Scope& scope, Part part) const {
  const SignalSpec& spec = signal.spec;
  const auto& candidates = std::get<std::vector<QuantileOf>>(spec.of);
  const std::optional<std::size_t> taken = signal.taken;
  if (!taken) {
    const std::string detail = candidates.empty() ? "" : "no series " + to_string(bucket_selector(candidates[0]));
    return {unknown(Cause::no_data, detail)};
  }
  const std::size_t use = signal.first_use + uses_of_quantile * *taken;
  const double q = candidates[*taken].quantile;
  const bool buckets = std::any_of(probe.instances.begin(), probe.instances.end(),
                                   [&](const Instance& instance) { return is_present(instance, use + 1); });
  const std::vector<Reach> reach = reaches(probe, signal, scope);
  if (!buckets) return summary(probe, signal, reach, *taken, part);

  const Duration window_max = std::max(spec.window, spec.window_max);
  if (auto reason = too_short(probe, reach, part == Part::window ? spec.window : Duration::zero(), window_max)) {
    return {*reason};
  }
  const double unit = divisor(unit_of(spec, candidates[*taken]));
  const auto read = [&](const Windows& windows) {
    Histogram out = histogram(probe, use + 1, unit, reach, windows);
    out.quantile = q;
    out.strict = spec.strict;
    return out;
  };
  // Rounded, because 5 / (1 - 0.95) is a little more than 100 in binary.
  const double for_quantile = q < 1 ? std::round(observations_above_min / (1 - q) * 1e6) / 1e6 : HUGE_VAL;
  const double needed = std::max(static_cast<double>(spec.min_count), for_quantile);
  const Windows windows =
      grown(probe, signal, reach, part, needed, [&](const Windows& tried) { return read(tried).total(); });
  return quantile_of(read(windows), needed, longest(windows), to_string(bucket_selector(candidates[*taken])));
}

Estimate Store::estimate(const SignalName& name, const Scope& scope, Instant at, Part part) const {
  const auto found = signals_.find(name);
  const Probe* probe = found == signals_.end() ? nullptr : find(found->second.spec.probe);
  if (probe == nullptr) {
    return {unknown(Cause::config_error, "there is no signal \"" + name.text + "\"")};
  }
  const Signal& signal = found->second;
  Estimate out;
  if (auto reason = obstacle(*probe, scope, at)) {
    out.measured = *reason;
  } else if (auto several = mixed(*probe, signal)) {
    out.measured = *several;
  } else if (std::holds_alternative<std::vector<RatioOf>>(signal.spec.of)) {
    out = ratio(*probe, signal, scope, part);
  } else {
    const bool expression_of = std::holds_alternative<ExpressionOf>(signal.spec.of);
    out = expression_of ? Estimate{expression(*probe, signal, scope, part)} : quantile(*probe, signal, scope, part);
    if (expression_of && out.measured.value) *out.measured.value /= divisor(signal.spec.unit);
  }
  if (out.measured.value && !std::isfinite(*out.measured.value)) {
    out.measured.value.reset();
    out.measured.cause = Cause::nan;
  }
  stamp(*probe, at, out.measured);
  return out;
}

// What no sum over the page's series can be trusted with.
std::optional<Measured> Store::mixed(const Probe& probe, const Signal& signal) const {
  const Duration memory = std::max(signal.spec.window, signal.spec.window_max);
  for (const Instance& instance : probe.instances) {
    const auto& several = instance.several_seen();
    if (several && *several + memory > instance.ended(instance.newest_page())) {
      return unknown(Cause::several_instances,
                     "process_start_time_seconds goes back and forth: one address answers for several processes; "
                     "give urls = [...]");
    }
    if (instance.overflowed()) {
      return unknown(Cause::config_error, "more than " + std::to_string(series_per_instance_max) +
                                              " series; narrow the selectors of this probe's signals");
    }
  }
  return std::nullopt;
}

}  // namespace rules
