#include "rules/conditions/mixed_units.hpp"

#include "rules/conditions/decide.hpp"

namespace rules {

namespace {

using Kind = std::optional<LiteralKind>;

Kind kind_in(const Expression& expression, const KindOf& kind_of) {
  struct Visitor {
    const Expression& self;
    const KindOf& kind_of;
    Kind operator()(const Literal& literal) const {
      return literal.kind == LiteralKind::number ? std::nullopt : Kind(literal.kind);
    }
    Kind operator()(const SignalRef&) const { return kind_of(self); }
    Kind operator()(const FieldRef&) const { return kind_of(self); }
    Kind operator()(const BaselineRef& baseline) const { return kind_in(*baseline.of, kind_of); }
    Kind operator()(const BeforeRef& before) const { return kind_in(*before.of, kind_of); }
    Kind operator()(const RestartsRef&) const { return std::nullopt; }
    Kind operator()(const OverTimeRef& over_time) const {
      return over_time.function == OverTimeFunction::slope ? std::nullopt : kind_in(*over_time.of, kind_of);
    }
    Kind operator()(const Arithmetic& computed) const {
      if (computed.op == ArithmeticOp::multiply || computed.op == ArithmeticOp::divide) return std::nullopt;
      const Kind left = kind_in(*computed.left, kind_of);
      return left ? left : kind_in(*computed.right, kind_of);
    }
    Kind operator()(const Negation& negation) const { return kind_in(*negation.of, kind_of); }
  };
  return std::visit(Visitor{expression, kind_of}, expression.node);
}

std::string_view named(LiteralKind kind) {
  switch (kind) {
    case LiteralKind::number:
      return "a number";
    case LiteralKind::share:
      return "a share";
    case LiteralKind::duration:
      return "a time";
    case LiteralKind::size:
      return "a size";
  }
  return "";
}

std::string_view example_of(LiteralKind kind) {
  if (kind == LiteralKind::share) return "5%";
  return kind == LiteralKind::duration ? "3000ms" : "512MiB";
}

using Check = std::function<std::optional<SyntaxError>(const Compare&)>;

std::optional<SyntaxError> first_in(const ConditionNode& node, const Check& check) {
  struct Visitor {
    const Check& check;
    std::optional<SyntaxError> operator()(const Compare& compare) const { return check(compare); }
    std::optional<SyntaxError> operator()(const And& all) const { return first(all.terms); }
    std::optional<SyntaxError> operator()(const Or& any) const { return first(any.terms); }
    std::optional<SyntaxError> operator()(const Not& negated) const { return first_in(*negated.of, check); }
    std::optional<SyntaxError> first(const std::vector<ConditionPtr>& terms) const {
      for (const ConditionPtr& term : terms) {
        if (auto found = first_in(*term, check)) return found;
      }
      return std::nullopt;
    }
  };
  return std::visit(Visitor{check}, node.node);
}

// What `share op limit` always is, for people; empty: now this, now that.
std::string_view always(CompareOp op, double limit) {
  constexpr std::string_view never = "is never true";
  constexpr std::string_view ever = "is always true";
  switch (op) {
    case CompareOp::greater:
      return limit >= 1 ? never : limit < 0 ? ever : "";
    case CompareOp::greater_equal:
      return limit > 1 ? never : limit <= 0 ? ever : "";
    case CompareOp::less:
      return limit <= 0 ? never : limit > 1 ? ever : "";
    case CompareOp::less_equal:
      return limit < 0 ? never : limit >= 1 ? ever : "";
    case CompareOp::equal:
    case CompareOp::not_equal:
      return "";
  }
  return "";
}

std::optional<double> value_of(const Expression& expression) {
  if (const auto* literal = std::get_if<Literal>(&expression.node)) return literal->value;
  const auto* const negation = std::get_if<Negation>(&expression.node);
  const auto* const literal = negation == nullptr ? nullptr : std::get_if<Literal>(&negation->of->node);
  return literal == nullptr ? std::nullopt : std::optional(-literal->value);
}

}  // namespace

std::optional<SyntaxError> mixed_units(const Condition& condition, const KindOf& kind_of) {
  if (condition.empty()) return std::nullopt;
  return first_in(condition.root(), [&](const Compare& compare) -> std::optional<SyntaxError> {
    const Kind left = kind_in(*compare.left, kind_of);
    const Kind right = kind_in(*compare.right, kind_of);
    if (!left || !right || *left == *right) return std::nullopt;
    std::string what(named(*left));
    what += " is compared with ";
    what += named(*right);
    what += ", which is never meant; write ";
    what += named(*left);
    what += " such as ";
    what += example_of(*left);
    return SyntaxError{compare.right->offset, std::move(what)};
  });
}

std::optional<SyntaxError> share_out_of_range(const Condition& condition, const KindOf& kind_of) {
  if (condition.empty()) return std::nullopt;
  return first_in(condition.root(), [&](const Compare& compare) -> std::optional<SyntaxError> {
    const bool is_left = kind_in(*compare.left, kind_of) == LiteralKind::share && !value_of(*compare.left);
    const Expression& share = is_left ? *compare.left : *compare.right;
    const Expression& limit = is_left ? *compare.right : *compare.left;
    const std::optional<double> value = value_of(limit);
    if (!value || value_of(share) || kind_in(share, kind_of) != LiteralKind::share) return std::nullopt;
    const std::string_view result = always(is_left ? compare.op : mirrored(compare.op), *value);
    if (result.empty()) return std::nullopt;
    return SyntaxError{limit.offset, "a share lies between 0% and 100%: this " + std::string(result)};
  });
}

}  // namespace rules
