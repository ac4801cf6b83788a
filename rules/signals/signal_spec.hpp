#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/base/names.hpp"
#include "rules/base/parse.hpp"
#include "rules/base/time.hpp"
#include "rules/signals/selector.hpp"

namespace rules {

// increase(numerator) / increase(denominator) over the same scrapes (SPEC 2.5).
struct RatioOf {
  Selector numerator;
  Selector denominator;
};

// A quantile of a histogram's increase, or a summary's own (SPEC 2.7). The selector names the family without
// _bucket; a family that has series with a `quantile` label instead is a summary.
struct QuantileOf {
  double quantile = 0.95;
  Selector family;
};

// A PromQL expression of the subset that is accepted: arithmetic over selectors, sum/avg/min/max by, rate/increase.
class SignalExpression;

struct ExpressionOf {
  std::string text;
  std::shared_ptr<const SignalExpression> parsed;  // immutable, shared by copies of the specification
};

// Parses the accepted subset of PromQL; anything else is an error, not a guess.
Parsed<ExpressionOf> parse_signal_expression(std::string_view text);

// The selectors that the expression reads.
std::vector<Selector> selectors_of(const ExpressionOf& expression);

enum class Unit { seconds, milliseconds, none };

struct SignalSpec {
  SignalName name;
  ProbeName probe;
  // Several candidates: the first whose (denominator, family) series are in the page is taken, and status says
  // which. One candidate when the configuration names the metric itself.
  std::variant<std::vector<RatioOf>, std::vector<QuantileOf>, ExpressionOf> of;
  Duration window = std::chrono::minutes(1);
  Duration window_max = std::chrono::minutes(5);
  std::int64_t min_count = 50;  // requests
  Unit unit = Unit::none;       // milliseconds: values are divided by 1000
  bool strict = false;          // approximate quantiles are unknown
};

// What the signal measures and how, as text: signals of the same text give the same number.
std::string describe(const SignalSpec& signal);

// Every selector that the signal reads, of all candidates: what its probe has to keep of a page.
std::vector<Selector> selectors_of(const SignalSpec& signal);
// The series of a histogram's buckets.
Selector bucket_selector(const QuantileOf& of);
// What tells a restarted process; to be kept of every page besides what the signals read (SPEC 2.5).
Selector process_start_selector();

}  // namespace rules
