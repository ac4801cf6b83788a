#include "rules/conditions/decide.hpp"

#include <algorithm>
#include <cmath>

namespace rules {

namespace {

double wilson(double errors, double count, double z) {
  const double share = std::clamp(errors / count, 0.0, 1.0);
  const double z2 = z * z;
  const double centre = share + z2 / (2 * count);
  const double margin = z * std::sqrt(share * (1 - share) / count + z2 / (4 * count * count));
  return (centre + margin) / (1 + z2 / count);
}

}  // namespace

double wilson_lower(double errors, double count) { return wilson(errors, count, -wilson_z); }
double wilson_upper(double errors, double count) { return wilson(errors, count, wilson_z); }

bool holds(CompareOp op, double left, double right) {
  switch (op) {
    case CompareOp::greater:
      return left > right;
    case CompareOp::greater_equal:
      return left >= right;
    case CompareOp::less:
      return left < right;
    case CompareOp::less_equal:
      return left <= right;
    case CompareOp::equal:
      return left == right;
    case CompareOp::not_equal:
      return left != right;
  }
  return false;
}

CompareOp mirrored(CompareOp op) {
  switch (op) {
    case CompareOp::greater:
      return CompareOp::less;
    case CompareOp::greater_equal:
      return CompareOp::less_equal;
    case CompareOp::less:
      return CompareOp::greater;
    case CompareOp::less_equal:
      return CompareOp::greater_equal;
    case CompareOp::equal:
    case CompareOp::not_equal:
      return op;
  }
  return op;
}

Verdict decide_few(CompareOp op, double errors, double count, double threshold) {
  switch (op) {
    case CompareOp::greater:
    case CompareOp::greater_equal: {
      const bool sure = errors >= few_errors_min && wilson_lower(errors, count) > threshold;
      return sure ? Verdict::bad : Verdict::unknown;
    }
    // A ratio that is too low counts what is missing from it: `success < 95%`.
    case CompareOp::less:
    case CompareOp::less_equal: {
      const bool sure = count - errors >= few_errors_min && wilson_upper(errors, count) < threshold;
      return sure ? Verdict::bad : Verdict::unknown;
    }
    case CompareOp::equal:
    case CompareOp::not_equal:
      return Verdict::unknown;
  }
  return Verdict::unknown;
}

}  // namespace rules
