#include "rules/conditions/bare_numbers.hpp"

namespace rules {

namespace {

using IsOfKind = std::function<bool(const Expression&)>;

// What is looked for: something of this kind, compared with a number that has no unit and is too large for it.
struct Sought {
  LiteralKind kind;
  const IsOfKind& is_of_kind;
  bool (*is_too_large)(double);
};

// Whether an expression is of the kind in itself. What is multiplied or divided is not: `error_rate * 100 > 5` is
// meant.
bool yields(const Expression& expression, const Sought& sought) {
  struct Visitor {
    const Expression& self;
    const Sought& sought;
    bool operator()(const Literal& literal) const { return literal.kind == sought.kind; }
    bool operator()(const SignalRef&) const { return sought.is_of_kind(self); }
    bool operator()(const FieldRef&) const { return sought.is_of_kind(self); }
    bool operator()(const BaselineRef& baseline) const { return yields(*baseline.of, sought); }
    bool operator()(const BeforeRef& before) const { return yields(*before.of, sought); }
    bool operator()(const RestartsRef&) const { return false; }
    bool operator()(const OverTimeRef& over_time) const {
      return over_time.function != OverTimeFunction::slope && yields(*over_time.of, sought);
    }
    bool operator()(const Arithmetic& arithmetic) const {
      const bool sum = arithmetic.op == ArithmeticOp::add || arithmetic.op == ArithmeticOp::subtract;
      return sum && yields(*arithmetic.left, sought) && yields(*arithmetic.right, sought);
    }
    bool operator()(const Negation& negation) const { return yields(*negation.of, sought); }
  };
  return std::visit(Visitor{expression, sought}, expression.node);
}

bool is_bare_and_too_large(const Expression& expression, const Sought& sought) {
  const auto* literal = std::get_if<Literal>(&expression.node);
  return literal != nullptr && literal->kind == LiteralKind::number && sought.is_too_large(literal->value);
}

std::optional<std::size_t> first_in(const Compare& compare, const Sought& sought) {
  for (const auto& [measured, number] :
       {std::pair(compare.left.get(), compare.right.get()), std::pair(compare.right.get(), compare.left.get())}) {
    if (is_bare_and_too_large(*number, sought) && yields(*measured, sought)) return number->offset;
  }
  return std::nullopt;
}

std::optional<std::size_t> first_in(const ConditionNode& node, const Sought& sought) {
  struct Visitor {
    const Sought& sought;
    std::optional<std::size_t> operator()(const Compare& compare) const { return first_in(compare, sought); }
    std::optional<std::size_t> operator()(const And& terms) const { return first(terms.terms); }
    std::optional<std::size_t> operator()(const Or& terms) const { return first(terms.terms); }
    std::optional<std::size_t> operator()(const Not& negated) const { return first_in(*negated.of, sought); }
    std::optional<std::size_t> first(const std::vector<ConditionPtr>& terms) const {
      for (const ConditionPtr& term : terms) {
        if (const auto found = first_in(*term, sought)) return found;
      }
      return std::nullopt;
    }
  };
  return std::visit(Visitor{sought}, node.node);
}

// The number as it is written there.
std::string_view number_at(std::string_view text, std::size_t offset) {
  std::size_t end = offset;
  while (end < text.size() && std::string_view("0123456789.eE").find(text[end]) != std::string_view::npos) ++end;
  return text.substr(offset, end - offset);
}

}  // namespace

std::optional<SyntaxError> share_against_number(const Condition& condition, const IsOfKind& is_share) {
  if (condition.empty()) return std::nullopt;
  const Sought sought{LiteralKind::share, is_share, [](double value) { return value > 1; }};
  const std::optional<std::size_t> found = first_in(condition.root(), sought);
  if (!found) return std::nullopt;
  return SyntaxError{*found, "a share is compared with a number above 1; expected one such as 5% or 0.05"};
}

std::optional<SyntaxError> time_against_number(const Condition& condition, const IsOfKind& is_time) {
  if (condition.empty()) return std::nullopt;
  const Sought sought{LiteralKind::duration, is_time, [](double value) { return value >= 10; }};
  const std::optional<std::size_t> found = first_in(condition.root(), sought);
  if (!found) return std::nullopt;
  const std::string number(number_at(condition.text(), *found));
  return SyntaxError{*found, "a time is compared with " + number + ", which without a unit is seconds; write " +
                                 number + "ms if milliseconds are meant, else " + number + "s"};
}

}  // namespace rules
