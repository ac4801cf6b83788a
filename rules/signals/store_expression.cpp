#include <algorithm>
#include <cmath>

#include "rules/signals/expression_value.hpp"
#include "rules/signals/store.hpp"

namespace rules {

namespace {

// The labels that PromQL matches by: without empty ones, and with the instance where there are several.
std::vector<Label> labels_of(const Series& series, std::size_t instance, std::size_t instances) {
  std::vector<Label> out;
  bool named = false;
  for (const Label& label : series.key().labels) {
    if (!label.value.empty()) out.push_back(label);
    named = named || label.name == "instance";
  }
  if (instances > 1 && !named) {
    out.push_back({"instance", std::to_string(instance)});
    std::sort(out.begin(), out.end());
  }
  return out;
}

std::vector<PromqlPoint> points_of(const Instance& instance, const Series& series, PageNumber begin) {
  std::vector<PromqlPoint> out;
  for (PageNumber page = begin; page <= instance.newest_page(); ++page) {
    if (const auto value = series.at(page)) out.push_back({instance.ended(page), *value});
  }
  return out;
}

// The first page that the range has.
PageNumber range_begin(const Reach& reach, Duration range) {
  const Instance& instance = *reach.instance;
  const auto before = instance.page_at(instance.ended(instance.newest_page()) - range - Duration(1));
  return std::max(reach.floor.page, before ? *before + 1 : instance.first_page());
}

// Over the whole range, or over so many of its newest polls.
using Polls = std::optional<PageNumber>;

std::optional<double> over_range(const Reach& reach, const Series& series, const PromqlRangeCall& call, Polls polls) {
  const Instance& instance = *reach.instance;
  const PageNumber newest = instance.newest_page();
  const Instant end = instance.ended(newest);
  const PageNumber first = range_begin(reach, call.range);
  if (!polls) return extrapolated(call.function, points_of(instance, series, first), end - call.range, end);
  const PageNumber part = std::max(reach.floor.page, newest < *polls ? PageNumber{0} : newest - *polls);
  return extrapolated(call.function, points_of(instance, series, part), instance.ended(part), end);
}

PromqlVector read_use(const std::vector<Reach>& reaches, std::size_t use, const PromqlRangeCall* call, Polls polls) {
  PromqlVector out;
  for (std::size_t i = 0; i < reaches.size(); ++i) {
    const Instance& instance = *reaches[i].instance;
    for (const std::size_t index : instance.series_of(use)) {
      const Series& series = instance.series()[index];
      // A range also has what vanished inside it; an instant has only what is there.
      if (call == nullptr && !series.present(instance.newest_page())) continue;
      const std::optional<double> value =
          call == nullptr ? series.newest() : over_range(reaches[i], series, *call, polls);
      if (value) out[labels_of(series, i, reaches.size())] = *value;
    }
  }
  return out;
}

}  // namespace

Measured Store::expression(const Probe& probe, const Signal& signal, const Scope& scope, Part part) const {
  const SignalExpression& parsed = *std::get<ExpressionOf>(signal.spec.of).parsed;
  const std::vector<Reach> reach = reaches(probe, signal, scope);
  for (const SignalExpression::Read& read : parsed.reads()) {
    const Duration length = part == Part::window ? read.range : Duration::zero();
    if (read.range == Duration::zero()) continue;
    if (auto reason = too_short(probe, reach, length, parsed.range_max())) return *reason;
  }
  if (part == Part::window) return value_over(signal, reach, std::nullopt);
  const PageNumber least = part == Part::newest ? newest_polls : 1;
  PageNumber most = least;
  for (const Reach& one : reach) {
    most = std::max(most, one.instance->newest_page() - range_begin(one, parsed.range_max()));
  }
  // A share of nothing is not a number: what came before is taken in until it is one.
  Measured out;
  for (PageNumber polls = least; polls <= most; ++polls) {
    out = value_over(signal, reach, polls);
    if (out.value && std::isfinite(*out.value)) break;
  }
  return out;
}

// Of the whole ranges, or of so many of their newest polls.
Measured Store::value_over(const Signal& signal, const std::vector<Reach>& reach,
                           std::optional<PageNumber> polls) const {
  const SignalExpression& parsed = *std::get<ExpressionOf>(signal.spec.of).parsed;
  const PromqlValue result = evaluate(parsed.root(), [&](std::size_t selector, const PromqlRangeCall* call) {
    return read_use(reach, signal.first_use + selector, call, polls);
  });
  Measured out;
  out.window = polls ? Duration::zero() : parsed.range_max();
  const auto* vector = std::get_if<PromqlVector>(&result);
  if (vector != nullptr && vector->size() != 1) {
    out.cause = vector->empty() ? Cause::no_data : Cause::config_error;
    out.detail = vector->empty() ? "no series" : std::to_string(vector->size()) + " series; aggregate them, with sum()";
    return out;
  }
  out.value = vector != nullptr ? vector->begin()->second : std::get<double>(result);
  out.count = 1;
  return out;
}

}  // namespace rules
