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
std::string explain_incident(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps);

}  // namespace watcher
