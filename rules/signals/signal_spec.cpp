#include "rules/signals/signal_spec.hpp"

#include <algorithm>
#include <tuple>

#include "rules/signals/expression.hpp"

namespace rules {

double divisor(Unit unit) {
  switch (unit) {
    case Unit::milliseconds:
      return 1e3;
    case Unit::microseconds:
      return 1e6;
    case Unit::seconds:
    case Unit::none:
      return 1;
  }
  return 1;
}

namespace {

constexpr double clearly_more = 2;  // times as many requests make another candidate the better one

// The series of a family with this suffix; of a pattern of names, those of all families that it matches.
Selector with_suffix(const Selector& family, const std::string& suffix) {
  if (!family.name.empty()) return {family.name + suffix, family.matchers};
  Selector out;
  for (const Matcher& matcher : family.matchers) {
    const bool names = matcher.label() == "__name__" && matcher.kind() == MatchKind::regex;
    const Parsed<Matcher> longer =
        Matcher::make(matcher.label(), matcher.kind(), "(?:" + matcher.value() + ")" + suffix);
    const auto* const made = std::get_if<Matcher>(&longer);
    out.matchers.push_back(names && made != nullptr ? *made : matcher);
  }
  return out;
}

}  // namespace

Selector bucket_selector(const QuantileOf& of) { return with_suffix(of.family, "_bucket"); }
Selector count_selector(const QuantileOf& of) { return with_suffix(of.family, "_count"); }
Unit unit_of(const SignalSpec& signal, const QuantileOf& of) { return of.unit.value_or(signal.unit); }

std::optional<std::size_t> choose(const std::vector<CandidateSeen>& candidates,
                                  std::optional<std::size_t> taken_before) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const CandidateSeen& seen = candidates[i];
    if (!seen.present) continue;
    const auto order = [](const CandidateSeen& one) { return std::tuple(one.rank, !one.leaves_out, -one.requests); };
    if (!best || order(seen) < order(candidates[*best])) best = i;
  }
  if (!best || !taken_before || !candidates[*taken_before].present) return best;
  const CandidateSeen& now = candidates[*best];
  const CandidateSeen& before = candidates[*taken_before];
  const bool as_good = before.rank == now.rank && before.leaves_out == now.leaves_out;
  return as_good && now.requests <= clearly_more * before.requests ? taken_before : best;
}

bool leaves_out_by(const Selector& selector, const SeriesKey& key) {
  return std::any_of(selector.matchers.begin(), selector.matchers.end(), [&key](const Matcher& matcher) {
    if (matcher.kind() != MatchKind::not_regex) return false;
    return std::any_of(key.labels.begin(), key.labels.end(),
                       [&matcher](const Label& label) { return label.name == matcher.label(); });
  });
}

Selector process_start_selector() { return {"process_start_time_seconds", {}}; }

std::vector<Selector> selectors_of(const ExpressionOf& expression) {
  std::vector<Selector> out;
  if (expression.parsed == nullptr) return out;
  for (const SignalExpression::Read& read : expression.parsed->reads()) out.push_back(read.selector);
  return out;
}

std::vector<Selector> selectors_of(const SignalSpec& signal) {
  std::vector<Selector> out;
  if (const auto* ratios = std::get_if<std::vector<RatioOf>>(&signal.of)) {
    for (const RatioOf& ratio : *ratios) {
      out.push_back(ratio.numerator);
      out.push_back(ratio.denominator);
    }
  } else if (const auto* quantiles = std::get_if<std::vector<QuantileOf>>(&signal.of)) {
    for (const QuantileOf& quantile : *quantiles) {
      out.push_back(quantile.family);
      out.push_back(bucket_selector(quantile));
      out.push_back(count_selector(quantile));
    }
  } else {
    out = selectors_of(std::get<ExpressionOf>(signal.of));
  }
  return out;
}

std::string describe(const SignalSpec& signal) {
  std::string text = signal.probe.text;
  if (const auto* ratios = std::get_if<std::vector<RatioOf>>(&signal.of)) {
    for (const RatioOf& ratio : *ratios) {
      text += " " + to_string(ratio.numerator) + " / " + to_string(ratio.denominator);
      if (ratio.rank != 0) text += " rank=" + std::to_string(ratio.rank);
    }
  } else if (const auto* quantiles = std::get_if<std::vector<QuantileOf>>(&signal.of)) {
    for (const QuantileOf& one : *quantiles) {
      text += " " + std::to_string(one.quantile) + " of " + to_string(one.family);
      if (one.unit) text += " unit=" + std::to_string(static_cast<int>(*one.unit));
      if (one.rank != 0) text += " rank=" + std::to_string(one.rank);
    }
  } else {
    text += " " + std::get<ExpressionOf>(signal.of).text;
  }
  return text + " window=" + to_string(signal.window) + ".." + to_string(signal.window_max) +
         " min_count=" + std::to_string(signal.min_count) + " unit=" + std::to_string(static_cast<int>(signal.unit)) +
         (signal.strict ? " strict" : "");
}

}  // namespace rules
