#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/base/arithmetic.hpp"
#include "rules/base/time.hpp"
#include "rules/signals/selector.hpp"
#include "rules/signals/signal_spec.hpp"

namespace rules {

// The syntax tree of a signal's `expr`, a subset of PromQL. Selectors are numbered in the order written, so that
// whoever evaluates it can find their series by number.

struct PromqlNode;
using PromqlPtr = std::unique_ptr<PromqlNode>;

struct PromqlNumber {
  double value = 0;
};

// A selector's newest values.
struct PromqlInstant {
  std::size_t selector = 0;
};

enum class PromqlRange { rate, increase };

// rate(x[1m]), increase(x[1m])
struct PromqlRangeCall {
  PromqlRange function = PromqlRange::rate;
  std::size_t selector = 0;
  Duration range{};
};

enum class PromqlAggregation { sum, avg, min, max };

struct PromqlAggregate {
  PromqlAggregation op = PromqlAggregation::sum;
  std::vector<std::string> by;  // sorted; empty: everything into one
  PromqlPtr of;
};

struct PromqlBinary {
  ArithmeticOp op = ArithmeticOp::add;
  PromqlPtr left;
  PromqlPtr right;
};

struct PromqlMinus {
  PromqlPtr of;
};

struct PromqlNode {
  std::variant<PromqlNumber, PromqlInstant, PromqlRangeCall, PromqlAggregate, PromqlBinary, PromqlMinus> node;
  bool scalar = false;  // PromQL's type: scalar or instant vector
};

class SignalExpression {
 public:
  // One selector as it is read: at its newest value (range 0) or over a range, as a counter.
  struct Read {
    Selector selector;
    Duration range{};
  };

  SignalExpression(PromqlPtr root, std::vector<Read> reads) : root_(std::move(root)), reads_(std::move(reads)) {}
  const PromqlNode& root() const { return *root_; }
  const std::vector<Read>& reads() const { return reads_; }
  Duration range_max() const;  // zero: nothing is read over a range

 private:
  PromqlPtr root_;
  std::vector<Read> reads_;
};

}  // namespace rules
