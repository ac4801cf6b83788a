#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/cause.hpp"
#include "rules/base/names.hpp"
#include "rules/base/time.hpp"

namespace rules {

// Kleene's three values, named for the operator: bad is "the condition is true".
enum class Verdict {
  good,     // false
  bad,      // true
  unknown,  // cannot tell; never starts anything
};

std::string_view to_string(Verdict verdict);

// A number with its evidence, or why there is none.
struct Measured {
  std::optional<double> value;
  Cause cause = Cause::no_data;          // why, when there is no value
  std::string detail;                    // for people: which series, which metric was taken, what was missing
  double count = 0;                      // requests (ratio, quantile) or samples the number rests on
  double errors = 0;                     // numerator's increase of a ratio
  bool approximate = false;              // interpolated inside a bucket
  Duration window{};                     // how long the window really was
  Instant newest;                        // the newest sample that it rests on
  Instant valid_until = Instant::max();  // when it goes stale if nothing new comes
};

// No number, and why.
Measured unknown(Cause cause, std::string detail);

// One comparison of a condition, as evidence.
struct Comparison {
  std::string text;  // as written
  Verdict verdict = Verdict::unknown;
  Measured value;                   // left side
  std::optional<double> threshold;  // right side
  bool left_out = false;            // rests on a baseline that there is not (SPEC 2.9)
  std::string unit;  // in which the threshold was written, "%", "ms", "MiB": what people read; else empty
};

// A condition's verdict at one time with all its evidence.
struct Judgement {
  Verdict verdict = Verdict::unknown;
  Cause cause = Cause::no_data;          // when unknown
  std::string detail;                    // when unknown: for people
  std::vector<Comparison> comparisons;   // all, in the order written
  std::size_t decisive = 0;              // leftmost comparison that decided; 0 when there are none
  Instant valid_until = Instant::max();  // when it has to be judged again even if no sample comes
};

}  // namespace rules
