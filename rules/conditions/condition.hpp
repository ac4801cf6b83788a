#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/base/arithmetic.hpp"
#include "rules/base/names.hpp"
#include "rules/base/parse.hpp"
#include "rules/base/shared_text.hpp"
#include "rules/base/time.hpp"
#include "rules/signals/selector.hpp"

namespace rules {

// The syntax tree of a condition, for example
//   p95 > 3000ms or p95 > 3 * baseline(p95)
// Levels: or < and < not < one comparison < + - < * / < unary minus; comparing and computing do not mix, and
// comparisons are not chained. Nodes are values; children are owned.

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

// What a literal was written as: a share compared with a bare number above 1 is refused.
enum class LiteralKind { number, share, duration, size };

struct Literal {
  double value = 0;  // shares as fractions, durations in seconds, sizes in bytes
  LiteralKind kind = LiteralKind::number;
  std::string_view unit{};  // as written: "%", "ms", "MiB"; empty: none
};

// `p95`, a signal's value.
struct SignalRef {
  SignalName signal;
};

// `health.up`, `host.disk_used{path="/"}`: exactly one series of the probe must match.
struct FieldRef {
  ProbeName probe;
  std::string field;
  std::vector<Matcher> matchers;
};

// baseline(x): the median while the last good revision was being verified.
struct BaselineRef {
  ExpressionPtr of;  // SignalRef or FieldRef
};

// before(x): the value when the incident opened.
struct BeforeRef {
  ExpressionPtr of;  // SignalRef or FieldRef
};

// restarts(probe, 10m): how often the probed process restarted within the window.
struct RestartsRef {
  ProbeName probe;
  Duration window{};
};

enum class OverTimeFunction { avg, max, min, quantile, slope };

// avg(x, 10m), quantile(x, 0.95, 5m): over time, weighted by time, with 60 % of the window observed.
struct OverTimeRef {
  OverTimeFunction function = OverTimeFunction::avg;
  ExpressionPtr of;  // SignalRef or FieldRef
  double quantile = 0;
  Duration window{};
};

struct Arithmetic {
  ArithmeticOp op = ArithmeticOp::add;
  ExpressionPtr left;
  ExpressionPtr right;
};

struct Negation {
  ExpressionPtr of;
};

struct Expression {
  std::variant<Literal, SignalRef, FieldRef, BaselineRef, BeforeRef, RestartsRef, OverTimeRef, Arithmetic, Negation>
      node;
  std::size_t offset = 0;  // where it stands in the condition's text
};

struct ConditionNode;
using ConditionPtr = std::unique_ptr<ConditionNode>;

enum class CompareOp { greater, greater_equal, less, less_equal, equal, not_equal };

std::string_view to_string(CompareOp op);

struct Compare {
  CompareOp op = CompareOp::greater;
  ExpressionPtr left;
  ExpressionPtr right;
  std::string text;       // as written, for evidence
  std::string_view unit;  // in which the threshold was written; empty: in none
};

struct And {
  std::vector<ConditionPtr> terms;
};

struct Or {
  std::vector<ConditionPtr> terms;
};

struct Not {
  ConditionPtr of;
};

struct ConditionNode {
  std::variant<Compare, And, Or, Not> node;
};

// A parsed condition. Shared and immutable: the rule, the incident that keeps the plan it began with, and the report
// refer to the same one.
class Condition {
 public:
  Condition() = default;
  Condition(std::string text, ConditionPtr root);

  bool empty() const { return root_ == nullptr; }
  const std::string& text() const { return text_; }
  const ConditionNode& root() const { return *root_; }

  // Every signal, field and probe that it names, with where each stands; for checking names and for knowing what a
  // rule depends on.
  struct Reference {
    std::variant<SignalRef, FieldRef, RestartsRef> to;
    std::size_t offset = 0;
    bool baseline = false;   // inside baseline()
    bool before = false;     // inside before()
    bool over_time = false;  // inside avg(), max(), ...
  };
  std::vector<Reference> references() const;

 private:
  SharedText text_;
  std::shared_ptr<const ConditionNode> root_;
};

// The furthest back that restarts() and functions over time look: bounds what is kept of each value.
inline constexpr Duration over_time_window_max = std::chrono::hours(24);

// Parses and checks what can be checked without names: levels, mixing, shares against bare numbers above 1.
Parsed<Condition> parse_condition(std::string_view text);

// The first comparison of a share with a bare number above 1 (`error_rate > 5` where 5% is meant). `is_share` says
// it of a SignalRef or FieldRef, which only who knows the configuration can: parse_condition asks of literals alone.
std::optional<SyntaxError> share_against_number(const Condition& condition,
                                                const std::function<bool(const Expression&)>& is_share);

// As in a condition: p95, health.up, host.disk_used{path="/"}.
std::string to_string(const SignalRef& signal);
std::string to_string(const FieldRef& field);

}  // namespace rules
