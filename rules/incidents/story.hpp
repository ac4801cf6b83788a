#pragma once

#include <string_view>

#include "rules/incidents/records.hpp"

// The events of an incident's timeline that say whether an action helped. Reports gather them by these names.
namespace rules::story {

inline constexpr std::string_view settling = "settling";    // a rung without a switch has time to help
inline constexpr std::string_view verifying = "verifying";  // what runs after a switch is looked at
inline constexpr std::string_view rung_over = "rung_over";  // it did not help
inline constexpr std::string_view next_rung = "next_rung";  // the next action of the ladder is tried
inline constexpr std::string_view later = "later";          // something was looked at when it was over
inline constexpr std::string_view decided = "decided";      // the outcome, and why

}  // namespace rules::story

namespace rules {

// Its action was seen to have helped, whatever came after that.
bool was_verified(const IncidentRecord& incident);

}  // namespace rules
