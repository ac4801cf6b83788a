#pragma once

#include "rules/engine/commands.hpp"
#include "rules/engine/evidence/evidence.hpp"
#include "rules/engine/revisions/revisions.hpp"

namespace rules {

// What commands and messages are told of the incident.
StepContext context_of(const IncidentRecord& incident, const Evidence& evidence, const Revisions& revisions);

// A line for each of its rules, of what is so at that time, with its values.
std::string rules_now(const IncidentRecord& incident, const Evidence& evidence, Instant now);

// What was done so far, for people.
std::string done_so_far(const IncidentRecord& incident);

// Where an incident stands at that time, in a message to people: what is so now and since when, what its rules are,
// what was done, who must act next. `action`: its action at this moment; nullptr: it has none. `by_hand`: see
// way_by_hand(). `left`: what its end leaves to people, where its outcome alone does not say. `far`: how far its action
// is.
Situation situation_of(const IncidentRecord& incident, const ActionSpec* action, const Evidence& evidence,
                       const Revisions& revisions, const std::string& by_hand, Instant now,
                       const std::string& left = "", const std::optional<Progress>& far = {});

// What its action is done for, as it is measured at that moment, which may be long after it fired. `when_fired`: the
// same as it was then, which is said where none of its rules is bad now.
std::string reason_now(const IncidentRecord& incident, const Evidence& evidence, Instant now,
                       const std::string& when_fired);

}  // namespace rules
