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

enum class Unit { seconds, milliseconds, microseconds, none };

// By what a number of this unit is divided to be one of seconds; 1 where it is taken as it is.
double divisor(Unit unit);

// increase(numerator) / increase(denominator) over the same scrapes (SPEC 2.5).
struct RatioOf {
  Selector numerator;
  Selector denominator;
  int rank = 0;  // taken only where the page has none of a lower rank
};

// A quantile of a histogram's increase, or a summary's own (SPEC 2.7). The selector names the family without
// _bucket; a family that has series with a `quantile` label instead is a summary.
struct QuantileOf {
  double quantile = 0.95;
  Selector family;
  std::optional<Unit> unit = std::nullopt;  // of this family alone; none: the signal's
  int rank = 0;                             // as above
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

struct SignalSpec {
  SignalName name;
  ProbeName probe;
  // Several candidates: of those whose (denominator, family) series are in the page one is taken (see choose()), and
  // status says which. One candidate when the configuration names the metric itself.
  std::variant<std::vector<RatioOf>, std::vector<QuantileOf>, ExpressionOf> of;
  Duration window = std::chrono::minutes(1);
  Duration window_max = std::chrono::minutes(5);
  std::int64_t min_count = 50;  // requests
  Unit unit = Unit::none;       // of what is measured; conditions compare in seconds
  bool strict = false;          // approximate quantiles are unknown
};

// What the signal measures and how, as text: signals of the same text give the same number.
std::string describe(const SignalSpec& signal);

// Every selector that the signal reads, of all candidates: what its probe has to keep of a page.
std::vector<Selector> selectors_of(const SignalSpec& signal);
// The series of a histogram's buckets, and of how many observations a summary had.
Selector bucket_selector(const QuantileOf& of);
Selector count_selector(const QuantileOf& of);
Unit unit_of(const SignalSpec& signal, const QuantileOf& of);

// What a page tells of one candidate.
struct CandidateSeen {
  bool present = false;
  int rank = 0;
  bool leaves_out = false;  // its series have a label by which its selector leaves some out, such as our own requests
  double requests = 0;      // counted since the process began
};
// Which candidate is taken: of the lowest rank, one that can leave out what is to be left out before one that cannot,
// and of those the one that counted most requests, of equals the first. None when the page has none of them.
// The one that was taken before stays until another is better for more than its count, or counted more than twice as
// many: of two that count about the same, a rule's evidence must not jump from one to the other and back.
std::optional<std::size_t> choose(const std::vector<CandidateSeen>& candidates,
                                  std::optional<std::size_t> taken_before = std::nullopt);
// Whether the series has a label whose values the selector refuses.
bool leaves_out_by(const Selector& selector, const SeriesKey& key);

// What tells a restarted process; to be kept of every page besides what the signals read (SPEC 2.5).
Selector process_start_selector();

}  // namespace rules
