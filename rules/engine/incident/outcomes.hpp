#pragma once

#include <string>
#include <string_view>

#include "rules/engine/commands.hpp"
#include "rules/incidents/plan.hpp"

namespace rules {

// What each outcome means for what follows, and for people.
bool is_failure(Outcome outcome);
Stage stage_of(Outcome outcome);
// The same, by how severe it was: what changed nothing and only had to be told of needs nobody.
Stage stage_of(const IncidentRecord& incident);
// What was done about its rules did not help, and nothing more is done about them before they were good.
bool is_given_up(Outcome outcome);
bool is_only_told(const IncidentRecord& incident);
// What people have to do now, with the command that does it. `by_hand`: see way_by_hand().
std::string what_now(Outcome outcome, const ServiceName& service, const std::string& by_hand);
// The same where the switch was refused before it began: when what fires on is tried again, by how severe it is.
std::string left_by_refusal(Severity severity);
// And how long after the newest refusal that is, the first one having been so long before that.
Duration tried_again_after(Severity severity, Duration since_first);
// It was aborted, and the step that runs then is finished first; `rollbackd abort` is refused, with --kill it is not.
bool is_seen_out(const IncidentRecord& incident);
// It ended for a rollback by hand, which is told of itself.
bool gave_way(const IncidentRecord& incident);
constexpr std::string_view takes_its_place = " takes its place";
// The same when it recovered, but a step that was to finish it failed.
constexpr std::string_view left_undone = "People are needed: what a finishing step could not do is left to do.";

// Between how an incident ended and what it leaves.
constexpr std::string_view stays_as_it_is = "; what it did stays as it is: ";

// A step that the engine does itself: a wait, a sleep, a question.
bool is_done_by_us(const StepSpec& step);

}  // namespace rules
