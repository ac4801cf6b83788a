#include "rules/engine/incident/last_seen.hpp"

#include "rules/conditions/unit.hpp"

namespace rules {

std::string last_seen(const Judgement& seen) {
  if (seen.verdict == Verdict::unknown) {
    return "; it could not be measured: " + std::string(to_string(seen.cause)) +
           (seen.detail.empty() ? "" : ", " + seen.detail);
  }
  if (seen.verdict == Verdict::bad) return "; it is since a moment ago";
  for (const Comparison& one : seen.comparisons) {
    if (one.verdict == Verdict::good && one.value.value) {
      return "; at last " + one.text + " was " + in_unit(*one.value.value, one.unit);
    }
  }
  return "";
}

std::string values_of(const Judgement& seen) {
  std::string out;
  for (const Comparison& one : seen.comparisons) {
    if (one.value.value) out += (out.empty() ? ": " : ", ") + one.text + " is " + in_unit(*one.value.value, one.unit);
  }
  return out;
}

}  // namespace rules
