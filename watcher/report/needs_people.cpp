#include "rules/engine/incident/outcomes.hpp"
#include "watcher/report/story.hpp"

namespace watcher {

bool needs_people(const rules::IncidentRecord& incident) {
  const bool waits = incident.phase == rules::IncidentPhase::asking || incident.phase == rules::IncidentPhase::telling;
  if (!incident.outcome) return waits && incident.severity != rules::Severity::p3;
  if (rules::is_only_told(incident)) return false;
  // What somebody called off he knows of.
  return rules::is_failure(*incident.outcome) && incident.outcome != rules::Outcome::aborted;
}

}  // namespace watcher
