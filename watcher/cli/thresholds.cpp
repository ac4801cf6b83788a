#include "watcher/cli/thresholds.hpp"

#include <optional>

namespace watcher {

namespace {

// slope * signal + constant.
struct Line {
  double slope = 0;
  double constant = 0;
};

using MaybeLine = std::optional<Line>;

MaybeLine line_of(const rules::Expression& expression, const rules::SignalName& signal);

MaybeLine computed(const rules::Arithmetic& arithmetic, const rules::SignalName& signal) {
  const MaybeLine left = line_of(*arithmetic.left, signal);
  const MaybeLine right = line_of(*arithmetic.right, signal);
  if (!left || !right) return std::nullopt;
  switch (arithmetic.op) {
    case rules::ArithmeticOp::add:
      return Line{left->slope + right->slope, left->constant + right->constant};
    case rules::ArithmeticOp::subtract:
      return Line{left->slope - right->slope, left->constant - right->constant};
    case rules::ArithmeticOp::multiply:
      if (left->slope != 0 && right->slope != 0) return std::nullopt;
      return Line{left->slope * right->constant + right->slope * left->constant, left->constant * right->constant};
    case rules::ArithmeticOp::divide:
      if (right->slope != 0 || right->constant == 0) return std::nullopt;
      return Line{left->slope / right->constant, left->constant / right->constant};
  }
  return std::nullopt;
}

MaybeLine line_of(const rules::Expression& expression, const rules::SignalName& signal) {
  struct Visitor {
    const rules::SignalName& signal;
    MaybeLine operator()(const rules::Literal& literal) const { return Line{0, literal.value}; }
    MaybeLine operator()(const rules::SignalRef& reference) const {
      return reference.signal == signal ? MaybeLine(Line{1, 0}) : std::nullopt;
    }
    MaybeLine operator()(const rules::FieldRef&) const { return std::nullopt; }
    MaybeLine operator()(const rules::BaselineRef&) const { return std::nullopt; }
    MaybeLine operator()(const rules::BeforeRef&) const { return std::nullopt; }
    MaybeLine operator()(const rules::RestartsRef&) const { return std::nullopt; }
    MaybeLine operator()(const rules::OverTimeRef& over_time) const {
      // Between the least and the greatest value, as the others are; a slope is something else.
      if (over_time.function == rules::OverTimeFunction::slope) return std::nullopt;
      return line_of(*over_time.of, signal);
    }
    MaybeLine operator()(const rules::Arithmetic& arithmetic) const { return computed(arithmetic, signal); }
    MaybeLine operator()(const rules::Negation& negation) const {
      const MaybeLine of = line_of(*negation.of, signal);
      return of ? MaybeLine(Line{-of->slope, -of->constant}) : std::nullopt;
    }
  };
  return std::visit(Visitor{signal}, expression.node);
}

void collect(const rules::ConditionNode& node, const rules::SignalName& signal, std::vector<double>& out) {
  struct Visitor {
    const rules::SignalName& signal;
    std::vector<double>& out;
    void operator()(const rules::Compare& compare) const {
      const MaybeLine left = line_of(*compare.left, signal);
      const MaybeLine right = line_of(*compare.right, signal);
      if (!left || !right || left->slope == right->slope) return;
      out.push_back((right->constant - left->constant) / (left->slope - right->slope));
    }
    void operator()(const rules::And& all) const { each(all.terms); }
    void operator()(const rules::Or& any) const { each(any.terms); }
    void operator()(const rules::Not& negated) const { collect(*negated.of, signal, out); }
    void each(const std::vector<rules::ConditionPtr>& terms) const {
      for (const rules::ConditionPtr& term : terms) collect(*term, signal, out);
    }
  };
  std::visit(Visitor{signal, out}, node.node);
}

}  // namespace

std::vector<double> thresholds_of(const rules::Condition& condition, const rules::SignalName& signal) {
  std::vector<double> out;
  if (!condition.empty()) collect(condition.root(), signal, out);
  return out;
}

}  // namespace watcher
