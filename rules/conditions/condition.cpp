#include "rules/conditions/condition.hpp"

#include <utility>

namespace rules {

namespace {

using References = std::vector<Condition::Reference>;

// Where a reference stands: what is asked for inside baseline() or before() is frozen, not measured.
struct Inside {
  bool baseline = false;
  bool before = false;
  bool over_time = false;
};

void collect(const Expression& expression, Inside inside, References& out) {
  const auto add = [&](auto to) {
    out.push_back({std::move(to), expression.offset, inside.baseline, inside.before, inside.over_time});
  };
  struct Visitor {
    const decltype(add)& add_here;
    Inside inside;
    References& out;
    void operator()(const Literal&) const {}
    void operator()(const SignalRef& signal) const { add_here(signal); }
    void operator()(const FieldRef& field) const { add_here(field); }
    void operator()(const RestartsRef& restarts) const { add_here(restarts); }
    void operator()(const BaselineRef& baseline) const { collect(*baseline.of, {true, false, false}, out); }
    void operator()(const BeforeRef& before) const { collect(*before.of, {false, true, false}, out); }
    void operator()(const OverTimeRef& over_time) const { collect(*over_time.of, {false, false, true}, out); }
    void operator()(const Arithmetic& arithmetic) const {
      collect(*arithmetic.left, inside, out);
      collect(*arithmetic.right, inside, out);
    }
    void operator()(const Negation& negation) const { collect(*negation.of, inside, out); }
  };
  std::visit(Visitor{add, inside, out}, expression.node);
}

void collect(const ConditionNode& node, References& out) {
  struct Visitor {
    References& out;
    void operator()(const Compare& compare) const {
      collect(*compare.left, {}, out);
      collect(*compare.right, {}, out);
    }
    void operator()(const And& terms) const {
      for (const ConditionPtr& term : terms.terms) collect(*term, out);
    }
    void operator()(const Or& terms) const {
      for (const ConditionPtr& term : terms.terms) collect(*term, out);
    }
    void operator()(const Not& negated) const { collect(*negated.of, out); }
  };
  std::visit(Visitor{out}, node.node);
}

}  // namespace

std::string_view to_string(CompareOp op) {
  switch (op) {
    case CompareOp::greater:
      return ">";
    case CompareOp::greater_equal:
      return ">=";
    case CompareOp::less:
      return "<";
    case CompareOp::less_equal:
      return "<=";
    case CompareOp::equal:
      return "==";
    case CompareOp::not_equal:
      return "!=";
  }
  return "";
}

std::string to_string(const SignalRef& signal) { return signal.signal.text; }

std::string to_string(const FieldRef& field) {
  return field.probe.text + "." + to_string(Selector{field.field, field.matchers});
}

Condition::Condition(std::string text, ConditionPtr root) : text_(std::move(text)), root_(std::move(root)) {}

std::vector<Condition::Reference> Condition::references() const {
  References out;
  if (root_ != nullptr) collect(*root_, out);
  return out;
}

}  // namespace rules
