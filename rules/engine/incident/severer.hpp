#pragma once

#include "rules/engine/evidence/evidence.hpp"
#include "rules/incidents/records.hpp"
#include "rules/sustain/rule_spec.hpp"

namespace rules {

// What a more severe rule that joined responds with is the next rung, and it is still seen bad: that need not wait for
// what is under way to help (SPEC 2.20). Who may only ask makes nobody act sooner. `cap`: the most that any may do.
bool severer_waits(const IncidentRecord& incident, const Evidence& evidence, Mode cap);

}  // namespace rules
