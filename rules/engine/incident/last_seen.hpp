#pragma once

#include <string>

#include "rules/conditions/judgement.hpp"

namespace rules {

// What a condition that was not true was at last, behind its text: "; at last q < 50 was 80". For who was waiting for
// it.
std::string last_seen(const Judgement& seen);
// The values of a condition that is not bad: ": error_rate > 5% is 0.1 %"; empty: it has none.
std::string values_of(const Judgement& seen);

}  // namespace rules
