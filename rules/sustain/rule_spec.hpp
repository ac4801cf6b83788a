#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/explanation.hpp"
#include "rules/base/names.hpp"
#include "rules/base/seldom.hpp"
#include "rules/base/time.hpp"
#include "rules/conditions/condition.hpp"

namespace rules {

enum class Severity { p0, p1, p2, p3 };         // P0, P1 act; P2 asks; P3 notifies. Smaller is more severe.
std::string_view to_string(Severity severity);  // "P0"

// The most that may happen by itself.
enum class Mode { observe, notify, ask, act };
std::string_view to_string(Mode mode);

struct RuleSpec {
  RuleName name;
  ServiceName service;
  Condition when;
  std::optional<Condition> clear;  // default: `when` is false
  Duration sustain{};              // `for`
  Severity severity = Severity::p1;
  std::vector<ActionName> respond;      // the ladder, lowest rung first
  std::optional<Mode> mode;             // overrides what the severity implies
  double quorum = 0.9;                  // share of observed time that must be bad
  std::optional<Duration> blind_after;  // default max(3 * for, 1m)
  std::optional<Condition> unless;      // something else that explains the trouble
  Duration unless_max = std::chrono::minutes(10);
  Spare<Explanation> explanation;
};

inline Duration blind_after(const RuleSpec& rule) {
  return rule.blind_after.value_or(std::max<Duration>(3 * rule.sustain, std::chrono::minutes(1)));
}
// How long `clear` must hold, and how long good counts as recovered: min(for, 5m).
inline Duration recovery_hold(const RuleSpec& rule) {
  return std::min<Duration>(rule.sustain, std::chrono::minutes(5));
}

}  // namespace rules
