#include "rules/conditions/condition.hpp"

namespace rules {

namespace {

using IsShare = std::function<bool(const Expression&)>;

// Whether an expression is a share in itself. What is multiplied or divided is not: `error_rate * 100 > 5` is meant.
bool yields_share(const Expression& expression, const IsShare& is_share) {
  struct Visitor {
    const Expression& self;
    const IsShare& is_share;
    bool operator()(const Literal& literal) const { return literal.kind == LiteralKind::share; }
    bool operator()(const SignalRef&) const { return is_share(self); }
    bool operator()(const FieldRef&) const { return is_share(self); }
    bool operator()(const BaselineRef& baseline) const { return yields_share(*baseline.of, is_share); }
    bool operator()(const BeforeRef& before) const { return yields_share(*before.of, is_share); }
    bool operator()(const RestartsRef&) const { return false; }
    bool operator()(const OverTimeRef& over_time) const {
      return over_time.function != OverTimeFunction::slope && yields_share(*over_time.of, is_share);
    }
    bool operator()(const Arithmetic& arithmetic) const {
      const bool sum = arithmetic.op == ArithmeticOp::add || arithmetic.op == ArithmeticOp::subtract;
      return sum && yields_share(*arithmetic.left, is_share) && yields_share(*arithmetic.right, is_share);
    }
    bool operator()(const Negation& negation) const { return yields_share(*negation.of, is_share); }
  };
  return std::visit(Visitor{expression, is_share}, expression.node);
}

bool is_number_above_one(const Expression& expression) {
  const auto* literal = std::get_if<Literal>(&expression.node);
  return literal != nullptr && literal->kind == LiteralKind::number && literal->value > 1;
}

std::optional<SyntaxError> mistake(const Compare& compare, const IsShare& is_share) {
  for (const auto& [share, number] :
       {std::pair(compare.left.get(), compare.right.get()), std::pair(compare.right.get(), compare.left.get())}) {
    if (is_number_above_one(*number) && yields_share(*share, is_share)) {
      return SyntaxError{number->offset, "a share is compared with a number above 1; expected one such as 5% or 0.05"};
    }
  }
  return std::nullopt;
}

std::optional<SyntaxError> mistake(const ConditionNode& node, const IsShare& is_share) {
  struct Visitor {
    const IsShare& is_share;
    std::optional<SyntaxError> operator()(const Compare& compare) const { return mistake(compare, is_share); }
    std::optional<SyntaxError> operator()(const And& terms) const { return first(terms.terms); }
    std::optional<SyntaxError> operator()(const Or& terms) const { return first(terms.terms); }
    std::optional<SyntaxError> operator()(const Not& negated) const { return mistake(*negated.of, is_share); }
    std::optional<SyntaxError> first(const std::vector<ConditionPtr>& terms) const {
      for (const ConditionPtr& term : terms) {
        if (auto found = mistake(*term, is_share)) return found;
      }
      return std::nullopt;
    }
  };
  return std::visit(Visitor{is_share}, node.node);
}

}  // namespace

std::optional<SyntaxError> share_against_number(const Condition& condition, const IsShare& is_share) {
  return condition.empty() ? std::nullopt : mistake(condition.root(), is_share);
}

}  // namespace rules
