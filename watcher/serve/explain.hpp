#pragma once

#include <string>
#include <vector>

#include "rules/engine/view.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// Plain text, a few lines each, ending with a line feed.

// Where a rule stands, on what evidence, and what is missing before it acts.
std::string explain_rule(const rules::RuleView& rule);

// Why an incident opened, what was done and what came of it.
// What an open incident does now and what a person can do about it; empty when it is closed.
std::string next_step(const rules::IncidentRecord& incident);
std::string explain_incident(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps);

}  // namespace watcher
