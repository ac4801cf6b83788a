#pragma once

#include "rules/conditions/condition.hpp"
#include "rules/conditions/judgement.hpp"

namespace rules {

// A ratio of fewer than min_count requests is past its threshold only with this many errors (SPEC 2.6) ...
inline constexpr double few_errors_min = 5;
// ... and when even the bound that the true ratio is past with 99 % probability is.
inline constexpr double wilson_z = 2.3263478740408408;  // the normal distribution's one-sided 99 % point

// Bounds of the true ratio behind `errors` of `count`, each wrong once in a hundred times (Wilson's score interval).
double wilson_lower(double errors, double count);
double wilson_upper(double errors, double count);

bool holds(CompareOp op, double left, double right);
// b op' a for a op b: > for <.
CompareOp mirrored(CompareOp op);

// bad or unknown, never good: few requests cannot show that all is well.
Verdict decide_few(CompareOp op, double errors, double count, double threshold);

}  // namespace rules
