#include "rules/engine/incident/outcomes.hpp"
#include "watcher/report/story.hpp"

namespace watcher {

using rules::Outcome;

bool needs_people(const rules::IncidentRecord& incident) {
  const bool waits = incident.phase == rules::IncidentPhase::asking || incident.phase == rules::IncidentPhase::telling;
  if (!incident.outcome) return waits && incident.severity != rules::Severity::p3;
  if (rules::is_only_told(incident)) return false;
  switch (*incident.outcome) {
    case Outcome::not_recovered:
    case Outcome::wrong_revision:
    case Outcome::unverifiable:
    case Outcome::action_failed:
    case Outcome::no_target:
    case Outcome::fused:
      return true;
    case Outcome::recovered:
    case Outcome::superseded:
    case Outcome::aborted:
    case Outcome::observed:
    case Outcome::notified:
    case Outcome::cleared:
      return false;
  }
  return true;
}

}  // namespace watcher
