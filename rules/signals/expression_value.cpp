#include "rules/signals/expression_value.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace rules {

namespace {

using Read = std::function<PromqlVector(std::size_t, const PromqlRangeCall*)>;

PromqlValue apply(ArithmeticOp op, const PromqlValue& left, const PromqlValue& right) {
  const auto* left_number = std::get_if<double>(&left);
  const auto* right_number = std::get_if<double>(&right);
  if (left_number != nullptr && right_number != nullptr) return compute(op, *left_number, *right_number);
  PromqlVector out;
  if (right_number != nullptr) {
    for (const auto& [labels, value] : std::get<PromqlVector>(left)) out[labels] = compute(op, value, *right_number);
    return out;
  }
  if (left_number != nullptr) {
    for (const auto& [labels, value] : std::get<PromqlVector>(right)) out[labels] = compute(op, *left_number, value);
    return out;
  }
  const auto& others = std::get<PromqlVector>(right);
  for (const auto& [labels, value] : std::get<PromqlVector>(left)) {
    const auto match = others.find(labels);
    if (match != others.end()) out[labels] = compute(op, value, match->second);
  }
  return out;
}

std::vector<Label> only(const std::vector<Label>& labels, const std::vector<std::string>& by) {
  std::vector<Label> out;
  std::copy_if(labels.begin(), labels.end(), std::back_inserter(out),
               [&by](const Label& label) { return std::binary_search(by.begin(), by.end(), label.name); });
  return out;
}

// min() and max() prefer any number to NaN, as in Prometheus.
double aggregate(PromqlAggregation op, const std::vector<double>& values) {
  double out = values.front();
  for (std::size_t i = 1; i < values.size(); ++i) {
    switch (op) {
      case PromqlAggregation::sum:
      case PromqlAggregation::avg:
        out += values[i];
        break;
      case PromqlAggregation::min:
        out = std::fmin(out, values[i]);
        break;
      case PromqlAggregation::max:
        out = std::fmax(out, values[i]);
        break;
    }
  }
  return op == PromqlAggregation::avg ? out / static_cast<double>(values.size()) : out;
}

struct Evaluator {
  const Read& read;

  PromqlValue operator()(const PromqlNumber& number) const { return number.value; }
  PromqlValue operator()(const PromqlInstant& instant) const { return read(instant.selector, nullptr); }
  PromqlValue operator()(const PromqlRangeCall& call) const { return read(call.selector, &call); }
  PromqlValue operator()(const PromqlBinary& binary) const {
    return apply(binary.op, evaluate(*binary.left, read), evaluate(*binary.right, read));
  }
  PromqlValue operator()(const PromqlMinus& minus) const {
    return apply(ArithmeticOp::multiply, PromqlValue(-1.0), evaluate(*minus.of, read));
  }
  PromqlValue operator()(const PromqlAggregate& node) const {
    PromqlValue of = evaluate(*node.of, read);
    const auto* vector = std::get_if<PromqlVector>(&of);
    if (vector == nullptr) return of;
    std::map<std::vector<Label>, std::vector<double>> groups;
    for (const auto& [labels, value] : *vector) groups[only(labels, node.by)].push_back(value);
    PromqlVector out;
    for (const auto& [labels, values] : groups) out[labels] = aggregate(node.op, values);
    return out;
  }
};

}  // namespace

std::optional<double> extrapolated(PromqlRange function, const std::vector<PromqlPoint>& points, Instant range_begin,
                                   Instant range_end) {
  if (points.size() < 2) return std::nullopt;
  const double gained = points.back().value - points.front().value;
  const double sampled = seconds(points.back().at - points.front().at);
  const double distance = sampled / static_cast<double>(points.size() - 1);
  double to_begin = seconds(points.front().at - range_begin);
  const double to_end = seconds(range_end - points.back().at);
  if (gained > 0 && points.front().value >= 0) {
    to_begin = std::min(to_begin, sampled * (points.front().value / gained));
  }
  constexpr double close_enough = 1.1;  // times the distance between samples, as in Prometheus
  const double covered = sampled + (to_begin < distance * close_enough ? to_begin : distance / 2) +
                         (to_end < distance * close_enough ? to_end : distance / 2);
  const double increase = gained * (covered / sampled);
  return function == PromqlRange::rate ? increase / seconds(range_end - range_begin) : increase;
}

PromqlValue evaluate(const PromqlNode& node, const Read& read) { return std::visit(Evaluator{read}, node.node); }

}  // namespace rules
