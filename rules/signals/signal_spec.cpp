#include "rules/signals/signal_spec.hpp"

#include "rules/signals/expression.hpp"

namespace rules {

Selector bucket_selector(const QuantileOf& of) { return {of.family.name + "_bucket", of.family.matchers}; }

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
    }
  } else {
    out = selectors_of(std::get<ExpressionOf>(signal.of));
  }
  return out;
}

std::string describe(const SignalSpec& signal) {
  std::string text = signal.probe.text;
  if (const auto* ratios = std::get_if<std::vector<RatioOf>>(&signal.of)) {
    for (const RatioOf& ratio : *ratios)
      text += " " + to_string(ratio.numerator) + " / " + to_string(ratio.denominator);
  } else if (const auto* quantiles = std::get_if<std::vector<QuantileOf>>(&signal.of)) {
    for (const QuantileOf& one : *quantiles)
      text += " " + std::to_string(one.quantile) + " of " + to_string(one.family);
  } else {
    text += " " + std::get<ExpressionOf>(signal.of).text;
  }
  return text + " window=" + to_string(signal.window) + ".." + to_string(signal.window_max) +
         " min_count=" + std::to_string(signal.min_count) + " unit=" + std::to_string(static_cast<int>(signal.unit)) +
         (signal.strict ? " strict" : "");
}

}  // namespace rules
